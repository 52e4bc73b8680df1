"""Control what happens to the input while the program does something else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_echo() -> Iterator[None]:
    """Switch echo off, so that typed keys do not mix with the output; the next prompt reads them."""
    try:
        import termios
    except ImportError:  # Windows
        yield
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield
        return
    terminal = sys.stdin.fileno()
    saved = termios.tcgetattr(terminal)
    silent = termios.tcgetattr(terminal)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, silent)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, saved)


@contextmanager
def no_input() -> Iterator[None]:
    """Let commands that run inside find no input."""
    own = sys.stdin
    with open(os.devnull) as sys.stdin:
        try:
            yield
        finally:
            sys.stdin = own


def discard_typed_input() -> None:
    """Discard keys typed before a question, so that they do not answer it."""
    try:
        import termios
    except ImportError:  # Windows
        return
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
