"""Run the live list on a terminal until Ctrl-C."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from todo_cli.change_client.follow import ChangeFollower, Outage
from todo_cli.change_client.position import FeedPosition
from todo_cli.cli.echo import no_echo
from todo_cli.cli.list_options import ListScreen
from todo_cli.cli.list_output import choose_view
from todo_cli.cli.render.cells import MIN_COLUMNS_WIDTH, cut, read_width
from todo_cli.cli.render.colors import Piece, choose_paint
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.session import Session
from todo_cli.cli.watch.change_lines import format_reminder
from todo_cli.cli.watch.live_list import LiveList
from todo_cli.cli.watch.region import Region
from todo_cli.cli.watch.status_line import Disconnection, WatchStatus, format_status
from todo_cli.clients.base import Client
from todo_cli.clients.open import open_client
from todo_cli.contract.change_feed import SentReminder
from todo_cli.contract.limits import MAX_PAGE_ITEMS
from todo_cli.contract.tasks import ListTasks
from todo_cli.errors import TooMany, Unavailable

MIN_REDRAW_SECONDS = 0.25
REFRESH_SECONDS = 60.0
"""Time alone changes a list: a task becomes overdue, or is no longer deferred."""
OUTAGE_TICK_SECONDS = 1.0
MAX_SHOWN_REMINDERS = 3
"""The newest reminders stand above the status line, each for an hour at most, or until its task is gone."""
MAX_REMINDER_AGE = timedelta(hours=1)


def watch_live(session: Session, filter: str | None) -> None:
    """Show the list and follow it; raises TodoError, and KeyboardInterrupt at Ctrl-C."""
    received: list[int] = []
    screen = LiveScreen(session, filter)
    try:
        with no_echo():
            asyncio.run(screen.run(received.append))
    except asyncio.CancelledError:
        raise SystemExit(128 + received[0]) from None
    finally:
        with suppress(OSError):  # the terminal may be gone
            screen.region.close()


class LiveScreen:
    """The list, the follower that says when to read it, and the rows of the terminal."""

    def __init__(self, session: Session, filter: str | None) -> None:
        self.region = Region()
        self._session, self._filter = session, filter
        position = FeedPosition(filter=None, cursor=None, reminded_since=session.clock.now)
        self._follower = ChangeFollower(session.settings, position, self._note_outage)
        self._list = LiveList(colored=session.use_color)
        self._paint = choose_paint(colored=session.use_color, theme=session.display.theme)
        self._start, self._started_at = session.local_now(), time.monotonic()
        self._reminders: list[SentReminder] = []
        self._needs_page = True
        self._read_at = 0.0
        self._outage: Outage | None = None
        self._outage_since, self._retry_at = self._start, 0.0
        self._wake = asyncio.Event()

    async def run(self, on_signal: Callable[[int], None]) -> None:
        """Draw until it is cancelled; raises TodoError."""
        self._watch_signals(on_signal)
        client = open_client(self._session.settings)
        following = asyncio.create_task(self._follow())
        try:
            while True:
                await self._wait(following)
                if following.done():
                    following.result()  # raises the error that ended it
                if self._needs_page and not self._outage:
                    with suppress(Unavailable, TooMany):  # the follower meets them too
                        await self._read_page(client)
                self._draw()
                await asyncio.sleep(MIN_REDRAW_SECONDS)
        finally:
            following.cancel()
            await client.aclose()

    async def _follow(self) -> None:
        try:
            async for batch in self._follower.follow():
                self._list.add_changes(batch.changes)
                self._reminders = [*self._reminders, *batch.reminders][-MAX_SHOWN_REMINDERS:]
                self._needs_page = True
                self._wake.set()
        finally:
            self._wake.set()

    def _note_outage(self, outage: Outage | None) -> None:
        if outage and not self._outage:
            self._outage_since = self._now()
        self._outage = outage
        self._retry_at = time.monotonic() + (outage.pause_seconds if outage else 0)
        self._wake.set()

    def _now(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._started_at)

    async def _wait(self, following: asyncio.Task[None]) -> None:
        """Wait for changes, a signal, or the moment at which the screen changes by itself."""
        now = time.monotonic()
        moments = [self._read_at + REFRESH_SECONDS if self._read_at else now + REFRESH_SECONDS]
        if self._outage:
            moments.append(now + OUTAGE_TICK_SECONDS)
        if expiry := self._list.expire():
            moments.append(expiry)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(moments) - now)):
                await self._wake.wait()
        self._wake.clear()
        if self._read_at and time.monotonic() - self._read_at >= REFRESH_SECONDS:
            self._needs_page = True

    async def _read_page(self, client: Client) -> None:
        self._needs_page = False
        try:
            page = await client.send(self._make_request())
        except BaseException:
            self._needs_page = True
            raise
        self._read_at = time.monotonic()
        self._list.update(page)

    def _make_request(self) -> ListTasks:
        rows = shutil.get_terminal_size().lines
        return ListTasks(
            filter=self._filter,
            home=self._filter is None,
            limit=min(MAX_PAGE_ITEMS, max(50, rows)),
            count_all=True,
            with_links=read_width() >= MIN_COLUMNS_WIDTH,
        )

    def _draw(self) -> None:
        if not self._read_at:
            return
        size = shutil.get_terminal_size()
        width = read_width()
        self._list.expire()
        view = choose_view(self._session, self._list.page, self._make_request(), ListScreen(), width)
        view = view._replace(now=self._now())
        reminders = [cut(line, width, view.signs.ellipsis) for line in self._list_reminders(view)]
        lines = self._list.format(view, width, size.lines - 2 - len(reminders))
        disconnection = None
        if self._outage:
            disconnection = Disconnection(self._outage_since, self._retry_at - time.monotonic())
        status = WatchStatus(self._filter, self._list.page, self._list.last_change, disconnection)
        last = [Piece(format_status(status, view, width - 1), "grey")]
        self.region.draw(
            [self._paint(line) for line in [*lines, [], *([Piece(line, "today")] for line in reminders), last]]
        )

    def _list_reminders(self, view: ListView) -> Iterator[str]:
        for reminder in self._reminders:
            if view.now - reminder.at < MAX_REMINDER_AGE and not self._list.has_ended(reminder.number):
                yield f"{reminder.at.astimezone(view.zone):%H:%M} {format_reminder(reminder, view)}"

    def _redraw(self) -> None:
        self.region.lose()
        self._needs_page = True
        self._wake.set()

    def _watch_signals(self, on_signal: Callable[[int], None]) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def end(number: int) -> None:
            on_signal(number)
            if task:
                task.cancel()

        with suppress(NotImplementedError):  # Windows
            for number in (signal.SIGHUP, signal.SIGTERM):
                loop.add_signal_handler(number, end, number)
            for number in (signal.SIGWINCH, signal.SIGCONT):
                loop.add_signal_handler(number, self._redraw)
