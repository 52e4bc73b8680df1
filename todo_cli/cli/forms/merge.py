"""Bring the edit of a person and a change of somebody else together, field by field."""

from __future__ import annotations

from typing import NamedTuple

from todo_cli.cli.forms.field_values import FIELDS, WORD_FIELDS, Values, is_same, join_words, list_words


class Merged(NamedTuple):
    """Both changes together. `theirs` has the other values of fields that both have changed in different ways."""

    values: Values
    theirs: Values


def merge_values(base: Values, mine: Values, theirs: Values) -> Merged:
    """Return the values of both edits of `base`. In a field that both have changed, `mine` stays in `values`."""
    values: Values = {}
    conflicts: Values = {}
    for name in FIELDS:
        if is_same(name, base[name], mine[name]):
            values[name] = theirs[name]
        elif name in WORD_FIELDS:
            values[name] = _merge_words(name, base[name], mine[name], theirs[name])
        else:
            values[name] = mine[name]
            if not is_same(name, base[name], theirs[name]) and not is_same(name, mine[name], theirs[name]):
                conflicts[name] = theirs[name]
    return Merged(values, conflicts)


def _merge_words(name: str, base: str, mine: str, theirs: str) -> str:
    """Return their list with the words that I have added, and without those that I have removed."""
    before, own = list_words(name, base), list_words(name, mine)
    kept = [word for word in list_words(name, theirs) if word in own or word not in before]
    return join_words(name, tuple(dict.fromkeys((*kept, *(word for word in own if word not in before)))))
