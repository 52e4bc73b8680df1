"""Attach files to tasks, and list, download, open and remove them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from todo_cli.cli.options import Json, Key, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.task_args import TaskNumberArgument
from todo_cli.contract.attachments import AttachmentList, ListAttachments, RemoveAttachment
from todo_cli.contract.task_types import Attachment
from todo_cli.errors import Invalid, NotFound

PANEL = "Tasks"
app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Attach files to tasks, and list, download, open and remove them."
)

MIN_ID_CHARS = 4

AttachmentsArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Name, or the end of an ID, of an attachment.", metavar="[NAME]...", show_default=False),
]
AttachmentArgument = Annotated[
    str | None,
    typer.Argument(help="Name, or the end of an ID, of an attachment.", metavar="[NAME]", show_default=False),
]


@app.command()
def add(
    ctx: typer.Context,
    task: TaskNumberArgument,
    files: Annotated[list[str], typer.Argument(help="Files; - reads one from stdin.", metavar="FILE...")],
    name: Annotated[str | None, typer.Option(help="Name of the attachment.", metavar="NAME")] = None,
    media_type: Annotated[
        str | None, typer.Option("--type", help="Media type, such as text/plain.", metavar="TYPE")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Attach files to a task. Repeat the command to continue an upload that was cut short.

    todo attachment add 12 receipt.pdf photo.jpg

    dmesg | todo attachment add 12 - --name dmesg.txt
    """
    session, number = session_of(ctx), parse_number(task)
    if len(files) > 1 and (name or key):
        raise Invalid("--name and --key are for one file", hint="attach the files one after the other")
    from todo_cli.cli.attachment_upload import attach_file, open_file
    from todo_cli.cli.render import text
    from todo_cli.cli.render.attachments import format_size
    from todo_cli.cli.render.escape import escape

    attached = AttachmentList(number=number, attachments=())
    for path in files:
        with open_file(path, name) as file:
            attached = attach_file(session, number, file, media_type, key)
            if not as_json:
                text.write_wrapped(f"Attached {escape(file.name)} ({format_size(file.size)}) to #{number}")
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(attached)


@app.command("list")
def list_attachments(ctx: typer.Context, task: TaskNumberArgument, as_json: Json = False) -> None:
    """List the attachments of a task.

    todo attachment list 12

    todo attachment list 12 --json | jq -r '.attachments[].name'
    """
    session, number = session_of(ctx), parse_number(task)
    page = session.send(ListAttachments(number=number))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.attachments import SHORT_ID_CHARS, format_size
    from todo_cli.cli.render.rows import print_rows

    is_terminal = session.is_terminal
    cells = [
        (
            each.name,
            format_size(each.size) if is_terminal else str(each.size),
            "removed for good" if each.removed is True else each.type,
            each.at,
            each.id[-SHORT_ID_CHARS:] if is_terminal else each.id,
        )
        for each in page.attachments
    ]
    nothing = f"No attachments yet. Add one with: todo attachment add {number} FILE"
    print_rows(session, ("Name", "Size", "Type", "Added", "ID"), cells, nothing=nothing)


@app.command()
def get(
    ctx: typer.Context,
    task: TaskNumberArgument,
    names: AttachmentsArgument = None,
    everything: Annotated[bool, typer.Option("--all", help="Download all attachments of the task.")] = False,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Directory to write to; default: the current one.", metavar="DIR")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write to; - is stdout.", metavar="FILE")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """Download attachments. No file is overwritten, and their bytes are compared with the SHA-256.

    todo attachment get 12 receipt.pdf --dir ~/Downloads

    todo attachment get 12 notes.txt -o - | less
    """
    session, number = session_of(ctx), parse_number(task)
    if directory and output:
        raise Invalid("--dir and --output cannot be used together")
    chosen = _choose(session, number, names or [], everything=everything)
    if output and output.is_dir():
        raise Invalid(f"{output} is a directory", hint="download into it with: --dir")
    if output and len(chosen) > 1:
        raise Invalid("--output takes one attachment", hint="download several into a directory with: --dir")
    from todo_cli.cli.attachment_download import download_to_file, download_to_stdout
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    if output and str(output) == "-":
        if session.is_terminal:
            raise Invalid("the file is not written to a terminal", hint="pipe it into a program, or use --dir")
        download_to_stdout(session, number, chosen[0])
        return
    for attachment, local_name in _name_files(chosen):
        target = output or (directory or Path()) / local_name
        download_to_file(session, number, attachment, target, force=force)
        text.write(escape(str(target)))


