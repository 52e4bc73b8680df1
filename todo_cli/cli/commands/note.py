"""Write or print the note of a task."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.change_tasks import print_changed
from todo_cli.cli.commands.comment import text_of
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, output_form, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.tasks import Changed, EditTasks, ShowTask
from todo_cli.errors import Conflict, Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

LONGEST = 100_000
TRIES = 5


@app.command()
def note(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="The task's number.", metavar="N")],
    words: Annotated[
        list[str] | None, typer.Argument(help="The note; - reads it from stdin; none prints it.", metavar="[TEXT]")
    ] = None,
    append: Annotated[bool, typer.Option("--append", "-a", help="Add it below what is there.")] = False,
    if_rev: IfRev = None,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Write a task's note, or print it. It may have many lines; todo edit N --clear note empties it.

    todo note 12 'ask for the receipt'

    todo note 12 --append - < minutes.txt
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    about = parse_number(task)
    if words is None or not words:
        if append or if_rev or key:
            raise Invalid("there is no text to write", hint="for example: todo note 12 'ask for the receipt'")
        _print(session, about, form)
        return
    if not "".join(words).strip():
        raise Invalid("the note is blank", hint=f"write something, or empty it: todo edit {about} --clear note")
    text = text_of(words, "note", LONGEST)
    if append and (key or if_rev):
        raise Invalid("--append goes with neither --key nor --if-rev", hint="it adds to whatever is there")
    if append:
        made = _append(session, about, text)
    else:
        made = session.send(EditTasks(numbers=(about,), note=text, if_rev=if_rev), key)
    print_changed(ctx, made, "Changed", form)


def _append(session: Session, about: int, text: str) -> Changed:
    """Read, add, write if nobody was faster; else again."""
    for left in reversed(range(TRIES)):
        task = session.send(ShowTask(number=about))
        whole = f"{task.note}\n{text}" if task.note else text
        if len(whole) > LONGEST:
            raise Invalid(f"the note would be longer than {LONGEST:,} characters", hint="nothing was changed")
        try:
            return session.send(EditTasks(numbers=(about,), note=whole, if_rev=task.rev))
        except Conflict as error:
            if not left or "number" not in error.extra:
                raise
    raise AssertionError("unreachable")


def _print(session: Session, about: int, form: str) -> None:
    found = session.send(ShowTask(number=about))
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(found) if form == "json" else json.write_lines([found])
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape_block

    if found.note:
        text.write(escape_block(found.note))
    elif session.table:
        text.note(f"No note yet. Write one with: todo note {about} 'text'")
