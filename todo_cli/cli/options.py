"""Options that several commands share, and the parsing of their values."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.contract.limits import MAX_INTEGER, MAX_TASKS_PER_CHANGE
from todo_cli.errors import Invalid

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, or --json=FIELDS of it.")]
JsonLines = Annotated[bool, typer.Option("--jsonl", help="Print one JSON object per line.")]
Key = Annotated[
    str | None,
    typer.Option(help="Idempotency key: the same key acts once, forever, from any machine.", metavar="TEXT"),
]
IfRev = Annotated[
    int | None,
    typer.Option("--if-rev", help="Change the task only if it is still at this revision.", min=1, metavar="REV"),
]
PlanOnly = Annotated[
    bool, typer.Option("--plan", help="Show the changes without making them; make them later with: todo apply.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Change the tasks that a filter matches without asking.")]
ApproveAll = Annotated[bool, typer.Option("--yes", "-y", help="Approve everything the model asks for.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print neither progress nor the tokens used.", show_default=False)
]
Partial = Annotated[bool, typer.Option("--partial", help="Skip tasks that have changed since.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the changes without making them.")]
Due = Annotated[str | None, typer.Option(help="Due date or time: 'next fri 9am', eod, 2026-12-24.", metavar="WHEN")]
Project = Annotated[str | None, typer.Option(help="Project.", metavar="NAME")]
Priority = Annotated[str | None, typer.Option("--priority", "-p", help="1, 2 or 3 (also p1, high).", metavar="1-3")]
Since = Annotated[str | None, typer.Option("--since", help="Only from this day or time on.", metavar="WHEN")]
Cursor = Annotated[
    str | None, typer.Option("--cursor", help="Start at the `next` value of a page (see --json).", metavar="TEXT")
]


def parse_model_name(name: str | None) -> str | None:
    """Strip a model's name; raises Invalid."""
    name = name and name.strip()
    if name is not None and not (0 < len(name) <= 100 and name.isprintable()):
        raise Invalid("not a model name", hint="use the name that the model server lists, at most 100 characters")
    return name


Model = Annotated[
    str | None,
    typer.Option(
        "--model", help="Model to use instead of your preferred one.", metavar="NAME", callback=parse_model_name
    ),
]

Parent = Annotated[str | None, typer.Option("--parent", help="Make it a subtask of this task.", metavar="N")]
DiscoveredFrom = Annotated[
    str | None, typer.Option("--discovered-from", help="Task during which this one was found.", metavar="N")
]
After = Annotated[
    list[str] | None,
    typer.Option("--after", help="Block it until these tasks are done: 3 7-9. Repeatable.", metavar="N"),
]
Every = Annotated[
    str | None, typer.Option("--every", help="Repeat it: '2 weeks on mon', '3 days after done'.", metavar="RULE")
]
Remind = Annotated[
    list[str] | None,
    typer.Option("--remind", help="Remind: '1h before', 'at due', 'tomorrow 9am', none. Repeatable.", metavar="WHEN"),
]
Assign = Annotated[
    str | None, typer.Option("--assign", help="Member who is to finish it: a name, me or none.", metavar="NAME")
]
Defer = Annotated[str | None, typer.Option("--defer", help="Hide it until this date.", metavar="WHEN")]
Scheduled = Annotated[str | None, typer.Option("--scheduled", help="Date on which work is to begin.", metavar="WHEN")]

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

MAX_BLOCKERS = 100


def parse_priority(word: str | None) -> int | None:
    """Return a priority's number; raises Invalid."""
    if word is None:
        return None
    if word.lower() not in PRIORITY_NAMES:
        raise Invalid(f"{word!r} is not a priority", hint="use 1 (highest), 2 or 3")
    return PRIORITY_NAMES[word.lower()]


