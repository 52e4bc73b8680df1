"""Import tasks from a file of another tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import session_of

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


def _complete_format(incomplete: str) -> list[str]:
    from todo_cli.formats.detect import MODULES

    return [name for name in MODULES if name.startswith(incomplete)]


FileArgument = Annotated[str, typer.Argument(help="File to import; - reads stdin.", metavar="FILE")]
FileFormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="Format of the file instead of the detected one.",
        metavar="NAME",
        autocompletion=_complete_format,
    ),
]
NameOption = Annotated[
    str | None, typer.Option("--name", help="Name by which a second import knows the file.", metavar="NAME")
]
PlanOption = Annotated[bool, typer.Option("--plan", help="Print the report and import nothing.")]
IntoOption = Annotated[
    str | None, typer.Option("--into", help="Put all tasks into this project or below it.", metavar="PROJECT")
]
MapOption = Annotated[
    list[str] | None, typer.Option("--map", help="CSV: column of a field. Repeatable.", metavar="FIELD=COLUMN,…")
]
ValueOption = Annotated[
    list[str] | None,
    typer.Option("--value", help="CSV and td: meaning of a value. Repeatable.", metavar="FIELD:VALUE=OURS,…"),
]
CsvDatesOption = Annotated[
    str | None, typer.Option("--dates", help="CSV: form of dates, such as DD.MM.YYYY.", metavar="FORM")
]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", help="Encoding of the file, such as cp1252.", metavar="NAME")
]
PartialOption = Annotated[bool, typer.Option("--partial", help="Import the whole records of a broken file.")]
ShortenOption = Annotated[
    bool, typer.Option("--shorten", help="Cut texts beyond a limit instead of refusing their tasks.")
]
UpdateOption = Annotated[
    bool, typer.Option("--update", help="Take over what has changed in the file since it was imported.")
]
TheirsOption = Annotated[bool, typer.Option("--theirs", help="As --update, also where a task was changed here since.")]
AttachedFilesOption = Annotated[
    Path | None,
    typer.Option("--attachments", help="jsonl: attach the files of this directory of the export.", metavar="DIR"),
]
KeptOption = Annotated[bool, typer.Option("--kept", help="Also list the values that are kept for an export.")]


@app.command("import")
def import_tasks(
    ctx: typer.Context,
    file: FileArgument,
    format: FileFormatOption = None,
    name: NameOption = None,
    plan: PlanOption = False,
    into: IntoOption = None,
    update: UpdateOption = False,
    theirs: TheirsOption = False,
    columns: MapOption = None,
    values: ValueOption = None,
    dates: CsvDatesOption = None,
    encoding: EncodingOption = None,
    partial: PartialOption = False,
    shorten: ShortenOption = False,
    attachments: AttachedFilesOption = None,
    kept: KeptOption = False,
    as_json: Json = False,
) -> None:
    """Import tasks from a file of another tool. The format is detected from the content.

    The whole file is checked before anything is stored. Importing a file
    again adds only its new tasks; --update also takes over its changes.
    "todo undo" takes back the whole import.

    task export | todo import - --name taskwarrior

    todo import tasks.csv --map title=Subject,due=Deadline --plan
    """
    from todo_cli.cli.transfers.mapping_options import parse_pairs, parse_values
    from todo_cli.cli.transfers.run_import import FileChoices, run_import
    from todo_cli.formats.import_spool import ImportChoices

    mapping = {"columns": parse_pairs(columns), "values": parse_values(values), "dates": dates, "encoding": encoding}
    rule: Literal["ours", "theirs"] | None = "theirs" if theirs else "ours" if update else None
    run_import(
        session_of(ctx),
        FileChoices(
            path=file, format=format, name=name, plan=plan, update=rule, attachments=attachments, mapping=mapping
        ),
        ImportChoices(shorten=shorten, into=into, partial=partial),
        with_kept=kept,
        as_json=as_json,
    )
