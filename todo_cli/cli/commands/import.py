"""Import tasks from a file of another tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from unicodedata import normalize

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.transfers.import_report import ImportReport, write_report
from todo_cli.contract.limits import MAX_NAME_CHARS
from todo_cli.errors import Invalid

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from todo_cli.formats.import_spool import ImportSpool

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command("import")
def import_tasks(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="File to import; - reads stdin.", metavar="FILE")],
    format: Annotated[
        str | None, typer.Option("--format", help="Format of the file instead of the detected one.", metavar="NAME")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name by which a second import knows the file.", metavar="NAME")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Print the report and import nothing.")] = False,
    into: Annotated[
        str | None, typer.Option("--into", help="Put all tasks into this project or below it.", metavar="PROJECT")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="CSV: column of a field. Repeatable.", metavar="FIELD=COLUMN,…")
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--value", help="CSV: meaning of a value. Repeatable.", metavar="FIELD:VALUE=OURS,…"),
    ] = None,
    dates: Annotated[
        str | None, typer.Option("--dates", help="CSV: form of dates, such as DD.MM.YYYY.", metavar="FORM")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of the file, such as cp1252.", metavar="NAME")
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Import the whole records of a broken file.")] = False,
    shorten: Annotated[
        bool, typer.Option("--shorten", help="Cut texts beyond a limit instead of refusing their tasks.")
    ] = False,
    kept: Annotated[bool, typer.Option("--kept", help="Also list the values that are kept for an export.")] = False,
    as_json: Json = False,
) -> None:
    """Import tasks from a file of another tool. The format is detected from the content.

    The whole file is checked before anything is stored. Importing a file
    again adds only what is new in it, and "todo undo" takes all of it back.

    task export | todo import - --name taskwarrior

    todo import tasks.csv --map title=Subject,due=Deadline --dates MM/DD/YYYY --plan
    """
    from todo_cli.cli.transfers.send_import import send_import
    from todo_cli.formats.detect import detect_format, find_format
    from todo_cli.formats.import_spool import ImportChoices, ImportSpool
    from todo_cli.formats.records import ReadOptions
    from todo_cli.formats.source_file import open_source

    session = session_of(ctx)
    zone = _load_zone(session)
    choices = ImportChoices(shorten=shorten, into=into, partial=partial)
    with open_source(file) as source, ImportSpool(choices) as spool:
        options = ReadOptions(
            zone=zone,
            now=session.clock.now,
            name=source.name,
            encoding=encoding,
            columns=_parse_pairs(columns),
            values=_parse_values(values),
            dates=dates,
        )
        known_format = find_format(format) if format else detect_format(source.file, options)
        report = ImportReport(
            format=known_format.NAME if known_format else None, name=_shorten_name(name or source.name), plan=plan
        )
        if known_format:
            spool.read(known_format, source.file, options)
            report.take_file(spool)
            send_import(session, spool, report)
        _print(report, spool if kept else None, as_json=as_json)


def _load_zone(session: Session) -> ZoneInfo:
    """Return the user's zone, by which the file's dates are read."""
    from todo_cli.parsing.dates import zone_of

    assert session.identity  # noqa: S101  # the answer brings the user's zone
    return zone_of(session.clock.zone)


def _shorten_name(name: str) -> str:
    return normalize("NFC", name.strip())[-MAX_NAME_CHARS:] or "file"


def _parse_pairs(words: list[str] | None) -> dict[str, str]:
    """Return `title=Subject,due=Deadline` as a dictionary; raises Invalid."""
    pairs = {}
    for pair in (pair for word in words or () for pair in word.split(",")):
        left, equals, right = pair.partition("=")
        if not (left.strip() and equals and right.strip()):
            raise Invalid(f"{pair!r} is no pair", hint="write it as: --map title=Subject")
        pairs[left.strip()] = right.strip()
    return pairs


def _parse_values(words: list[str] | None) -> dict[str, dict[str, str | int]]:
    """Return `status:ja=done,nein=open` as the meanings of each field's values; raises Invalid."""
    values: dict[str, dict[str, str | int]] = {}
    for word in words or ():
        field, colon, pairs = word.partition(":")
        if not colon:
            raise Invalid(f"{word!r} names no field", hint="write it as: --value status:yes=done,no=open")
        for theirs, ours in _parse_pairs([pairs]).items():
            values.setdefault(field, {})[theirs] = _check_value(field, ours)
    return values


def _check_value(field: str, value: str) -> str | int:
    if field == "priority" and value in ("1", "2", "3"):
        return int(value)
    if field == "priority" or (field == "status" and value not in ("open", "done", "deleted")):
        raise Invalid(f"{value!r} is no {field}", hint="a status is open, done or deleted, a priority 1, 2 or 3")
    return value


def _print(report: ImportReport, spool: ImportSpool | None, *, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(report)
        return
    write_report(report)
    if spool:
        _write_kept(spool)


def _write_kept(spool: ImportSpool) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    for spooled in spool.tasks():
        if spooled.task.kept != "{}":
            text.write(escape(f"{spooled.task.title}: {spooled.task.kept}"))
