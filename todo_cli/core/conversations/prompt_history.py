"""What a person has said, in all their conversations."""

from __future__ import annotations

from todo_cli.contract.codec import decode
from todo_cli.contract.prompt_history import ListSaid, SaidPage
from todo_cli.core.dispatch import handler
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

LONGEST = 2_000
"""Characters: nobody looks for more with an arrow key, and all of them together stay below half a megabyte."""

# a turn's id is younger than those before it, so the newest stand at the end of the key
LIST = Sql(f"""SELECT json_build_object('said', coalesce(json_agg(content ORDER BY id DESC), '[]'))::text
FROM (SELECT t.id, m.content FROM todo.turns t CROSS JOIN LATERAL (SELECT content FROM todo.messages m
     WHERE m.space_id = %(space)s::uuid AND m.conversation_id = t.conversation_id AND m.seq = t.asked OFFSET 0) AS m
   WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid AND length(m.content) <= {LONGEST}
   ORDER BY t.id DESC LIMIT %(limit)s::int) AS x""")


@handler(ListSaid)
async def list_said(tx: Transaction, request: ListSaid) -> SaidPage:
    """One round trip."""
    return decode(await tx.finish(LIST, limit=request.limit) or "", SaidPage)
