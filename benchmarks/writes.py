"""Measure writes: edit one task, complete one, edit one busy space, and change 5,000 tasks at once.

python3 benchmarks/writes.py [--seconds 3] [--rounds 3] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.request import Request, urlopen

from measure import INSIDE, ROOT, House, house, machine, run_inside, table

USERS = 1_000
QUICK_USERS = 200  # enough to complete different tasks in each of its two turns
CONNECTIONS = 16
TASKS_PER_USER = 40
BULK_TASKS = 5_000
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

FILL = """
SELECT todo.create_user(id, 'user ' || n, false, id,
    sha256(convert_to('todo_' || replace(id::text, '-', '') || '_benchmark', 'UTF8')), 'UTC')
  FROM (SELECT n, (lpad(n::text, 8, '0') || '-0000-7000-8000-000000000000')::uuid AS id
    FROM generate_series(1, {users}) n) u;
UPDATE todo.users SET per_minute = NULL;
INSERT INTO todo.tasks (space_id, number, id, title, status, priority, project, due_on, created_at, updated_at, rev)
  SELECT s.id, n, gen_random_uuid(), 'Task ' || n || ' with a title of usual length', 'open', 1 + n % 4,
    CASE WHEN n % 3 = 0 THEN 'home' END, date '2026-01-01' + n % 900, now(), now(), n
  FROM todo.spaces s, generate_series(1, {each}) n WHERE s.name LIKE 'user %';
INSERT INTO todo.tasks (space_id, number, id, title, status, priority, project, created_at, updated_at, rev)
  SELECT s.id, n, gen_random_uuid(), 'Task ' || n || ' with a title of usual length', 'open', 4, 'bulk', now(), now(), n
  FROM todo.spaces s, generate_series({each} + 1, {each} + {bulk}) n WHERE s.name = 'user 1';
INSERT INTO todo.task_tags (space_id, number, tag) SELECT space_id, number, 'phone' FROM todo.tasks WHERE number % 5 = 0;
UPDATE todo.spaces s SET seq = t.last, next_number = t.last + 1
  FROM (SELECT space_id, max(number) AS last FROM todo.tasks GROUP BY space_id) t WHERE t.space_id = s.id;
"""


class Costs(NamedTuple):
    """Requests for each second, and microseconds of CPU for each request."""

    per_second: float
    server: float
    postgres: float


def user_id(number: int) -> str:
    """Return the id of a user of FILL."""
    return f"{number:0>8}-0000-7000-8000-000000000000"


def token(number: int) -> str:
    """Return the token of a user of FILL."""
    return f"todo_{user_id(number).replace('-', '')}_benchmark"


def fill(owner_url: str, users: int) -> None:
    """Store users and tasks."""
    import psycopg

    with psycopg.connect(owner_url, autocommit=True) as connection:
        with connection.transaction():
            for statement in FILL.format(users=users, each=TASKS_PER_USER, bulk=BULK_TASKS).strip().split(";\n"):
                connection.execute(statement.rstrip(";"))
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def tasks_of_all_users(users: int) -> Iterator[tuple[int, int]]:
    """Return user and number of each task once. Neighbours belong to different users."""
    return ((user, number) for number in range(1, TASKS_PER_USER + 1) for user in range(1, users + 1))


def head(method: str, path: str, user: int) -> str:
    """Return the head of a request."""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {{n}}\r\nAuthorization: Bearer {token(user)}"
    )


class Writes:
    """The requests of each case. No task is completed twice."""

    def __init__(self, users: int) -> None:
        self.users = users
        self.to_complete = tasks_of_all_users(users)

    def edit_one(self) -> list[tuple[str, str]]:
        """Edit a task of each user."""
        return [
            (head("PATCH", "/v1/tasks", user), json.dumps({"numbers": [number], "title": "Title {n}"}))
            for user, number in islice(tasks_of_all_users(self.users), 5_000)
        ]

    def edit_several_fields(self) -> list[tuple[str, str]]:
        """Edit note, tags and due date of a task of each user."""
        fields = {"note": "Note {n}", "add_tags": ["t{n}"], "remove_tags": ["phone"], "due": "2030-01-01"}
        return [
            (head("PATCH", "/v1/tasks", user), json.dumps({"numbers": [number], **fields}))
            for user, number in islice(tasks_of_all_users(self.users), 5_000)
        ]

    def complete_one(self) -> list[tuple[str, str]]:
        """Complete tasks that are open."""
        return [
            (head("POST", "/v1/tasks/completion", user), json.dumps({"numbers": [number]}))
            for user, number in islice(self.to_complete, 4_000)
        ]

    def busy_space(self) -> list[tuple[str, str]]:
        """Edit tasks of one space, on all connections."""
        return [
            (head("PATCH", "/v1/tasks", 2), json.dumps({"numbers": [number], "title": "Title {n}"}))
            for number in range(1, TASKS_PER_USER + 1)
        ]


def cpu_ticks(pid: int) -> int:
    """Return the CPU that a process has used, with its ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def postgres_ticks(home: House) -> int:
    """Return the CPU of the local Postgres, all its processes together."""
    postmaster = int(next(home.home.rglob("postmaster.pid")).read_text().split()[0])
    ticks = cpu_ticks(postmaster)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == postmaster:
                ticks += sum(map(int, fields[11:15]))
    return ticks


