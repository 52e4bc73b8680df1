"""Import a file: read it whole, send its tasks, print the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal
from unicodedata import normalize

from msgspec import Struct

from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session
from todo_cli.cli.transfers.import_report import ImportReport, write_report
from todo_cli.cli.transfers.send_import import send_import
from todo_cli.contract.limits import MAX_NAME_CHARS
from todo_cli.errors import Invalid
from todo_cli.formats.detect import FORMATS_OF_UNIQUE_IDS, detect_format, find_format
from todo_cli.formats.import_spool import ImportChoices, ImportSpool
from todo_cli.formats.records import ReadOptions
from todo_cli.formats.source_file import open_source

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class FileChoices(Struct, frozen=True, kw_only=True):
    """The file, how to read it, and the name by which a second import knows it. `mapping` are further read options."""

    path: str
    format: str | None
    name: str | None
    plan: bool
    update: Literal["ours", "theirs"] | None = None
    attachments: Path | None = None
    mapping: dict[str, Any]


def run_import(
    session: Session, choices: FileChoices, task_choices: ImportChoices, *, with_kept: bool, as_json: bool
) -> None:
    """Import a file, or with a plan only read it and compare it with what is there."""
    zone = _load_zone(session)
    with open_source(choices.path) as source, ImportSpool(task_choices) as spool:
        file_name = choices.name if choices.path == "-" and choices.name else source.name
        options = ReadOptions(zone=zone, now=session.clock.now, name=file_name, **choices.mapping)
        format = find_format(choices.format) if choices.format else detect_format(source.file, options)
        name = _shorten_name(choices.name or source.name)
        report = ImportReport(format=format.NAME if format else None, name=name, plan=choices.plan)
        if format:
            # one id names one task in all files of such a format, so that a newer file adds what is new in it
            is_any_file = not choices.name and format.NAME in FORMATS_OF_UNIQUE_IDS
            spool.read(format, source.file, options, title_scope=name if is_any_file else "")
            report.take_file(spool)
            send_import(session, spool, report, name=format.NAME if is_any_file else name, update=choices.update)
            if choices.attachments and not choices.plan:
                _import_files(session, source.file, options, choices.attachments, report)
        if as_json:
            from todo_cli.cli.render import json

            json.write_document(report)
            return
        write_report(report)
        if with_kept:
            _write_kept(spool)


def _import_files(
    session: Session, file: BinaryIO, options: ReadOptions, directory: Path, report: ImportReport
) -> None:
    from todo_cli.cli.transfers.attached_files import EXPORT_FORMAT, import_files

    if report.format != EXPORT_FORMAT:
        raise Invalid(f"a file in the format {report.format} names no attached files", hint="leave out --attachments")
    found = import_files(session, file, options, directory)
    report.files, report.known_files, report.file_problems = found.attached, found.known, found.problems


def _load_zone(session: Session) -> ZoneInfo:
    """Return the user's zone, by which the file's dates are read."""
    from todo_cli.parsing.dates import zone_of

    assert session.identity  # noqa: S101  # the answer brings the user's zone
    return zone_of(session.clock.zone)


def _shorten_name(name: str) -> str:
    return normalize("NFC", name.strip())[-MAX_NAME_CHARS:] or "file"


def _write_kept(spool: ImportSpool) -> None:
    for spooled in spool.tasks():
        if spooled.task.kept != "{}":
            text.write(escape(f"{spooled.task.title}: {spooled.task.kept}"))
