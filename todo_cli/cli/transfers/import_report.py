"""The report of an import: what came in, what did not, and where it went."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.contract.imports import ImportConflict
from todo_cli.formats.import_spool import ImportSpool

MAX_SHOWN_REFUSALS = 50


class RefusedRecord(Struct, frozen=True, kw_only=True):
    """A record that could not become a task."""

    place: str
    reason: str
    title: str | None = None


class ImportReport(Struct, kw_only=True):
    """The report as `--json` prints it.

    `tasks` counts the tasks of the file: `added`, `restored` after an undo, or `known` from an earlier import, of which
    `changed` differ in the file. `updated` tasks took changes of the file, `conflicts` are those in which fields were
    changed here too. `unassigned` open tasks have an assignee in the file who is no member here. `files` were attached,
    `known_files` had been before. `linked` counts tasks that got a parent or blockers at the end. `other_records` are
    records that are no tasks. `lost` counts properties without effect here: their values are kept, and an export in the
    same format gives them back; so are the `left_out` links, to no task or closing a circle. `file_lost` belongs to the
    whole file and is not kept. `groups` are the groups of the journal; `todo undo` takes all of them back.
    """

    format: str | None
    name: str
    plan: bool
    tasks: int = 0
    added: int = 0
    restored: int = 0
    known: int = 0
    changed: int = 0
    updated: int = 0
    unassigned: int = 0
    conflicts: list[ImportConflict] = []
    linked: int = 0
    files: int = 0
    known_files: int = 0
    file_problems: list[str] = []
    refused: int = 0
    refusals: list[RefusedRecord] = []
    other_records: dict[str, int] = {}
    lost: dict[str, int] = {}
    left_out: int = 0
    file_lost: list[str] = []
    notices: list[str] = []
    groups: list[str] = []

    def take_file(self, spool: ImportSpool) -> None:
        """Take over what the reading of the file found."""
        self.tasks = len(spool)
        self.refused = spool.refused_count
        self.refusals = [
            RefusedRecord(place=record.place, reason=record.reason, title=record.title) for record in spool.refused
        ]
        self.other_records, self.lost = dict(spool.other_records), dict(spool.lost)
        self.left_out, self.file_lost, self.notices = spool.left_out, spool.file_lost, spool.notices


def write_report(report: ImportReport) -> None:
    """Print the report for a person: the counts on stdout, the rest on stderr."""
    text.write_wrapped(escape(_head(report)))
    for line in _list_remarks(report):
        text.note(escape(line))


def _head(report: ImportReport) -> str:
    verb = "Would import" if report.plan else "Imported"
    counts = [f"{verb} {_count(report.added, 'task')} from {report.name} ({report.format or 'no tasks'})"]
    if report.restored:
        counts.append(f"restored {report.restored:,} after an undo")
    if report.known:
        counts.append(f"{report.known:,} are here already{_describe_changed(report)}")
    if report.files or report.known_files:
        counts.append(f"attached {_count(report.files, 'file')}, {report.known_files:,} were attached before")
    return "; ".join(counts)


def _describe_changed(report: ImportReport) -> str:
    """Return how many of the known tasks have changed in the file, and what became of them."""
    staying = report.changed - report.updated
    parts = [f"{report.updated:,} are updated from the file" if report.updated else ""]
    if staying > 0:
        parts.append(f"{staying:,} have changed in the file and stay as they are")
    words = " and ".join(filter(None, parts))
    return f", of which {words}" if words else ""


def _list_remarks(report: ImportReport) -> Iterator[str]:
    yield from (f"note: {notice}" for notice in report.notices)
    for record in report.refusals[:MAX_SHOWN_REFUSALS]:
        title = f" ({record.title[:40]})" if record.title else ""
        yield f"refused: {record.place}{title}: {record.reason}"
    if report.refused > MAX_SHOWN_REFUSALS:
        yield f"refused: {report.refused - MAX_SHOWN_REFUSALS:,} more; list them with: --json"
    for reason, count in report.other_records.items():
        yield f"no task: {_count(count, 'record')}: {reason}"
    for word, count in sorted(report.lost.items()):
        yield f"without effect here: {word} of {_count(count, 'task')}; the values are kept for an export"
    if report.left_out:
        links = _count(report.left_out, "link")
        yield f"left out: {links} to no task of the file, or closing a circle; kept for an export"
    if report.unassigned:
        yield f"not assigned: {_count(report.unassigned, 'task')} to users who are no members who may finish tasks here"
    yield from (f"not carried: {word}" for word in report.file_lost)
    yield from (f"not attached: {problem}" for problem in report.file_problems[:MAX_SHOWN_REFUSALS])
    yield from _list_conflicts(report)
    if (report.added or report.restored or report.updated) and not report.plan:
        yield "Take it back with: todo undo"


def _list_conflicts(report: ImportReport) -> Iterator[str]:
    for conflict in report.conflicts[:MAX_SHOWN_REFUSALS]:
        fields = ", ".join(conflict.fields)
        yield f"conflict: #{conflict.number} {conflict.title[:40]}: {fields} changed here and in the file; yours stay"
    if report.conflicts:
        yield "Take the file's values with: todo import --theirs; list all conflicts with: --json"
    elif report.changed > report.updated:
        yield "Take over the changes of the file with: todo import --update"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
