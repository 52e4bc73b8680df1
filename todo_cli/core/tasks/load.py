"""The first half of every write of tasks: one statement that reads, behind the space's lock, all that the rule needs."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, LiteralString, NamedTuple, TypeVar

import msgspec

from todo_cli.contract.clock import Clock
from todo_cli.contract.codec import decode
from todo_cli.contract.preferences import DEFAULT_TIMEZONE
from todo_cli.contract.task_types import SimilarTask
from todo_cli.core.journal import Stamp
from todo_cli.core.tasks.load_sql import LoadParts, TargetSql, build_load
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.db.sql import StatementCall
from todo_cli.db.transaction import Transaction

L = TypeVar("L", bound="Loaded")

MAX_INLINE_CHARS = 300_000  # of JSON, about 500 tasks: more is decoded in a thread


class TaskFilter(NamedTuple):
    """A compiled filter; `text` is what the user wrote."""

    sql: TargetSql
    values: dict[str, Any]
    text: str


class Wanted(msgspec.Struct, kw_only=True):
    """What a write must read. It names its tasks by `numbers` or by `filter`."""

    numbers: tuple[int, ...] = ()
    filter: TaskFilter | None = None
    with_subtasks: bool = False  # adds the open tasks below them
    with_series: bool = False  # the next occurrences of recurring tasks, and the number of open subtasks
    with_reopened: bool = False  # the next occurrences of done tasks, and which of them other rows refer to
    with_caller: bool = False  # the caller's name and scopes
    with_similar: bool = False  # the task that the same user added a moment ago with the same Request
    with_members: bool = False  # the members that tasks can be assigned to
    changes_links: bool = False  # the ancestors of `parents`, and the dependencies of `blockers`
    user: str = ""  # the caller's id
    parents: tuple[int, ...] = ()  # these, `sources` and `blockers` are what the write newly refers to
    sources: tuple[int, ...] = ()  # of discovered tasks
    blockers: tuple[int, ...] = ()
    if_rev: int | None = None  # the rev that all tasks are expected to have
    if_revs: dict[int, int] = {}  # that of single tasks, by number
    order: LiteralString = ""  # an ORDER BY list over the alias `t`, in which the numbers of the tasks are wanted


class KnownChange(msgspec.Struct):
    """The change that is stored under this request's idempotency key; `same`: it is of the same request."""

    same: bool
    seq: int
    before: list[dict[str, Any]] = []
    after: list[dict[str, Any]] = []
    texts: dict[str, Any] = {}


class LaterChange(msgspec.Struct):
    """Who last changed the task `number`, and its journal row at the rev that the caller expected."""

    number: int
    user: str | None = None
    expected: dict[str, Any] | None = None
    texts: dict[str, Any] | None = None


class Loaded(msgspec.Struct):
    """What `Wanted` asked for. It stays true until the transaction ends, since nobody else can write to the space."""

    seq: int
    next_number: int
    now: datetime
    zone: str = DEFAULT_TIMEZONE  # of the caller
    week_start: int = 0
    default_project: str | None = None  # of the caller's preferences
    usual_reminder: str | None = None  # of the caller's preferences: how long before a new task is due
    known: KnownChange | None = None
    rows: list[TaskRow] = []  # in no order
    bytes: int = 0  # of the rows: above the limit they are not read
    found: int | None = None  # tasks that the filter or `with_subtasks` found, at most one above the limit
    matching: int = 0  # tasks that match the filter, counted where they are too many
    is_vague: bool = False  # a full-text search of the filter has reached its limit
    next_occurrences: list[TaskRow] = []
    used_occurrences: list[int] = []  # next occurrences that comments, subtasks or dependencies refer to
    open_subtasks: int = 0
    token_id: str | None = None
    user_name: str | None = None
    has_all_scopes: bool = False
    statuses: list[tuple[int, str]] = []  # number and status of `parents`, `blockers` and `sources`
    ancestors: list[tuple[int, int | None]] = []  # number and parent, from `parents` upwards
    dependencies: list[tuple[int, int]] = []  # number and blocker, from `blockers` onwards
    later_changes: list[LaterChange] = []
    similar: SimilarTask | None = None
    assignable: list[tuple[str, bool]] = []  # names of members who may finish tasks, and which of them is the caller
    order: list[int] = []  # numbers of the rows in the order that was wanted
    reach: list[Any] | None = None  # the compiled filter of the caller's token

    @property
    def clock(self) -> Clock:
        """The time and the zone by which the rule reads dates."""
        return Clock(self.now, self.zone, self.week_start)


def load_call(wanted: Wanted, stamp: Stamp) -> StatementCall:
    """Return the statement that reads what a write wants, with its values."""
    parts = LoadParts(
        wanted.filter.sql if wanted.filter else None,
        wanted.with_subtasks,
        wanted.with_series,
        wanted.with_reopened,
        wanted.with_caller,
        wanted.changes_links,
        wanted.if_rev is not None or bool(wanted.if_revs),
        wanted.with_similar,
        wanted.with_members,
        wanted.order,
    )
    values = {
        "key": stamp.key,
        "hash": stamp.hash,
        "numbers": list(wanted.numbers),
        "if_rev": wanted.if_rev,
        "if_revs": [wanted.if_revs.get(number) for number in wanted.numbers if wanted.if_revs],
        "parents": list(wanted.parents),
        "blockers": list(wanted.blockers),
        "sources": list(wanted.sources),
    }
    return build_load(parts), values | (wanted.filter.values if wanted.filter else {})


async def read_loaded(tx: Transaction, text: str, kind: type[L]) -> L:
    """Decode what a load of this transaction returned; a large one in a thread, so that other requests go on."""
    is_short = len(text) <= MAX_INLINE_CHARS
    loaded = decode(text, kind) if is_short else await asyncio.to_thread(decode, text, kind)
    if tx.clock:
        loaded.zone, loaded.week_start = tx.clock.zone, tx.clock.week_start
        loaded.default_project, loaded.usual_reminder = tx.preferences.project, tx.preferences.remind
    loaded.reach = tx.limits.reach if tx.limits else None
    return loaded
