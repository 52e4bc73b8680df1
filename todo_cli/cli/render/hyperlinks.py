"""Find the addresses in a text, and make those of web pages clickable on terminals that can do so (OSC 8)."""

from __future__ import annotations

import os
import re
import sys

_ADDRESS = re.compile(r"https?://[^\s<>\"'`{}|\\^\x00-\x1f\x7f]+", re.IGNORECASE)
_MAIL_OR_ADDRESS = re.compile(
    r"\b(?:https?://|mailto:)(?=[^\W_]|\[)[^\s<>\"'`{}|\\^\x00-\x1f\x7f]+", re.IGNORECASE
)  # no sign of punctuation behind the colon, so that more than the scheme is left without the signs at the end
_CUT_SIGNS = ("…", "...")
_PUNCTUATION = ".,;:!?)]*_"
LINK_START, LINK_END = "\x1b]8;;", "\x1b\\"
LINK_SEQUENCE = re.compile(r"\x1b\]8;;[^\x1b]*\x1b\\")
"""Takes no room on the screen."""


def can_link() -> bool:
    """Whether stdout is a terminal that may get hyperlinks; NO_HYPERLINKS and TODO_LINKS=0 refuse them."""
    if os.environ.get("NO_HYPERLINKS") or os.environ.get("TODO_LINKS") == "0":
        return False
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "linux")


def link_addresses(text: str) -> str:
    """Put a hyperlink around each address. The words stay as they are; an address that is cut is no link."""
    return _ADDRESS.sub(_link_address, text) if "://" in text else text


def find_addresses(text: str) -> list[str]:
    """Return the web and mail addresses of a text in their order, without the punctuation behind them."""
    return [_strip_punctuation(match[0]) for match in _MAIL_OR_ADDRESS.finditer(text)]


def _link_address(match: re.Match[str]) -> str:
    found = match[0]
    if found.endswith(_CUT_SIGNS):
        return found
    address = _strip_punctuation(found)
    return f"{LINK_START}{address}{LINK_END}{address}{LINK_START}{LINK_END}{found[len(address) :]}"


def _strip_punctuation(address: str) -> str:
    """Leave out what ends the sentence around the address; a bracket that the address opened belongs to it."""
    while address[-1] in _PUNCTUATION:
        if address[-1] == ")" and address.count("(") >= address.count(")"):
            break
        address = address[:-1]
    return address
