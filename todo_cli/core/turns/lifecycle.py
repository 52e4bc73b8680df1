"""Begin a turn, take it over from a dead attempt, and close it."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract.clock import Clock
from todo_cli.contract.codec import decode
from todo_cli.contract.turn_steps import ENDED_STATES, BeginTurn, ClaimedTurn, PendingCall
from todo_cli.contract.usage import Budget, make_budget_error
from todo_cli.core import validation
from todo_cli.core.accounts.budget_sql import OVER
from todo_cli.core.dispatch import handler
from todo_cli.core.turns.append_sql import (
    APPEND,
    LEASE_UNTIL,
    StepResult,
    append_values,
    message_row,
    tool_result_row,
)
from todo_cli.core.turns.snapshot import (
    FROM_TURN,
    SNAPSHOT_JSON,
    TurnSnapshot,
    raise_turn_not_found,
)
from todo_cli.core.turns.tool_result import INTERRUPTED_RESULT, refused_json
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Steps, Transaction
from todo_cli.errors import Conflict, NotFound

CLOSING_TEXTS = {"running": "(interrupted)", "answered": "(interrupted)", "awaiting": "(not approved)"}
"""The assistant's message that closes a turn of that state."""

LOCK_CONVERSATION_BY_ID = Sql("""
SELECT 1 FROM todo.conversations WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid
   AND id = %(conversation)s::uuid
   FOR NO KEY UPDATE""")

READ_CONVERSATION = Sql(f"""
SELECT json_build_object(
    'exists', EXISTS (
        SELECT FROM todo.conversations
            WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid
               AND id = %(conversation)s::uuid),
    'deleted', (
        SELECT number FROM todo.conversations
         WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid AND id = %(conversation)s::uuid
           AND deleted_at IS NOT NULL),
    'over', {OVER},
    'same_turn', (SELECT {SNAPSHOT_JSON} FROM {FROM_TURN} AND t.id = %(turn)s::uuid),
    'last_turn', (
        SELECT {SNAPSHOT_JSON} FROM {FROM_TURN}
           AND c.id = %(conversation)s::uuid AND t.id = c.turn_id))::text""")

INSERT_CONVERSATION = Sql("""
INSERT INTO todo.conversations (space_id, id, title, model)
VALUES (%(space)s::uuid, %(conversation)s::uuid, %(title)s, %(model)s)""")

DELETE_EVENTS = Sql("SELECT todo.delete_turn_events(%(last)s::uuid)")

INSERT_TURN = Sql(f"""
WITH current AS MATERIALIZED (
    SELECT id, number, seq + 1 AS seq, head, head_of FROM todo.conversations
     WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid AND id = %(conversation)s::uuid),
conversation AS (
    UPDATE todo.conversations c
       SET seq = current.seq, head = current.seq, head_of = NULL, turn_id = %(turn)s::uuid,
           updated_at = clock_timestamp(), model = coalesce(%(model)s, c.model)
      FROM current WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid
         AND c.id = current.id),
turn AS (
    INSERT INTO todo.turns (space_id, id, conversation_id, runner, lease_until, asked, zone)
    SELECT %(space)s::uuid, %(turn)s::uuid, current.id, %(runner)s::uuid, {LEASE_UNTIL},
        current.seq, %(zone)s FROM current),
message AS (
    INSERT INTO todo.messages (space_id, conversation_id, seq, parent, parent_of, turn_id, attempt,
        role, content, tokens)
    SELECT %(space)s::uuid, current.id, current.seq, current.head, current.head_of,
        %(turn)s::uuid, 1,
           'user', %(text)s, length(%(text)s) / 4 + 8
      FROM current)
SELECT json_build_object('number', number, 'head', seq, 'first', head IS NULL)::text FROM current
""")


class _ConversationSnapshot(msgspec.Struct):
    """`same_turn` has the id of the request; `last_turn` is the newest one of the conversation."""

    exists: bool
    deleted: int | None = None
    over: Budget | None = None
    same_turn: TurnSnapshot | None = None
    last_turn: TurnSnapshot | None = None


class _NewTurn(msgspec.Struct):
    number: int
    head: int
    first: bool


@handler(BeginTurn)
async def begin_turn(tx: Transaction, request: BeginTurn) -> ClaimedTurn:
    """Two round trips; three where a dead turn must be closed first."""
    validation.check_text("message", request.text or "")
    async with tx.steps() as steps:
        values = {"conversation": request.conversation, "turn": request.turn}
        found = await steps.fetch(LOCK_CONVERSATION_BY_ID, READ_CONVERSATION, **values)
        conversation, clock = decode(found or "", _ConversationSnapshot), await tx.read_clock()
        if conversation.same_turn:
            return await _attach_or_take_over(steps, request, conversation.same_turn, clock)
        if request.text is None:
            raise_turn_not_found()
        _raise_if_closed(conversation)
        if conversation.last_turn and conversation.last_turn.state not in ENDED_STATES:
            await _close_previous(steps, conversation.last_turn)
        new_turn = await _insert_turn(steps, request, conversation, tx.caller.zone)
    return ClaimedTurn(
        conversation=request.conversation,
        number=new_turn.number,
        turn=request.turn,
        state="running",
        attempt=1,
        head=new_turn.head,
        events=0,
        now=clock.now,
        zone=clock.zone,
        mine=True,
        first=new_turn.first,
    )


