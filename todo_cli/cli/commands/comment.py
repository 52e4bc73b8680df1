"""Comment on a task, or list its comments."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from todo_cli.cli.options import Json, JsonLines, Key, output_form, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.base import token_user
from todo_cli.contract.comments import AddComment, CommentPage, EditComment, ListComments, RemoveComment
from todo_cli.contract.ids import id_of, new_id
from todo_cli.contract.task_types import Comment
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

LONGEST, LEAST = 20_000, 4


@app.command()
def comment(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="The task's number.", metavar="N")],
    words: Annotated[
        list[str] | None, typer.Argument(help="What to say; - reads it from stdin; none lists them.", metavar="[TEXT]")
    ] = None,
    edit: Annotated[str | None, typer.Option(help="Put my comment of this id in other words.", metavar="ID")] = None,
    remove: Annotated[str | None, typer.Option("--rm", help="Remove my comment of this id.", metavar="ID")] = None,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Comment on a task, or list what was said about it. An id's end, as it is listed, names a comment of one's own.

    todo comment 12 'the landlord wants it in writing'

    todo comment 12 --rm 3f0a9c
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    about = parse_number(task)
    if edit and remove:
        raise Invalid("--edit and --rm exclude each other")
    if remove:
        if words:
            raise Invalid("--rm takes no text")
        _say(session.send(RemoveComment(number=about, id=_id(session, about, remove)), key), "Removed", form, about)
    elif edit:
        request = EditComment(number=about, id=_id(session, about, edit), text=text_of(words))
        _say(session.send(request, key), "Changed", form, about)
    elif words:
        name = id_of(token_user(session.settings.require_token().reveal()), str(about), key) if key else new_id()
        _say(session.send(AddComment(number=about, id=name, text=text_of(words)), key), "Commented on", form, about)
    else:
        _list(session, about, form)


def text_of(words: list[str] | None, what: str = "comment", most: int = LONGEST) -> str:
    """The words, or stdin's text for `-`; raises Invalid for a blank or too long one."""
    text = " ".join(words or ())
    if text == "-":
        data = sys.stdin.buffer.read(4 * most + 4)
        try:
            text = data.decode("utf-8-sig").rstrip("\n")
        except UnicodeDecodeError as error:
            raise Invalid(f"the {what} is not valid UTF-8 (byte {error.start + 1})",
                          hint="convert it first, for example with: iconv -f latin1 -t utf-8") from None  # fmt: skip
    if not text.strip():
        raise Invalid(f"the {what} is blank", hint="write something")
    if len(text) > most:
        raise Invalid(f"the {what} is longer than {most:,} characters", hint="nothing was changed")
    return text


def _id(session: Session, about: int, ending: str) -> str:
    """The whole id of the comment whose id ends so; raises Invalid."""
    if len(ending) == 36:
        return ending
    if len(ending) < LEAST:
        raise Invalid(f"{ending!r} is too short for an id", hint=f"see them with: todo comment {about}")
    found = [one.id for one in _all(session, about) if one.id.endswith(ending.lower())]
    if len(found) != 1:
        which = "no comment" if not found else "more than one comment"
        raise Invalid(f"{which} of #{about} has an id that ends in {ending[:40]!r}", hint=f"see: todo comment {about}")
    return found[0]


def _all(session: Session, about: int) -> Iterator[Comment]:
    page = CommentPage(comments=(), next=None)
    first = True
    while first or page.next:
        page = session.send(ListComments(number=about, after=page.next, limit=1_000))
        yield from page.comments
        first = False


def _list(session: Session, about: int, form: str) -> None:
    found = tuple(_all(session, about))
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(CommentPage(comments=found)) if form == "json" else json.write_lines(found)
        return
    from todo_cli.cli.render import comments, text

    for line in comments.format_comments(found, datetime.now(UTC)) if session.table else comments.comment_rows(found):
        text.write(line)
    if not found and session.table:
        text.note(f"No comments yet. Say something with: todo comment {about} 'text'")


def _say(made: Comment, word: str, form: str, about: int) -> None:
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(made) if form == "json" else json.write_lines([made])
        return
    from todo_cli.cli.render import text

    said = f"{word} #{about}" if word == "Commented on" else f"{word} comment {made.id[-6:]} of #{about}"
    text.write(said)
