"""Add, list, edit and remove comments on a task."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from todo_cli.cli.options import Json, JsonLines, Key, output_form, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.task_args import TaskNumberArgument
from todo_cli.contract.base import token_user
from todo_cli.contract.comments import AddComment, CommentPage, EditComment, ListComments, RemoveComment
from todo_cli.contract.ids import id_of, new_id
from todo_cli.contract.limits import MAX_COMMENT_CHARS
from todo_cli.contract.task_types import Comment
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

MIN_ID_CHARS = 4
ID_CHARS = 36


@app.command()
def comment(
    ctx: typer.Context,
    task: TaskNumberArgument,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Comment; - reads it from stdin; without it, list the comments.", metavar="[TEXT]"),
    ] = None,
    edit: Annotated[str | None, typer.Option(help="Replace the text of your comment.", metavar="ID")] = None,
    remove: Annotated[str | None, typer.Option("--rm", help="Remove your comment.", metavar="ID")] = None,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Comment on a task, or list its comments. The last characters of an ID, as listed, name a comment.

    todo comment 12 'the landlord wants it in writing'

    todo comment 12 --rm 3f0a9c
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    number = parse_number(task)
    if edit and remove:
        raise Invalid("--edit and --rm cannot be used together")
    if remove:
        if words:
            raise Invalid("--rm takes no text")
        removal = RemoveComment(number=number, id=_find_id(session, number, remove))
        _print_comment(session.send(removal, key), RemoveComment.past, form, number)
    elif edit:
        change = EditComment(number=number, id=_find_id(session, number, edit), text=read_text(words))
        _print_comment(session.send(change, key), EditComment.past, form, number)
    elif words:
        comment_id = id_of(token_user(session.settings.require_token().reveal()), str(number), key) if key else new_id()
        addition = AddComment(number=number, id=comment_id, text=read_text(words))
        _print_comment(session.send(addition, key), AddComment.past, form, number)
    else:
        _print_all(session, number, form)


def read_text(words: list[str] | None, noun: str = "comment", max_chars: int = MAX_COMMENT_CHARS) -> str:
    """Return the words as one text, or stdin's text for `-`; raises Invalid for a blank or too long one."""
    text = " ".join(words or ())
    if text == "-":
        data = sys.stdin.buffer.read(4 * max_chars + 4)
        try:
            text = data.decode("utf-8-sig").rstrip("\n")
        except UnicodeDecodeError as error:
            hint = "convert it first, for example with: iconv -f latin1 -t utf-8"
            raise Invalid(f"the {noun} is not valid UTF-8 (byte {error.start + 1})", hint=hint) from None
    if not text.strip():
        raise Invalid(f"the {noun} is blank", hint=f"write the {noun}'s text")
    if len(text) > max_chars:
        raise Invalid(f"the {noun} is longer than {max_chars:,} characters", hint="nothing was changed")
    return text


def _find_id(session: Session, number: int, ending: str) -> str:
    """Return the id of the task's only comment whose id ends so; raises Invalid."""
    if len(ending) == ID_CHARS:
        return ending
    if len(ending) < MIN_ID_CHARS:
        raise Invalid(f"{ending!r} is too short for a comment id", hint=f"list the ids with: todo comment {number}")
    ids = [comment.id for comment in _fetch_all(session, number) if comment.id.endswith(ending.lower())]
    if len(ids) != 1:
        count = "no comment" if not ids else "more than one comment"
        detail = f"{count} of #{number} has an id that ends in {ending[:40]!r}"
        raise Invalid(detail, hint=f"list the ids with: todo comment {number}")
    return ids[0]


def _fetch_all(session: Session, number: int) -> Iterator[Comment]:
    page = CommentPage(comments=(), next=None)
    first = True
    while first or page.next:
        page = session.send(ListComments(number=number, after=page.next, limit=1_000))
        yield from page.comments
        first = False


def _print_all(session: Session, number: int, form: str) -> None:
    page = tuple(_fetch_all(session, number))
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(CommentPage(comments=page)) if form == "json" else json.write_lines(page)
        return
    from todo_cli.cli.render import comments, text

    if not session.is_terminal:
        for row in comments.comment_rows(page):
            text.write(row)
    elif page:
        from todo_cli.cli.render.cells import read_width, wrap_line
        from todo_cli.cli.render.pager import print_lines

        lines = comments.format_comments(page, session.local_now(), absolute=session.absolute_dates)
        print_lines(session, [part for line in lines for part in wrap_line(line, read_width())])
    else:
        text.note(f"No comments yet. Add one with: todo comment {number} 'text'")


def _print_comment(changed: Comment, past: str, form: str, number: int) -> None:
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(changed) if form == "json" else json.write_lines([changed])
        return
    from todo_cli.cli.render import text

    added = past == AddComment.past
    text.write(f"{past} #{number}" if added else f"{past} comment {changed.id[-6:]} of #{number}")
