"""Escape control characters in text from tasks, models and servers, so that it cannot control the terminal."""

from __future__ import annotations

import re

# controls, line separators, and characters that reverse the direction of text (Trojan Source, CVE-2021-42574)
_CONTROLS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
# characters that nobody sees: soft hyphens, zero-width blanks, fillers, tags
_INVISIBLE = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"
_MORE_INVISIBLE = "\ufff0-\ufffb\U000e0000-\U000e0fff"
# a joiner is part of an emoji and of a word in many scripts, but not between Latin letters
_JOINABLE = "\u0300-\u1fff\u2100-\U000dffff"
_LONE_JOINER = f"(?<![{_JOINABLE}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINABLE}])"
UNSAFE = f"[{_CONTROLS}{_INVISIBLE}{_MORE_INVISIBLE}]|{_LONE_JOINER}"
"""The pattern of a character that is escaped."""
_UNSAFE_IN_JSON = "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
_UNSAFE_IN_ASCII = "[\x00-\x1f\x7f]"  # most texts: the whole pattern takes a tenth of a command to compile


def _escape_match(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escape(text: str) -> str:
    """Escape a text for one line: line ends and tabs too."""
    return re.sub(_UNSAFE_IN_ASCII if text.isascii() else UNSAFE, _escape_match, text)


def escape_json(document: str) -> str:
    """Escape what a terminal would obey in a JSON document; for programs it means the same."""
    pattern = "\x7f" if document.isascii() else _UNSAFE_IN_JSON
    return re.sub(pattern, lambda match: f"\\u{ord(match[0]):04x}", document)


def escape_block(text: str) -> str:
    """Escape a text of several lines; line ends and tabs are kept."""
    return "\n".join(escape(line).replace("\\x09", "\t") for line in text.splitlines())


def escape_chunk(text: str) -> str:
    """Escape a part of a streamed text; its last line end is kept too."""
    return "\n".join(escape_block(line) for line in text.replace("\r\n", "\n").split("\n"))
