"""A model that costs nothing: answers of the OpenAI protocol, encoded beforehand. It wishes for one task, then says so.

python model.py PORT        (the project's root in PYTHONPATH)
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from tests.support.fake_model import call_answer, text_answer

WISH = ("add_task", {"title": "Buy milk and a few other things"})
WORDS = "It is on your list now, as the last one of seven."


def encoded(steps: list[dict[str, Any]]) -> bytes:
    """A whole response."""
    lines = ["[DONE]" if "done" in one else json.dumps(one["data"]) for one in steps]
    body = "".join(f"data: {line}\n\n" for line in lines).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


WISHES = encoded(call_answer(WISH, size=16))
SAYS = encoded(text_answer(*(f"{word} " for word in WORDS.split())))
READY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Model(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer, self.missing = transport, bytearray(), 0

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n") + 4
        if head < 4:
            return
        told = self.buffer[:head].lower().partition(b"content-length: ")[2]
        if len(self.buffer) < head + int(told[: told.find(b"\r")] or 0):
            return
        answer = WISHES if self.buffer.rfind(b'"role":"tool"') < self.buffer.rfind(b'"role":"user"') else SAYS
        answer = READY if self.buffer.startswith(b"GET") else answer
        self.buffer.clear()
        self.transport.write(answer)  # type: ignore[attr-defined]


async def main(port: int) -> None:
    """Until it is killed."""
    server = await asyncio.get_running_loop().create_server(Model, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
