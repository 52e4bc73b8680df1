"""URLs of databases."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

DEFAULT_PORT = "5432"


class DatabasePlace(NamedTuple):
    """A database without user and password. Two URLs of one place are the same database."""

    host: str
    port: str
    name: str


def as_login(url: str, login: str, password: str) -> str:
    """Return the URL of the same database for another login; `url` is a libpq URI."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(login, safe='')}:{quote(password, safe='')}@{host}"))


def read_place(url: str) -> DatabasePlace:
    """Return the place of the database that a libpq URI names."""
    from psycopg.conninfo import conninfo_to_dict

    values = conninfo_to_dict(url)
    host = values.get("host") or values.get("hostaddr") or "this machine"
    name = values.get("dbname") or values.get("user") or "of your account"
    return DatabasePlace(str(host), str(values.get("port") or DEFAULT_PORT), str(name))


def describe_database(url: str) -> str:
    """Return the name and the host of a database, for messages."""
    place = read_place(url)
    return f"the database {place.name} at {place.host}"
