"""Measure a request beside pgbench with the same SQL, and beside a plain server of FastAPI and an ORM.

python3 benchmarks/server.py [--tasks 1000000] [--seconds 5] [--rounds 3] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import NamedTuple

from measure import INSIDE, ROOT, House, house, machine, run_inside, table, verdict

USERS = 1_000
CONNECTIONS = 16
AIMS = {  # request -> (share of pgbench, ratio to the yardstick per CPU second)
    "add": (0.3, 5.0),
    "list of 20": (0.12, 5.0),
}


class Rate(NamedTuple):
    """Requests for each second, and for each second of the server's CPU."""

    per_second: float
    per_cpu_second: float


# -- data ---------------------------------------------------------------------------------------------


def user_id(number: int | str) -> str:
    """Return the id of a user of FILL: a number, so that pgbench can build it."""
    return f"{number:0>8}-0000-7000-8000-000000000000"


def token(number: int) -> str:
    """Return the token of a user of FILL, in the form of `new_token`."""
    return f"todo_{user_id(number).replace('-', '')}_benchmark"


FILL = """
SELECT todo.create_user(id, 'user ' || n, false, id, sha256(convert_to('todo_' || replace(id::text, '-', '') || '_benchmark', 'UTF8')), 'UTC')
  FROM (SELECT n, (lpad(n::text, 8, '0') || '-0000-7000-8000-000000000000')::uuid AS id FROM generate_series(1, {users}) n) u;
UPDATE todo.users SET per_minute = 10000;
INSERT INTO todo.tasks (space_id, number, id, title, status, priority, project, due_on, created_at, updated_at, rev)
  SELECT (lpad(u::text, 8, '0') || '-0000-7000-8000-000000000000')::uuid, n, gen_random_uuid(), 'Task ' || n || ' of a usual length for one',
         CASE WHEN n % 4 = 0 THEN 'done' ELSE 'open' END, 1 + n % 4, CASE WHEN n % 3 = 0 THEN 'home' END,
         CASE WHEN n % 2 = 0 THEN date '2026-01-01' + n % 900 END, now(), now(), n
    FROM generate_series(1, {users}) u, generate_series(1, {each}) n;
INSERT INTO todo.task_tags (space_id, number, tag) SELECT space_id, number, 'phone' FROM todo.tasks WHERE number % 5 = 0;
UPDATE todo.spaces SET seq = {each}, next_number = {each} + 1 WHERE name LIKE 'user %';
CREATE SCHEMA yardstick;
CREATE TABLE yardstick.todo (id bigserial PRIMARY KEY, user_id bigint NOT NULL, title text NOT NULL, status text NOT NULL,
  priority int, project text, due timestamptz, created_at timestamptz NOT NULL);
INSERT INTO yardstick.todo (user_id, title, status, priority, project, due, created_at)
  SELECT substr(space_id::text, 1, 8)::int, title, status, priority, project, due_on, created_at FROM todo.tasks ORDER BY number;
CREATE INDEX ON yardstick.todo (user_id, status, due, id);
"""


def fill(owner_url: str, tasks: int) -> None:
    """Store users and their tasks, and the same tasks in the yardstick's own table."""
    import psycopg

    print(f"storing {tasks:,} tasks of {USERS:,} users …", file=sys.stderr)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        with connection.transaction():
            for statement in FILL.format(users=USERS, each=tasks // USERS).strip().split(";\n"):
                connection.execute(statement.rstrip(";"))
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


# -- our server and the yardstick ---------------------------------------------------------------------


def todo_requests() -> dict[str, list[tuple[str, str]]]:
    """Return the head and body of a request of each user, for each kind of request."""
    common = "Host: bench\r\nAccept: application/json\r\nAuthorization: Bearer "
    body = json.dumps({"title": "Buy milk and a few other things"})
    post = "POST /v1/tasks HTTP/1.1\r\nContent-Type: application/json\r\nIdempotency-Key: {n}\r\n"
    return {
        "add": [(f"{post}{common}{token(number)}", body) for number in range(1, USERS + 1)],
        "list of 20": [
            (f"GET /v1/tasks?limit=20 HTTP/1.1\r\n{common}{token(number)}", "") for number in range(1, USERS + 1)
        ],
    }


def yardstick_requests() -> dict[str, list[tuple[str, str]]]:
    """Return the same requests for the yardstick."""
    body = json.dumps({"title": "Buy milk and a few other things"})
    head = "Content-Type: application/json\r\nHost: bench"
    return {
        "add": [(f"POST /todos?user={number} HTTP/1.1\r\n{head}", body) for number in range(1, USERS + 1)],
        "list of 20": [(f"GET /todos?user={number} HTTP/1.1\r\n{head}", "") for number in range(1, USERS + 1)],
    }


def measure_rate(url: str, pid: int, requests: list[tuple[str, str]], seconds: float) -> Rate:
    """Send requests from another process and return their rate. The CPU is the server's alone. Exit if a request fails."""
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "load.py"),
        url.rpartition(":")[2],
        str(seconds),
        str(CONNECTIONS),
    ]
    before = cpu_seconds(pid)
    load = subprocess.run(command, input=json.dumps(requests), capture_output=True, text=True, check=True)
    used, found = cpu_seconds(pid) - before, json.loads(load.stdout)
    if found["failed"]:
        raise SystemExit(f"{found['failed']} requests failed: {load.stderr[:1000]}")
    return Rate(found["answered"] / found["seconds"], found["answered"] / used)


