"""Print the calls that wait for approval."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import TextIO

from todo_cli.cli.render.cells import read_width
from todo_cli.cli.render.colors import choose_paint
from todo_cli.cli.render.list_view import open_view
from todo_cli.cli.render.pending_calls import draw_choices, draw_heading
from todo_cli.cli.session import Session
from todo_cli.contract.turn_steps import PendingCall

UNBOUNDED_WIDTH = 100_000


def print_pending_calls(
    session: Session,
    calls: Sequence[PendingCall],
    *,
    out: TextIO | None = None,
    chosen: Collection[int] = (),
    shown: int | None = None,
) -> None:
    """Print the heading and the choices on stderr or another stream; all of them, or the first `shown`.

    With some `chosen` those are marked, and the heading is left out: it has been read.
    """
    out = out or sys.stderr
    view, is_terminal = open_view(session), out.isatty()
    paint = choose_paint(colored=session.use_color and is_terminal, theme=session.display.theme)
    if calls and not chosen:
        out.write(f"{paint(draw_heading(calls, view))}\n")
    width = read_width() - 1 if is_terminal else UNBOUNDED_WIDTH
    for line in draw_choices(calls, view, width, chosen=chosen, shown=shown):
        out.write(f"{paint(line)}\n")