async def _insert_turn(
    steps: Steps, request: BeginTurn, conversation: _ConversationSnapshot, zone: str | None
) -> _NewTurn:
    last = conversation.last_turn
    before = ([] if conversation.exists else [INSERT_CONVERSATION]) + ([DELETE_EVENTS] if last else [])
    values = msgspec.structs.asdict(request) | {
        "title": validation.shorten_title(request.text or ""),
        "last": last and last.id,
        "zone": zone,
    }
    return decode(await steps.commit(*before, INSERT_TURN, **values) or "", _NewTurn)


def _raise_if_closed(conversation: _ConversationSnapshot) -> None:
    """Refuse a new message in a deleted conversation, and once the day's budget is spent."""
    if conversation.deleted:
        raise NotFound(
            f"conversation {conversation.deleted} is in the trash",
            hint=f"restore it with: todo chat rm {conversation.deleted} --restore",
        )
    if conversation.over:
        raise make_budget_error(conversation.over)


async def _attach_or_take_over(steps: Steps, request: BeginTurn, turn: TurnSnapshot, clock: Clock) -> ClaimedTurn:
    """Answer for a turn that exists: the caller may follow it, continue it, or take it over from a dead attempt."""
    if turn.conversation != request.conversation or request.text not in (None, turn.text):
        raise Conflict("this turn id belongs to another message", hint="use a new id for a new turn")
    attempt, mine = turn.attempt, False
    is_dead = turn.state == "running" and not turn.live
    if turn.state == "running" and turn.live:
        mine = turn.runner == request.runner  # the first answer to this request was lost
    elif is_dead or turn.state == "answered":
        attempt, mine = await _take_over(steps, request, turn), True
    return ClaimedTurn(
        conversation=request.conversation,
        number=turn.number,
        turn=request.turn,
        attempt=attempt,
        head=turn.head or 0,
        state=msgspec.convert("running" if mine else turn.state, Any),
        events=turn.events,
        now=clock.now,
        zone=clock.zone,
        mine=mine,
        reset=is_dead,
        first=turn.first,
    )


async def _take_over(steps: Steps, request: BeginTurn, turn: TurnSnapshot) -> int:
    """Make the turn a new attempt of this runner, and return the attempt's number."""
    values = append_values(
        request.turn,
        turn.attempt,
        [_dead_message(turn.unfinished_text)] if turn.unfinished_text else [],
        state="running",
        bump=1,
        runner=request.runner,
        lease=request.lease,
        states=["running", "answered"],
    )
    step = decode(await steps.commit(APPEND, **values) or "", StepResult)
    return step.attempt + 1


def _dead_message(text: str) -> dict[str, Any]:
    return message_row("assistant", text, status="dead", aside=True)


async def _close_previous(steps: Steps, turn: TurnSnapshot) -> None:
    """Close the turn before a new one. Refuse while it runs; a new message instead of an approval means no."""
    if turn.state == "running" and turn.live:
        raise Conflict(
            "the conversation is busy with another message",
            hint=f"follow it with: todo chat resume {turn.number}; end it with: todo chat stop {turn.number}",
            turn=turn.id,
            reason="busy",
        )
    await steps.fetch(APPEND, **closing_values(turn, "stopped" if turn.state == "awaiting" else "failed"))


def closing_values(turn: TurnSnapshot, state: str) -> dict[str, Any]:
    """Return the values of APPEND that close a turn: every open call gets a result, and the model speaks last."""
    held = msgspec.convert(turn.held or [], list[PendingCall]) if turn.state == "awaiting" else []
    refused = {(call.message, call.index): refused_json(call.plan) for call in held}
    rows = [_dead_message(turn.unfinished_text)] if turn.unfinished_text else []
    if turn.newest_calls:
        seq = turn.newest_calls.seq
        rows += [
            tool_result_row(seq, index, refused.get((seq, index), INTERRUPTED_RESULT))
            for index in turn.newest_calls.open
        ]
    if not turn.model_spoke_last:
        rows.append(message_row("assistant", CLOSING_TEXTS[turn.state], status="interrupted"))
    approved = False if turn.state == "awaiting" else None
    states = ["running", "awaiting", "answered"]
    return append_values(turn.id, turn.attempt, rows, state=state, approved=approved, states=states)
