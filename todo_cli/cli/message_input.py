"""Read a message for the model from the command line and from stdin."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Sequence

from todo_cli.cli.render import text
from todo_cli.contract.attached_text import wrap_attachment
from todo_cli.contract.limits import MAX_MESSAGE_CHARS
from todo_cli.errors import Invalid

MAX_CHAR_BYTES = 4  # of UTF-8
NOTICE_SECONDS = 3.0
"""Time without input after which a note names what the command waits for."""


def read_message(words: Sequence[str]) -> str:
    """Return the words and the text on stdin as one message; raises Invalid.

    A word `-` is the place of the text and waits for it anywhere. Without it the text of a pipe or a file comes last;
    a terminal, /dev/null and a closed stdin are not read. Beside words the text is an attachment, which names no tasks.
    """
    if words.count("-") > 1:
        raise Invalid("the message names stdin (-) twice", hint="stdin can be read once: leave one - out")
    place = words.index("-") if "-" in words else len(words)
    piped = _read_stdin() if "-" in words or _is_piped() else ""
    piped = piped.strip("\r\n")
    attached = wrap_attachment(piped) if piped and len(words) > words.count("-") else piped
    parts = (" ".join(words[:place]), attached, " ".join(words[place + 1 :]))
    return "\n\n".join(part for part in parts if part)


def _is_piped() -> bool:
    """Whether stdin is a pipe, a socket or a file."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISREG(mode)


def _read_stdin() -> str:
    limit = MAX_MESSAGE_CHARS * MAX_CHAR_BYTES
    if not _has_input():
        text.note("(waiting for stdin to end; to send the words alone, add: < /dev/null)")
    data = sys.stdin.buffer.read(limit + 1)
    try:
        # input beyond the limit may end in the middle of a character
        return data.decode() if len(data) <= limit else data.decode(errors="replace")
    except UnicodeDecodeError:
        raise Invalid("the message is not valid UTF-8", hint="convert it first, for example with iconv") from None


def _has_input() -> bool:
    """Whether stdin has input, or its end, within a few seconds."""
    try:
        return bool(select.select([sys.stdin], [], [], NOTICE_SECONDS)[0])
    except OSError:  # Windows can only select on sockets
        return True
