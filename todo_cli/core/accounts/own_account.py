"""Export and delete the caller's own account."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract.accounts import AccountPage, AccountRow, DeleteAccount, DeletedAccount, ExportAccount
from todo_cli.contract.codec import decode
from todo_cli.core.dispatch import handler
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

EXPORT = Sql("SELECT todo.export_account(%(after)s::jsonb, %(limit)s::int)::text")
DELETE = Sql("SELECT todo.delete_account(%(name)s)::text")


class _ExportPlace(msgspec.Struct, forbid_unknown_fields=True):
    """Where a page begins: a table, the position of a space, and the key of the last row before it."""

    table: int
    place: int
    key: dict[str, Any] | None = None


class _StoredRows(msgspec.Struct):
    rows: tuple[AccountRow, ...]
    next: _ExportPlace | None = None


@handler(ExportAccount)
async def export_account(tx: Transaction, request: ExportAccount) -> AccountPage:
    """Return a page of the caller's rows; raises Invalid for a cursor that no page gave. One round trip."""
    if request.after:
        _raise_for_cursor(request.after)
    page = decode(await tx.finish(EXPORT, after=request.after, limit=request.limit) or "", _StoredRows)
    return AccountPage(rows=page.rows, next=msgspec.json.encode(page.next).decode() if page.next else None)


def _raise_for_cursor(cursor: str) -> None:
    try:
        msgspec.json.decode(cursor, type=_ExportPlace)
    except msgspec.MsgspecError:
        raise Invalid("the cursor does not belong to an export", hint="begin again without `after`") from None


@handler(DeleteAccount)
async def delete_account(tx: Transaction, request: DeleteAccount) -> DeletedAccount:
    """Delete the caller's account with its journal, so that the journal has no row of it; raises Conflict and Invalid.

    Repeated, the token is not known any more.
    """
    rows = decode(await tx.finish(DELETE, name=request.name) or "", dict[str, int])
    return DeletedAccount(name=request.name, rows={table: count for table, count in rows.items() if count})
