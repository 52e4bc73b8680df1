"""Measure the import and the export of a list of Taskwarrior: time, CPU and memory, against Taskwarrior's own.

python3 benchmarks/import_export.py [--tasks 100000] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from measure import INSIDE, House, house, machine, run_inside, table, verdict

MAX_GROWTH_MB = 50.0
"""What an import of any size may need beyond that of a short file; an export needs one page."""
QUICK_TASKS = 2_000


class Run(NamedTuple):
    """One process: its wall time and CPU in seconds, and the most memory that it had, in MB."""

    seconds: float
    cpu: float
    megabytes: float


def write_list(path: Path, count: int) -> None:
    """Write an export of Taskwarrior with projects, tags, dates, annotations and dependencies."""
    chance = random.Random(1)
    ids = [str(UUID(int=chance.getrandbits(128), version=4)) for _ in range(count)]
    with path.open("w", encoding="utf-8") as file:
        for number, uuid in enumerate(ids):
            record: dict[str, object] = {
                "description": f"Task number {number} of a usual length",
                "entry": "20261102T080000Z",
                "status": "pending",
                "uuid": uuid,
                "project": f"project{number % 50}",
                "tags": ["home", "phone"],
            }
            record |= {"due": "20361204T133000Z"} if number % 10 == 0 else {}
            record |= {"depends": [ids[number - 1]]} if number % 7 == 1 else {}
            if number % 20 == 0:
                record["annotations"] = [{"entry": "20261103T080000Z", "description": "Ask first"}]
            file.write(json.dumps(record) + "\n")


def run(command: Sequence[str], environment: dict[str, str], directory: Path) -> Run:
    """Run a process to its end; exit if it fails."""
    started = time.monotonic()
    pid = os.posix_spawnp(
        "env",
        ["env", "-C", str(directory), *command],
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: status {status}")
    return Run(time.monotonic() - started, cpu_of(usage), usage.ru_maxrss / 1024)


def cpu_of(usage: resource.struct_rusage) -> float:
    """Return the CPU seconds of a process."""
    return usage.ru_utime + usage.ru_stime


def measure(home: House, count: int) -> list[tuple[str, int, Run]]:
    """Import a short and the long list, the long one again, and export all; then the same by Taskwarrior."""
    todo, directory = str(home.bin / "todo"), home.home
    short, long = directory / "short.json", directory / "long.json"
    write_list(short, 100)
    write_list(long, count)
    runs = [
        ("import of a short file", 100, run([todo, "import", str(short)], home.environment, directory)),
        ("import", count, run([todo, "import", str(long)], home.environment, directory)),
        ("the same import again", count, run([todo, "import", str(long)], home.environment, directory)),
    ]
    export = [todo, "export", "--format", "taskwarrior", "-o", str(directory / "out.json")]
    runs.append(("export", count + 100, run(export, home.environment, directory)))
    if shutil.which("task"):
        (directory / "taskrc").write_text(f"data.location={directory}/taskdata\nconfirmation=no\nhooks=off\n")
        (directory / "taskdata").mkdir()
        environment = home.environment | {"TASKRC": str(directory / "taskrc")}
        task = shutil.which("task") or ""
        runs.append(("task import", count, run([task, "import", str(long)], environment, directory)))
        runs.append(("task export", count, run([task, "export"], environment, directory)))
    return runs


def main() -> int:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="2,000 tasks: to see that it works")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        return run_inside(__file__)
    with house() as home:
        runs = measure(home, QUICK_TASKS if options.quick else options.tasks)
    print(f"\n{machine()}\n")
    base = runs[0][2].megabytes
    rows = [("", "tasks", "s", "own s CPU", "MB", "aim", "")]
    for name, count, measured in runs:
        aim = None if name.startswith("task ") else base + MAX_GROWTH_MB
        rows.append(
            (
                name,
                f"{count:,}",
                f"{measured.seconds:.1f}",
                f"{measured.cpu:.2f}",
                f"{measured.megabytes:.0f}",
                f"≤ {aim:.0f}" if aim else "",
                verdict(measured.megabytes, aim),
            )
        )
    table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
