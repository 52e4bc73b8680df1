"""Long texts of the journal: stored once per change, and not at all where the change leaves them as they are.

In the rows of a change a reference `{"sha256": digest}` stands for a long note and for a long template of a series. The
column `texts` has by digest each text that the change sets or removes, however many tasks have it. A text that the
change leaves is found in the task itself, or in the change that replaces it later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, LiteralString, NamedTuple

import msgspec

from todo_cli.contract.limits import LONG_TEXT_CHARS
from todo_cli.core.tasks.rows import TaskRow

JournalRow = dict[str, Any]
"""A task's row as the journal keeps it: JSON of any content, since a person's own login may write it."""

Texts = dict[str, Any]
"""Long texts by digest: notes, and templates of series."""

_KEY = "sha256"


class EncodedChange(NamedTuple):
    """The rows of a change before and after it, and its long texts, each as JSON; `texts` is None without long ones."""

    before: str
    after: str
    texts: str | None

    @property
    def bytes(self) -> int:
        """The size of the three together."""
        return sum(len(part) for part in self if part)


def encode_change(before: Sequence[TaskRow], after: Sequence[TaskRow]) -> EncodedChange:
    """Return the rows as the journal keeps them, and the long texts that differ between them."""
    texts: Texts = {}
    former = {row.number: _encode_row(row) for row in before}
    encoded = [_encode_row(row) for row in after]
    for row, encoded_row in zip(after, encoded, strict=True):
        old = former[row.number].texts if row.number in former else {}
        texts.update(_differing(old, encoded_row.texts))
    return EncodedChange(_join(former.values()), _join(encoded), msgspec.json.encode(texts).decode() if texts else None)


def _differing(old: Texts, new: Texts) -> list[tuple[str, Any]]:
    return [(digest, text) for digest, text in (*old.items(), *new.items()) if (digest in old) != (digest in new)]


def restore_texts(rows: Sequence[Any], texts: Texts, current: Iterable[TaskRow] = ()) -> list[Any]:
    """Return the rows with their long texts in place of the references.

    A text is looked for in the `texts`, then in the same task as it is now. A reference to another text stays.
    """
    referring = {row["number"] for row in rows if has_reference(row)}
    by_number = {row.number: _encode_row(row).texts for row in current if row.number in referring}
    return [
        _replace_references(row, by_number.get(row["number"], {}) | texts) if has_reference(row) else row
        for row in rows
    ]


def has_reference(row: Any) -> bool:
    """Return whether a row has a reference in place of a long text."""
    return isinstance(row, dict) and isinstance(row.get("number"), int) and bool(_find_references(row))


def drop_references(row: JournalRow) -> JournalRow:
    """Return the row without the texts to which it refers."""
    return _replace_references(row, dict.fromkeys(_find_references(row).values()))


def texts_of(rows: LiteralString, texts: LiteralString) -> LiteralString:
    """Return the SQL of the notes in a column `texts` to which the JSON of rows refers."""
    return f"""(
      SELECT jsonb_object_agg(t.key, t.value) FROM jsonb_each({texts}) AS t
      WHERE t.key IN (
        SELECT digest #>> '{{}}' FROM jsonb_path_query({rows}, '$[*].note.{_KEY}') AS digest))"""


class _EncodedRow(NamedTuple):
    json: str
    texts: Texts


def _encode_row(row: TaskRow) -> _EncodedRow:
    """Return the row as the journal keeps it, and its long texts."""
    template = row.repeat.template if row.repeat else None
    note_digest = _digest_long(row.note)
    template_digest = _digest_long(template)
    if not note_digest and not template_digest:
        return _EncodedRow(msgspec.json.encode(row).decode(), {})
    encoded: JournalRow = msgspec.to_builtins(row)
    texts: Texts = {}
    if note_digest:
        texts[note_digest] = row.note
        encoded["note"] = {_KEY: note_digest}
    if template_digest:
        texts[template_digest] = template
        encoded["repeat"]["template"] = {_KEY: template_digest}
    return _EncodedRow(msgspec.json.encode(encoded).decode(), texts)


def _digest_long(text: Any) -> str | None:
    """Return the digest of a long text, None for a short one."""
    if not text or (isinstance(text, str) and len(text) <= LONG_TEXT_CHARS):
        return None
    encoded = msgspec.json.encode(text, order="deterministic")
    return sha256(encoded).hexdigest() if len(encoded) > LONG_TEXT_CHARS else None


def _join(rows: Iterable[_EncodedRow]) -> str:
    return f"[{','.join(row.json for row in rows)}]"


def _find_references(row: JournalRow) -> dict[str, str]:
    """Return the digests to which a row refers, by the name of the field."""
    repeat = row.get("repeat")
    values = {"note": row.get("note"), "template": repeat.get("template") if isinstance(repeat, dict) else None}
    return {
        name: value[_KEY]
        for name, value in values.items()
        if isinstance(value, dict) and isinstance(value.get(_KEY), str)
    }


def _replace_references(row: JournalRow, texts: Texts) -> JournalRow:
    found = {name: texts[digest] for name, digest in _find_references(row).items() if digest in texts}
    restored = row | ({"note": found["note"]} if "note" in found else {})
    if "template" in found:
        restored["repeat"] = row["repeat"] | {"template": found["template"]}
    return restored
