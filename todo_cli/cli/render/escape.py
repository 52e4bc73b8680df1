"""Text from a task, a model or a server, made harmless for a terminal: what would act is shown instead."""

from __future__ import annotations

import re

# controls, line separators, and what turns the direction of text around (Trojan Source, CVE-2021-42574)
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _escape_match(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def escape(text: str) -> str:
    """The text on one line, with nothing in it that acts."""
    return _UNSAFE.sub(_escape_match, text)


def escape_block(text: str) -> str:
    """As `safe`, for text of several lines: line ends and tabs stay."""
    return "\n".join(escape(line).replace("\\x09", "\t") for line in text.splitlines())


def escape_chunk(text: str) -> str:
    """As `safe_block`, for a part of a text that comes in pieces: its last line end stays, too."""
    return "\n".join(escape_block(line) for line in text.replace("\r\n", "\n").split("\n"))
