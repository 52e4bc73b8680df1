"""Start the text editor of the user, and wait until it ends."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from todo_cli.errors import Invalid, TodoError

USUAL_EDITORS = ("sensible-editor", "nano", "vi")
"""Tried in this order where neither VISUAL nor EDITOR is set."""


def find_editor() -> list[str]:
    """Return the command line of VISUAL, EDITOR or a usual editor. Raise Invalid where there is none."""
    for name in ("VISUAL", "EDITOR"):
        if os.environ.get(name, "").strip():
            return _split_command(name, os.environ[name])
    found = next((editor for editor in USUAL_EDITORS if shutil.which(editor)), None)
    if found is None:
        raise Invalid("no text editor was found", hint="name one in the environment: EDITOR=nano")
    return [found]


def _split_command(name: str, value: str) -> list[str]:
    try:
        program, *arguments = shlex.split(value)
    except ValueError:
        raise Invalid(f"the variable {name} has a quote that is not closed", hint=f"set {name} anew") from None
    return [os.path.expanduser(program), *arguments]


def edit_file(path: Path) -> None:
    """Open the file in the editor. Raise Invalid where it cannot be started, TodoError where it fails."""
    command = find_editor()
    # an editor needs the terminal, also where the command's own output goes to a file
    output = None if sys.stdout.isatty() or not sys.stderr.isatty() else sys.stderr
    sys.stdout.flush()
    try:
        with _ignored_interrupts():
            code = subprocess.run([*command, str(path)], stdout=output, check=False).returncode
    except OSError as error:
        reason = error.strerror or "it does not start"
        raise Invalid(f"cannot start the editor {command[0]!r}: {reason}", hint="set EDITOR") from None
    if code:
        how = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
        raise TodoError(f"the editor {command[0]!r} {how}; nothing was changed")


@contextmanager
def _ignored_interrupts() -> Iterator[None]:
    """Leave Ctrl-C to the editor. A handler, unlike SIG_IGN, is not inherited by it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
