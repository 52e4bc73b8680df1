"""A process that forks children. Each child runs the driver and may be killed. Forking is faster than a new interpreter."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from typing import Any

from tests.support.turn_driver import ROOT, run_driver


class ForkServer:
    """The forking process; `run` runs the driver once in a child."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._lock = threading.Lock()

    def run(self, **given: Any) -> dict[str, Any] | None:
        """Return the child's answer, or None if it was killed. Nothing else may have ended it."""
        with self._lock:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(given) + "\n")
            self._process.stdin.flush()
            status, found = json.loads(self._process.stdout.readline())
        assert status in (0, -signal.SIGKILL), found
        return json.loads(found) if status == 0 else None

    def close(self) -> None:
        """Stop the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def start_fork(line: str) -> tuple[int, str]:
    """Fork one child; return its exit status and its output."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        try:
            said, status = json.dumps(asyncio.run(run_driver(json.loads(line)))), 0
        except BaseException:
            said, status = traceback.format_exc(), 1
        with os.fdopen(theirs, "w") as out:
            out.write(said)
        os._exit(status)
    os.close(theirs)
    with os.fdopen(ours) as found:
        said = found.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


if __name__ == "__main__":
    for given in sys.stdin:
        print(json.dumps(start_fork(given)), flush=True)
