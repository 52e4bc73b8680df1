"""Read the tasks of an export page by page, and write them in a format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.progress import Progress
from todo_cli.cli.session import Session
from todo_cli.cli.transfers.output_file import open_output
from todo_cli.contract.exports import ExportedTask, ExportTasks
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.limits import MAX_PAGE_ITEMS
from todo_cli.formats.detect import WritableFormat
from todo_cli.formats.json_lines import write_line
from todo_cli.formats.records import WriteOptions

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class ExportReport(Struct, kw_only=True):
    """The report as `--json` prints it: how many tasks were written, and which values the format cannot take."""

    format: str
    tasks: int = 0
    changes: int = 0
    files: int = 0
    lost: dict[str, int] = {}
    changed_meanwhile: bool = False


class TaskPages:
    """The tasks of an export, read while they are written: one page is in memory."""

    def __init__(self, session: Session, request: ExportTasks) -> None:
        self._session, self._request = session, request
        self.count, self.changed_meanwhile = 0, False
        self.with_files: dict[int, str] = {}  # ids in the file by number

    def __iter__(self) -> Iterator[ExportedTask]:
        request, first_seq, progress = self._request, None, Progress("tasks exported")
        while True:
            page = self._session.client.send_now(request)
            first_seq = page.seq if first_seq is None else first_seq
            self.changed_meanwhile |= page.seq != first_seq
            for task in page.tasks:
                self.count += 1
                if task.attachments:
                    self.with_files[task.number] = task.identity
                yield task
            if page.next is None:
                progress.end()
                return
            progress.update_count(self.count)
            request = replace(request, cursor=page.next)


def run_export(
    session: Session,
    format: WritableFormat,
    request: ExportTasks,
    output: Path | None,
    *,
    journal: bool,
    attachments: Path | None = None,
) -> ExportReport:
    """Write the tasks, and the journal behind them where it is wanted; return the report."""
    options = WriteOptions(zone=_load_zone(session), now=session.clock.now, name=output.name if output else "")
    pages, lost, changes, files = TaskPages(session, request), Counter[str](), 0, 0
    try:
        with open_output(output) as file:
            for loss in format.write_tasks(pages, file, options):
                lost[loss.word] += 1
            if attachments:
                from todo_cli.cli.transfers.attached_files import export_files

                lost.pop("attachments", None)
                for line in export_files(session, pages.with_files, attachments):
                    write_line(file, line)
                    files += 1
            if journal:
                for change in _read_journal(session):
                    write_line(file, {"_type": "change", **change})
                    changes += 1
    finally:
        session.client.close()
    return ExportReport(
        format=format.NAME,
        tasks=pages.count,
        changes=changes,
        files=files,
        lost=dict(lost),
        changed_meanwhile=pages.changed_meanwhile,
    )


def _load_zone(session: Session) -> ZoneInfo:
    from todo_cli.parsing.dates import zone_of

    assert session.identity  # noqa: S101  # the answer brings the user's zone
    return zone_of(session.clock.zone)


def _read_journal(session: Session) -> Iterator[dict[str, Any]]:
    """Yield the changes, the newest first, as the log shows them."""
    request: ListChanges | None = ListChanges(limit=MAX_PAGE_ITEMS)
    while request:
        page = session.client.send_now(request)
        yield from (msgspec.to_builtins(change) for change in page.changes)
        request = replace(request, cursor=page.next) if page.next else None


def write_export_report(report: ExportReport) -> None:
    """Print what the format could not take, on stderr: stdout may be the file."""
    for word, count in sorted(report.lost.items()):
        tasks = "1 task" if count == 1 else f"{count:,} tasks"
        text.note(escape(f"not in the file: {word} of {tasks}; {report.format} has no place for it"))
    if report.changed_meanwhile:
        text.note("note: tasks were changed during the export; the file may have some before and some after a change")
