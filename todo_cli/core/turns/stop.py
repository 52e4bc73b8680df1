"""Stop a turn."""

from __future__ import annotations

from todo_cli.contract.codec import decode
from todo_cli.contract.conversations import StopTurn, Turn
from todo_cli.contract.turn_steps import ENDED_STATES
from todo_cli.core.dispatch import handler
from todo_cli.core.turns.append_sql import APPEND, LOCK_CONVERSATION, StepResult, fenced_error
from todo_cli.core.turns.lifecycle import closing_values
from todo_cli.core.turns.snapshot import READ_TURN, TurnSnapshot, raise_turn_not_found, to_turn
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

REQUEST_STOP = Sql("""
UPDATE todo.turns SET stop = true WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid
   AND id = %(turn)s::uuid
RETURNING 'requested'""")


@handler(StopTurn)
async def stop_turn(tx: Transaction, request: StopTurn) -> Turn:
    """Ask a running turn to stop, and close one that waits or has died. Three round trips at most.

    The attempt that runs the turn sees the request between two events.
    """
    async with tx.steps() as steps:
        text = await steps.fetch(LOCK_CONVERSATION, READ_TURN, turn=request.turn)
        if text is None:
            raise_turn_not_found()
        turn = decode(text or "", TurnSnapshot)
        if turn.state == "running" and turn.live:
            await steps.commit(REQUEST_STOP, turn=request.turn)
        elif turn.state not in ENDED_STATES:
            step = decode(await steps.commit(APPEND, **closing_values(turn, "stopped")) or "", StepResult)
            if step.fenced:
                raise fenced_error(step, turn.attempt)
            turn.state = "stopped"
    return to_turn(turn)
