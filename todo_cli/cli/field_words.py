"""The words of `todo edit 3 due:tomorrow #home`: task numbers, then fields as in quick add."""

from __future__ import annotations

import re
from typing import Any

from todo_cli.errors import Invalid

_NUMBERS = re.compile(r"[#\d.,-]*\d[#\d.,-]*")


def split_field_words(words: list[str]) -> tuple[list[str], dict[str, Any]]:
    """Return the arguments that name the tasks, and the fields of an EditTasks that the words behind the numbers set.

    Without numbers first, all words are a filter. Raise Invalid for words that are no field.
    """
    count = next((place for place, word in enumerate(words) if not _NUMBERS.fullmatch(word)), len(words))
    if not count or count == len(words):
        return words, {}
    return words[:count], _read_fields(" ".join(words[count:]))


def _read_fields(text: str) -> dict[str, Any]:
    from todo_cli.parsing.quick_add import read_quick_add

    reading = read_quick_add(text, has_title=False)
    if reading.fields.title:
        hint = "to change the title: --title TEXT; to filter, write the numbers as id:3"
        raise Invalid(f"{reading.fields.title[:60]!r} is not a field", hint=hint)
    values = {name: value for name, value in reading.fields._asdict().items() if value not in (None, (), "")}
    names = {"tags": "add_tags", "after": "add_after"}
    fields = {names.get(name, name): value for name, value in values.items()}
    return fields | {name: () if name == "remind" else None for name in reading.cleared}
