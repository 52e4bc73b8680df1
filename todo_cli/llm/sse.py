"""Bytes of an answer → its JSON pieces: server-sent events, or one JSON document where a stream was due. Pure.

openai's own decoder is not used: it yields nothing for HTML and JSON, raises a bare JSONDecodeError, waits after
[DONE] until the server closes, and has no bound on a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from todo_cli.llm.errors import ModelServerError

Piece = dict[str, Any]

_MARK = b"\xef\xbb\xbf"


class SseDecoder:
    """Feed it bytes, split anywhere; `done` once [DONE] came, `document` when it was one JSON document."""

    def __init__(self, longest: int) -> None:
        self.done = False
        self.document = False
        self._longest = longest
        self._kind = ""
        self._partial = bytearray()
        self._data: list[str] = []
        self._waiting = 0
        self._event = ""

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that are whole now. Raises Trouble at a web page, broken JSON, or a line without end."""
        if not self._kind:
            data = self._begin(data)
        if self._kind == "events" and (b"\n" in data or b"\r" in data):
            yield from self._lines(bytes(self._partial) + data)
            return
        self._partial += data
        if len(self._partial) > self._longest:
            raise self._too_long()

    def close(self) -> Iterator[Piece]:
        """The pieces that the end of the body makes whole."""
        if self._kind == "document":
            self.document = True
            yield from _parsed(bytes(self._partial).decode(errors="replace"))
        elif self._kind and not self.done:
            yield from self._lines(bytes(self._partial) + b"\n\n")

    def _begin(self, data: bytes) -> bytes:
        """What it is shows in its first byte: servers err in their Content-Type."""
        data = (bytes(self._partial) + data).removeprefix(_MARK).lstrip()
        self._partial.clear()
        if data and not _MARK.startswith(data):
            if data[:1] == b"<":
                raise ModelServerError("endpoint", "answered with a web page, not with a model's words")
            self._kind = "document" if data[:1] in b"{[" else "events"
        return data

    def _lines(self, block: bytes) -> Iterator[Piece]:
        # a last \r may be the first half of a \r\n
        end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1
        self._partial = bytearray(block[end:])
        for line in block[:end].splitlines():
            if line and not self.done:
                self._field(line.decode(errors="replace"))
            elif self._data:
                yield from self._dispatch()

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._waiting += len(value)
            if self._waiting > self._longest:
                raise self._too_long()
        elif name == "event":
            self._event = value

    def _dispatch(self) -> list[Piece]:
        text, event = "\n".join(self._data), self._event
        self._data, self._event, self._waiting = [], "", 0
        if text.strip().startswith("[DONE]"):
            self.done = True
        if self.done or not text.strip():
            return []
        pieces = _parsed(text)
        return [{"error": piece} if event == "error" and "error" not in piece else piece for piece in pieces]

    def _too_long(self) -> ModelServerError:
        return ModelServerError("broken", f"sent more than {self._longest} characters in one piece")


def _parsed(text: str) -> list[Piece]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ModelServerError("broken", "sent a piece that is not JSON") from None
    return [piece for piece in (value if isinstance(value, list) else [value]) if isinstance(piece, dict)]
