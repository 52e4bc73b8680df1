"""Undo and redo of a turn: all that it changed, as one, and the conversation's head with it.

A turn that changed tasks itself is one group of the journal. A turn that only undid or redid earlier changes is inverted
change by change: what it undid is redone, and the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.conversations import RedoTurn, UndoTurn
from todo_cli.contract.journal import Redo, Undo, Undone
from todo_cli.contract.turn_steps import ENDED_STATES
from todo_cli.core.dispatch import handler
from todo_cli.core.history.undo import merge_answers
from todo_cli.core.journal import make_stamp
from todo_cli.core.tasks.change import prepare_change
from todo_cli.core.turns.append_sql import LOCK_CONVERSATION
from todo_cli.core.turns.snapshot import raise_turn_not_found
from todo_cli.db.sign_in import ENTER
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.db.transaction import Steps, Transaction
from todo_cli.errors import Conflict, NotFound

CHANGES = Sql("""
SELECT json_build_object(
  'state', t.state,
  'changes', (
    SELECT coalesce(json_agg(json_build_object(
      'seq', c.seq, 'redo', c.redo, 'undoes', c.undoes,
      -- the change by which the undone group is named to undo it again
      'original', coalesce((
        SELECT min(own.seq) FROM todo.changes head
          JOIN todo.changes own ON own.space_id = head.space_id AND own.group_id = head.group_id
        WHERE head.space_id = t.space_id AND head.seq = c.undoes
          AND own.undoes IS NULL AND own.after IS DISTINCT FROM own.before), c.undoes))
      ORDER BY c.seq), '[]')
    FROM todo.changes c
    WHERE c.space_id = t.space_id AND c.group_id = t.id
      AND c.after IS NOT NULL AND c.after IS DISTINCT FROM c.before),
  'undone', (
    SELECT max(u.seq) FROM todo.changes u
    WHERE u.space_id = t.space_id AND NOT u.redo AND u.undoes = (
      SELECT min(g.seq) FROM todo.changes g
      WHERE g.space_id = t.space_id AND g.group_id = t.id)))::text
FROM todo.turns t WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid
   AND t.id = %(turn)s::uuid""")

MOVE_HEAD_BACK = Sql("""
UPDATE todo.conversations c
SET head = m.parent, head_of = m.parent_of, updated_at = clock_timestamp()
FROM todo.turns t
  JOIN todo.messages m
    ON m.space_id = t.space_id AND m.user_id = %(me)s::uuid
       AND m.conversation_id = t.conversation_id AND m.seq = t.asked
WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid AND t.id = %(turn)s::uuid
  AND c.space_id = t.space_id AND c.id = t.conversation_id
  AND c.head = t.last AND c.head_of IS NULL""")

MOVE_HEAD_FORTH = Sql("""
UPDATE todo.conversations c SET head = t.last, head_of = NULL, updated_at = clock_timestamp()
FROM todo.turns t
  JOIN todo.messages m
    ON m.space_id = t.space_id AND m.user_id = %(me)s::uuid
       AND m.conversation_id = t.conversation_id AND m.seq = t.asked
WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid AND t.id = %(turn)s::uuid
  AND c.space_id = t.space_id AND c.id = t.conversation_id
  AND c.head IS NOT DISTINCT FROM m.parent AND c.head_of IS NOT DISTINCT FROM m.parent_of""")


class TurnChange(msgspec.Struct):
    """A change of a turn. An undo or a redo has `undoes`; `original` is the change that the undone group began with."""

    seq: int
    redo: bool
    undoes: int | None = None
    original: int | None = None


class TurnChanges(msgspec.Struct):
    """All that a turn changed; `undone` is the last undo of it."""

    state: str
    changes: list[TurnChange]
    undone: int | None = None

    @property
    def own(self) -> list[TurnChange]:
        """The changes that are neither undo nor redo: with one of them the turn is a group of its own."""
        return [change for change in self.changes if change.undoes is None]


@handler(UndoTurn)
async def undo_turn(tx: Transaction, request: UndoTurn) -> Undone:
    """Undo the turn; then move the head back, where the turn is the last.

    Three round trips, and one more for each further undo or redo of a turn without changes of its own.
    """
    async with tx.steps() as steps:
        changes = await _read_changes(steps, request.turn)
        return await _invert(tx, steps, request, inversions_to_undo(changes, request), MOVE_HEAD_BACK)


@handler(RedoTurn)
async def redo_turn(tx: Transaction, request: RedoTurn) -> Undone:
    """Redo the turn: the inverse of `undo_turn`."""
    async with tx.steps() as steps:
        changes = await _read_changes(steps, request.turn)
        return await _invert(tx, steps, request, inversions_to_redo(changes, request), MOVE_HEAD_FORTH)


async def _read_changes(steps: Steps, turn: str) -> TurnChanges:
    text = await steps.fetch(LOCK_CONVERSATION, CHANGES, turn=turn)
    if text is None:
        raise_turn_not_found()
    changes = decode(text or "", TurnChanges)
    if changes.state not in ENDED_STATES:
        raise Conflict("the turn is still running", hint="stop it first with: todo chat stop")
    return changes


def inversions_to_undo(turn: TurnChanges, request: UndoTurn) -> list[Undo | Redo]:
    """Return the undos and redos that take back all of the turn, the last change first."""
    if turn.own:
        return [_name(Undo, request, turn.own[0].seq)]
    return [
        _name(Undo, request, change.original) if change.redo else _name(Redo, request, change.undoes)
        for change in reversed(turn.changes)
    ]


def inversions_to_redo(turn: TurnChanges, request: RedoTurn) -> list[Undo | Redo]:
    """Return the undos and redos that do all of an undone turn again; raises NotFound where it was not undone."""
    if not turn.own:
        return [
            _name(Redo, request, change.undoes) if change.redo else _name(Undo, request, change.original)
            for change in turn.changes
        ]
    if turn.undone is None:
        raise NotFound("that turn has not been undone", hint="see: todo log")
    return [_name(Redo, request, turn.undone)]


def _name(kind: type[Undo | Redo], request: UndoTurn | RedoTurn, seq: int | None) -> Undo | Redo:
    return kind(id=seq, partial=request.partial, dry_run=request.dry_run)


async def _invert(
    tx: Transaction, steps: Steps, request: UndoTurn | RedoTurn, inversions: Sequence[Undo | Redo], move_head: Sql
) -> Undone:
    """Carry out the inversions one after the other: each finds its change in the journal, as the one before left it."""
    answers: list[Undone] = []
    pending: list[StatementCall] = []
    for index, inversion in enumerate(inversions):
        key = f"{tx.caller.key}:{index}" if index and tx.caller.key else tx.caller.key
        # The token's scope for the turn is `chat`; its right to change tasks is checked here.
        first = [*pending, (ENTER, {"scope": inversion.scope})]
        prepared = await prepare_change(tx, steps, inversion, make_stamp(tx, inversion)._replace(key=key), first=first)
        answers.append(prepared.answer)
        pending = [] if request.dry_run else prepared.calls
    if not request.dry_run:
        is_new = not answers or any(answer.new for answer in answers)
        head = (move_head, {"turn": request.turn})
        await steps.commit_calls([*pending, *([head] if is_new else [])])
    return merge_answers(answers)
