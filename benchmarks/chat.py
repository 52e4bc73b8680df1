"""Measure a turn of the chat without the model's time, and the space of a message in the database.

python3 benchmarks/chat.py [--turns 10] [--rounds 5] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

from measure import INSIDE, ROOT, house, machine, run_inside, table, verdict
from prompt import print_prompt_times
from rounds import summarize_rounds
from talks import SizePerRow, measure_sizes
from turn_cost import Bench, Cost, median_cost, median_ratio

MAX_GROWTH = 1.1
MAX_BYTES = 400.0
LONG = 100_000
MAX_PROMPT_TOKENS = 2_200.0
CHARS_PER_TOKEN = 4
"""An approximation, since no tokeniser is installed: English and JSON have about four characters a token."""


def measure_turns(bench: Bench, turns: int, rounds: int) -> dict[tuple[str, str], list[Cost]]:
    """Run every case once in each round, so that other load on the machine affects all of them alike."""
    cases = [("server", name) for name in bench.talks] + [("direct", name) for name in bench.talks]
    cases += [("plain", name) for name, talk in bench.talks.items() if talk.messages == talk.replayed]
    runs: dict[tuple[str, str], list[Cost]] = {case: [] for case in cases}
    for way, name in cases:
        bench.run(way, bench.talks[name], min(3, turns))
    for _ in range(rounds):
        for (way, name), found in runs.items():
            found.append(bench.run(way, bench.talks[name], turns))
    return runs


def print_times(bench: Bench, found: dict[tuple[str, str], list[Cost]]) -> None:
    """Print each case, its ratio to the short conversation with as many messages sent, and its ratio to the plain loop."""
    rows = [
        (
            "",
            "own ms CPU",
            "Postgres ms CPU",
            "ms in all",
            "own × short",
            "aim",
            "",
            "with Postgres × short",
            "ms × short",
            "own × plain",
        )
    ]
    names = list(bench.talks)
    for (way, name), runs in found.items():
        at = names.index(name)
        long, short = at % 2 == 1, names[at - at % 2]
        cost, ratio = median_cost(runs), median_ratio(runs, found[way, short])
        rows.append(
            (
                f"{way}, {name}",
                f"{cost.own:.1f}",
                f"{cost.postgres:.1f}" if way != "plain" else "",
                f"{cost.wall:.0f}",
                f"{ratio.own:.2f}" if long else "",
                f"≤ {MAX_GROWTH}" if long else "",
                verdict(ratio.own, MAX_GROWTH) if long else "",
                f"{ratio.postgres:.2f}" if long else "",
                f"{ratio.wall:.2f}" if long else "",
                f"{median_ratio(runs, found['plain', short]).own:.1f}" if way != "plain" else "",
            )
        )
    table(rows)


def count_rows(bench: Bench, turns: int) -> list[tuple[str, ...]]:
    """Count round trips and rows of a turn without a server. They do not depend on the machine."""
    rows = [("direct", "round trips", "rows read", "rows written")]
    for name, talk in bench.talks.items():
        batch = {"conversation": talk.id, "head": talk.messages, "turns": turns}
        bench.run_batch("direct", batch)
        before = bench.rows()
        found = bench.run_batch("direct", batch)
        after = bench.rows()
        # Before each turn the benchmark resets the conversation's head: one row read and written.
        each = [f"{(after[kind] - before[kind]) / turns - 1:.0f}" for kind in ("read", "written")]
        rows.append((name, f"{found['trips']:.0f}", *each))
    return rows


def print_sizes(bench: Bench, messages: int) -> None:
    """Print the bytes of a message and of a turn, in many conversations that grow at the same time."""
    found: dict[str, SizePerRow] = measure_sizes(bench.connection, bench.me, messages, messages // 200)
    rows = [("bytes for each", "table", "indexes", "its text", "beyond its text", "aim", "")]
    for name, size in found.items():
        aim = MAX_BYTES if name == "messages" else None
        rows.append(
            (
                name[:-1],
                f"{size.table:.0f}",
                f"{size.indexes:.0f}",
                f"{size.text:.0f}",
                f"{size.beyond:.0f}",
                f"≤ {aim:.0f}" if aim else "",
                verdict(size.beyond, aim),
            )
        )
    table(rows)
    statement = """SELECT sum(pg_column_size(e.*) + 4)::float / count(DISTINCT e.turn_id), count(*)::float / count(DISTINCT e.turn_id)
      FROM todo.events e"""
    size, batches = bench.connection.execute(statement).fetchone() or (0, 0)
    print(f"events of a turn, which are deleted when the next begins: {size:.0f} bytes in {batches:.1f} rows")


def print_tokens() -> None:
    """Print how many tokens the system prompt and the tools take up before the first word of a conversation."""
    # The interpreter that creates the environment does not have the project.
    from todo_cli.agent.prompts import SYSTEM_PROMPT
    from todo_cli.tools.schemas import offer_tools

    tools = json.dumps(offer_tools(frozenset()), separators=(",", ":"), ensure_ascii=False)
    rows = [("before the first word", "characters", "tokens, about", "aim", "")]
    for name, text in (("system prompt", SYSTEM_PROMPT), ("tools", tools), ("both", SYSTEM_PROMPT + tools)):
        tokens = len(text) / CHARS_PER_TOKEN
        aim = MAX_PROMPT_TOKENS if name == "both" else None
        rows.append((name, f"{len(text):,}", f"{tokens:,.0f}", f"≤ {aim:,.0f}" if aim else "", verdict(tokens, aim)))
    table(rows)


def count_rounds() -> list[tuple[str, ...]]:
    """Count how many rounds requests take with a model that follows the results alone, on a list of their own."""
    with house() as home:
        command = [sys.executable, str(ROOT / "benchmarks" / "rounds.py")]
        environment = home.environment | {"PYTHONPATH": str(ROOT)}
        run = subprocess.run(command, env=environment, cwd=home.home, stdout=subprocess.PIPE, text=True, check=True)
    return summarize_rounds([json.loads(line) for line in run.stdout.splitlines()])


def main(turns: int, rounds: int, long: int) -> None:
    """Run the benchmark and print its tables."""
    request_rounds = count_rounds()
    with house() as home:
        bench = Bench(home, long)
        try:
            row_counts = count_rows(bench, turns)  # first, while only these turns are in the statistics
            found = measure_turns(bench, turns, rounds)
            print(f"{machine()}; medians of {rounds} × {turns} turns with one call each; the model takes no time")
            print_times(bench, found)
            print()
            table(row_counts)
            print()
            print_sizes(bench, long)
            print()
            print_tokens()
            print()
            table(request_rounds)
            print()
            print_prompt_times(bench.home, bench.environment, rounds * 3)
        finally:
            bench.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="1 turn, conversations of 2,000: to see that it works")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        sys.exit(run_inside(__file__))
    if options.quick:
        main(1, 1, LONG // 50)
    else:
        main(options.turns, options.rounds, LONG)
