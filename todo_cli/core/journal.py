"""The journal: what it keeps of a request, the statement of writes that change no tasks, and differences of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from todo_cli.contract.base import Request, Secret
from todo_cli.contract.codec import answer_type, decode, encode_sorted
from todo_cli.contract.limits import LONG_TEXT_CHARS, MAX_FULL_TASKS
from todo_cli.core.journal_texts import JournalRow, has_reference
from todo_cli.core.tasks.rows import NO_PRIORITY, TaskRow
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid, NotFound, TodoError

if TYPE_CHECKING:
    from todo_cli.contract.journal import Difference

R = TypeVar("R")

UNKNOWN_TEXT = "(a long text)"  # shown where the journal only knows that a text was another one

SHOWN_FIELDS = (
    "title", "status", "due", "project", "tags", "priority", "note", "parent", "after", "defer", "scheduled", "started_at",
    "tracked", "repeat", "remind", "claimed_by", "attachments", "discovered_from", "position",
    "assigned_to",
)  # fmt: skip  # a table


INSERT_CHANGE: LiteralString = """
  INSERT INTO todo.changes (space_id, seq, key, request_hash, verb, request, before, after, answer,
    texts, undoes, redo, group_id, turn_id)
  SELECT %(space)s::uuid, seq, %(key)s::text, %(hash)s::bytea, %(verb)s::text, %(request)s::jsonb,
    before, after, answer, texts,
    %(undoes)s::bigint, %(redo)s::boolean, %(group)s::uuid, %(turn)s::uuid
  FROM entry RETURNING seq, after, answer"""
"""The only INSERT into the journal. The CTE `entry` has the seq, the rows before and after, their texts, and the answer."""


def redact(request: Request[Any]) -> dict[str, Any]:
    """Return the request as the journal keeps it for ever: without secrets, hashes of tokens and unset fields."""

    def drop(value: Any) -> Any:
        if isinstance(value, Secret):
            return None
        raise TypeError(type(value).__name__)

    kept = msgspec.to_builtins(request, enc_hook=drop)
    return {
        name: value for name, value in kept.items() if not name.endswith("hash") and name not in request.unjournaled
    }


class Stamp(NamedTuple):
    """What the journal keeps of a request beside its effect. `turn` is the turn whose step it is.

    `fences` are the claims on which the caller acts; the journal does not keep them.
    """

    verb: str
    request: str
    hash: bytes
    key: str | None
    turn: str | None
    fences: tuple[int, ...] = ()


def make_stamp(tx: Transaction, request: Request[Any]) -> Stamp:
    """Return what the journal keeps of the request."""
    return Stamp(
        verb=request.verb,
        request=msgspec.json.encode(redact(request)).decode(),
        hash=sha256(request.verb.encode() + encode_sorted(request)).digest(),
        key=tx.values["key"],
        turn=tx.values["within"],
        fences=tx.caller.fences,
    )


def build_journaled(rule: LiteralString) -> Sql:
    """Return the statement of a write that changes no tasks, and of its journal row.

    The `rule` is a statement that returns `answer` (jsonb), or no row where the object does not exist. It must change
    nothing where the CTE `known` has a row: then the key was used before.
    """
    return Sql(f"""
WITH known AS MATERIALIZED (
  SELECT answer, request_hash = %(hash)s::bytea AS same FROM todo.changes
  WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid AND key = %(key)s::text),
rule AS MATERIALIZED ({rule}),
counter AS (
  SELECT seq + 1 AS seq FROM todo.spaces
  WHERE id = %(space)s::uuid AND EXISTS (SELECT FROM rule)),
entry AS (
  SELECT seq, NULL::jsonb AS before, NULL::jsonb AS after, NULL::jsonb AS texts, answer
  FROM counter, rule),
