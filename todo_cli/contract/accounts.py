"""The caller's own account: everything that belongs to it, and its end."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from todo_cli.contract.base import Asks, Name, Request

MAX_CURSOR_CHARS = 2_000
MAX_EXPORTED_ROWS = 500

ExportCursor = Annotated[str, Meta(min_length=2, max_length=MAX_CURSOR_CHARS, description="`next` of the page before")]


class AccountRow(Struct, frozen=True, kw_only=True):
    """A row of the database that belongs to the caller."""

    table: str
    row: dict[str, Any]


class AccountPage(Struct, frozen=True, kw_only=True):
    """Rows of the caller's account. `next` is `after` of the next page; null on the last one."""

    rows: tuple[AccountRow, ...]
    next: str | None = None


class ExportAccount(Request[AccountPage], frozen=True, kw_only=True):
    """Export every row of my account, page by page.

    No secret is in it. Files in an object store are listed, those in the database are rows of `attachment_chunks`.
    """

    verb = "ExportAccount"
    label = "account export"
    route = "GET /v1/account"
    scope = "all"
    write = False
    personal = True

    after: ExportCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_EXPORTED_ROWS, description="how many rows to return at most")] = 200


class DeletedAccount(Struct, frozen=True, kw_only=True):
    """A deleted account and the numbers of its rows by table."""

    name: str
    rows: dict[str, int]


class DeleteAccount(Request[DeletedAccount], frozen=True, kw_only=True):
    """Delete my account with everything that is mine; `name` confirms it. This cannot be undone.

    In spaces that others use, tasks and files stay; comments and the journal lose the user's words and name.
    """

    verb = "DeleteAccount"
    label = "account delete"
    past = "Deleted"
    route = "DELETE /v1/account"
    scope = "all"
    personal = True
    asks = Asks.ALWAYS

    name: Name
