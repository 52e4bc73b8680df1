"""A list of `todo init` with its local service, as one user of a machine has it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import Todo, wait_for
from tests.support.command_server import CommandServer
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.local_service.identity import find_service_process
from todo_cli.local_service.places import SOCKET_NAME

NOTIFY_SEND = '#!/bin/sh\nprintf "%s\\n" "$@" >> "$0.log"\n'


@dataclass(frozen=True)
class LocalList:
    """The command, its configuration, and the directory of its Postgres."""

    todo: Todo
    home: Path
    programs: Path

    @property
    def directory(self) -> Path:
        """The directory of the service."""
        return self.home / "service"

    @property
    def socket(self) -> Path:
        """The socket of this release's service."""
        return self.directory / SOCKET_NAME

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.todo.directory / ".config" / "todo" / "config.toml"

    def service(self) -> int | None:
        """Return the process of the service."""
        return find_service_process(self.directory / ".alive")

    def wait_for_service(self, *, other_than: int | None = None) -> int:
        """Wait until a service, not that process, answers; return its process."""
        wait_for(lambda: self.socket.exists() and self.service() not in (None, other_than), self.read_log())
        pid = self.service()
        assert pid
        return pid

    def service_processes(self) -> list[int]:
        """Return all processes that are, or are about to be, a service of this list."""
        place = f"TODO_CONFIG={self.config}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if b"--local" in (process / "cmdline").read_bytes() and place in (process / "environ").read_bytes():
                    found.append(int(process.name))
        return found

    def forget_last_start(self) -> None:
        """Let the next command start a service, as if the last start was long ago."""
        with suppress(FileNotFoundError):
            os.utime(self.directory / ".started", (0, 0))

    def read_log(self) -> str:
        """Return the log of the service."""
        with suppress(FileNotFoundError):
            return (self.directory / "service.log").read_text()
        return ""

    def ways(self) -> dict[str, str]:
        """Return the way in which each task was added, by its title."""
        changes = self.todo("log", "--limit", "200", "--json").json["changes"]
        return {row["title"]: change["way"] for change in changes for row in change["differences"] if row["added"]}


@contextmanager
def create_local_list(command_server: CommandServer | None = None) -> Iterator[LocalList]:
    """Run `todo init` in a directory that the account of Postgres can enter, and destroy the list at the end."""
    top = Path(tempfile.mkdtemp(prefix="todo-service-", dir="/tmp"))
    top.chmod(0o755)
    programs = top / "bin"
    programs.mkdir()
    (programs / "notify-send").write_text(NOTIFY_SEND)
    (programs / "notify-send").chmod(0o755)
    environment = {"TODO_SERVICE": "", "PATH": f"{programs}:{os.environ['PATH']}"}
    local_list = LocalList(Todo(top, environment, command_server), top / "pg", programs)
    try:
        created = local_list.todo("init", "--name", "ada")
        assert created.code == 0, created.err
        yield local_list
    finally:
        local_list.todo("init", "--destroy", "--yes")
        with suppress(Exception):
            LocalPostgres(local_list.home).destroy()
        shutil.rmtree(top, ignore_errors=True)
