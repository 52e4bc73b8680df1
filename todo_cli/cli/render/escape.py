"""Escape control characters in text from tasks, models and servers, so that it cannot control the terminal."""

from __future__ import annotations

import re

# controls, line separators, and characters that reverse the direction of text (Trojan Source, CVE-2021-42574)
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _escape_match(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def escape(text: str) -> str:
    """Escape a text for one line: line ends and tabs too."""
    return _UNSAFE.sub(_escape_match, text)


def escape_block(text: str) -> str:
    """Escape a text of several lines; line ends and tabs are kept."""
    return "\n".join(escape(line).replace("\\x09", "\t") for line in text.splitlines())


def escape_chunk(text: str) -> str:
    """Escape a part of a streamed text; its last line end is kept too."""
    return "\n".join(escape_block(line) for line in text.replace("\r\n", "\n").split("\n"))
