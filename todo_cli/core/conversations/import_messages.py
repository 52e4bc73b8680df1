"""Import an exported conversation. Its messages are stored; its tool calls do not run again."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.conversation_export import EXPORT_VERSION, ExportedMessage, ImportMessages, ImportResult
from todo_cli.core.dispatch import handler
from todo_cli.core.turns.append_sql import CHARS_PER_TOKEN, TOKENS_PER_MESSAGE, replace_unstorable
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

IMPORT = Sql("""
SELECT json_build_object(
    'number', t.number, 'id', %(id)s::uuid, 'stored', t.stored, 'removed', t.deleted)::text
  FROM todo.import_messages(
      %(id)s::uuid, %(title)s, %(model)s, %(at)s::timestamptz, %(first)s::bigint,
      %(rows)s::jsonb) t""")


@handler(ImportMessages)
async def import_messages(tx: Transaction, request: ImportMessages) -> ImportResult:
    """Import messages in one round trip.

    The ids of the conversation and of its turns are derived from those of the export, so a second import of the same
    export stores nothing new.
    """
    head = request.conversation
    if head.version > EXPORT_VERSION:
        raise Invalid(f"the export has version {head.version}, this todo knows {EXPORT_VERSION}", hint="upgrade todo")
    _check_order(request)
    id = _derive_id(tx, head.id, head.head)
    rows = [_make_row(tx, id, message) for message in request.messages]
    values = {
        "id": id,
        "title": replace_unstorable(head.title),
        "model": head.model,
        "at": head.created_at.isoformat(),
        "first": request.first,
        "rows": msgspec.json.encode(rows).decode().replace("\\u0000", "\\ufffd"),
    }
    return decode(await tx.finish(IMPORT, **values) or "", ImportResult)


def _check_order(request: ImportMessages) -> None:
    """Raise Invalid unless the messages are numbered in order and only a tool's message answers an earlier call."""
    for place, message in enumerate(request.messages, request.first + 1):
        if message.seq != place:
            raise Invalid(f"message {message.seq} is in place {place}", hint="messages are numbered from 1, in order")
        if (message.role == "tool") != (message.call_seq is not None and message.call_index is not None):
            raise Invalid(f"message {place}: a tool's message, and no other, names the call that it answers")
        if message.call_seq is not None and message.call_seq >= place:
            raise Invalid(f"message {place} answers a call that comes after it")


def _make_row(tx: Transaction, id: str, message: ExportedMessage) -> dict[str, Any]:
    """Return the message as a row of `todo.import_messages`, without its empty fields."""
    calls = [
        {name: replace_unstorable(value) for name, value in msgspec.to_builtins(call).items()} for call in message.calls
    ]
    content = replace_unstorable(message.content)
    chars = len(content) + sum(len(call["name"]) + len(call["arguments"]) for call in calls)
    row = {
        "turn": _derive_id(tx, id, message.turn),
        "role": message.role,
        "status": message.status,
        "content": content,
        "calls": calls or None,
        "tokens": chars // CHARS_PER_TOKEN + TOKENS_PER_MESSAGE,
        "call_seq": message.call_seq,
        "call_index": message.call_index,
        "model": message.model,
        "usage": message.usage,
        "at": message.at,
    }
    return {name: value for name, value in row.items() if value is not None}


def _derive_id(tx: Transaction, *names: str) -> str:
    """Return a UUID for ids of an export, always the same for the same user in the same space."""
    data = "\0".join((str(tx.values["space"]), str(tx.values["me"]), *names)).encode()
    return str(UUID(bytes=sha256(data).digest()[:16], version=5))
