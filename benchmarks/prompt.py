"""How long `todo chat` takes until it can be typed to."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from measure import House, table

PROMPT = b"todo> "
"""What it shows then."""


def prompt_table(home: House, environment: dict[str, str], runs: int) -> None:
    """Until `todo chat` can be typed to."""
    todo, python = str(home.bin / "todo"), str(home.bin / "python")
    cases = {
        "python3 -c pass": lambda: ended([python, "-c", "pass"], environment),
        "todo list": lambda: ended([python, todo, "list"], environment),
        "todo chat, its prompt": lambda: prompted([python, todo, "chat"], environment),
    }
    took: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(runs + 1):
        for name, run in cases.items():
            took[name].append(run())
    found = {name: median(some[1:]) for name, some in took.items()}
    base, listed, _ = found.values()
    rows = [("direct, on a terminal", "× python", "× todo list")]
    rows += [(name, f"{one / base:.1f}", f"{one / listed:.2f}") for name, one in found.items()]
    table(rows)


@contextmanager
def terminal(command: list[str], environment: dict[str, str]) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The command on a terminal; ours is the other end."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        env=environment | {"TERM": "xterm", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield ours, process
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def ended(command: list[str], environment: dict[str, str]) -> float:
    """Seconds until it has ended."""
    started = time.perf_counter()
    with terminal(command, environment) as (ours, process):
        read_until(ours, None)
        process.wait()
        return time.perf_counter() - started


def prompted(command: list[str], environment: dict[str, str]) -> float:
    """Seconds until the prompt is there."""
    started = time.perf_counter()
    with terminal(command, environment) as (ours, _):
        read_until(ours, PROMPT)
        took = time.perf_counter() - started
        os.write(ours, b"/exit\r")
        read_until(ours, None)
    return took


def read_until(source: int, wanted: bytes | None, patience: float = 30) -> None:
    """Until it says that, or (None) nothing any more."""
    seen = b""
    while wanted is None or wanted not in seen:
        if not select.select([source], [], [], patience)[0]:
            raise SystemExit(f"waited {patience} s in vain for {wanted!r}: {seen[-500:]!r}")
        try:
            new = os.read(source, 65536)
        except OSError:  # a terminal's way to say that the other end has closed
            new = b""
        if not new:
            if wanted is not None:
                raise SystemExit(f"it ended before {wanted!r}: {seen[-500:]!r}")
            return
        seen += new
