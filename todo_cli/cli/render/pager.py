"""Print long output through a pager, as git does: on a terminal only, and only if it is taller than the screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from todo_cli.cli.render.colors import Line, choose_paint
from todo_cli.cli.render.hyperlinks import LINK_SEQUENCE, can_link
from todo_cli.cli.session import Session

LESS_OPTIONS = "FRX"
"""For `less`, unless LESS is set: leave if the text fits, pass colours on, keep the text on the screen."""
NOT_RUN_CODES = (126, 127)
"""Exit codes of a shell that cannot run a command."""


def print_screen(session: Session, lines: Iterable[Line]) -> None:
    """Print laid-out lines with the colours of the session, through the pager if they do not fit on the screen."""
    paint = choose_paint(
        colored=session.use_color, theme=session.display.theme, linked=session.use_color and can_link()
    )
    print_lines(session, [paint(line) for line in lines])


def print_lines(session: Session, lines: Sequence[str]) -> None:
    """Print the lines on stdout, through the pager if they do not fit on the screen."""
    text = "".join(f"{line}\n" for line in lines)
    pager = _choose_pager(session) if sys.stdout.isatty() else None
    if pager is None or not _is_taller_than_screen(lines) or not _run_pager(pager, text):
        sys.stdout.write(text)


def _choose_pager(session: Session) -> str | None:
    """Return the command of TODO_PAGER or PAGER, else `less`; None for `cat`, an empty command or a dumb terminal.

    The preference "off" wins over PAGER, which many systems set for all programs.
    """
    if not session.allow_pager or os.environ.get("TERM", "dumb") == "dumb":
        return None
    command = os.environ.get("TODO_PAGER")
    if command is None and session.display.pager is False:
        return None
    command = os.environ.get("PAGER") if command is None else command
    if command is not None:
        return command if command.strip() not in ("", "cat") else None
    import shutil

    return "less" if shutil.which("less") else None


def _is_taller_than_screen(lines: Sequence[str]) -> bool:
    import re
    import shutil

    from todo_cli.cli.render.cells import measure

    size = shutil.get_terminal_size()
    rows = 1  # the prompt that follows
    for line in lines:
        shown = LINK_SEQUENCE.sub("", re.sub(r"\x1b\[[0-9;]*m", "", line))
        rows += max(1, -(-measure(shown) // size.columns))
        if rows > size.lines:
            return True
    return False


def _run_pager(command: str, text: str) -> bool:
    """Show the text in the pager; False if it cannot be run. A reader who leaves in the middle is no error."""
    import subprocess

    sys.stdout.flush()
    environment = {"LESS": LESS_OPTIONS, "LV": "-c"} | dict(os.environ)
    encoding = sys.stdout.encoding or "utf-8"
    with _ignored_interrupts():
        try:
            # the shell reads the command, as it does for git: PAGER may have options
            process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, env=environment)  # noqa: S602
        except OSError:
            return False
        assert process.stdin is not None  # noqa: S101  # it is a pipe
        _feed(process.stdin, text.encode(encoding, "backslashreplace"))
        return process.wait() not in NOT_RUN_CODES


def _feed(stdin: IO[bytes], text: bytes) -> None:
    """Write the text to the pager, until it is closed."""
    try:
        with stdin:
            stdin.write(text)
    except BrokenPipeError:
        pass


@contextmanager
def _ignored_interrupts() -> Iterator[None]:
    """Leave Ctrl-C to the pager, which shares the terminal."""
    import signal

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
