"""Options that several commands share, and how their words are read."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.errors import Invalid

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
JsonLines = Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")]
Key = Annotated[
    str | None,
    typer.Option(help="Idempotency key: the same key acts once, for ever, from any machine.", metavar="TEXT"),
]
IfRev = Annotated[int | None, typer.Option("--if-rev", help="Refuse when the task is no longer at this rev.", min=1)]
PlanOnly = Annotated[bool, typer.Option("--plan", help="Only work out what would change; do it with: todo apply.")]
Yes = Annotated[bool, typer.Option("--yes", help="Change what a filter finds without asking.")]
Due = Annotated[str | None, typer.Option(help="A date or time: 'next fri 9am', eod, 2026-12-24.", metavar="WHEN")]
Project = Annotated[str | None, typer.Option(help="Project.", metavar="NAME")]
Priority = Annotated[str | None, typer.Option("--priority", "-p", help="1, 2 or 3 (also p1, high).", metavar="1-3")]


def parse_model_name(name: str | None) -> str | None:
    """A model's name; raises Invalid."""
    name = name and name.strip()
    if name is not None and not (0 < len(name) <= 100 and name.isprintable()):
        raise Invalid("that is no model's name", hint="it has 1 to 100 characters, as the model's server lists it")
    return name


Model = Annotated[
    str | None,
    typer.Option("--model", help="The model; else that of todo prefs.", metavar="NAME", callback=parse_model_name),
]

Parent = Annotated[str | None, typer.Option("--parent", help="The task it is a part of.", metavar="N")]
After = Annotated[
    list[str] | None, typer.Option("--after", help="Tasks it waits for: 3 7-9, may be repeated.", metavar="N")
]
Every = Annotated[
    str | None, typer.Option("--every", help="How often: '2 weeks on mon', '3 days after done'.", metavar="HOW")
]
Defer = Annotated[str | None, typer.Option("--defer", help="Out of sight until then.", metavar="WHEN")]
Scheduled = Annotated[str | None, typer.Option("--scheduled", help="When its work is to begin.", metavar="WHEN")]

PRIORITY_NAMES = {
    "1": 1,
    "p1": 1,
    "high": 1,
    "h": 1,
    "2": 2,
    "p2": 2,
    "medium": 2,
    "m": 2,
    "3": 3,
    "p3": 3,
    "low": 3,
    "l": 3,
}

MAX_TASK_NUMBER = 2**63 - 1


def parse_priority(word: str | None) -> int | None:
    """A priority's number; raises Invalid."""
    if word is None:
        return None
    if word.lower() not in PRIORITY_NAMES:
        raise Invalid(f"{word!r} is not a priority", hint="priorities are 1 (most urgent), 2 and 3")
    return PRIORITY_NAMES[word.lower()]


def parse_numbers(words: list[str]) -> tuple[int, ...]:
    """`3 7-9 #12 4,5` as numbers in their order, each once; raises Invalid."""
    found: dict[int, None] = {}
    for part in (part for word in words for part in word.split(",") if part):
        first, dash, last = part.partition("-")
        low = parse_number(first or part)
        high = parse_number(last) if dash else low
        if high < low or high - low >= 10_000:
            raise Invalid(f"{part!r} is not a range of at most 10,000 task numbers")
        found.update(dict.fromkeys(range(low, high + 1)))
    if len(found) > 10_000:
        raise Invalid("more than 10,000 tasks at once")
    return tuple(found)


def parse_blockers(words: list[str] | None) -> tuple[int, ...]:
    """The numbers of --after; raises Invalid for more than 100."""
    found = parse_numbers([part for word in words or () for part in word.split()])
    if len(found) > 100:
        raise Invalid("a task waits for at most 100 others")
    return found


def optional_fields(
    every: str | None, defer: str | None, scheduled: str | None, parent: str | None
) -> dict[str, str | int]:
    """Those that were given, as a Request's fields; raises Invalid."""
    part = None if parent is None else parse_number(parent)
    given = {"every": complete_recurrence(every), "defer": defer, "scheduled": scheduled, "parent": part}
    return {name: value for name, value in given.items() if value is not None}


def complete_recurrence(words: str | None) -> str | None:
    """`2 weeks` as `every 2 weeks`; what says it already, and RRULE text, stay."""
    if not words or words.lower().startswith(("every", "freq=", "rrule:")) or words.lower().endswith("ly"):
        return words
    return words if " after " in words else f"every {words}"


def parse_number(word: str) -> int:
    """`12` or `#12`; raises Invalid."""
    digits = word.removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or not 1 <= int(digits[:30]) <= MAX_TASK_NUMBER:
        raise Invalid(f"{word[:40]!r} is not a task's number", hint="numbers start at 1 and stand in: todo list")
    return int(digits)


def parse_token_count(word: str) -> int:
    """A number of tokens: `200000`, `200,000`, `200k` or `1m`; raises Invalid."""
    plain = word.strip().lower().replace(",", "").replace("_", "")
    factor = {"k": 1_000, "m": 1_000_000}.get(plain[-1:], 1)
    digits = plain[:-1] if factor > 1 else plain
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 12:
        raise Invalid(f"{word[:40]!r} is no number of tokens", hint="for example 200000, or 200k")
    return int(digits) * factor


def output_form(as_json: bool, as_lines: bool) -> str:
    """Which form the answer takes: text, json or jsonl; raises Invalid for both."""
    if as_json and as_lines:
        raise Invalid("--json and --jsonl exclude each other")
    return "json" if as_json else "jsonl" if as_lines else "text"
