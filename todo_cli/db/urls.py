"""URLs of databases."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit


def as_login(url: str, login: str, password: str) -> str:
    """Return the URL of the same database for another login; `url` is a libpq URI."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(login, safe='')}:{quote(password, safe='')}@{host}"))
