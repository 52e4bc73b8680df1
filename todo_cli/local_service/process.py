"""The one process that is the local service of a list: how it takes its place, and how it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from todo_cli.clients.http_once import NotConnected, ResponseLost, send_once
from todo_cli.errors import TodoError, Unavailable
from todo_cli.local_postgres.locks import lock_file
from todo_cli.local_service.identity import find_service_process, find_started_process
from todo_cli.local_service.model_settings import DIGEST_FILE, digest_model_settings, read_digest
from todo_cli.local_service.places import (
    SOCKET_NAME,
    STARTED_FILE,
    find_socket,
    is_private,
    make_private_directory,
    read_change_time,
    service_directory,
    socket_directory,
)
from todo_cli.settings.settings import Settings

GRACE_SECONDS = 10
"""Of running requests and turns when the service ends."""
HANG_SECONDS = 1.0
"""For a service that does not answer to end by itself."""
KILL_SECONDS = 5.0
"""For a killed process to end."""
HEALTH_SECONDS = 2.0
POLL_INTERVAL_SECONDS = 0.02


class ServicePlace:
    """The place of the one service of the list in `home`: `take` it, `open` it once requests are answered, `leave` it.

    `take` raises Unavailable if a killed service does not end.
    """

    def __init__(self, home: Path, settings: Settings) -> None:
        self._home, self._config = str(home), settings.path
        self._config_changed_at = read_change_time(settings.path)  # before the server reads the file
        self._model_digest = digest_model_settings(settings)
        self.directory = Path(service_directory(self._home))
        self._sockets = Path(socket_directory(self._home))
        self._locks = contextlib.ExitStack()
        self._start_lock = contextlib.ExitStack()

    @property
    def new_socket(self) -> str:
        """The path to bind. `open` gives the socket the name that commands look for."""
        return str(self._sockets / f"{SOCKET_NAME}.new")

    def take(self) -> bool:
        """Take the place and return True.

        Return False if a service of this release and these settings answers, or if another process takes the place.
        A service of another release or of other settings ends, as does one that hangs.
        """
        for directory in (self.directory, self._sockets):
            make_private_directory(str(directory))
        try:
            self._start_lock.enter_context(lock_file(self.directory / ".start", timeout=0))
        except Unavailable:
            return False
        if self._has_good_service():
            self._start_lock.close()
            return False
        self._end_running()
        fd = self._locks.enter_context(lock_file(self.directory / ".alive", KILL_SECONDS))
        os.truncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        (self.directory / DIGEST_FILE).write_text(self._model_digest)
        self._locks.callback(self._remove_sockets)
        return True

    def open(self) -> None:
        """Let commands find the socket, with the time of the configuration, and let other processes take the place."""
        os.utime(self.new_socket, ns=(self._config_changed_at, self._config_changed_at))
        os.rename(self.new_socket, self._sockets / SOCKET_NAME)
        self._start_lock.close()

    def is_open(self) -> bool:
        """Return whether commands still find the socket."""
        return os.path.exists(self._sockets / SOCKET_NAME)

    def leave(self) -> None:
        """Remove the socket and let others take the place."""
        self._locks.close()
        self._start_lock.close()

    def running(self) -> int | None:
        """Return the process id of the service, None if none runs."""
        return find_service_process(self.directory / ".alive")

    def stop(self) -> bool:
        """End the service, also one that is about to run, and return True; return False if there is none.

        The next command may start a service at once, also where the last start was a moment ago.
        """
        if not is_private(str(self.directory)):
            return False
        has_ended = self._end_running()
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.directory / STARTED_FILE, (0, 0))
        return has_ended

    def remove(self) -> None:
        """Stop the service and remove its files."""
        self.stop()
        for directory in {self.directory, self._sockets}:
            if is_private(str(directory)):
                for path in directory.iterdir():
                    path.unlink(missing_ok=True)
                directory.rmdir()

    def _has_good_service(self) -> bool:
        socket = find_socket(self._home, self._config)
        has_same_model = read_digest(str(self.directory)) == self._model_digest
        return socket is not None and has_same_model and is_answering(socket)

    def _end_running(self) -> bool:
        """End every other service, by force after a grace. The sockets go first: commands then wait for none."""
        is_well = any(is_answering(str(path)) for path in self._sockets.glob("*.sock"))
        self._remove_sockets()
        processes = self._find_others()
        for number, seconds in (
            (signal.SIGTERM, GRACE_SECONDS if is_well else HANG_SECONDS),
            (signal.SIGKILL, KILL_SECONDS),
        ):
            for pid in self._find_others():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            self._wait_for_others(seconds)
        return bool(processes)

    def _find_others(self) -> set[int]:
        started = find_started_process(self.directory / STARTED_FILE)
        return {pid for pid in (self.running(), started) if pid} - {os.getpid()}

    def _wait_for_others(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._find_others() and time.monotonic() < deadline:
            time.sleep(POLL_INTERVAL_SECONDS)

    def _remove_sockets(self) -> None:
        for path in self._sockets.glob("*.sock*"):
            path.unlink(missing_ok=True)


def is_answering(socket: str) -> bool:
    """Return whether a service answers behind the socket within HEALTH_SECONDS."""
    try:
        return send_once(f"unix://{socket}", "GET", "/healthz", None, {}, HEALTH_SECONDS).status == 200
    except (NotConnected, ResponseLost, TodoError):
        return False
