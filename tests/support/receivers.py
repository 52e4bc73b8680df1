"""Receivers of messages: an SMTP server and an HTTP server of a few lines, which can refuse or hang up on demand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from email.parser import BytesParser
from email.policy import default as policy
from typing import NamedTuple

HANG_UP = -1
"""A receiver's answer: keep the message, and end the connection without a word."""
MAX_MAIL_BYTES = 2**20


class Post(NamedTuple):
    """A request that an HTTP receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """A server on a free port of 127.0.0.1, run by a thread of its own. `answers` are used up one by one."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.delay_seconds = 0.0  # between a message and its answer
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._is_ready = threading.Event()

    @contextmanager
    def run(self) -> Iterator[None]:
        """Listen until the block ends."""
        thread = threading.Thread(target=self._serve)
        thread.start()
        self._is_ready.wait()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()

    def _serve(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._answer, "127.0.0.1", 0, limit=MAX_MAIL_BYTES))
        self.port = server.sockets[0].getsockname()[1]
        self._is_ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self.receive(reader, writer)
        writer.close()

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak the protocol with one client."""
        raise NotImplementedError

    def _next_answer(self, usual: int) -> int:
        return self.answers.pop(0) if self.answers else usual


class HttpReceiver(Receiver):
    """Take what is posted; `answers` are statuses. A redirect leads to the receiver itself."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[Post] = []

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request and answer it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.posts.append(Post(head[0].split()[1], headers, body))
        await asyncio.sleep(self.delay_seconds)
        status = self._next_answer(200)
        if status != HANG_UP:
            location = f"Location: http://127.0.0.1:{self.port}/elsewhere\r\n" if 300 <= status < 400 else ""
            writer.write(f"HTTP/1.1 {status} x\r\n{location}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()


class SmtpReceiver(Receiver):
    """As much of RFC 5321 as smtplib needs; `answers` are the codes after DATA."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Message] = []

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take mails until the client quits."""
        replies = {b"EHLO": b"250-test\r\n250 8BITMIME", b"QUIT": b"221 bye", b"DATA": b"354 go on"}
        writer.write(b"220 test ESMTP\r\n")
        while line := await reader.readline():
            command = line[:4].upper()
            writer.write(replies.get(command, b"250 ok") + b"\r\n")
            if command == b"DATA" and not await self._take_mail(reader, writer):
                return
            if command == b"QUIT":
                return

    async def _take_mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        data = (await reader.readuntil(b"\r\n.\r\n"))[:-5].replace(b"\r\n..", b"\r\n.")
        code = self._next_answer(250)
        if code in (250, HANG_UP):
            self.mails.append(BytesParser(policy=policy).parsebytes(data))
        if code != HANG_UP:
            writer.write(b"%d answer\r\n" % code)
        return code != HANG_UP
