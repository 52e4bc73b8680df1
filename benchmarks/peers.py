"""Measure commands beside those of Taskwarrior and todo.txt-cli while the list grows: CPU, wall time, and growth.

python3 benchmarks/peers.py [--sizes 10,1000,10000,100000] [--runs 7] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from measure import BARE, INSIDE, Case, House, cpu, house, machine, run_inside, table

SIZES = (10, 1_000, 10_000, 100_000)
ACTIONS = ("add", "list 20", "done", "search")
LINES_PER_ADD = 5_000  # lines for one `todo add -`, so that progress is visible on a slow machine


class Peer(NamedTuple):
    """A tool with its list. `command` returns the process of an action's n-th run, `servers` the pids that work for it."""

    name: str
    command: Callable[[str, int], Case]
    servers: Callable[[], Iterator[int]] = lambda: iter(())


class Cost(NamedTuple):
    """Medians of whole processes in milliseconds. `served` is the CPU of the servers behind a command."""

    cpu: float
    served: float
    wall: float


# -- the tools ----------------------------------------------------------------------------------------


def titles(size: int) -> list[tuple[str, bool]]:
    """Return `size` titles, and for each whether the list and the search must find it: twenty do, or all of ten."""
    wanted = 10 if size == 10 else 20
    every = size // wanted
    return [(f"Task {n} to be done{' with a needle' if n % every == 0 else ''}", n % every == 0) for n in range(size)]


def ours(home: House, size: int) -> Iterator[Peer]:
    """Fill a new list, and yield `todo` through a server and without one."""
    python, todo = str(home.bin / "python"), str(home.bin / "todo")
    first = _fill(home, size)
    token, zone = home.profile()["token"], home.profile().get("timezone", "UTC")
    url, pid = home.serve([todo, "serve", "--port"], "/readyz", {})
    remote = home.home / "api.toml"
    remote.touch(0o600)
    remote.write_text(f'[profiles.default]\nserver = "{url}"\ntoken = "{token}"\ntimezone = "{zone}"\n')
    api = home.environment | {"TODO_CONFIG": str(remote)}

    def through(environment: dict[str, str], skip: int) -> Callable[[str, int], Case]:
        def command(action: str, run: int) -> Case:
            words = {
                "add": ["add", "Buy milk"],
                "list 20": ["list", "project:bench"],
                "done": ["done", str(first + skip + run)],
                "search": ["search", "needle"],
            }
            return Case([python, todo, *words[action]], environment)

        return command

    half = size // 2
    yield Peer("todo, API", through(api, 0), lambda: iter((pid, *_postgres(home))))
    yield Peer("todo, direct", through(home.environment, half), lambda: _postgres(home))


def _fill(home: House, size: int) -> int:
    """Add the tasks to the list and return the number of the first."""
    first = json.loads(home.todo("add", "--raw", "The first one", "--json"))["number"] + 1
    for start in range(0, size, LINES_PER_ADD):
        part = titles(size)[start : start + LINES_PER_ADD]
        for project, chosen in (("other", False), ("bench", True)):
            lines = "".join(f"{title}\n" for title, wanted in part if wanted is chosen)
            if lines:
                home.todo("add", "--raw", "-", "--project", project, stdin=lines)
        print(f"\r{size:,}: {start + len(part):,} in", end="", file=sys.stderr)
    print(file=sys.stderr)
    return int(first)


def _postgres(home: House) -> Iterator[int]:
    """Yield the pids of the list's Postgres. The postmaster's CPU time includes its ended children."""
    postmaster = int(next(home.home.rglob("postmaster.pid")).read_text().split()[0])
    yield postmaster
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and _fields(int(entry.name))[1] == str(postmaster):
                yield int(entry.name)
        except OSError:  # the process has just ended
            continue


def taskwarrior(home: Path, size: int) -> Peer | None:
    """Return Taskwarrior with its defaults and a list filled by `task import`, or None where it is not installed."""
    if not shutil.which("task"):
        return None
    place = _empty_directory(home / "taskwarrior")
    (place / "rc").write_text(f"data.location={place}/data\nconfirmation=no\nrecurrence.confirmation=no\n")
    environment = BARE | {"HOME": str(place), "TASKRC": str(place / "rc")}
    ids = [f"00000000-0000-4000-8000-{n:012x}" for n in range(size)]
    rows = [
        {
            "uuid": ids[n],
            "description": title,
            "status": "pending",
            "entry": "20261101T080000Z",
            "project": "bench" if chosen else "other",
        }
        for n, (title, chosen) in enumerate(titles(size))
    ]
    subprocess.run(
        ["task", "import", "-"], env=environment, input=json.dumps(rows), text=True, check=True, capture_output=True
    )

    def command(action: str, run: int) -> Case:
        words = {
            "add": ["add", "Buy milk"],
            "list 20": ["project:bench", "list"],
            "done": [ids[run], "done"],
            "search": ["/needle/", "list"],
        }
        return Case(["task", *words[action]], environment)

    return Peer("Taskwarrior", command)


