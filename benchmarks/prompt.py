"""Measure the time until `todo chat` shows its prompt."""

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


def print_prompt_times(home: House, environment: dict[str, str], runs: int) -> None:
    """Print the time until the prompt of `todo chat`, as a ratio to Python's start and to `todo list`."""
    todo, python = str(home.bin / "todo"), str(home.bin / "python")
    cases = {
        "python3 -c pass": lambda: seconds_to_end([python, "-c", "pass"], environment),
        "todo list": lambda: seconds_to_end([python, todo, "--no-pager", "list"], environment),
        "todo chat, its prompt": lambda: seconds_to_prompt([python, todo, "chat"], environment),
    }
    samples: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(runs + 1):
        for name, run in cases.items():
            samples[name].append(run())
    medians = {name: median(seconds[1:]) for name, seconds in samples.items()}
    base, list_seconds, _ = medians.values()
    rows = [("direct, on a terminal", "× python", "× todo list")]
    rows += [(name, f"{seconds / base:.1f}", f"{seconds / list_seconds:.2f}") for name, seconds in medians.items()]
    table(rows)


@contextmanager
def terminal(command: list[str], environment: dict[str, str]) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run the command on a pseudo-terminal, and yield our end of it and the process."""
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


def seconds_to_end(command: list[str], environment: dict[str, str]) -> float:
    """Return the seconds until the command has ended."""
    started = time.perf_counter()
    with terminal(command, environment) as (ours, process):
        read_until(ours, None)
        process.wait()
        return time.perf_counter() - started


def seconds_to_prompt(command: list[str], environment: dict[str, str]) -> float:
    """Return the seconds until the command shows its prompt."""
    started = time.perf_counter()
    with terminal(command, environment) as (ours, _):
        read_until(ours, PROMPT)
        elapsed = time.perf_counter() - started
        os.write(ours, b"/exit\r")
        read_until(ours, None)
    return elapsed


def read_until(source: int, wanted: bytes | None, patience: float = 30) -> None:
    """Read until the wanted bytes have come, or until the end if None is wanted. Exit after `patience` seconds of silence."""
    seen = b""
    while wanted is None or wanted not in seen:
        if not select.select([source], [], [], patience)[0]:
            raise SystemExit(f"no {wanted!r} in {patience} s: {seen[-500:]!r}")
        try:
            new = os.read(source, 65536)
        except OSError:  # Linux reports a closed terminal so
            new = b""
        if not new:
            if wanted is not None:
                raise SystemExit(f"the output ended before {wanted!r}: {seen[-500:]!r}")
            return
        seen += new
