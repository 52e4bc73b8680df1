"""Measure the start of a command, as a ratio to `python3 -c pass` of the same interpreter.

python3 benchmarks/startup.py [--runs 25] [--quick]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from measure import INSIDE, Case, House, counter, house, interleaved, machine, run_inside, table, verdict

BASE = "python3 -c pass"
MAX_INSTRUCTIONS = {  # million
    "add, API": 350.0,
    "add, local service": 350.0,
    "add, direct": 850.0,
    "--help": 600.0,
    "completion of a name": 57.0,
    "completion of numbers, API": 290.0,
    "completion of numbers, local service": 290.0,
}
AIMS: dict[str, float | None] = {  # times BASE
    "add, API": 10,
    "add, local service": 10,
    "list 20, API, pipe": 11,
    "list 20, API, table": 18,
    "add, direct": 25,
    "list 20, direct, pipe": 25,
    "list 20, direct, table": None,
    "--help": None,
    "add --help": None,
    "completion of a name": 1.5,
    "completion of numbers, API": 8,
    "completion of numbers, local service": 8,
}


TAB = {"_TODO_COMPLETE": "zsh", "TODO_COMPLETION_TIMEOUT": "20"}
"""What the script of a shell sets when the Tab key is pressed, with time enough for a program that counts."""


def cases(home: House) -> dict[str, Case]:
    """Return every case: the console script that pip wrote, with a configuration that `init` or `login` wrote."""
    python, todo = str(home.bin / "python"), str(home.bin / "todo")
    token, zone = home.profile()["token"], home.profile().get("timezone", "UTC")
    url, _ = home.serve([todo, "serve", "--port"], "/readyz", {})
    remote = home.home / "api.toml"
    remote.touch(0o600)
    remote.write_text(f'[profiles.default]\nserver = "{url}"\ntoken = "{token}"\ntimezone = "{zone}"\n')
    service = start_service(home)
    api = home.environment | {"TODO_CONFIG": str(remote)}
    drawn = {"CLICOLOR_FORCE": "1", "TERM": "xterm-256color", "COLUMNS": "100"}
    listing = [python, todo, "list", "--project", "bench"]
    return {
        BASE: Case([python, "-c", "pass"], home.environment),
        "add, API": Case([python, todo, "add", "Buy milk"], api),
        "list 20, API, pipe": Case(listing, api),
        "list 20, API, table": Case(listing, api | drawn, tty=True),
        "add, local service": Case([python, todo, "add", "Buy milk"], service),
        "list 20, local service, pipe": Case(listing, service),
        "add, direct": Case([python, todo, "add", "Buy milk"], home.environment),
        "list 20, direct, pipe": Case(listing, home.environment),
        "list 20, direct, table": Case(listing, home.environment | drawn, tty=True),
        "--help": Case([python, todo, "--help"], home.environment),
        "add --help": Case([python, todo, "add", "--help"], home.environment),
        "completion of a name": Case([python, todo, "a"], home.environment | TAB),
        "completion of numbers, API": Case([python, todo, "done", ""], api | TAB),
        "completion of numbers, local service": Case([python, todo, "done", ""], service | TAB),
    }


def start_service(home: House) -> dict[str, str]:
    """Start the local service by a first command, and return the environment of commands that use it."""
    environment = home.environment | {"TODO_SERVICE": "true"}
    subprocess.run([str(home.bin / "todo"), "list"], env=environment, stdout=subprocess.DEVNULL, check=True)
    for _ in range(200):
        if list((home.home / "pg" / "service").glob("*.sock")):
            return environment
        time.sleep(0.1)
    raise SystemExit("the local service did not start")


def fill(home: House) -> None:
    """Add twenty tasks with the usual fields."""
    lines = "".join(f"Task number {number} with a title of usual length\n" for number in range(20))
    home.todo("add", "-", "--project", "bench", "--tag", "phone", "--due", "tomorrow", "-p", "2", stdin=lines)


def main(runs: int, *, quick: bool) -> None:
    """Run the benchmark and print its table. `quick` counts the instructions of the base case only."""
    with house() as home:
        fill(home)
        made = cases(home)
        seconds = interleaved(made, runs)
        counting = counter()
        to_count = {BASE: made[BASE]} if quick else made
        counted = {name: counting[1](case) for name, case in to_count.items()} if counting else {}
    print(f"{machine()}; medians of {runs} interleaved runs; {BASE}: {seconds[BASE] * 1000:.1f} ms CPU")
    print(f"instructions: {counting[0]}" if counting else "instructions: neither perf nor valgrind counts them here")
    rows = [("todo …", "× python", "aim", "", "M instructions", "aim", "")]
    for name in made:
        times, aim = seconds[name] / seconds[BASE], AIMS.get(name)
        count, most = counted.get(name), MAX_INSTRUCTIONS.get(name)
        rows.append(
            (
                name,
                f"{times:.1f}",
                f"≤ {aim:g}" if aim else "",
                verdict(times, aim),
                f"{count:.0f}" if count else "-",
                f"≤ {most:g}" if most else "",
                verdict(count, most) if count else "",
            )
        )
    table(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--quick", action="store_true", help="one run: to see that it works")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        sys.exit(run_inside(__file__))
    main(1 if options.quick else options.runs, quick=options.quick)
