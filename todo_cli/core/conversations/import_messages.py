"""Taking in an exported conversation: everything in it has happened, nothing of it is done again."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.conversation_export import EXPORT_VERSION, ExportedMessage, ImportMessages, ImportResult
from todo_cli.core.dispatch import handler
from todo_cli.core.turns.append_sql import replace_unstorable
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

TAKE_IN = Sql("""SELECT json_build_object('number', t.number, 'id', %(id)s::uuid, 'stored', t.stored, 'removed', t.deleted)::text
  FROM todo.import_messages(%(id)s::uuid, %(title)s, %(model)s, %(at)s::timestamptz, %(first)s::bigint, %(rows)s::jsonb) t""")


@handler(ImportMessages)
async def import_messages(tx: Transaction, request: ImportMessages) -> ImportResult:
    """One round trip. The conversation's id, and its turns', are made of the export's own: the same again is the same."""
    head = request.conversation
    if head.version > EXPORT_VERSION:
        raise Invalid(f"the export has version {head.version}, this todo knows {EXPORT_VERSION}", hint="upgrade todo")
    id = _made(tx, head.id, head.head)
    rows = [_row(tx, id, one) for one in _in_order(request)]
    values = {
        "id": id,
        "title": replace_unstorable(head.title),
        "model": head.model,
        "at": head.created_at.isoformat(),
        "first": request.first,
    }
    text = await tx.finish(TAKE_IN, **values, rows=msgspec.json.encode(rows).decode().replace("\\u0000", "\\ufffd"))
    return decode(text or "", ImportResult)


def _in_order(request: ImportMessages) -> tuple[ExportedMessage, ...]:
    for place, one in enumerate(request.messages, request.first + 1):
        if one.seq != place:
            raise Invalid(f"message {one.seq} stands in place {place}", hint="messages are numbered from 1, in order")
        if (one.role == "tool") != (one.call_seq is not None and one.call_index is not None):
            raise Invalid(f"message {place}: a tool's message, and no other, names the call that it answers")
        if one.call_seq is not None and one.call_seq >= place:
            raise Invalid(f"message {place} answers a call that comes after it")
    return request.messages


def _row(tx: Transaction, id: str, one: ExportedMessage) -> dict[str, Any]:
    calls = [
        {name: replace_unstorable(value) for name, value in msgspec.to_builtins(call).items()} for call in one.calls
    ]
    content = replace_unstorable(one.content)
    size = len(content) + sum(len(call["name"]) + len(call["arguments"]) for call in calls)
    made = {"turn": _made(tx, id, one.turn), "role": one.role, "status": one.status, "content": content, "tokens": size // 4 + 8,
            "call_seq": one.call_seq, "call_index": one.call_index, "model": one.model, "usage": one.usage, "at": one.at}  # fmt: skip
    return {name: value for name, value in made.items() if value is not None} | ({"calls": calls} if calls else {})


def _made(tx: Transaction, *names: str) -> str:
    """A UUID of the person's own in this space, of what the export has named."""
    data = "\0".join((str(tx.values["space"]), str(tx.values["me"]), *names)).encode()
    return str(UUID(bytes=sha256(data).digest()[:16], version=5))
