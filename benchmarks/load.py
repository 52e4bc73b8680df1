"""Send prepared requests on persistent connections, and read no more of an answer than its length.

python load.py PORT SECONDS CONNECTIONS < requests        (JSON: a list of [head, body]; each {n} becomes a new number)
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import partial
from itertools import count

numbers = count(int(time.time() * 1000) << 20)


class Client(asyncio.Protocol):
    """One connection, which sends its next request as soon as an answer is complete."""

    def __init__(self, requests: list[bytes], first: int, stop: asyncio.Event) -> None:
        self.requests, self.place, self.stop = requests, first, stop
        self.answered = self.failed = 0
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.place = (self.place + 7919) % len(
            self.requests
        )  # a prime, so that neighbouring requests come from different users
        self.transport.write(self.requests[self.place].replace(b"{n}", b"%020d" % next(numbers)))  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self.buffer.index(b"content-length: ") + 16
        if len(self.buffer) < head + 4 + int(self.buffer[at : self.buffer.index(b"\r", at)]):
            return
        self.answered += 1
        if self.buffer[9:11] != b"20":
            self.failed += 1
            sys.stderr.buffer.write(self.buffer[-300:] + b"\n")
        self.buffer = b""
        if not self.stop.is_set():
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.stop.is_set():
            self.failed += 1


async def main(port: int, seconds: float, connections: int) -> None:
    """Send requests for so many seconds, then print the counts as JSON."""
    requests = [
        f"{head}\r\nContent-Length: {len(body.replace('{n}', '0' * 20))}\r\n\r\n{body}".encode()
        for head, body in json.load(sys.stdin)
    ]
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    clients: list[Client] = []
    started = time.perf_counter()
    for number in range(connections):
        clients.append(Client(requests, number * len(requests) // connections, stop))
        await loop.create_connection(partial(clients.__getitem__, number), "127.0.0.1", port)
    await asyncio.sleep(seconds)
    stop.set()
    elapsed = time.perf_counter() - started
    await asyncio.sleep(0.3)
    print(
        json.dumps(
            {
                "answered": sum(client.answered for client in clients),
                "failed": sum(client.failed for client in clients),
                "seconds": elapsed,
            }
        )
    )


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
