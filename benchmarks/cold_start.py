"""Measure a cold serverless request: the CPU of a new process from its start to its first answer.

python3 benchmarks/cold_start.py [--runs 15] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

from measure import INSIDE, ROOT, Case, House, house, interleaved, machine, run_inside, table, verdict

BASE = "python3 -c pass"
MAX_MILLISECONDS = 500
FUNCTION = ROOT / "tests" / "support" / "serverless_request.py"
"""A process that answers one request by the entry point of a host of functions and ends."""

ENTRIES = {"AWS Lambda": "lambda", "ASGI": "asgi"}
REQUESTS = {
    "list of 20": {"method": "GET", "path": "/v1/tasks?limit=20", "body": None},
    "add": {"method": "POST", "path": "/v1/tasks", "body": {"title": "Buy milk"}},
}


def create_cases(home: House, *, quick: bool) -> dict[str, Case]:
    """Return a process for each entry point and request. Each connects anew, as the login of a server.

    `quick` leaves out the second request.
    """
    from todo_cli.local_postgres.cluster import LocalPostgres

    postgres = LocalPostgres(home.home / "pg")
    settings = {
        "TODO_SERVER_DATABASE_URL": postgres.url("todo_server", postgres.secret("server")),
        "TODO_POOL_SIZE": "0",
    }
    python, token = str(home.bin / "python"), home.profile()["token"]
    cases = {BASE: Case([python, "-c", "pass"], home.environment)}
    for entry_name, entry in ENTRIES.items():
        for request_name, request in list(REQUESTS.items())[: 1 if quick else None]:
            command = [python, str(FUNCTION), entry, json.dumps(request | {"token": token})]
            cases[f"{entry_name}, {request_name}"] = Case(command, home.environment | settings)
    return cases


def raise_rate_limit(home: House) -> None:
    """Let the only user of the list send the requests of all runs within a minute. They are counted all the same."""
    import psycopg

    from todo_cli.local_postgres.cluster import LocalPostgres

    with psycopg.connect(LocalPostgres(home.home / "pg").owner_url()) as connection:
        connection.execute("UPDATE todo.users SET per_minute = 10000")


def exit_on_refusal(name: str, case: Case) -> None:
    """Exit unless the request is answered with success: the figures of a refusal mean nothing."""
    done = subprocess.run(case.command, env=case.environment, capture_output=True, text=True, check=False)
    if done.returncode or json.loads(done.stdout)["status"] not in (200, 201):
        raise SystemExit(f"{name}: {done.stdout[:1000]}{done.stderr[-1000:]}")


def measure(home: House, runs: int, *, quick: bool) -> None:
    """Measure each process in turn and print the table."""
    home.todo("add", "-", stdin="".join(f"Task number {number} of a usual length\n" for number in range(20)))
    raise_rate_limit(home)
    cases = create_cases(home, quick=quick)
    for name, case in cases.items():
        if name != BASE:
            exit_on_refusal(name, case)
    seconds = interleaved(cases, runs)
    print(f"\n{machine()}; medians of {runs} interleaved runs\n")
    rows = [("first request of a process", "ms CPU", "aim", "", "× python")]
    for name in cases:
        milliseconds = seconds[name] * 1000
        aim = None if name == BASE else float(MAX_MILLISECONDS)
        wanted = f"≤ {aim:.0f}" if aim else ""
        ratio = seconds[name] / seconds[BASE]
        rows.append((name, f"{milliseconds:.0f}", wanted, verdict(milliseconds, aim), f"{ratio:.1f}"))
    table(rows)


def main() -> int:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="one run: to see that it works")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        return run_inside(__file__, "mangum")
    with house() as home:
        measure(home, 1 if options.quick else options.runs, quick=options.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
