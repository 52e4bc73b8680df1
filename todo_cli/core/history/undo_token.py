"""Undo what one token has changed, as one: all of it or nothing.

The changes are undone one after the other, the newest first, in one transaction, so that the journal names each of them
as undone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.journal import Undo, Undone, UndoToken
from todo_cli.contract.limits import MAX_UNDONE_CHANGES
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.history.load_changes import HAS_EFFECT, HEAD, IS_UNDONE, NO_CONTENT_VERBS
from todo_cli.core.history.moved_tasks import JOIN_LAST_CHANGE, MOVED_TASK, MovedTasks, describe_tasks
from todo_cli.core.history.undo import merge_answers, repeat_undone
from todo_cli.core.journal import make_stamp
from todo_cli.core.tasks.change import prepare_change
from todo_cli.core.tasks.load import KnownChange
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.db.transaction import ROLLBACK, Steps, Transaction
from todo_cli.errors import Conflict, Invalid, NotFound
from todo_cli.parsing.dates import day_bounds
from todo_cli.parsing.durations import parse_duration

FIND_CHANGES = Sql(f"""
WITH named AS MATERIALIZED (
  SELECT k.id FROM todo.tokens k
   WHERE k.user_id = %(me)s::uuid AND (k.name = %(token)s OR k.id::text = %(token)s)),
known AS MATERIALIZED (
  SELECT c.seq, c.before, c.after FROM todo.changes c
   WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid
     AND c.key >= %(key)s::text || ':' AND c.key < %(key)s::text || ';')
SELECT json_build_object(
    'token_exists', EXISTS (SELECT FROM named),
    'known', coalesce((SELECT json_agg(json_build_object('same', true, 'seq', seq,
      'before', coalesce(before, '[]'), 'after', coalesce(after, '[]')) ORDER BY seq)
      FROM known), '[]'),
    'seqs', coalesce((
      SELECT json_agg(found.seq ORDER BY found.seq DESC)
        FROM (
          SELECT max(c.seq) AS seq FROM todo.changes c
           WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.undoes IS NULL
             AND c.token_id = ANY (ARRAY(SELECT id FROM named))
             AND c.at >= %(since)s::timestamptz
             AND {HAS_EFFECT} AND c.verb <> ALL ({NO_CONTENT_VERBS}) AND NOT {IS_UNDONE}
           GROUP BY {HEAD}
           LIMIT {MAX_UNDONE_CHANGES + 1}) AS found), '[]'))::text""")

FIND_MOVED = Sql(f"""
SELECT json_build_object('tasks', coalesce(
    json_agg({MOVED_TASK} ORDER BY moved.number), '[]'))::text
  FROM unnest(%(numbers)s::bigint[]) AS moved(number)
  {JOIN_LAST_CHANGE}""")


class _ChangesOfToken(msgspec.Struct):
    token_exists: bool
    known: list[KnownChange]
    seqs: list[int]


@handler(UndoToken)
async def undo_token(tx: Transaction, request: UndoToken) -> Undone:
    """Undo the changes of a token; two round trips, and one for each change.

    Raises NotFound where there are none, Conflict for tasks that others have changed since.
    """
    since = await _read_start(tx, request.since) if request.since else datetime.min.replace(tzinfo=UTC)
    async with tx.steps() as steps:
        text = await steps.fetch(FIND_CHANGES, token=request.token, since=since, key=tx.caller.key)
        found = decode(text or "", _ChangesOfToken)
        if found.known:
            return merge_answers([repeat_undone(known) for known in found.known])
        _raise_for_changes(found, request)
        answers, moved, pending = await _invert_all(tx, steps, found.seqs)
        if moved and not (request.partial and answers):
            await _raise_for_moved(steps, moved)
        answer = merge_answers(answers)
        if request.dry_run:
            await steps.fetch_calls([*pending, (ROLLBACK, {})])
            answer = msgspec.structs.replace(answer, seq=None)
        else:
            await steps.commit_calls(pending)
    return msgspec.structs.replace(answer, skipped=tuple(sorted({*answer.skipped, *moved})))


async def _invert_all(
    tx: Transaction, steps: Steps, seqs: list[int]
) -> tuple[list[Undone], set[int], list[StatementCall]]:
    """Undo each change, as those before it left the tasks; return the answers, the moved tasks and the last statements."""
    answers: list[Undone] = []
    moved: set[int] = set()
    pending: list[StatementCall] = []
    for index, seq in enumerate(seqs):
        undo = Undo(id=seq, partial=True)
        key = f"{tx.caller.key}:{index}" if tx.caller.key else None
        stamp = make_stamp(tx, undo)._replace(key=key)
        try:
            prepared = await prepare_change(tx, steps, undo, stamp, first=pending)
        except Conflict as error:
            moved.update(_read_moved(error))
            pending = []
            continue
        answers.append(prepared.answer)
        moved.update(prepared.answer.skipped)
        pending = prepared.calls
    return answers, moved, pending


def _read_moved(error: Conflict) -> tuple[int, ...]:
    """Return the tasks that an undo found changed; raises the error if it has another reason."""
    moved: Any = error.extra.get("moved")
    if not moved:
        raise error
    return tuple(moved)


async def _read_start(tx: Transaction, text: str) -> datetime:
    """Return the instant of "1h", which is an hour ago, or of a date."""
    clock = await tx.read_clock()
    try:
        return clock.now - timedelta(seconds=parse_duration(text))
    except Invalid:
        pass
    start = validation.parse_date_at(text, clock)
    if not isinstance(start, datetime):
        start = day_bounds(start, clock.zone)[0]
    if start > clock.now:
        raise Invalid(f"{text[:40]!r} is in the future", hint="for example: --since 1h")
    return start


def _raise_for_changes(found: _ChangesOfToken, request: UndoToken) -> None:
    if not found.token_exists:
        raise NotFound(f"you have no token {request.token!r}", hint="see yours with: todo token list --all")
    if not found.seqs:
        raise NotFound(f"there is nothing of the token {request.token!r} to undo", hint="see: todo log")
    if len(found.seqs) > MAX_UNDONE_CHANGES:
        raise Invalid(
            f"the token has made more than {MAX_UNDONE_CHANGES} changes; nothing was undone",
            hint="undo the latest first: --since 1h",
        )


async def _raise_for_moved(steps: Steps, numbers: set[int]) -> None:
    text = await steps.fetch(FIND_MOVED, numbers=sorted(numbers))
    tasks = decode(text or "", MovedTasks).tasks
    raise Conflict(
        f"cannot undo: changed since: {describe_tasks(tasks)}; nothing was done",
        hint="take back the rest with --partial",
        moved=sorted(numbers),
    )
