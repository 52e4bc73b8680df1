"""Serve the OpenAI protocol with prepared answers: a call that adds one task, then a sentence.

python model.py PORT        (the project's root in PYTHONPATH)
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from tests.support.model_answers import call_answer, text_answer

CALL = ("add_task", {"title": "Buy milk and a few other things"})
WORDS = "It is on your list now, as the last one of seven."


def encode_response(steps: list[dict[str, Any]]) -> bytes:
    """Return the bytes of a whole HTTP response."""
    lines = ["[DONE]" if "done" in step else json.dumps(step["data"]) for step in steps]
    body = "".join(f"data: {line}\n\n" for line in lines).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


CALL_RESPONSE = encode_response(call_answer(CALL, size=16))
TEXT_RESPONSE = encode_response(text_answer(*(f"{word} " for word in WORDS.split())))
READY_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Model(asyncio.Protocol):
    """One connection. It answers each request once the request is complete."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer, self.missing = transport, bytearray(), 0

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n") + 4
        if head < 4:
            return
        length = self.buffer[:head].lower().partition(b"content-length: ")[2]
        if len(self.buffer) < head + int(length[: length.find(b"\r")] or 0):
            return
        answer = (
            CALL_RESPONSE
            if self.buffer.rfind(b'"role":"tool"') < self.buffer.rfind(b'"role":"user"')
            else TEXT_RESPONSE
        )
        answer = READY_RESPONSE if self.buffer.startswith(b"GET") else answer
        self.buffer.clear()
        self.transport.write(answer)  # type: ignore[attr-defined]


async def main(port: int) -> None:
    """Serve until the process is killed."""
    server = await asyncio.get_running_loop().create_server(Model, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
