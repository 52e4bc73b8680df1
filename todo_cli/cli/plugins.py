"""Commands of other programs: `todo NAME` runs `todo-NAME` from the PATH, as git does.

A plug-in gets the arguments as they are, and the profile in `TODO_PROFILE`. A command of ours wins over its name.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence

from todo_cli.errors import Invalid

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,50}")


def find_plugin(name: str) -> str | None:
    """Return the path of the program `todo-NAME`, or None."""
    return shutil.which(f"todo-{name}") if _NAME.fullmatch(name) else None


def run_plugin(program: str, arguments: Sequence[str], options: Sequence[str]) -> None:
    """Replace this process by the program; raises Invalid where it cannot run.

    `options` are the global options before the name, of which a program gets `--profile` alone.
    """
    if "--profile" in options:
        os.environ["TODO_PROFILE"] = options[options.index("--profile") + 1]
    try:
        os.execv(program, [program, *arguments])  # noqa: S606  # the user's own program, without a shell
    except OSError as error:
        raise Invalid(
            f"{program} cannot run: {error.strerror}", hint="make it executable, with #! and its interpreter first"
        ) from None
