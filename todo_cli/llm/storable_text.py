"""Make text from a model storable and sendable. What a terminal may show is decided where it is shown."""

from __future__ import annotations


class SurrogateJoiner:
    """Make a text that arrives in parts storable, even where the halves of a surrogate pair arrive apart."""

    def __init__(self) -> None:
        self._half = ""

    def add(self, text: str) -> str:
        """Return the text that is complete now; hold back half a pair at its end."""
        text, self._half = self._half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return to_storable(text)

    def flush(self) -> str:
        """Return what was held back, at the end of the text."""
        text, self._half = to_storable(self._half), ""
        return text


def to_storable(text: str) -> str:
    """Replace NUL and lone surrogates, which UTF-8 and Postgres cannot hold."""
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")


def content_text(value: object) -> str:
    """Return a message's content as text: a string, or a list of parts with texts; "" for anything else."""
    if isinstance(value, list):
        parts = [part.get("text") for part in value if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return value if isinstance(value, str) else ""
