"""Run the command in a forked process whose modules are already imported: a third of the CPU of a new interpreter.

Each run is a process of its own, with its own environment, directory, arguments and standard streams. What a new
interpreter reads at its start (its locale, PYTHON… variables) cannot be given to a fork, so `run_command` starts a new
one for such runs. TODO_TEST_NEW_PROCESSES=1 does so for all of them, as `-m long` does.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from tests.support.forked_process import ForkedProcess

COMMAND = (sys.executable, "-c", "from todo_cli.main import main; main()")
"""The command, as a wheel installs it: an import of main and a call."""
CHAT_PACKAGES = ("openai", "openai.resources.chat", "httpx2", "httpcore2", "h11", "anyio._backends._asyncio")
OTHER_PACKAGES = ("psycopg_pool", "rich.console", "typer.rich_utils", "sqlalchemy", "alembic", *CHAT_PACKAGES)
MCP_PACKAGES = ("mcp.server.stdio", "mcp.server.streamable_http_manager", "mcp.server.transport_security")
SERVER_PACKAGES = ("uvicorn.lifespan.on", "uvicorn.loops.uvloop", "uvicorn.supervisors", *MCP_PACKAGES)
READ_AT_START = ("PYTHON", "LC_", "LANGUAGE", "TZ", "COVERAGE")
STAYS_RUNNING = ("init", "mcp", "serve", "worker")
_FORKED_COMMAND = """\
#!{python} -IS
import json, os, signal, socket, sys

if sys.argv[1:] and sys.argv[1] in {running}:
    os.execv("{python}", ["{python}", "-c", "from todo_cli.main import main; main()", *sys.argv[1:]])
