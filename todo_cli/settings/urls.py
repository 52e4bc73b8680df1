"""Check the URLs of the settings before anything connects, and hide passwords. No message repeats a URL."""

from __future__ import annotations

from todo_cli.errors import Invalid

SERVER_SCHEMES = ("http://", "https://", "unix://")
SMTP_SCHEMES = ("smtp://", "smtp+starttls://", "smtps://")
DATABASE_SCHEMES = ("postgresql://", "postgres://")
VALKEY_SCHEMES = ("redis://", "rediss://", "valkey://", "valkeys://", "unix://")
HEX_DIGITS = set("0123456789abcdefABCDEF")


def check_server_url(url: str, name: str) -> str:
    """Return the URL of a todo server; raises Invalid, with `name` as its subject."""
    if not url.startswith(SERVER_SCHEMES):
        raise Invalid(f"{name} must begin with http://, https:// or unix://", hint="such as https://todo.example.org")
    if not url.startswith("unix://") and "@" in url:
        raise Invalid(
            f"{name} must not contain a user or a password",
            hint="give the address alone, and sign in with a token: todo login https://todo.example.org",
        )
    return url


def check_smtp_url(url: str, name: str) -> str:
    """Return the URL of a mail server; raises Invalid, with `name` as its subject."""
    if not url.startswith(SMTP_SCHEMES) or not url.partition("://")[2]:
        raise Invalid(
            f"{name} must begin with smtps://, smtp+starttls:// or smtp://",
            hint="such as smtps://user:password@mail.example.org",
        )
    return url


def check_database_url(url: str, name: str) -> str:
    """Return the URL of a Postgres database; raises Invalid, with `name` as its subject."""
    if not url.startswith(DATABASE_SCHEMES):
        raise Invalid(f"{name} must be the URL of a Postgres database", hint="such as postgresql://user@host/database")
    if not _is_unambiguous(url.partition("://")[2]):
        raise Invalid(
            f"{name} cannot be read as a URL",
            hint="in the user and the password write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F",
        )
    return url


def check_valkey_url(url: str, name: str) -> str:
    """Return the URL of a Redis or Valkey server; raises Invalid, with `name` as its subject."""
    if not url.startswith(VALKEY_SCHEMES):
        raise Invalid(f"{name} must be the URL of a Redis or Valkey server", hint="such as valkey://host:6379/0")
    return url


def _is_unambiguous(rest: str) -> bool:
    """Return whether libpq takes no part of a password for a host or a port, which its messages would show."""
    place = rest.partition("/")[0].partition("?")[0]
    user, _, hosts = place.rpartition("@")
    ports = [host.rpartition("]")[2].partition(":") for host in hosts.split(",")]
    has_plain_ports = all(not colon or port == "" or port.isdigit() for _, colon, port in ports)
    return "@" not in user and user.count(":") <= 1 and has_plain_ports and _has_whole_escapes(rest)


def _has_whole_escapes(text: str) -> bool:
    escapes = [part[:2] for part in text.split("%")[1:]]
    return all(len(escape) == 2 and set(escape) <= HEX_DIGITS and escape != "00" for escape in escapes)


def hide_user(text: str) -> str:
    """Replace the user and the password of every URL in a text."""
    import re

    return re.sub(r"(?<=://)[^/?#\s]*@", "…@", text)


def sends_in_clear(server: str) -> bool:
    """Return whether requests travel unencrypted to another machine: http:// to anything but this machine itself."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    url = urlsplit(server)
    host = (url.hostname or "").rstrip(".")
    if url.scheme != "http" or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True
