"""Decode the bytes of an answer into JSON chunks: server-sent events, or one JSON document instead of a stream.

openai's own decoder is not used. It yields nothing for HTML and JSON, raises a bare JSONDecodeError, waits after [DONE]
until the server closes the connection, and does not limit the length of a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from todo_cli.llm.errors import ModelServerError

Chunk = dict[str, Any]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class SseDecoder:
    """A decoder for bytes that may be split anywhere.

    `done` is True once [DONE] has come. `is_document` is True if the body was one JSON document.
    """

    def __init__(self, max_chars: int) -> None:
        self.done = False
        self.is_document = False
        self._max_chars = max_chars
        self._kind = ""
        self._partial = bytearray()
        self._data: list[str] = []
        self._data_chars = 0
        self._event = ""

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that are complete now. Raise ModelServerError for HTML, broken JSON or an endless line."""
        if not self._kind:
            data = self._detect_kind(data)
        if self._kind == "events" and (b"\n" in data or b"\r" in data):
            yield from self._read_lines(bytes(self._partial) + data)
            return
        self._partial += data
        if len(self._partial) > self._max_chars:
            raise self._too_long()

    def close(self) -> Iterator[Chunk]:
        """Yield the chunks that the end of the body completes."""
        if self._kind == "document":
            self.is_document = True
            yield from _parse_json(bytes(self._partial).decode(errors="replace"))
        elif self._kind and not self.done:
            yield from self._read_lines(bytes(self._partial) + b"\n\n")

    def _detect_kind(self, data: bytes) -> bytes:
        """Tell events from a document by the first byte: the Content-Type of many servers is wrong."""
        data = (bytes(self._partial) + data).removeprefix(_BYTE_ORDER_MARK).lstrip()
        self._partial.clear()
        if data and not _BYTE_ORDER_MARK.startswith(data):
            if data[:1] == b"<":
                raise ModelServerError("endpoint", "answered with a web page instead of a model's answer")
            self._kind = "document" if data[:1] in b"{[" else "events"
        return data

    def _read_lines(self, block: bytes) -> Iterator[Chunk]:
        # a last \r may be the first half of a \r\n
        end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1
        self._partial = bytearray(block[end:])
        for line in block[:end].splitlines():
            if line and not self.done:
                self._read_field(line.decode(errors="replace"))
            elif self._data:
                yield from self._dispatch()

    def _read_field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._data_chars += len(value)
            if self._data_chars > self._max_chars:
                raise self._too_long()
        elif name == "event":
            self._event = value

    def _dispatch(self) -> list[Chunk]:
        text, event = "\n".join(self._data), self._event
        self._data, self._event, self._data_chars = [], "", 0
        if text.strip().startswith("[DONE]"):
            self.done = True
        if self.done or not text.strip():
            return []
        chunks = _parse_json(text)
        return [{"error": chunk} if event == "error" and "error" not in chunk else chunk for chunk in chunks]

    def _too_long(self) -> ModelServerError:
        return ModelServerError("broken", f"sent a line of more than {self._max_chars} characters")


def _parse_json(text: str) -> list[Chunk]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ModelServerError("broken", "sent a chunk that is not JSON") from None
    return [chunk for chunk in (value if isinstance(value, list) else [value]) if isinstance(chunk, dict)]