change AS ({INSERT_CHANGE})
SELECT json_build_object('same', true, 'answer', answer)::text FROM change
UNION ALL
SELECT json_build_object('same', same, 'answer', answer)::text FROM known""")


class _Answer(msgspec.Struct):
    same: bool
    answer: msgspec.Raw = msgspec.Raw(b"null")


async def run_journaled(tx: Transaction, sql: Sql, request: Request[R], missing: str | TodoError, **values: Any) -> R:
    """Run a `journaled` statement and return its answer.

    Raises `missing` (NotFound, where it is text) without a row, and Conflict for a key of another request.
    """
    stamp = make_stamp(tx, request)
    unused = {"undoes": None, "redo": False, "group": None, "turn": None}
    journal = unused | {"hash": stamp.hash, "verb": stamp.verb, "request": stamp.request, "fences": list(stamp.fences)}
    text = await tx.finish(sql, **journal, **values)
    if text is None:
        raise missing if isinstance(missing, TodoError) else NotFound(missing)
    found = decode(text, _Answer)
    if not found.same:
        raise reused_key(stamp.key)
    answer: R = decode(bytes(found.answer), answer_type(type(request)))
    return answer


def reused_key(key: str | None) -> Conflict:
    """Return the error for an idempotency key that was used with another content."""
    return Conflict(f"the key {key!r} was used for another request", hint="use a new key for a new request")


def read_rows(rows: Sequence[JournalRow]) -> list[TaskRow]:
    """Return rows of the journal as tasks; raises Conflict for a row that is none."""
    try:
        return msgspec.convert(rows, list[TaskRow])
    except msgspec.ValidationError as error:
        raise Conflict(
            f"the journal has a row that is no task: {error}",
            hint="a person may have written it with psql; see: todo log",
        ) from None


def differences(
    before: Sequence[Any] | None, after: Sequence[Any] | None, *, is_brief: bool = False
) -> tuple[Difference, ...]:
    """Return what changed between two lists of rows of the same tasks, without unchanged tasks.

    Rows are `TaskRow`s, or JSON of the journal, where a person's own login may write anything: what is no row is left out.
    With `is_brief`, and of many tasks, long texts are cut.
    """
    then = {row["number"]: row for row in _show_rows(before)}
    compared = [_compare(then.get(row["number"]), row) for row in _show_rows(after)]
    changed = [difference for difference in compared if difference.added or difference.fields]
    if is_brief or len(changed) > MAX_FULL_TASKS:
        changed = [_cut_texts(difference) for difference in changed]
    return tuple(changed)


def _cut_texts(difference: Difference) -> Difference:
    fields = {name: (_cut_text(old), _cut_text(new)) for name, (old, new) in difference.fields.items()}
    return replace(difference, fields=fields)


def _cut_text(value: Any) -> Any:
    return f"{value[:LONG_TEXT_CHARS]}…" if isinstance(value, str) and len(value) > LONG_TEXT_CHARS else value


def _show_rows(rows: Sequence[Any] | None) -> list[dict[str, Any]]:
    shown = [show_row(row) for row in rows or () if isinstance(row, dict | TaskRow)]
    return [row for row in shown if isinstance(row["number"], int)]


def show_row(row: JournalRow | TaskRow) -> dict[str, Any]:
    """Return a task's row with the fields and values that people see; a value of a wrong type is shown as it is."""
    stored = row if isinstance(row, dict) else msgspec.to_builtins(row)
    shown = {name: stored.get(name) for name in SHOWN_FIELDS} | {
        "number": stored.get("number"),
        "rev": stored.get("rev"),
    }
    for name in ("due", "defer", "scheduled"):
        shown[name] = stored.get(f"{name}_on") or _show_instant(stored.get(f"{name}_at"))
    shown["started_at"] = _show_instant(stored.get("started_at"))
    shown["tracked"] = stored.get("tracked") or 0
    for name in ("tags", "after"):
        value = stored.get(name) or []
        shown[name] = list(value) if isinstance(value, tuple) else value
    if has_reference(stored) and isinstance(shown["note"], dict):
        shown["note"] = UNKNOWN_TEXT
    shown["remind"] = _show_reminders(stored.get("remind"))
    shown["attachments"] = _show_file_names(stored.get("attachments"))
    if stored.get("priority") == NO_PRIORITY:
        shown["priority"] = None
    return shown


def _show_reminders(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return [] if value is None else value
    return [_show_reminder(reminder) for reminder in value]


def _show_reminder(reminder: Any) -> str:
    from todo_cli.parsing.reminders import format_lead

    try:
        at = reminder.get("at")
        return f"{at[:19]}Z" if at else format_lead(reminder.get("days", 0), reminder.get("seconds", 0))
    except (AttributeError, TypeError):
        return str(reminder)


def _show_file_names(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return [] if value is None else value
    return [file.get("name") if isinstance(file, dict) else file for file in value]


def _show_instant(value: Any) -> Any:
    return f"{value[:19]}Z" if isinstance(value, str) else value


def show_field(shown: dict[str, Any], name: str) -> Any:
    """Return a field of a shown row as a person reads it."""
    value = shown.get(name)
    if name != "repeat" or not isinstance(value, dict):
        return value
    from todo_cli.parsing.recurrence_format import describe_recurrence

    try:
        return describe_recurrence(value["rule"], value["from_done"])
    except (KeyError, TypeError, ValueError, AttributeError, Invalid):
        return str(value)


def _compare(before: dict[str, Any] | None, after: dict[str, Any]) -> Difference:
    from todo_cli.contract.journal import Difference

    fields: dict[str, tuple[Any, Any]] = {}
    for name in SHOWN_FIELDS:
        now = show_field(after, name)
        if before is not None:
            if show_field(before, name) != now:
                fields[name] = (show_field(before, name), now)
        elif name != "title" and now not in (None, [], 0, "open"):
            fields[name] = (None, now)
    return Difference(number=after["number"], title=str(after["title"]), added=before is None, fields=fields)
