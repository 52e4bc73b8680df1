"""Export tasks to a file in a format of another tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from todo_cli.cli.filter_args import FilterArgument, FilterCommand, join_filter
from todo_cli.cli.options import Json
from todo_cli.cli.session import session_of
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


def _complete_format(incomplete: str) -> list[str]:
    from todo_cli.formats.detect import list_writable_formats

    return [name for name in list_writable_formats() if name.startswith(incomplete)]


ExportFormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="Format; by default that of the file's ending, else jsonl.",
        metavar="NAME",
        autocompletion=_complete_format,
    ),
]
AttachmentsDirOption = Annotated[
    Path | None,
    typer.Option("--attachments", help="jsonl: write the attached files into this directory.", metavar="DIR"),
]


@app.command("export", cls=FilterCommand)
def export_tasks(
    ctx: typer.Context,
    words: FilterArgument = None,
    format: ExportFormatOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write instead of stdout.", metavar="FILE")
    ] = None,
    status: Annotated[Literal["open", "done", "deleted", "all"], typer.Option(help="Status of the tasks.")] = "all",
    journal: Annotated[bool, typer.Option("--journal", help="jsonl: write the journal after the tasks.")] = False,
    attachments: AttachmentsDirOption = None,
    as_json: Json = False,
) -> None:
    """Export tasks in a format of another tool: all of them, or those that match a filter.

    jsonl has everything and can be imported into another server. Tasks that
    came from a file of the same format get back all that was kept of it.
    Values that the format cannot take are reported.

    todo export -o tasks.jsonl

    todo export 'project:home' --status open --format todo.txt > todo.txt
    """
    from todo_cli.cli.transfers.run_export import run_export, write_export_report
    from todo_cli.contract.exports import ExportTasks
    from todo_cli.formats.detect import find_writable_format, name_format

    if as_json and not output:
        raise Invalid("--json prints the report, and stdout is the file", hint="write the file with: -o FILE")
    name = format or (name_format(output.name) if output else None) or "jsonl"
    if journal and name != "jsonl":
        raise Invalid(f"{name} has no place for the journal", hint="use --format jsonl")
    if attachments and name != "jsonl":
        raise Invalid(f"{name} has no place for attached files", hint="use --format jsonl")
    writable = find_writable_format(name)
    request = ExportTasks(
        format=name,
        filter=join_filter(words),
        status=status,
        by_project=getattr(writable, "GROUPED_BY_PROJECT", False),
    )
    report = run_export(session_of(ctx), writable, request, output, journal=journal, attachments=attachments)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(report)
    else:
        write_export_report(report)
