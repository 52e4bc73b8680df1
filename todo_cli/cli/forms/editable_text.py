r"""Escape control characters so that they can be edited: the text is read back as it was.

`\x1b` stands for the character. A backslash that would be read as the beginning of such an escape is doubled.
"""

from __future__ import annotations

import re

from todo_cli.cli.render.escape import UNSAFE, escape

_CODE = r"x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}"


def escape_editable(text: str) -> str:
    """Return the text on one line."""
    pattern = rf"(\\+)(?={UNSAFE}|({_CODE}))"
    return escape(re.sub(pattern, lambda found: found[1] * (2 if _is_escape(found[2]) else 1), text))


def escape_editable_lines(text: str) -> str:
    r"""Return a text of several lines, in which `\n` and tabs stay as they are."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(escape_editable, line.split("\t"))) for line in lines)


def read_editable(text: str) -> str:
    """Return the text that was escaped. Inverse of both functions above."""
    return re.sub(rf"(\\+)({_CODE})", _read_escape, text)


def _read_escape(found: re.Match[str]) -> str:
    slashes, code = found[1], found[2]
    if not _is_escape(code):
        return found[0]
    half = slashes[: len(slashes) // 2]
    return half + (_decode(code) if len(slashes) % 2 else code)


def _is_escape(code: str | None) -> bool:
    """Return whether the code is of a character that is escaped. None: the character itself follows the backslash."""
    return code is None or re.fullmatch(UNSAFE, _decode(code)) is not None


def _decode(code: str) -> str:
    value = int(code[1:], 16)
    return chr(value) if value <= 0x10FFFF else ""