def drive(home: House, url: str, pid: int, requests: list[tuple[str, str]], seconds: float) -> Costs:
    """Send requests on all connections for so many seconds."""
    command = [sys.executable, str(ROOT / "benchmarks" / "load.py"), url.rpartition(":")[2], str(seconds)]
    server, postgres = cpu_ticks(pid), postgres_ticks(home)
    done = subprocess.run(
        [*command, str(CONNECTIONS)], input=json.dumps(requests), capture_output=True, text=True, check=True
    )
    server, postgres = cpu_ticks(pid) - server, postgres_ticks(home) - postgres
    found = json.loads(done.stdout)
    if found["failed"]:
        raise SystemExit(f"{found['failed']} requests failed: {done.stderr[:1000]}")
    each = 1e6 / CLOCK_TICKS / found["answered"]
    return Costs(found["answered"] / found["seconds"], server * each, postgres * each)


def change_many(home: House, url: str, pid: int, place: int) -> tuple[float, float, float]:
    """Return the seconds of one change of 5,000 tasks, and the CPU seconds of server and Postgres."""
    body = {"filter": "#bulk", "title": f"Title {place}", "add_tags": [f"tag{place}"]}
    request = Request(url + "/v1/tasks", json.dumps(body).encode(), method="PATCH")
    request.add_header("Authorization", f"Bearer {token(1)}")
    request.add_header("Content-Type", "application/json")
    request.add_header("Idempotency-Key", f"bulk-{place}-{time.time()}")
    server, postgres, started = cpu_ticks(pid), postgres_ticks(home), time.perf_counter()
    with urlopen(request, timeout=60) as response:
        response.read()
    took = time.perf_counter() - started
    return took, (cpu_ticks(pid) - server) / CLOCK_TICKS, (postgres_ticks(home) - postgres) / CLOCK_TICKS


def measure(home: House, options: argparse.Namespace) -> None:
    """Measure every case, in turn, and print the medians."""
    from todo_cli.local_postgres.cluster import LocalPostgres

    users = QUICK_USERS if options.quick else USERS
    fill(LocalPostgres(home.home / "pg").owner_url(), users)
    url, pid = home.serve([str(home.bin / "todo"), "serve", "--port"], "/readyz", {})
    writes = Writes(users)
    cases = {
        "edit one": writes.edit_one,
        "complete one": writes.complete_one,
        "edit note, tags, due": writes.edit_several_fields,
        "busy space": writes.busy_space,
    }
    costs: dict[str, list[Costs]] = {name: [] for name in cases}
    for make in cases.values():
        drive(home, url, pid, make(), 0.5)
    for _ in range(options.rounds):
        for name, make in cases.items():
            costs[name].append(drive(home, url, pid, make(), options.seconds))
    bulk = [change_many(home, url, pid, place) for place in range(options.rounds + 1)][1:]
    print(f"\n{machine()}; one worker, {CONNECTIONS} connections, median of {options.rounds} × {options.seconds} s\n")
    rows = [["", "requests/s", "server µs", "Postgres µs", "sum µs"]]
    for name, found in costs.items():
        per_second, server, postgres = (median(values) for values in zip(*found, strict=True))
        rows.append([name, f"{per_second:,.0f}", f"{server:,.0f}", f"{postgres:,.0f}", f"{server + postgres:,.0f}"])
    table(rows)
    took, server, postgres = (median(values) for values in zip(*bulk, strict=True))
    print(
        f"\n{BULK_TASKS:,} tasks by filter, title and tag: {took:.2f} s; CPU: server {server:.2f} s, Postgres {postgres:.2f} s"
    )


def main() -> None:
    """Run in an environment of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a second in all, to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds = 0.5, 1
    if INSIDE not in os.environ:
        sys.exit(run_inside(__file__))
    with house() as home:
        measure(home, options)


if __name__ == "__main__":
    main()
