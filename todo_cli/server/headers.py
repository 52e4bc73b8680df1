"""The headers of a request: their rules, which OpenAPI publishes, and the caller that they name."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple
from urllib.parse import unquote

from starlette.types import Scope

from todo_cli.contract.base import Caller, Secret
from todo_cli.contract.keys import check_key, parse_fences
from todo_cli.errors import Invalid, NotSignedIn


class BadHeaders(Invalid):
    """A request whose headers have no single meaning: one is missing or is given twice."""

    status = 400


class HeaderRule(NamedTuple):
    """What OpenAPI says of a header. A value that does not match the pattern is refused."""

    about: str
    pattern: str


HEADER_RULES = {
    "Todo-Space": HeaderRule(
        "id of the space to work in; default: the caller's personal space",
        r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    ),
    "Time-Zone": HeaderRule("IANA name; default: the caller's preference", r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$"),
    "Idempotency-Key": HeaderRule(
        "a write with the same key and content is done once, however often it is sent; 1 to 200 printable characters, "
        "percent-encoded where they are not ASCII, a space or a percent sign",
        r"^([!-$&-~]|%[0-9A-Fa-f]{2}){1,800}$",  # 200 characters of at most four bytes
    ),
    "Todo-Fence": HeaderRule(
        "the `fence` of the caller's claims, such as 41 or 41,45: a write is refused where the last claim of one of "
        "its tasks has another one",
        r"^[0-9]{1,19}(, ?[0-9]{1,19}){0,99}$",
    ),
}
_PATTERNS = {name: re.compile(rule.pattern.removesuffix("$") + r"\Z") for name, rule in HEADER_RULES.items()}
_SINGLE_HEADERS = {
    name.lower().encode(): name for name in ("Host", "Authorization", "Content-Type", "Last-Event-ID", *HEADER_RULES)
}


def read_headers(scope: Scope) -> dict[str, str]:
    """Return the headers of a request, with names in lower case."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def check_headers(scope: Scope) -> None:
    """Raise BadHeaders for a request that a proxy in front may have understood in another way (RFC 9112)."""
    names = [name for name, _ in scope["headers"]]
    if len(set(names)) < len(names):
        counts = Counter(names)
        for name in _SINGLE_HEADERS:
            if counts[name] > 1:
                raise BadHeaders(f"the header {_SINGLE_HEADERS[name]} is given twice", hint="send it once")
    if b"host" not in names and scope["http_version"] != "1.0":
        raise BadHeaders("the request has no Host header", hint="send the server's name in it")


def has_body(scope: Scope) -> bool:
    """Return whether the headers announce a body; without them HTTP/1.1 has none (RFC 9112, section 6.3)."""
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


def read_caller(scope: Scope) -> Caller:
    """Return the caller that the headers name; raises NotSignedIn or Invalid."""
    headers = read_headers(scope)
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn("the request has no token", hint="send the header: Authorization: Bearer TOKEN")
    address = scope["client"][0] if scope.get("client") else None
    return Caller(token=Secret(token.strip()), way="api", address=address)


def read_context(scope: Scope, caller: Caller) -> Caller:
    """Return the caller with the space, the time zone, the key and the fences of the headers; raises Invalid."""
    from msgspec.structs import replace

    headers = read_headers(scope)
    space, zone, key, fences = (headers.get(name.lower()) for name in HEADER_RULES)
    if space is not None and not _PATTERNS["Todo-Space"].match(space):
        raise Invalid("Todo-Space must be the id of a space")
    if zone is not None:
        from todo_cli.parsing.dates import zone_of

        zone_of(zone)
    if fences is not None and not _PATTERNS["Todo-Fence"].match(fences):
        raise Invalid("Todo-Fence must be the fence of a claim, or several with commas")
    return replace(
        caller,
        space=space,
        zone=zone,
        key=None if key is None else _read_key(key),
        fences=() if fences is None else parse_fences([fences]),
    )


def _read_key(text: str) -> str:
    if not _PATTERNS["Idempotency-Key"].match(text):
        raise Invalid("Idempotency-Key must be printable ASCII, with other characters and spaces percent-encoded")
    try:
        key = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Invalid("Idempotency-Key is not valid UTF-8 after percent-decoding") from None
    check_key(key)
    return key
