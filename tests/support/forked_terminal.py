"""A command on a pseudo-terminal, forked by the command server: no interpreter starts and no module is imported."""

from __future__ import annotations

import fcntl
import os
import pty
import socket
import struct
import termios
from typing import Any

import pexpect
from ptyprocess import PtyProcess

from tests.support.command_server import CommandServer
from tests.support.forked_process import ForkedProcess


class ForkedPtyProcess(PtyProcess):  # type: ignore[misc]
    """The process on the terminal. It is no child of the tests: the command server reports its end over the link."""

    def __init__(self, pid: int, fd: int, link: socket.socket) -> None:
        super().__init__(pid, fd)
        self._process = ForkedProcess(pid, link)

    def isalive(self) -> bool:
        """Return whether the process runs. After the end of its output, wait for its exit code."""
        if self.terminated:
            return False
        code = self._process.wait() if self.flag_eof else self._process.poll()
        if code is None:
            return True
        self.exitstatus, self.signalstatus = (code, None) if code >= 0 else (None, -code)
        self.terminated = True
        return False

    def wait(self) -> int | None:
        """Wait until the process has ended, and return its exit code."""
        self.flag_eof = True
        self.isalive()
        return self.exitstatus  # type: ignore[no-any-return]


def fork_on_terminal(
    server: CommandServer,
    arguments: tuple[str, ...],
    env: dict[str, str],
    cwd: str,
    *,
    rows: int,
    columns: int,
    timeout: float,
) -> Any:
    """Run the command on a new terminal of that size, as `pexpect.spawn` does."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    child = pexpect.spawn(None, timeout=timeout, encoding="utf-8", cwd=cwd, env=env)  # type: ignore[arg-type]
    pid, link = server.start(arguments, env, cwd, [slave] * 3, is_terminal=True)
    os.close(slave)
    child.ptyproc = ForkedPtyProcess(pid, master, link)
    child.pid, child.child_fd, child.name = pid, master, f"<{' '.join(arguments)}>"
    child.terminated = child.closed = False
    return child
