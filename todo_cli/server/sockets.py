"""What a server listens on, and its certificate: checked before anything starts."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import stat
from pathlib import Path

from todo_cli.errors import Invalid, Unavailable


def listen(host: str, port: int, uds: str | None) -> list[socket.socket]:
    """Bound sockets; raises Unavailable for an address that is taken, Invalid for one that cannot be had."""
    where = uds or f"{host}:{port}"
    try:
        return [_unix(uds)] if uds else _tcp(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            hint = "is a server running already? choose another with --uds" if uds else "choose another with --port"
            raise Unavailable(f"{where} is in use", hint=hint) from None
        raise Invalid(f"cannot listen on {where}: {error.strerror or error}") from None
    except (UnicodeError, OverflowError) as error:
        raise Invalid(f"cannot listen on {where}: {error}") from None


def require_certificate(certificate: str | None, key: str | None) -> None:
    """Raises Invalid for a certificate or key that cannot be used."""
    if certificate is None:
        if key is not None:
            raise Invalid("--certificate-key is given without --certificate")
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password="")
    except OSError as error:
        raise Invalid(f"the certificate {certificate} cannot be used: {error.strerror or error}") from None


def _tcp(host: str, port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    refusal: OSError | None = None
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
        # a free port is chosen once: `localhost` may be two addresses
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(socket.create_server((address[0], chosen), family=family, backlog=2048))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                _close(sockets)
                raise
            refusal = error
    if not sockets:
        raise refusal or OSError("there is no such address")
    return sockets


def _unix(path: str) -> socket.socket:
    if len(os.fsencode(path)) > 103:
        raise Invalid("the socket's path is longer than 103 bytes", hint="choose a shorter one")
    found = Path(path)
    if found.exists() and stat.S_ISSOCK(found.stat().st_mode) and not _alive(path):
        found.unlink()
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    found.chmod(0o666)  # whoever gets there needs a token all the same
    sock.listen(2048)
    return sock


def _alive(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def _close(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def release(sockets: list[socket.socket], uds: str | None) -> None:
    """Listen no more, and leave no socket's file behind."""
    _close(sockets)
    if uds:
        Path(uds).unlink(missing_ok=True)
