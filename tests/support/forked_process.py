"""A command that was forked for the tests: what `subprocess.Popen` offers, of a process that is no child of theirs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess


class ForkedProcess:
    """The process. Whoever forked it reports its exit code over the link."""

    def __init__(self, pid: int, link: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._link, self._line = link, b""

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        try:
            return self._read_end(0)
        except BlockingIOError:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code when it has ended; raises TimeoutExpired."""
        try:
            return self._read_end(timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0) from None

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _read_end(self, timeout: float | None) -> int:
        if self.returncode is None:
            self._link.settimeout(timeout)
            while not self._line.endswith(b"\n"):
                received = self._link.recv(100)
                assert received, "the command server has ended"
                self._line += received
            self.returncode = int(self._line)
            self._link.close()
        return self.returncode