def parse_numbers(words: list[str]) -> tuple[int, ...]:
    """Return `3 7-9 #12 4,5` as numbers in their order, without duplicates; raises Invalid."""
    numbers: dict[int, None] = {}
    for part in (part for word in words for part in word.split(",") if part):
        first, dash, last = part.partition("-")
        low = parse_number(first or part)
        high = parse_number(last) if dash else low
        if high < low or high - low >= MAX_TASKS_PER_CHANGE:
            raise Invalid(f"{part!r} is not a range of at most {MAX_TASKS_PER_CHANGE:,} task numbers")
        numbers.update(dict.fromkeys(range(low, high + 1)))
    if len(numbers) > MAX_TASKS_PER_CHANGE:
        raise Invalid(f"more than {MAX_TASKS_PER_CHANGE:,} tasks in one command")
    return tuple(numbers)


def parse_blockers(words: list[str] | None) -> tuple[int, ...]:
    """Return the task numbers of --after; raises Invalid for more than 100."""
    numbers = parse_numbers([part for word in words or () for part in word.split()])
    if len(numbers) > MAX_BLOCKERS:
        raise Invalid(f"a task can depend on at most {MAX_BLOCKERS} others")
    return numbers


def optional_fields(
    every: str | None, defer: str | None, scheduled: str | None, parent: str | None, discovered_from: str | None
) -> dict[str, str | int]:
    """Return the given options as fields of a Request; raises Invalid."""
    fields: dict[str, str | int | None] = {"every": complete_recurrence(every), "defer": defer, "scheduled": scheduled}
    numbers = {"parent": parent, "discovered_from": discovered_from}
    fields |= {name: None if number is None else parse_number(number) for name, number in numbers.items()}
    return {name: value for name, value in fields.items() if value is not None}


def parse_reminders(words: list[str] | None) -> dict[str, tuple[str, ...]]:
    """Return the field `remind` of --remind, with no reminder for `none`; raises Invalid."""
    if not words:
        return {}
    if any(word.strip().lower() == "none" for word in words):
        if len(words) > 1:
            raise Invalid("--remind none cannot be combined with other reminders")
        return {"remind": ()}
    return {"remind": tuple(words)}


def parse_assignee(name: str | None) -> dict[str, str | None]:
    """Return the field `assigned_to` of --assign, null for `none`; raises Invalid for a blank name."""
    if name is None:
        return {}
    if not name.strip():
        raise Invalid("--assign needs a name", hint="see the members with: todo space members")
    return {"assigned_to": None if name.strip().lower() == "none" else name.strip()}


def complete_recurrence(words: str | None) -> str | None:
    """Turn `2 weeks` into `every 2 weeks`; complete phrases and RRULE text stay as they are."""
    if not words or words.lower().startswith(("every", "freq=", "rrule:")) or words.lower().endswith("ly"):
        return words
    return words if " after " in words else f"every {words}"


def parse_number(word: str) -> int:
    """Return the number in `12` or `#12`; raises Invalid."""
    digits = word.removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or not 1 <= int(digits[:30]) <= MAX_INTEGER:
        raise Invalid(f"{word[:40]!r} is not a task number", hint="find the number with: todo list")
    return int(digits)


def parse_token_count(word: str) -> int:
    """Return a number of tokens: `200000`, `200,000`, `200k` or `1m`; raises Invalid."""
    plain = word.strip().lower().replace(",", "").replace("_", "")
    factor = {"k": 1_000, "m": 1_000_000}.get(plain[-1:], 1)
    digits = plain[:-1] if factor > 1 else plain
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 12:
        raise Invalid(f"{word[:40]!r} is not a number of tokens", hint="write 200000 or 200k, for example")
    return int(digits) * factor


def output_form(as_json: bool, as_lines: bool) -> str:
    """Return the output form: text, json or jsonl; raises Invalid if both options are given."""
    if as_json and as_lines:
        raise Invalid("--json and --jsonl cannot be used together")
    return "json" if as_json else "jsonl" if as_lines else "text"
