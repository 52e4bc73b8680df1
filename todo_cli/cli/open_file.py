"""Open a file or an address with the program that the system has for it."""

from __future__ import annotations

import os
import shlex
import shutil
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


def can_open_addresses() -> bool:
    """Whether there is a program for addresses: $BROWSER, or that of a desktop."""
    if os.environ.get("BROWSER") or sys.platform in ("win32", "darwin"):
        return True
    has_desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(has_desktop and shutil.which("xdg-open"))


def open_address(address: str) -> None:
    """Open the address in the first program of $BROWSER, or else in that of the desktop; raises Unavailable.

    The address is one argument of a program and no text for a shell, so that nothing in it is run.
    """
    if sys.platform == "win32" and not os.environ.get("BROWSER"):
        os.startfile(address)  # noqa: S606  # Windows has no program for it
        return
    opener = _read_browser(address) or ["open" if sys.platform == "darwin" else "xdg-open", address]
    hint = "see the address with: todo open N --print"
    try:
        ended = subprocess.run(opener, check=False)
    except OSError:
        raise Unavailable(f"{opener[0]!r} cannot be started", hint=f"{hint}, or set BROWSER") from None
    if ended.returncode:
        raise Unavailable(f"{opener[0]} could not open the address", hint=hint)


def _read_browser(address: str) -> list[str]:
    """Return the command line of $BROWSER, where `%s` is the address. Of a list with colons it is the first program."""
    try:
        words = shlex.split(os.environ.get("BROWSER", "").split(os.pathsep)[0])
    except ValueError:
        raise Unavailable("the variable BROWSER has a quote that is not closed", hint="set BROWSER anew") from None
    if not words or any("%s" in word for word in words):
        return [word.replace("%s", address) for word in words]
    return [*words, address]
