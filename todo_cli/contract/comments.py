"""Comments on tasks."""

from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import Limit, Number, Request
from todo_cli.contract.limits import MAX_COMMENT_CHARS
from todo_cli.contract.task_types import Comment
from todo_cli.contract.tokens import Id

CommentText = Annotated[str, Meta(min_length=1, max_length=MAX_COMMENT_CHARS)]


class CommentPage(Struct, frozen=True, kw_only=True):
    """A page of comments, oldest first. `next` is the id that follows in `after`, null on the last page."""

    comments: tuple[Comment, ...]
    next: str | None = None


class AddComment(Request[Comment], frozen=True, kw_only=True):
    """Comment on a task.

    The caller creates the id, so that a repeated request adds one comment. The task's rev stays as it is.
    """

    verb = "AddComment"
    label = "comment"
    past = "Commented on"
    route = "POST /v1/tasks/{number}/comments"
    scope = "tasks:write"

    number: Number
    id: Id
    text: CommentText


class ListComments(Request[CommentPage], frozen=True, kw_only=True):
    """List the comments of a task, oldest first."""

    verb = "ListComments"
    label = "comment"
    route = "GET /v1/tasks/{number}/comments"
    write = False
    is_versioned = True

    number: Number
    after: Id | None = None
    limit: Limit = 100


class EditComment(Request[Comment], frozen=True, kw_only=True):
    """Change the text of a comment of my own."""

    verb = "EditComment"
    label = "comment --edit"
    past = "Changed"
    route = "PATCH /v1/tasks/{number}/comments/{id}"
    scope = "tasks:write"

    number: Number
    id: Id
    text: CommentText


class RemoveComment(Request[Comment], frozen=True, kw_only=True):
    """Remove a comment of my own for good."""

    verb = "RemoveComment"
    label = "comment --rm"
    past = "Removed"
    route = "DELETE /v1/tasks/{number}/comments/{id}"
    scope = "tasks:write"

    number: Number
    id: Id
