"""The options of an import that map the columns and values of CSV."""

from __future__ import annotations

from todo_cli.errors import Invalid


def parse_pairs(words: list[str] | None) -> dict[str, str]:
    """Return `title=Subject,due=Deadline` as a dictionary; raises Invalid."""
    pairs = {}
    for pair in (pair for word in words or () for pair in word.split(",")):
        left, equals, right = pair.partition("=")
        if not (left.strip() and equals and right.strip()):
            raise Invalid(f"{pair!r} is not a pair", hint="write it as: --map title=Subject")
        pairs[left.strip()] = right.strip()
    return pairs


def parse_values(words: list[str] | None) -> dict[str, dict[str, str | int]]:
    """Return `status:ja=done,nein=open` as the meanings of each field's values; raises Invalid."""
    values: dict[str, dict[str, str | int]] = {}
    for word in words or ():
        field, colon, pairs = word.partition(":")
        if not colon:
            raise Invalid(f"{word!r} names no field", hint="write it as: --value status:yes=done,no=open")
        for theirs, ours in parse_pairs([pairs]).items():
            values.setdefault(field, {})[theirs] = _check_value(field, ours)
    return values


def _check_value(field: str, value: str) -> str | int:
    if field == "priority" and value in ("1", "2", "3"):
        return int(value)
    if field == "priority" or (field == "status" and value not in ("open", "done", "deleted")):
        raise Invalid(f"{value!r} is not a {field}", hint="a status is open, done or deleted, a priority 1, 2 or 3")
    return value
