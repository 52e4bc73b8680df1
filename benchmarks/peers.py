"""One command as a process, beside Taskwarrior and todo.txt-cli, as the list grows: CPU, wall, and the growth of each.

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
PART = 5_000  # lines that one `todo add -` gets, so that a slow machine is seen to get on


class Peer(NamedTuple):
    """A tool with its list: `command` gives the process for an action's n-th run, `servers` whose CPU is its too."""

    name: str
    command: Callable[[str, int], Case]
    servers: Callable[[], Iterator[int]] = lambda: iter(())


class Cost(NamedTuple):
    """Medians of whole processes, in milliseconds; `served` is the CPU of the servers that answered."""

    cpu: float
    served: float
    wall: float


# -- the tools ----------------------------------------------------------------------------------------


def titles(size: int) -> list[tuple[str, bool]]:
    """As many titles; twenty of them (ten of ten) are the ones that are listed and searched."""
    wanted = 10 if size == 10 else 20
    every = size // wanted
    return [(f"Task {n} to be done{' with a needle' if n % every == 0 else ''}", n % every == 0) for n in range(size)]


def ours(home: House, size: int) -> Iterator[Peer]:
    """Through a server, and directly; the list is a new one."""
    python, todo = str(home.bin / "python"), str(home.bin / "todo")
    first = _filled(home, size)
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


def _filled(home: House, size: int) -> int:
    """Put the tasks into the list; the first one's number."""
    first = json.loads(home.todo("add", "--raw", "The first one", "--json"))["number"] + 1
    for start in range(0, size, PART):
        part = titles(size)[start : start + PART]
        for project, chosen in (("other", False), ("bench", True)):
            lines = "".join(f"{title}\n" for title, wanted in part if wanted is chosen)
            if lines:
                home.todo("add", "--raw", "-", "--project", project, stdin=lines)
        print(f"\r{size:,}: {start + len(part):,} in", end="", file=sys.stderr)
    print(file=sys.stderr)
    return int(first)


def _postgres(home: House) -> Iterator[int]:
    """The list's own postmaster and its children; those that have ended are in the postmaster's account."""
    postmaster = int(next(home.home.rglob("postmaster.pid")).read_text().split()[0])
    yield postmaster
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and _fields(int(entry.name))[1] == str(postmaster):
                yield int(entry.name)
        except OSError:  # it has just ended
            continue


def taskwarrior(home: Path, size: int) -> Peer | None:
    """With its defaults, filled by its own import."""
    if not shutil.which("task"):
        return None
    place = _fresh(home / "taskwarrior")
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
    """todo.txt-cli with its defaults; Debian calls it todo-txt, others todo.sh."""
    name = shutil.which("todo-txt") or shutil.which("todo.sh")
    if not name:
        return None
    place = _fresh(home / "todo.txt")
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


def _fresh(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    return place


# -- measuring ----------------------------------------------------------------------------------------

TICK = os.sysconf("SC_CLK_TCK")


def _spent(pids: Iterator[int]) -> float:
    """The CPU seconds of these processes, and of what they have waited for."""
    total = 0
    for pid in pids:
        try:
            total += sum(map(int, _fields(pid)[11:15]))
        except OSError:
            continue
    return total / TICK


def _fields(pid: int) -> list[str]:
    """What /proc/PID/stat says behind the name: state, parent, …, and at 11 to 14 its CPU in ticks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def measured(peer: Peer, action: str, runs: int) -> Cost:
    """As many runs after one to warm up; what servers spend is read over all of them, for a tick is ten milliseconds."""
    cpu(peer.command(action, 0))
    before = _spent(peer.servers())
    samples = []
    for run in range(1, runs + 1):
        start = time.perf_counter()
        spent = cpu(peer.command(action, run))
        samples.append((spent, time.perf_counter() - start))
    served = max(_spent(peer.servers()) - before, 0) / runs
    return Cost(median(s[0] for s in samples) * 1000, served * 1000, median(s[1] for s in samples) * 1000)


def at_size(size: int, runs: int) -> dict[tuple[str, str], Cost]:
    """Every tool's cost of every action, with that many tasks in its list."""
    found = {}
    with house() as home:
        there = [*ours(home, size), taskwarrior(home.home, size), todo_txt(home.home, size)]
        runs = min(runs, size // 2 - 1)  # every `done` needs a task of its own
        for peer in filter(None, there):
            for action in ACTIONS:
                found[peer.name, action] = measured(peer, action, runs)
    return found


def shown(sizes: Sequence[int], found: dict[int, dict[tuple[str, str], Cost]]) -> None:
    """A table an action: CPU (of the servers behind it) and wall at each size, and how they grew."""
    for action in ACTIONS:
        print(f"\n**{action}**: ms CPU of the process (+ of the servers) / ms wall\n")
        rows = [("", *(f"N = {size:,}" for size in sizes), "CPU grew", "wall grew")]
        for peer in dict.fromkeys(name for costs in found.values() for name, _ in costs):
            costs = [found[size][peer, action] for size in sizes]
            cells = [f"{it.cpu:.0f}{f' + {it.served:.0f}' if it.served else ''} / {it.wall:.0f}" for it in costs]
            first, last = costs[0], costs[-1]
            grown = (last.cpu + last.served) / max(first.cpu + first.served, 0.1)
            rows.append((peer, *cells, f"{grown:.1f} ×", f"{last.wall / first.wall:.1f} ×"))
        table(rows)


def main(sizes: Sequence[int], runs: int) -> None:
    """Measure and print."""
    for name, commands in (("Taskwarrior", ("task",)), ("todo.txt-cli", ("todo-txt", "todo.sh"))):
        if not any(map(shutil.which, commands)):
            print(f"{name} is not installed (Debian: taskwarrior, todotxt-cli), so it is left out", file=sys.stderr)
    found = {size: at_size(size, runs) for size in sizes}
    print(f"{machine()}; medians of {runs} runs")
    shown(sizes, found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="10 and 100 tasks, one run: to see that it works")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        sys.exit(run_inside(__file__))
    wanted = (10, 100) if options.quick else tuple(int(size) for size in options.sizes.split(","))
    main(wanted, 1 if options.quick else options.runs)