@app.command("open")
def open_attachment(ctx: typer.Context, task: TaskNumberArgument, name: AttachmentArgument = None) -> None:
    """Download an attachment into a temporary directory and open it with the program for its type.

    todo attachment open 12

    todo attachment open 12 receipt.pdf
    """
    import tempfile

    from todo_cli.cli.attachment_download import choose_local_name, download_to_file
    from todo_cli.cli.open_file import open_with_system
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    session, number = session_of(ctx), parse_number(task)
    (attachment,) = _choose(session, number, [name] if name else [], everything=False)
    target = Path(tempfile.mkdtemp(prefix="todo-")) / choose_local_name(attachment.name)
    download_to_file(session, number, attachment, target, force=False)
    target.chmod(0o400)  # an editor then says that changes are not saved back
    text.note(escape(f"opening {target}"))
    open_with_system(target)


@app.command("rm")
def remove(
    ctx: typer.Context,
    task: TaskNumberArgument,
    names: Annotated[list[str], typer.Argument(help="Name, or the end of an ID, of an attachment.", metavar="NAME...")],
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Remove attachments from a task. To bring one back: todo undo

    todo attachment rm 12 receipt.pdf

    todo attachment rm 12 3f0a9c
    """
    session, number = session_of(ctx), parse_number(task)
    if len(names) > 1 and key:
        raise Invalid("--key is for one attachment", hint="remove the attachments one after the other")
    from todo_cli.cli.render import text
    from todo_cli.cli.render.attachments import describe_attachment

    remaining = AttachmentList(number=number, attachments=())
    for attachment in _choose(session, number, names, everything=False):
        remaining = session.send(RemoveAttachment(number=number, id=attachment.id), key)
        if not as_json:
            text.write_wrapped(f"Removed {describe_attachment(attachment)} from #{number}")
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(remaining)


def _choose(session: Session, number: int, names: Sequence[str], *, everything: bool) -> list[Attachment]:
    """Return the named attachments; without a name the only one. Raises NotFound and Invalid."""
    attachments = session.send(ListAttachments(number=number)).attachments
    if everything:
        if names:
            raise Invalid("--all takes no names")
        if not attachments:
            raise NotFound(f"task #{number} has no attachments")
        return list(attachments)
    if names:
        return list({found.id: found for found in (_find(attachments, number, name) for name in names)}.values())
    if len(attachments) != 1:
        count = "no attachments" if not attachments else f"{len(attachments)} attachments"
        raise (NotFound if not attachments else Invalid)(
            f"task #{number} has {count}", hint=f"list them with: todo attachment list {number}"
        )
    return list(attachments)


def _find(attachments: Sequence[Attachment], number: int, name: str) -> Attachment:
    """Return the only attachment of that name, or whose id ends so."""
    found = [each for each in attachments if each.name == name]
    if not found and len(name) >= MIN_ID_CHARS:
        found = [each for each in attachments if each.id.endswith(name.lower())]
    if len(found) != 1:
        hint = f"list them with their IDs: todo attachment list {number}"
        if not found:
            raise NotFound(f"task #{number} has no attachment {name[:60]!r}", hint=hint)
        raise Invalid(f"task #{number} has {len(found)} attachments {name[:60]!r}: name one by its ID", hint=hint)
    return found[0]


def _name_files(attachments: Sequence[Attachment]) -> list[tuple[Attachment, str]]:
    """Return each attachment with its name on this machine; equal names get the end of the id."""
    from todo_cli.cli.attachment_download import choose_local_name
    from todo_cli.cli.render.attachments import SHORT_ID_CHARS

    named: dict[str, Attachment] = {}
    for attachment in attachments:
        name = choose_local_name(attachment.name)
        if name.lower() in (other.lower() for other in named):
            path = Path(name)
            name = f"{path.stem}-{attachment.id[-SHORT_ID_CHARS:]}{path.suffix}"
        named[name] = attachment
    return [(attachment, name) for name, attachment in named.items()]