def todo_txt(home: Path, size: int) -> Peer | None:
    """Return todo.txt-cli with its defaults, or None. Debian names the program todo-txt, others todo.sh."""
    name = shutil.which("todo-txt") or shutil.which("todo.sh")
    if not name:
        return None
    place = _empty_directory(home / "todo.txt")
    (place / "config").write_text(
        f'export TODO_DIR="{place}"\nexport TODO_FILE="$TODO_DIR/todo.txt"\nexport DONE_FILE="$TODO_DIR/done.txt"\n'
        f'export REPORT_FILE="$TODO_DIR/report.txt"\n'
    )
    lines = (f"{title} +{'bench' if chosen else 'other'}\n" for title, chosen in titles(size))
    (place / "todo.txt").write_text("".join(lines))
    environment = BARE | {"HOME": str(place)}

    def command(action: str, run: int) -> Case:
        words = {
            "add": ["add", "Buy milk"],
            "list 20": ["ls", "+bench"],
            "done": ["-a", "do", str(run + 1)],
            "search": ["ls", "needle"],
        }
        return Case([name, "-d", str(place / "config"), *words[action]], environment)

    return Peer("todo.txt-cli", command)


def _empty_directory(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    return place


# -- measuring ----------------------------------------------------------------------------------------

TICK = os.sysconf("SC_CLK_TCK")


def _cpu_seconds(pids: Iterator[int]) -> float:
    """Return the CPU seconds of these processes and of their ended children."""
    total = 0
    for pid in pids:
        try:
            total += sum(map(int, _fields(pid)[11:15]))
        except OSError:
            continue
    return total / TICK


def _fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name: state, parent, …, and CPU ticks at 11 to 14."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def measure(peer: Peer, action: str, runs: int) -> Cost:
    """Run an action once to warm up and then `runs` times. A tick is 10 ms, so the servers' CPU is read over all runs."""
    cpu(peer.command(action, 0))
    before = _cpu_seconds(peer.servers())
    samples = []
    for run in range(1, runs + 1):
        start = time.perf_counter()
        spent = cpu(peer.command(action, run))
        samples.append((spent, time.perf_counter() - start))
    served = max(_cpu_seconds(peer.servers()) - before, 0) / runs
    return Cost(median(s[0] for s in samples) * 1000, served * 1000, median(s[1] for s in samples) * 1000)


def measure_size(size: int, runs: int) -> dict[tuple[str, str], Cost]:
    """Return the cost of each tool and action with `size` tasks in the list."""
    found = {}
    with house() as home:
        peers = [*ours(home, size), taskwarrior(home.home, size), todo_txt(home.home, size)]
        runs = min(runs, size // 2 - 1)  # each `done` needs a task of its own
        for peer in filter(None, peers):
            for action in ACTIONS:
                found[peer.name, action] = measure(peer, action, runs)
    return found


def print_tables(sizes: Sequence[int], found: dict[int, dict[tuple[str, str], Cost]]) -> None:
    """Print a table for each action: CPU, the servers' CPU and wall time at each size, and their growth."""
    for action in ACTIONS:
        print(f"\n**{action}**: ms CPU of the process (+ of the servers) / ms wall\n")
        rows = [("", *(f"N = {size:,}" for size in sizes), "CPU grew", "wall grew")]
        for peer in dict.fromkeys(name for costs in found.values() for name, _ in costs):
            costs = [found[size][peer, action] for size in sizes]
            cells = [
                f"{cost.cpu:.0f}{f' + {cost.served:.0f}' if cost.served else ''} / {cost.wall:.0f}" for cost in costs
            ]
            first, last = costs[0], costs[-1]
            growth = (last.cpu + last.served) / max(first.cpu + first.served, 0.1)
            rows.append((peer, *cells, f"{growth:.1f} ×", f"{last.wall / first.wall:.1f} ×"))
        table(rows)


def main(sizes: Sequence[int], runs: int) -> None:
    """Run the benchmark and print its tables."""
    for name, commands in (("Taskwarrior", ("task",)), ("todo.txt-cli", ("todo-txt", "todo.sh"))):
        if not any(map(shutil.which, commands)):
            print(f"{name} is not installed (Debian: taskwarrior, todotxt-cli), so it is left out", file=sys.stderr)
    found = {size: measure_size(size, runs) for size in sizes}
    print(f"{machine()}; medians of {runs} runs")
    print_tables(sizes, found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="10 tasks, one run: to see that it works")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        sys.exit(run_inside(__file__))
    wanted = (10,) if options.quick else tuple(int(size) for size in options.sizes.split(","))
    main(wanted, 1 if options.quick else options.runs)
