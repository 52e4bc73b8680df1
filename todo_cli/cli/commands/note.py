"""Write or print a task's note."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.change_tasks import print_changed
from todo_cli.cli.commands.comment import read_text
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, output_form, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.task_args import TaskNumberArgument
from todo_cli.contract.limits import MAX_NOTE_CHARS
from todo_cli.contract.tasks import Changed, EditTasks, ShowTask
from todo_cli.errors import Conflict, Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

MAX_APPEND_ATTEMPTS = 5


@app.command()
def note(
    ctx: typer.Context,
    task: TaskNumberArgument,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Note; - reads it from stdin; without it, print the note.", metavar="[TEXT]"),
    ] = None,
    append: Annotated[bool, typer.Option("--append", "-a", help="Append to the existing note.")] = False,
    if_rev: IfRev = None,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Write a task's note, or print it. Remove it with: todo edit N --clear note.

    todo note 12 'ask for the receipt'

    todo note 12 --append - < minutes.txt
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    number = parse_number(task)
    if not words:
        if append or if_rev or key:
            raise Invalid("the note's text is missing", hint="for example: todo note 12 'ask for the receipt'")
        _print_note(session, number, form)
        return
    if not "".join(words).strip():
        raise Invalid("the note is blank", hint=f"write some text, or remove the note: todo edit {number} --clear note")
    text = read_text(words, "note", MAX_NOTE_CHARS)
    if append and (key or if_rev):
        raise Invalid("--append cannot be used with --key or --if-rev", hint="it appends to whatever note exists")
    if append:
        result = _append(session, number, text)
    else:
        result = session.send(EditTasks(numbers=(number,), note=text, if_rev=if_rev), key)
    print_changed(ctx, result, EditTasks.past, form)


def _append(session: Session, number: int, text: str) -> Changed:
    """Read the note, append, and write it unless the task has changed since; then try again."""
    for attempts_left in reversed(range(MAX_APPEND_ATTEMPTS)):
        task = session.send(ShowTask(number=number))
        whole = f"{task.note}\n{text}" if task.note else text
        if len(whole) > MAX_NOTE_CHARS:
            detail = f"the note would be longer than {MAX_NOTE_CHARS:,} characters"
            raise Invalid(detail, hint="nothing was changed")
        try:
            return session.send(EditTasks(numbers=(number,), note=whole, if_rev=task.rev))
        except Conflict as error:
            if not attempts_left or "number" not in error.extra:
                raise
    raise AssertionError("unreachable")


def _print_note(session: Session, number: int, form: str) -> None:
    task = session.send(ShowTask(number=number))
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(task) if form == "json" else json.write_lines([task])
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape_block

    if task.note:
        text.write(escape_block(task.note))
    elif session.is_terminal:
        text.note(f"No note yet. Write one with: todo note {number} 'text'")
