"""Text from a model, made so that it can be stored and sent on. Pure; what a terminal may see is decided there."""

from __future__ import annotations


class Joined:
    """A text in parts: no NUL, no half of a surrogate pair, also when its two halves came apart."""

    def __init__(self) -> None:
        self._half = ""

    def add(self, text: str) -> str:
        """What can be passed on now."""
        text, self._half = self._half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return storable(text)

    def rest(self) -> str:
        """What was kept back, at the end."""
        text, self._half = storable(self._half), ""
        return text


def storable(text: str) -> str:
    """The same text as far as UTF-8 and Postgres can hold it."""
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")


def plain(value: object) -> str:
    """Content as text: a text, or a list of parts with texts; anything else is none."""
    if isinstance(value, list):
        parts = [part.get("text") for part in value if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return value if isinstance(value, str) else ""
