"""Comments on tasks: what is said about one, by whom and when."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import Number, Request
from todo_cli.contract.task_types import Comment
from todo_cli.contract.tokens import Id

CommentText = Annotated[str, Meta(min_length=1, max_length=20_000)]


class CommentPage(Struct, frozen=True, kw_only=True):
    """Some comments of a task, the oldest first, and the id to go on `after` (null: these were the last)."""

    comments: tuple[Comment, ...]
    next: str | None = None


class AddComment(Request[Comment], frozen=True, kw_only=True):
    """Say something about a task. The caller mints the id; the task's rev stays, as none of its fields changes."""

    verb = "AddComment"
    label = "comment"
    past = "Commented on"
    route = "POST /v1/tasks/{number}/comments"
    scope = "tasks:write"

    number: Number
    id: Id
    text: CommentText


class ListComments(Request[CommentPage], frozen=True, kw_only=True):
    """List what was said about a task, the oldest first."""

    verb = "ListComments"
    label = "comment"
    route = "GET /v1/tasks/{number}/comments"
    write = False

    number: Number
    after: Id | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class EditComment(Request[Comment], frozen=True, kw_only=True):
    """Put a comment of one's own in other words."""

    verb = "EditComment"
    label = "comment --edit"
    past = "Changed"
    route = "PATCH /v1/tasks/{number}/comments/{id}"
    scope = "tasks:write"

    number: Number
    id: Id
    text: CommentText


class RemoveComment(Request[Comment], frozen=True, kw_only=True):
    """Remove a comment of one's own, for good."""

    verb = "RemoveComment"
    label = "comment --rm"
    past = "Removed"
    route = "DELETE /v1/tasks/{number}/comments/{id}"
    scope = "tasks:write"

    number: Number
    id: Id
