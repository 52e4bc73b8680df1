"""Measure `todo watch`: from the request that changes to the line, and what watchers cost, from 1 to 1,000 of them.

python3 benchmarks/watch.py [--watchers 1,100,1000] [--seconds 5] [--changes 20] [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from measure import INSIDE, House, house, machine, run_inside, table

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
SHARED = "99999999-0000-7000-8000-000000000000"
"""The space of which every watcher is a member."""
FILL = """
SELECT todo.create_user(id, 'user ' || n, false, id,
    sha256(convert_to('todo_' || replace(id::text, '-', '') || '_benchmark', 'UTF8')), 'UTC')
  FROM (SELECT n, (lpad(n::text, 8, '0') || '-0000-7000-8000-000000000000')::uuid AS id
    FROM generate_series(1, {users}) n) u;
UPDATE todo.users SET per_minute = NULL;
INSERT INTO todo.spaces (id, name) VALUES ('{shared}', 'shared');
INSERT INTO todo.members (space_id, user_id, role)
  SELECT '{shared}', (lpad(n::text, 8, '0') || '-0000-7000-8000-000000000000')::uuid, 'editor'
    FROM generate_series(1, {users}) n"""


class Cost(NamedTuple):
    """Counters of the whole run so far."""

    server: int
    postgres: int
    commits: int


class Watcher:
    """One stream of changes; `arrived` has the times of its changes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrived: asyncio.Queue[float] = asyncio.Queue()
        self.writer = writer
        self._reader = reader
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while line := await self._reader.readline():
            if line.startswith(b'data: {"changes":[{'):
                self.arrived.put_nowait(time.perf_counter())


def token(number: int) -> str:
    """Return the token of a user of FILL."""
    return f"todo_{number:08}000070008000000000000000_benchmark"


def head(method: str, path: str, number: int, space: str | None, body: bytes = b"") -> bytes:
    """Return a request of a user, in a space or in the user's own."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Authorization: Bearer {token(number)}"]
    lines += [f"Todo-Space: {space}"] if space else []
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


async def open_watcher(port: int, number: int, space: str | None) -> Watcher:
    """Open a stream, and wait for its first batch."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head("GET", "/v1/changes/stream", number, space))
    answer = await reader.readuntil(b'"more":false}')
    if b" 200 " not in answer[:20]:
        raise SystemExit(answer.decode(errors="replace"))
    return Watcher(reader, writer)


async def add_task(port: int, number: int, space: str | None) -> float:
    """Add a task; return when the request was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = time.perf_counter()
    writer.write(head("POST", "/v1/tasks", number, space, b'{"title":"Buy milk"}'))
    answer = await reader.readuntil(b"\r\n\r\n")
    if b" 201 " not in answer[:20]:
        raise SystemExit(answer.decode(errors="replace"))
    writer.close()
    return started


def ticks_of(pid: int) -> int:
    """Return the CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def ticks_below(parent: int) -> int:
    """Return the CPU of the children of a process, with those that have ended."""
    fields = Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()
    total = int(fields[13]) + int(fields[14])
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            total += int(fields[11]) + int(fields[12]) if int(fields[1]) == parent else 0
    return total


class Bench:
    """The server under test, its database, and the counters of both."""

    def __init__(self, home: House) -> None:
        from todo_cli.local_postgres.cluster import LocalPostgres

        self.owner_url = LocalPostgres(home.home / "pg").owner_url()
        command = [str(home.bin / "todo"), "serve", "--port"]
        url, self.server = home.serve(command, "/readyz", {"TODO_RATE_LIMIT": "false", "TODO_CONNECTIONS": "2100"})
        self.port = int(url.rpartition(":")[2])
        self.postmaster = int(next(home.home.rglob("postmaster.pid")).read_text().split()[0])

    def execute(self, script: str) -> int:
        """Run statements as the owner; return the number that the last one selects, if it does."""
        import psycopg

        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            for statement in script.split(";\n"):
                cursor = connection.execute(statement)
            row = cursor.fetchone() if cursor.description else None
        return int(row[0]) if row else 0

    def count(self) -> Cost:
        """Return the counters."""
        commits = self.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return Cost(ticks_of(self.server), ticks_below(self.postmaster), commits)


async def measure_watchers(bench: Bench, count: int, space: str | None, options: argparse.Namespace) -> list[str]:
    """Open so many streams, let them rest, change things, and return a row of the table."""
    watchers = [await open_watcher(bench.port, number, space) for number in range(1, count + 1)]
    await asyncio.sleep(2)
    before = bench.count()
    await asyncio.sleep(options.seconds)
    resting = [(after - earlier) / options.seconds for earlier, after in zip(before, bench.count(), strict=True)]
    first: list[float] = []
    last: list[float] = []
    before = bench.count()
    for change in range(options.changes):
        number = 1 + change * 7919 % count
        started = await add_task(bench.port, number, space)
        readers = watchers if space else [watchers[number - 1]]
        times = [await asyncio.wait_for(watcher.arrived.get(), 30) - started for watcher in readers]
        first.append(min(times))
        last.append(max(times))
    spent = [after - earlier for earlier, after in zip(before, bench.count(), strict=True)]
    for watcher in watchers:
        watcher.task.cancel()
        watcher.writer.close()
    await asyncio.sleep(1)
    lines = options.changes * (count if space else 1)
    return [
        f"{count:,}, {'one space' if space else 'a space each'}",
        f"{resting[2]:.1f}",
        f"{resting[0] / CLOCK_TICKS * 100:.1f} %",
        f"{resting[1] / CLOCK_TICKS * 100:.1f} %",
        f"{median(first) * 1000:.0f}",
        f"{median(last) * 1000:.0f}",
        f"{max(last) * 1000:.0f}",
        f"{(spent[0] + spent[1]) / CLOCK_TICKS / lines * 1000:.1f}",
    ]


async def measure_all(bench: Bench, options: argparse.Namespace) -> None:
    """Measure each number of watchers, each with a space of its own and all in one, and print the table."""
    rows = [
        ["watchers", "statements/s", "server CPU", "Postgres CPU", "first ms", "last ms", "worst ms", "CPU ms/line"]
    ]
    for count in options.watchers:
        for space in (None, SHARED):
            rows.append(await measure_watchers(bench, count, space, options))
            print(f"{rows[-1][0]} …", file=sys.stderr)
    print(f"\n{machine()}; at rest for {options.seconds} s, then {options.changes} changes\n")
    table(rows)


def main() -> int:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=lambda text: [int(part) for part in text.split(",")], default=[1, 100, 1000])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="show that it works; the figures mean nothing")
    options = parser.parse_args()
    if options.quick:
        options.watchers, options.seconds, options.changes = [1, 5], 0.5, 2
    if INSIDE not in os.environ:
        return run_inside(__file__)
    with house() as home:
        bench = Bench(home)
        bench.execute(FILL.format(users=max(options.watchers), shared=SHARED))
        asyncio.run(measure_all(bench, options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
