"""Write the fields of a task as a quick-add text."""

from __future__ import annotations

import re

from todo_cli.errors import Invalid
from todo_cli.parsing.quick_add import QuickAdd, parse_quick_add
from todo_cli.parsing.quick_add_fields import COLOUR, PHRASE_FIELDS, SET_FIELDS
from todo_cli.parsing.quick_add_lexer import quote

_PLAIN_PHRASE = r"[A-Za-z0-9-]+"
_PLAIN_NAME = r"[A-Za-z][A-Za-z0-9_/-]*"


def format_quick_add(fields: QuickAdd) -> str:
    """Return a text that `parse_quick_add` reads as these fields."""
    phrases = [(name, getattr(fields, name)) for name in PHRASE_FIELDS if name not in SET_FIELDS]
    phrases += [("remind", words) for words in fields.remind]
    tail = [f"{name}:{_quote_unless(_PLAIN_PHRASE, value)}" for name, value in phrases if value is not None]
    if fields.project is not None:
        tail.append("#" + _quote_unless(_PLAIN_NAME, fields.project))
    tail += ["@" + _quote_unless(_PLAIN_NAME, tag) for tag in fields.tags]
    if fields.priority is not None:
        tail.append(f"p{fields.priority}")
    if fields.parent is not None:
        tail.append(f"parent:{fields.parent}")
    if fields.after:
        tail.append(f"after:{','.join(map(str, fields.after))}")
    if fields.assigned_to is not None:
        tail.append(f"assign:{_quote_unless(_PLAIN_NAME, fields.assigned_to)}")
    text = " ".join([fields.title, *tail])
    return text if _is_read_as(text, fields) else " ".join([quote(fields.title), *tail])


def _is_read_as(text: str, fields: QuickAdd) -> bool:
    try:
        return parse_quick_add(text) == fields
    except Invalid:
        return False


def _quote_unless(pattern: str, value: str) -> str:
    is_plain = re.fullmatch(pattern, value) and not re.fullmatch(COLOUR, value)
    return value if is_plain else quote(value)
