"""Open a file with the program that the system has for its type."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from todo_cli.errors import Unavailable


def open_with_system(path: Path) -> None:
    """Open the file and do not wait for the program's end; raises Unavailable where the system cannot."""
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606  # Windows has no program for it
        return
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    hint = f"the file is {path}; open it yourself"
    try:
        ended = subprocess.run([opener, str(path)], stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        raise Unavailable(f"this machine has no {opener}", hint=hint) from None
    if ended.returncode:
        raise Unavailable(f"{opener} found no program for the file", hint=hint)
