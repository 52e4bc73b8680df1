"""Taking back all that a turn changed, and doing it again: through the journal, as one; and the conversation's head with it.

A turn that only took something back, or did it again, is undone the same way round: what it undid is done again.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.conversations import RedoTurn, UndoTurn
from todo_cli.contract.journal import Redo, Undo, Undone
from todo_cli.contract.turn_steps import ENDED
from todo_cli.core.dispatch import handler
from todo_cli.core.history import undo
from todo_cli.core.turns.append_sql import LOCK
from todo_cli.core.turns.lifecycle import no_turn
from todo_cli.db.batch import BatchItem, RequestBatch
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, NotFound

# `of`: the change by which what it took back is named
CHANGES = Sql("""SELECT json_build_object('state', t.state, 'seq', (SELECT seq FROM todo.spaces WHERE id = %(space)s::uuid),
  'changes', (SELECT coalesce(json_agg(json_build_object('seq', c.seq, 'redo', c.redo, 'undoes', c.undoes, 'of', coalesce((
        SELECT min(y.seq) FROM todo.changes h JOIN todo.changes y ON y.space_id = h.space_id AND y.group_id = h.group_id
         WHERE h.space_id = t.space_id AND h.seq = c.undoes AND y.undoes IS NULL AND y.after IS DISTINCT FROM y.before),
      c.undoes)) ORDER BY c.seq), '[]') FROM todo.changes c WHERE c.space_id = t.space_id AND c.group_id = t.id
        AND c.after IS NOT NULL AND c.after IS DISTINCT FROM c.before),
  'undone', (SELECT max(x.seq) FROM todo.changes x WHERE x.space_id = t.space_id AND NOT x.redo AND x.undoes = (
      SELECT min(g.seq) FROM todo.changes g WHERE g.space_id = t.space_id AND g.group_id = t.id)))::text
FROM todo.turns t WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid""")

# only where what was to be changed has been
BACK = Sql("""UPDATE todo.conversations c SET head = m.parent, head_of = m.parent_of, updated_at = clock_timestamp()
  FROM todo.turns t JOIN todo.messages m ON m.space_id = t.space_id AND m.conversation_id = t.conversation_id AND m.seq = t.asked
  WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid AND c.space_id = t.space_id AND c.id = t.conversation_id
    AND c.head = t.last AND c.head_of IS NULL
    AND (SELECT seq FROM todo.spaces WHERE id = %(space)s::uuid) >= %(least)s::bigint RETURNING 'back'""")

FORTH = Sql("""UPDATE todo.conversations c SET head = t.last, head_of = NULL, updated_at = clock_timestamp()
  FROM todo.turns t JOIN todo.messages m ON m.space_id = t.space_id AND m.conversation_id = t.conversation_id AND m.seq = t.asked
  WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid AND c.space_id = t.space_id AND c.id = t.conversation_id
    AND c.head IS NOT DISTINCT FROM m.parent AND c.head_of IS NOT DISTINCT FROM m.parent_of
    AND (SELECT seq FROM todo.spaces WHERE id = %(space)s::uuid) >= %(least)s::bigint RETURNING 'forth'""")


class _Change(msgspec.Struct):
    seq: int
    redo: bool
    undoes: int | None = None
    of: int | None = None


class _Changes(msgspec.Struct):
    state: str
    seq: int
    changes: list[_Change]
    undone: int | None = None

    @property
    def own(self) -> list[_Change]:
        """Those that are no undo and no redo: with them, all of the turn is one group."""
        return [one for one in self.changes if one.undoes is None]


@handler(UndoTurn)
async def undo_turn(tx: Transaction, request: UndoTurn) -> Undone:
    """As one; then the head goes back, where the turn is the last. Three round trips, and one for each further undo in it."""

    def inverses(found: _Changes) -> list[Undo | Redo]:
        if found.own:
            return [_named(Undo, request, found.own[0].seq)]
        return [
            _named(Undo, request, one.of) if one.redo else _named(Redo, request, one.undoes)
            for one in reversed(found.changes)
        ]

    return await _inverted(tx, request, inverses, BACK)


@handler(RedoTurn)
async def redo_turn(tx: Transaction, request: RedoTurn) -> Undone:
    """The inverse of `undo_turn`."""

    def inverses(found: _Changes) -> list[Undo | Redo]:
        if not found.own:
            return [
                _named(Redo, request, one.undoes) if one.redo else _named(Undo, request, one.of)
                for one in found.changes
            ]
        if found.undone is None:
            raise NotFound("that turn has not been undone", hint="see: todo log")
        return [_named(Redo, request, found.undone)]

    return await _inverted(tx, request, inverses, FORTH)


def _named(kind: type[Undo | Redo], request: UndoTurn | RedoTurn, seq: int | None) -> Undo | Redo:
    return kind(id=seq, partial=request.partial, dry_run=request.dry_run)


async def _inverted(tx: Transaction, request: UndoTurn | RedoTurn, inverses: Any, moved: Sql) -> Undone:
    async with tx.steps() as steps:
        found = _ended(await steps.run(LOCK, CHANGES, turn=request.turn))
        wished = inverses(found)
        with RequestBatch(tx) as together:
            for place, one in enumerate(wished):
                await _add(together, one, f"{tx.caller.key}:{place}" if place and tx.caller.key else tx.caller.key)
            if not request.dry_run:
                await together.finish(moved, turn=request.turn, least=found.seq + len(wished))
    return _merged(together.going)


async def _add(together: RequestBatch, wished: Undo | Redo, key: str | None) -> None:
    def rule(inner: Transaction) -> Coroutine[Any, Any, Undone]:
        return undo.undo(inner, wished) if isinstance(wished, Undo) else undo.redo(inner, wished)

    await together.add(type(wished), rule, key=key)
    for one in together.going:
        if one.error:
            raise one.error


def _merged(going: list[BatchItem]) -> Undone:
    for one in going:
        if one.error:
            raise one.error
    parts: list[Undone] = [one.answer for one in going]
    if len(parts) == 1:
        return parts[0]
    return Undone(
        changes=tuple(seq for one in parts for seq in one.changes),
        differences=tuple(each for one in parts for each in one.differences),
        skipped=tuple(number for one in parts for number in one.skipped),
        seq=parts[-1].seq if parts else None, new=any(one.new for one in parts),
    )  # fmt: skip


def _ended(text: str | None) -> _Changes:
    if text is None:
        no_turn()
    changes = decode(text or "", _Changes)
    if changes.state not in ENDED:
        raise Conflict("the turn has not ended", hint="stop it first")
    return changes
