"""Open the sockets of a server and check its certificate before anything else starts."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import stat
from pathlib import Path

from todo_cli.errors import Invalid, Unavailable

MAX_SOCKET_PATH_BYTES = 103
BACKLOG = 2048


def listen(host: str, port: int, uds: str | None, *, is_private: bool = False) -> list[socket.socket]:
    """Return bound sockets; raises Unavailable for an address in use, Invalid for an unusable one.

    Everybody may connect to a unix socket, since every request needs a token, unless it is private to this account.
    """
    address = uds or f"{host}:{port}"
    try:
        return [_bind_unix(uds, is_private=is_private)] if uds else _bind_tcp(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            hint = "is a server running already? choose another with --uds" if uds else "choose another with --port"
            raise Unavailable(f"{address} is in use", hint=hint) from None
        raise Invalid(f"cannot listen on {address}: {error.strerror or error}") from None
    except (UnicodeError, OverflowError) as error:
        raise Invalid(f"cannot listen on {address}: {error}") from None


def require_certificate(certificate: str | None, key: str | None) -> None:
    """Raise Invalid for a certificate or key that cannot be used."""
    if certificate is None:
        if key is not None:
            raise Invalid("--certificate-key needs --certificate")
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password="")
    except OSError as error:
        raise Invalid(f"the certificate {certificate} cannot be used: {error.strerror or error}") from None


def _bind_tcp(host: str, port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    last_error: OSError | None = None
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
        # `localhost` may have two addresses: a free port is chosen once for both
        bound_port = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(socket.create_server((address[0], bound_port), family=family, backlog=BACKLOG))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                _close_all(sockets)
                raise
            last_error = error
    if not sockets:
        raise last_error or OSError("the host has no address")
    return sockets


def _bind_unix(path: str, *, is_private: bool) -> socket.socket:
    if len(os.fsencode(path)) > MAX_SOCKET_PATH_BYTES:
        raise Invalid(
            f"the path of the socket is longer than {MAX_SOCKET_PATH_BYTES} bytes", hint="choose a shorter one"
        )
    file = Path(path)
    if file.exists() and stat.S_ISSOCK(file.stat().st_mode) and not _has_listener(path):
        file.unlink()
    sock = socket.socket(socket.AF_UNIX)
    # The mode comes from the umask: after the bind, somebody could have put a link in the place of the socket, and a
    # chmod would follow it.
    mask = os.umask(0o177 if is_private else 0o111)
    try:
        sock.bind(path)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(mask)
    sock.listen(BACKLOG)
    return sock


def _has_listener(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def _close_all(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def release(sockets: list[socket.socket], uds: str | None) -> None:
    """Close the sockets and remove the file of a unix socket."""
    _close_all(sockets)
    if uds:
        Path(uds).unlink(missing_ok=True)
