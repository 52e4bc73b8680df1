"""What a turn of the chat costs apart from the model's time, and what a message takes up in the database.

python3 benchmarks/chat.py [--turns 10] [--rounds 5] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from measure import INSIDE, house, machine, run_inside, table, verdict
from prompt import prompt_table
from talks import Stored, stored
from turn_cost import Bench, Cost, middle, times

FLAT, MOST_BYTES = 1.1, 400.0
LONG = 100_000
MAX_PROMPT_TOKENS = 2_200.0
CHARS_PER_TOKEN = 4
"""An approximation, for no tokeniser of a model is installed; English and JSON have about four characters a token."""


def costs(bench: Bench, turns: int, rounds: int) -> dict[tuple[str, str], list[Cost]]:
    """Each way and conversation, round by round; a batch of each in turn, so that other load meets all alike."""
    cases = [("server", name) for name in bench.talks] + [("direct", name) for name in bench.talks]
    cases += [("plain", name) for name, one in bench.talks.items() if one.messages == one.replayed]
    runs: dict[tuple[str, str], list[Cost]] = {case: [] for case in cases}
    for way, name in cases:
        bench.run(way, bench.talks[name], 3)
    for _ in range(rounds):
        for (way, name), found in runs.items():
            found.append(bench.run(way, bench.talks[name], turns))
    return runs


def time_table(bench: Bench, found: dict[tuple[str, str], list[Cost]]) -> None:
    """Every way at every length: against the short conversation of as many messages sent, and against the plain loop."""
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
        cost, ratio = middle(runs), times(runs, found[way, short])
        rows.append(
            (
                f"{way}, {name}",
                f"{cost.own:.1f}",
                f"{cost.postgres:.1f}" if way != "plain" else "",
                f"{cost.wall:.0f}",
                f"{ratio.own:.2f}" if long else "",
                f"≤ {FLAT}" if long else "",
                verdict(ratio.own, FLAT) if long else "",
                f"{ratio.postgres:.2f}" if long else "",
                f"{ratio.wall:.2f}" if long else "",
                f"{times(runs, found['plain', short]).own:.1f}" if way != "plain" else "",
            )
        )
    table(rows)


def counted_rows(bench: Bench, turns: int) -> list[tuple[str, ...]]:
    """Round trips and rows of a turn straight to the database; these do not depend on the machine."""
    rows = [("direct", "round trips", "rows read", "rows written")]
    for name, one in bench.talks.items():
        asked = {"conversation": one.id, "head": one.messages, "turns": turns}
        bench.told("direct", asked)
        before = bench.rows()
        found = bench.told("direct", asked)
        after = bench.rows()
        # each turn's head is put back, a row that is read and written
        each = [f"{(after[what] - before[what]) / turns - 1:.0f}" for what in ("read", "written")]
        rows.append((name, f"{found['trips']:.0f}", *each))
    return rows


def stored_table(bench: Bench, messages: int) -> None:
    """Bytes, of many conversations that grow at once."""
    found: dict[str, Stored] = stored(bench.connection, bench.me, messages, messages // 200)
    rows = [("bytes for each", "table", "indexes", "its text", "beyond its text", "aim", "")]
    for name, one in found.items():
        aim = MOST_BYTES if name == "messages" else None
        rows.append(
            (
                name[:-1],
                f"{one.table:.0f}",
                f"{one.indexes:.0f}",
                f"{one.text:.0f}",
                f"{one.beyond:.0f}",
                f"≤ {aim:.0f}" if aim else "",
                verdict(one.beyond, aim),
            )
        )
    table(rows)
    statement = """SELECT sum(pg_column_size(e.*) + 4)::float / count(DISTINCT e.turn_id), count(*)::float / count(DISTINCT e.turn_id)
      FROM todo.events e"""
    size, batches = bench.connection.execute(statement).fetchone() or (0, 0)
    print(f"events of a turn, until the next begins: {size:.0f} bytes in {batches:.1f} rows")


def state_tokens() -> None:
    """Print how many tokens the system prompt and the tools take up before the first word of a conversation."""
    # the run that makes the environment has no project installed
    from todo_cli.agent.prompts import SYSTEM_PROMPT
    from todo_cli.tools import offer_tools

    tools = json.dumps(offer_tools(frozenset()), separators=(",", ":"), ensure_ascii=False)
    rows = [("before the first word", "characters", "tokens, about", "aim", "")]
    for name, text in (("system prompt", SYSTEM_PROMPT), ("tools", tools), ("both", SYSTEM_PROMPT + tools)):
        tokens = len(text) / CHARS_PER_TOKEN
        aim = MAX_PROMPT_TOKENS if name == "both" else None
        rows.append((name, f"{len(text):,}", f"{tokens:,.0f}", f"≤ {aim:,.0f}" if aim else "", verdict(tokens, aim)))
    table(rows)


def main(turns: int, rounds: int, long: int) -> None:
    """Measure and print."""
    with house() as home:
        bench = Bench(home, long)
        try:
            counted = counted_rows(bench, turns)  # before the server has any turns to tell of
            found = costs(bench, turns, rounds)
            print(f"{machine()}; medians of {rounds} × {turns} turns with one call each; the model takes no time")
            time_table(bench, found)
            print()
            table(counted)
            print()
            stored_table(bench, long)
            print()
            state_tokens()
            print()
            prompt_table(bench.home, bench.environment, rounds * 3)
        finally:
            bench.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="2 turns, conversations of 10,000: to see that it works")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        sys.exit(run_inside(__file__))
    if options.quick:
        main(2, 1, LONG // 10)
    else:
        main(options.turns, options.rounds, LONG)
