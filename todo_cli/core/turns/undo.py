"""Undo and redo all changes of a turn as one change in the journal, and move the conversation's head with them.

A turn that only undid or redid earlier changes is undone the other way round: what it undid is done again.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.conversations import RedoTurn, UndoTurn
from todo_cli.contract.journal import Redo, Undo, Undone
from todo_cli.contract.turn_steps import ENDED_STATES
from todo_cli.core.dispatch import handler
from todo_cli.core.history import undo
from todo_cli.core.turns.append_sql import LOCK_CONVERSATION
from todo_cli.core.turns.snapshot import raise_turn_not_found
from todo_cli.db.batch import BatchItem, RequestBatch
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, NotFound

# `origin`: the change that an undo or redo of this turn is named by
READ_CHANGES = Sql("""
SELECT json_build_object(
    'state', t.state,
    'seq', (SELECT seq FROM todo.spaces WHERE id = %(space)s::uuid),
    'changes', (
        SELECT coalesce(json_agg(json_build_object(
                   'seq', c.seq, 'redo', c.redo, 'undoes', c.undoes,
                   'origin', coalesce((
                       SELECT min(y.seq) FROM todo.changes h
                         JOIN todo.changes y ON y.space_id = h.space_id AND y.group_id = h.group_id
                        WHERE h.space_id = t.space_id AND h.seq = c.undoes AND y.undoes IS NULL
                          AND y.after IS DISTINCT FROM y.before), c.undoes)) ORDER BY c.seq), '[]')
          FROM todo.changes c
         WHERE c.space_id = t.space_id AND c.group_id = t.id
           AND c.after IS NOT NULL AND c.after IS DISTINCT FROM c.before),
    'undone', (
        SELECT max(x.seq) FROM todo.changes x
         WHERE x.space_id = t.space_id AND NOT x.redo AND x.undoes = (
             SELECT min(g.seq) FROM todo.changes g
                 WHERE g.space_id = t.space_id AND g.group_id = t.id)))::text
  FROM todo.turns t WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid""")

# the head moves only where the changes of this transaction were stored: the space's seq has reached `least`
MOVE_HEAD_BACK = Sql("""
UPDATE todo.conversations c
   SET head = m.parent, head_of = m.parent_of, updated_at = clock_timestamp()
  FROM todo.turns t
  JOIN todo.messages m
    ON m.space_id = t.space_id AND m.conversation_id = t.conversation_id AND m.seq = t.asked
 WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid
   AND c.space_id = t.space_id AND c.id = t.conversation_id
   AND c.head = t.last AND c.head_of IS NULL
   AND (SELECT seq FROM todo.spaces WHERE id = %(space)s::uuid) >= %(least)s::bigint
RETURNING 'back'""")

MOVE_HEAD_FORWARD = Sql("""
UPDATE todo.conversations c
   SET head = t.last, head_of = NULL, updated_at = clock_timestamp()
  FROM todo.turns t
  JOIN todo.messages m
    ON m.space_id = t.space_id AND m.conversation_id = t.conversation_id AND m.seq = t.asked
 WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid
   AND c.space_id = t.space_id AND c.id = t.conversation_id
   AND c.head IS NOT DISTINCT FROM m.parent AND c.head_of IS NOT DISTINCT FROM m.parent_of
   AND (SELECT seq FROM todo.spaces WHERE id = %(space)s::uuid) >= %(least)s::bigint
RETURNING 'forward'""")


class _TurnChange(msgspec.Struct):
    seq: int
    redo: bool
    undoes: int | None = None
    origin: int | None = None


class _TurnChanges(msgspec.Struct):
    state: str
    seq: int
    changes: list[_TurnChange]
    undone: int | None = None

    @property
    def own(self) -> list[_TurnChange]:
        """The changes that are neither undo nor redo. If there are any, all changes of the turn are one group."""
        return [change for change in self.changes if change.undoes is None]


@handler(UndoTurn)
async def undo_turn(tx: Transaction, request: UndoTurn) -> Undone:
    """Undo a turn, and move the head back where the turn is the last one.

    Three round trips, and one more for each further undo in the turn.
    """

    def inverses(turn: _TurnChanges) -> list[Undo | Redo]:
        if turn.own:
            return [_inverse_request(Undo, request, turn.own[0].seq)]
        return [
            _inverse_request(Undo, request, change.origin)
            if change.redo
            else _inverse_request(Redo, request, change.undoes)
            for change in reversed(turn.changes)
        ]

    return await _invert_turn(tx, request, inverses, MOVE_HEAD_BACK)


@handler(RedoTurn)
async def redo_turn(tx: Transaction, request: RedoTurn) -> Undone:
    """Do the inverse of `undo_turn`."""

    def inverses(turn: _TurnChanges) -> list[Undo | Redo]:
        if not turn.own:
            return [
                _inverse_request(Redo, request, change.undoes)
                if change.redo
                else _inverse_request(Undo, request, change.origin)
                for change in turn.changes
            ]
        if turn.undone is None:
            raise NotFound("that turn has not been undone", hint="list the changes with: todo log")
        return [_inverse_request(Redo, request, turn.undone)]

    return await _invert_turn(tx, request, inverses, MOVE_HEAD_FORWARD)


def _inverse_request(kind: type[Undo | Redo], request: UndoTurn | RedoTurn, seq: int | None) -> Undo | Redo:
    return kind(id=seq, partial=request.partial, dry_run=request.dry_run)


async def _invert_turn(tx: Transaction, request: UndoTurn | RedoTurn, inverses: Any, move_head: Sql) -> Undone:
    async with tx.steps() as steps:
        turn = _decode_ended(await steps.run(LOCK_CONVERSATION, READ_CHANGES, turn=request.turn))
        requests = inverses(turn)
        with RequestBatch(tx) as batch:
            for place, inverse in enumerate(requests):
                await _add_to_batch(
                    batch, inverse, f"{tx.caller.key}:{place}" if place and tx.caller.key else tx.caller.key
                )
            if not request.dry_run:
                await batch.finish(move_head, turn=request.turn, least=turn.seq + len(requests))
    return _merge_answers(batch.going)


async def _add_to_batch(batch: RequestBatch, request: Undo | Redo, key: str | None) -> None:
    def rule(inner: Transaction) -> Coroutine[Any, Any, Undone]:
        return undo.undo(inner, request) if isinstance(request, Undo) else undo.redo(inner, request)

    await batch.add(type(request), rule, key=key)
    for item in batch.going:
        if item.error:
            raise item.error


def _merge_answers(items: list[BatchItem]) -> Undone:
    for item in items:
        if item.error:
            raise item.error
    parts: list[Undone] = [item.answer for item in items]
    if len(parts) == 1:
        return parts[0]
    return Undone(
        changes=tuple(seq for part in parts for seq in part.changes),
        differences=tuple(difference for part in parts for difference in part.differences),
        skipped=tuple(number for part in parts for number in part.skipped),
        seq=parts[-1].seq if parts else None,
        new=any(part.new for part in parts),
    )


def _decode_ended(text: str | None) -> _TurnChanges:
    if text is None:
        raise_turn_not_found()
    changes = decode(text or "", _TurnChanges)
    if changes.state not in ENDED_STATES:
        raise Conflict("the turn is still running", hint="stop it first with: todo chat stop")
    return changes
