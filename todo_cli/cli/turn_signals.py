"""Run a turn under signals: Ctrl-C stops it, the end of the terminal or of the process leaves it."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress

from todo_cli.cli.echo import no_echo
from todo_cli.cli.render import text
from todo_cli.cli.render.turn import Screen
from todo_cli.cli.session import Session
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.turn_client.outcome import TurnOutcome
from todo_cli.turn_client.run import run_turn


def run_with_signals(session: Session, begin: BeginTurn, screen: Screen, after: int = -1) -> TurnOutcome:
    """Run the turn until it rests. Ctrl-C stops it, wherever it runs; a second Ctrl-C only leaves it.

    SIGTERM and SIGHUP leave it too, with exit code 143 and 129: the text so far is stored and, in a pipe, printed.
    """
    received: list[int] = []
    started_at = time.monotonic()
    try:
        return asyncio.run(_run_until_stopped(session, begin, screen, after, received))
    except asyncio.CancelledError:
        if not received:
            raise KeyboardInterrupt from None
        with suppress(OSError):  # the terminal may be gone
            screen.pause()
            text.note("(left; the text so far is stored, and the answer is continued by: todo chat resume)")
        raise SystemExit(128 + received[0]) from None
    finally:
        screen.seconds += time.monotonic() - started_at
        screen.pause()


async def _run_until_stopped(
    session: Session, begin: BeginTurn, screen: Screen, after: int, received: list[int]
) -> TurnOutcome:
    stop, loop, task = asyncio.Event(), asyncio.get_running_loop(), asyncio.current_task()

    def interrupt() -> None:
        if stop.is_set() and task:
            task.cancel()
        stop.set()
        screen.show_stopping()

    def terminate(number: int) -> None:
        received.append(number)
        if task:
            task.cancel()

    with suppress(NotImplementedError):  # Windows
        loop.add_signal_handler(signal.SIGINT, interrupt)
        for number in (signal.SIGHUP, signal.SIGTERM):  # leave the turn without stopping it
            loop.add_signal_handler(number, terminate, number)
    animation = asyncio.create_task(screen.animate())
    try:
        with no_echo():
            return await run_turn(session.settings, begin, screen.show_event, stop, after)
    finally:
        animation.cancel()
