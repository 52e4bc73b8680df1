"""Link imported tasks: set the parents and blockers that came later in the file than the tasks that name them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from todo_cli.contract.imports import LinkedTasks, LinkImportedTasks, SourceReferences
from todo_cli.contract.limits import MAX_CHANGE_BYTES, MAX_IMPORTED_TASKS
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import Stamp, make_stamp
from todo_cli.core.tasks.change import prepare_change, writes
from todo_cli.core.tasks.dependencies import raise_for_cycles
from todo_cli.core.tasks.load import KnownChange, Loaded, Wanted
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.store import DecidedChange, Edits, too_large
from todo_cli.core.transfers.sources_sql import LOAD_PENDING, SETTLE_PENDING
from todo_cli.core.validation import check_line
from todo_cli.db.sql import StatementCall
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid


class LinkWanted(Wanted):
    """The file whose tasks wait for their links."""

    format: str
    name: str


class PendingSource(msgspec.Struct):
    """A task whose links are not set yet, and those that cannot be set."""

    source_id: str
    number: int
    pending: SourceReferences
    left_out: SourceReferences | None = None


class LoadedPending(Loaded):
    """Tasks with pending links, and the numbers of the tasks to which these lead."""

    pending: list[PendingSource] = []  # noqa: RUF012  # msgspec copies it for each value
    targets: list[tuple[str, int]] = []  # noqa: RUF012


class LinkEdits(Edits, kw_only=True):
    """The linked rows, and of every pending task the links that cannot be set."""

    sources: list[dict[str, Any]]


async def want_links(tx: Transaction, request: LinkImportedTasks) -> LinkWanted:
    """Read the tasks of the file that wait for their links."""
    return LinkWanted(format=request.format, name=check_line("name", request.name))


def load_pending_call(wanted: LinkWanted, stamp: Stamp) -> StatementCall:
    """Return the statement that reads pending links, with its values."""
    return LOAD_PENDING, {"format": wanted.format, "name": wanted.name, "key": stamp.key, "hash": stamp.hash}


def answer_links(change: DecidedChange) -> LinkedTasks:
    """Answer how many tasks were linked, and whether others remain."""
    assert isinstance(change.edits, LinkEdits)  # noqa: S101  # this module's rule made it
    return LinkedTasks(linked=len(change.rows), more=len(change.edits.sources) >= MAX_IMPORTED_TASKS)


def repeat_links(known: KnownChange) -> LinkedTasks:
    """Answer again; more tasks may wait."""
    return LinkedTasks(linked=len(known.after), more=True)


@writes(
    LinkImportedTasks,
    wanted=want_links,
    load=load_pending_call,
    kind=LoadedPending,
    answer=answer_links,
    repeat=repeat_links,
    has_own_handler=True,
)
def link_pending_tasks(loaded: LoadedPending, wanted: LinkWanted, request: LinkImportedTasks) -> LinkEdits:
    """Set the links whose tasks exist; leave out those that lead nowhere or would close a circle."""
    if loaded.bytes > MAX_CHANGE_BYTES:
        raise too_large()
    rows = {row.number: row for row in loaded.rows}
    settled = _settle(loaded, may_close=False)
    if _closes_circle(loaded, [row for row, _ in settled]):
        settled = _settle(loaded, may_close=True)
    return LinkEdits(
        rows=[row for row, _ in settled if row != rows[row.number]],
        group=request.group,
        sources=[
            {"source_id": source.source_id, "left_out": _merge(source.left_out, missing)}
            for source, (_, missing) in zip(loaded.pending, settled, strict=True)
        ],
    )


def _settle(loaded: LoadedPending, *, may_close: bool) -> list[tuple[TaskRow, SourceReferences]]:
    """Return each pending task with its links, and those that cannot be set. With `may_close` each link is tried."""
    rows, numbers = {row.number: row for row in loaded.rows}, dict(loaded.targets)
    settled: list[tuple[TaskRow, SourceReferences]] = []
    for source in loaded.pending:
        row, links = rows[source.number], source.pending
        before = [row for row, _ in settled] if may_close else None
        missing_parent, missing_after = None, []
        if links.parent:
            child = replace(row, parent=row.parent or numbers.get(links.parent))
            is_possible = links.parent in numbers and not (
                before is not None and _closes_circle(loaded, [*before, child])
            )
            row, missing_parent = (child, None) if is_possible else (row, links.parent)
        for source_id in links.after:
            blocked = replace(row, after=tuple(sorted({*row.after, numbers.get(source_id, 0)})))
            if source_id in numbers and not (before is not None and _closes_circle(loaded, [*before, blocked])):
                row = blocked
            else:
                missing_after.append(source_id)
        settled.append((row, SourceReferences(parent=missing_parent, after=tuple(missing_after))))
    return settled


def _closes_circle(loaded: LoadedPending, rows: list[TaskRow]) -> bool:
    try:
        raise_for_cycles(loaded, rows)
    except Invalid:
        return True
    return False


def _merge(left_out: SourceReferences | None, missing: SourceReferences) -> SourceReferences | None:
    """Return the links that cannot be set, None where there are none."""
    left_out = left_out or SourceReferences()
    merged = SourceReferences(parent=left_out.parent or missing.parent, after=(*left_out.after, *missing.after))
    return merged if merged != SourceReferences() else None


@handler(LinkImportedTasks)
async def link_imported_tasks(tx: Transaction, request: LinkImportedTasks) -> LinkedTasks:
    """Link a batch; where no row changes, only the pending links are settled."""
    async with tx.steps() as steps:
        prepared = await prepare_change(tx, steps, request, make_stamp(tx, request))
        answer: LinkedTasks = prepared.answer
        if prepared.change and isinstance(prepared.change.edits, LinkEdits) and prepared.change.edits.sources:
            sources = msgspec.json.encode(prepared.change.edits.sources).decode()
            values = {"format": request.format, "name": request.name.strip(), "sources": sources}
            calls: list[StatementCall] = prepared.calls if prepared.change.rows else []
            await steps.commit_calls([(SETTLE_PENDING, values), *calls])
    return answer
