"""A turn as the database has it now, and its form in the contract."""

from __future__ import annotations

from typing import Any, LiteralString, NoReturn

import msgspec

from todo_cli.contract.conversations import Turn
from todo_cli.db.sql import Sql
from todo_cli.errors import NotFound

# `model_spoke_last`: the head is an answer without calls. `unfinished_text`: the words of an attempt that died in
# mid-answer. A turn that has ended (t.last) has no open calls, and later turns may lie behind it: they are not read
SNAPSHOT_JSON: LiteralString = """json_build_object(
    'id', t.id, 'state', t.state, 'attempt', t.attempt, 'runner', t.runner,
    'live', t.lease_until > clock_timestamp(), 'events', t.events,
    'conversation', t.conversation_id, 'number', c.number, 'approved', t.approved,
    'held', t.held, 'error', t.error, 'head', c.head, 'newest', t.id = c.turn_id,
    'text', (SELECT content FROM todo.messages m
              WHERE m.space_id = t.space_id AND m.user_id = %(me)s::uuid
                 AND m.conversation_id = t.conversation_id
                AND m.seq = t.asked),
    'first', (SELECT m.parent IS NULL AND m.parent_of IS NULL FROM todo.messages m
               WHERE m.space_id = t.space_id AND m.user_id = %(me)s::uuid
                  AND m.conversation_id = t.conversation_id
                 AND m.seq = t.asked),
    'model_spoke_last', (
        SELECT m.role = 'assistant' AND m.calls IS NULL FROM todo.messages m
         WHERE m.space_id = t.space_id AND m.user_id = %(me)s::uuid
           AND m.conversation_id = CASE WHEN c.head_of IS NULL THEN c.id ELSE c.head_of END
           AND m.seq = c.head),
    'newest_calls', (
        SELECT json_build_object('seq', m.seq, 'calls', jsonb_array_length(m.calls),
            'answered', ARRAY(
            SELECT x.call_index FROM todo.messages x
             WHERE x.space_id = m.space_id AND x.user_id = %(me)s::uuid
                AND x.conversation_id = m.conversation_id
               AND x.call_seq = m.seq))
          FROM todo.messages m
         WHERE m.space_id = t.space_id AND m.user_id = %(me)s::uuid
            AND m.conversation_id = t.conversation_id AND m.seq > t.asked
           AND m.turn_id = t.id AND m.calls IS NOT NULL AND t.last IS NULL
         ORDER BY m.seq DESC LIMIT 1),
    'unfinished_text', (
        SELECT string_agg(e ->> 'text', '' ORDER BY b.n, place)
          FROM todo.events b, jsonb_array_elements(b.batch) WITH ORDINALITY AS x(e, place)
         WHERE b.space_id = t.space_id AND b.user_id = %(me)s::uuid
            AND b.turn_id = t.id AND b.attempt = t.attempt
           AND b.after = c.head AND e ->> 'kind' = 'words'))"""
FROM_TURN: LiteralString = """todo.turns t
    JOIN todo.conversations c ON c.space_id = t.space_id AND c.user_id = %(me)s::uuid
       AND c.id = t.conversation_id
   WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid"""

READ_TURN = Sql(f"SELECT {SNAPSHOT_JSON}::text FROM {FROM_TURN} AND t.id = %(turn)s::uuid")


class NewestCalls(msgspec.Struct):
    """The newest message of a turn that has calls: how many, and the indexes of those that have a result."""

    seq: int
    calls: int
    answered: list[int]

    @property
    def open(self) -> list[int]:
        """The indexes of the calls without a result."""
        return [index for index in range(self.calls) if index not in self.answered]


class TurnSnapshot(msgspec.Struct):
    """A turn as the database has it now; `live` is True while its lease runs."""

    id: str
    state: str
    attempt: int
    runner: str
    live: bool
    events: int
    conversation: str
    number: int
    newest: bool
    first: bool
    head: int | None = None
    text: str | None = None
    approved: bool | None = None
    held: list[dict[str, Any]] | None = None
    error: dict[str, Any] | None = None
    model_spoke_last: bool | None = None
    newest_calls: NewestCalls | None = None
    unfinished_text: str | None = None


def raise_turn_not_found() -> NoReturn:
    """Raise NotFound for a turn that does not exist or belongs to another user."""
    raise NotFound("you have no such turn", hint="list your conversations with: todo chat list")


def to_turn(turn: TurnSnapshot, **changes: Any) -> Turn:
    """Convert a snapshot to the contract's Turn, with some fields changed."""
    held = turn.held if turn.state == "awaiting" else None
    fields = {
        "id": turn.id,
        "conversation": turn.number,
        "state": turn.state,
        "attempt": turn.attempt,
        "approved": turn.approved,
        "held": held or (),
        "error": turn.error,
    }
    return msgspec.convert(fields | changes, Turn)