def cpu_seconds(pid: int) -> float:
    """Return the user and system seconds of a process."""
    if os.path.exists("/proc/self/stat"):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    output = subprocess.run(["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout
    seconds = 0.0
    for part in output.strip().split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def memory_of(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    output = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout
    return int(output) / 1024


# -- the rounds ----------------------------------------------------------------------------------------


def yardstick(home: House, owner_url: str) -> tuple[str, int] | None:
    """Start the plain server and return its URL and pid, or None where FastAPI is not installed."""
    if subprocess.run([sys.executable, "-c", "import fastapi"], capture_output=True, check=False).returncode:
        print("skipped: the plain server, because fastapi could not be installed", file=sys.stderr)
        return None
    url = owner_url.replace("postgresql://", "postgresql+psycopg://", 1)
    command = [sys.executable, str(ROOT / "benchmarks" / "yardstick.py")]
    return home.serve(command, "/openapi.json", {"YARDSTICK_URL": url})


def rounds(home: House, tasks: int, seconds: float, count: int) -> None:
    """Measure ours, pgbench and the plain server in turn, `count` times, and print the table."""
    # The environment that `run_inside` creates has these.
    from pgbench import run_pgbench, write_scripts

    from todo_cli.local_postgres.cluster import LocalPostgres

    postgres = LocalPostgres(home.home / "pg")
    fill(postgres.owner_url(), tasks)
    url = postgres.url("todo_server", postgres.secret("server"))
    binary, files = postgres.bindir() / "pgbench", write_scripts(url, token(1), home.home, USERS)
    us = home.serve([str(home.bin / "todo"), "serve", "--port"], "/readyz", {"TODO_RATE_LIMIT": "true"})
    plain = yardstick(home, postgres.owner_url())
    runs: dict[str, dict[str, list[Rate]]] = {name: {"ours": [], "pgbench": [], "plain": []} for name in AIMS}
    for name in AIMS:
        measure_rate(*us, todo_requests()[name], min(2, seconds / 2))
    memory = [memory_of(us[1])]
    for _ in range(count):
        for name, found in runs.items():
            found["ours"].append(measure_rate(*us, todo_requests()[name], seconds))
            found["pgbench"].append(Rate(run_pgbench(binary, url, files[name], seconds, CONNECTIONS), 0))
            if plain:
                found["plain"].append(measure_rate(*plain, yardstick_requests()[name], seconds))
        memory.append(memory_of(us[1]))
    print(f"{machine()}; {tasks:,} tasks of {USERS:,} users, {CONNECTIONS} connections, 1 worker")
    print(f"medians of {count} × {seconds:g} s")
    report(runs)
    print("memory of the server, MiB: " + ", ".join(f"{mebibytes:.0f}" for mebibytes in memory))


def report(runs: dict[str, dict[str, list[Rate]]]) -> None:
    """Print the figures and the ratios."""
    heads = [
        "",
        "requests/s",
        "µs CPU/request",
        "pgbench/s",
        "of pgbench",
        "aim",
        "",
        "plain/s",
        "plain µs CPU",
        "× plain",
        "aim",
        "",
    ]
    rows = [heads]
    for name, found in runs.items():
        ours, pg = median_rate(found["ours"]), median_rate(found["pgbench"]).per_second
        of, times = AIMS[name]
        row = [
            name,
            f"{ours.per_second:,.0f}",
            f"{1e6 / ours.per_cpu_second:.0f}",
            f"{pg:,.0f}",
            f"{ours.per_second / pg:.2f}",
            f"≥ {of}",
            verdict(ours.per_second / pg, of, most=False),
        ]
        if found["plain"]:
            plain = median_rate(found["plain"])
            ratio = ours.per_cpu_second / plain.per_cpu_second
            row += [
                f"{plain.per_second:,.0f}",
                f"{1e6 / plain.per_cpu_second:.0f}",
                f"{ratio:.1f}",
                f"≥ {times:g}",
                verdict(ratio, times, most=False),
            ]
        rows.append([*row, *[""] * (len(heads) - len(row))])
    table(rows)


def median_rate(runs: list[Rate]) -> Rate:
    """Return the median of each figure."""
    return Rate(median(run.per_second for run in runs), median(run.per_cpu_second for run in runs))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="1,000 tasks, one round of 1 second: to see that it works")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        sys.exit(run_inside(__file__, "fastapi"))
    with house() as home:
        if options.quick:
            rounds(home, 1_000, 1, 1)
        else:
            rounds(home, options.tasks, options.seconds, options.rounds)