message = json.dumps({{"arguments": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd()}}).encode()
link = socket.socket(socket.AF_UNIX)
link.connect("{address}")
socket.send_fds(link, [len(message).to_bytes(4, "big")], [0, 1, 2])
link.sendall(message)
answers = link.makefile("r")
child = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, frame: os.kill(child, number))
sys.exit(int(answers.readline()) % 256)
"""


class CommandServer:
    """The forking process. It imports the package once, then forks for each connection to its socket.

    with_servers: also what servers, workers and `todo mcp` import, which makes a larger process to fork.
    """

    def __init__(self, *, with_servers: bool = False) -> None:
        self.environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8"}
        self._directory = tempfile.TemporaryDirectory(prefix="todo-fork-")
        self._address = str(Path(self._directory.name) / "socket")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self._address)
        listener.listen(100)
        code = f"from tests.support.command_server import serve; serve({listener.fileno()}, {with_servers})"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            env=self.environment,
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
        )
        listener.close()

    def run(
        self, arguments: tuple[str, ...], data: bytes, env: Mapping[str, str], cwd: Path, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one command to its end; raises TimeoutExpired as `subprocess.run` does."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(data)
            given.seek(0)
            child, link = self.start(arguments, env, cwd, [given.fileno(), out.fileno(), err.fileno()])
            link.settimeout(timeout)
            with link, link.makefile("r") as answers:
                try:
                    status = int(answers.readline())
                except TimeoutError:
                    os.kill(child, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(arguments, timeout) from None
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(arguments, status, out.read(), err.read())

    def start(
        self,
        arguments: tuple[str, ...],
        env: Mapping[str, str],
        cwd: Path | str,
        streams: list[int],
        *,
        is_terminal: bool = False,
    ) -> tuple[int, socket.socket]:
        """Start one command on the streams. Return its process id, and the socket that will tell its exit code.

        is_terminal: the streams are a terminal, which becomes the command's own.
        """
        given = {"arguments": arguments, "env": dict(env), "cwd": str(cwd), "is_terminal": is_terminal}
        message = json.dumps(given).encode()
        link = socket.socket(socket.AF_UNIX)
        link.connect(self._address)
        socket.send_fds(link, [len(message).to_bytes(4, "big")], streams)
        link.sendall(message)
        child = b""
        while not child.endswith(b"\n"):
            child += link.recv(1)
        return int(child), link

    def write_command(self, file: Path) -> None:
        """Write an executable `todo` that has this process fork the command; what stays running gets a new interpreter."""
        file.write_text(_FORKED_COMMAND.format(python=sys.executable, address=self._address, running=STAYS_RUNNING))
        file.chmod(0o755)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._directory.cleanup()


def needs_new_process(env: Mapping[str, str]) -> bool:
    """Return whether a fork would not see what this environment sets."""
    is_default = env.get("LANG") == "C.UTF-8"
    return not is_default or any(name.startswith(READ_AT_START) for name in env)


def run_new_process(
    arguments: tuple[str, ...], data: bytes, env: Mapping[str, str], cwd: Path, timeout: float
) -> subprocess.CompletedProcess[bytes]:
    """Run one command in a new interpreter."""
    return subprocess.run(
        [*COMMAND, *arguments], input=data, capture_output=True, env=env, cwd=cwd, timeout=timeout, check=False
    )


def are_processes_new() -> bool:
    """Return whether each command and each server is a new interpreter."""
    return bool(os.environ.get("TODO_TEST_NEW_PROCESSES"))


@cache
def find_process_server() -> CommandServer:
    """Return the process that forks what stays running. It starts when the first server does."""
    running = CommandServer(with_servers=True)
    atexit.register(running.close)
    return running


def start_process(
    *arguments: str, env: Mapping[str, str], out: IO[Any], cwd: Path | None = None
) -> subprocess.Popen[str] | ForkedProcess:
    """Start a command that stays running, `todo serve` or `todo worker`. `out` takes stdout and stderr."""
    if are_processes_new() or needs_new_process(env):
        return subprocess.Popen(
            [*COMMAND, *arguments], env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out, text=True
        )
    with open(os.devnull) as nothing:
        streams = [nothing.fileno(), out.fileno(), out.fileno()]
        return ForkedProcess(*find_process_server().start(arguments, env, cwd or Path.cwd(), streams))


def serve(descriptor: int, with_servers: bool) -> None:
    """Import the package, then fork for each connection."""
    import todo_cli

    left_out = ("todo_cli.main", "todo_cli.server.lambda_handler", *(() if with_servers else ("todo_cli.server.",)))
    for module in pkgutil.walk_packages(todo_cli.__path__, "todo_cli."):
        if "migrations" not in module.name and not module.name.startswith(left_out):
            importlib.import_module(module.name)
    for name in OTHER_PACKAGES + (SERVER_PACKAGES if with_servers else ()):
        importlib.import_module(name)
    importlib.import_module("todo_cli.main")
    gc.freeze()
    listener = socket.socket(fileno=descriptor)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                child, link = _start(listener)
                selector.register(os.pidfd_open(child), selectors.EVENT_READ, (child, link))
            else:
                selector.unregister(key.fd)
                os.close(key.fd)
                _report_end(*key.data)


def _start(listener: socket.socket) -> tuple[int, socket.socket]:
    """Accept a connection, fork the command, and report its process id."""
    link, _ = listener.accept()
    size, streams, _, _ = socket.recv_fds(link, 4, 3)
    with link.makefile("rb") as file:
        message = file.read(int.from_bytes(size, "big"))
    child = os.fork()
    if not child:
        _run(json.loads(message), streams)
    for stream in streams:
        os.close(stream)
    with suppress(OSError):
        link.sendall(f"{child}\n".encode())
    return child, link


def _report_end(child: int, link: socket.socket) -> None:
    """Report the exit code of a command that has ended."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with link, suppress(OSError):
        link.sendall(f"{status}\n".encode())


def _run(given: dict[str, object], streams: list[int]) -> None:
    """Become the command, and end as an interpreter ends. Does not return."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 100)
    if given.get("is_terminal"):
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(str(given["cwd"]))
    os.environ.clear()
    os.environ.update(given["env"])  # type: ignore[call-overload]
    sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115
    sys.stderr = open(2, "w", errors="backslashreplace", buffering=1)  # noqa: SIM115
    sys.argv = ["-c", *given["arguments"]]  # type: ignore[misc]
    sys.path[0] = ""
    code: object = 1
    try:
        from todo_cli.main import main

        main()
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
