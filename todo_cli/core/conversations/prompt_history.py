"""The prompts that a user has sent, in all their conversations."""

from __future__ import annotations

from todo_cli.contract.codec import decode
from todo_cli.contract.limits import MAX_PROMPT_HISTORY_CHARS
from todo_cli.contract.prompt_history import ListPrompts, PromptPage
from todo_cli.core.dispatch import handler
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

# ids of turns grow with time, so the newest turns are at the end of the primary key
LIST = Sql(f"""
SELECT json_build_object('prompts', coalesce(json_agg(content ORDER BY id DESC), '[]'))::text
  FROM (
    SELECT t.id, m.content
      FROM todo.turns t
     CROSS JOIN LATERAL (
       SELECT content FROM todo.messages m
        WHERE m.space_id = %(space)s::uuid AND m.user_id = %(me)s::uuid
           AND m.conversation_id = t.conversation_id
          AND m.seq = t.asked OFFSET 0) AS m
     WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid
       AND length(m.content) <= {MAX_PROMPT_HISTORY_CHARS}
     ORDER BY t.id DESC LIMIT %(limit)s::int) AS prompts""")


@handler(ListPrompts)
async def list_prompts(tx: Transaction, request: ListPrompts) -> PromptPage:
    """Return the newest prompts, in one round trip."""
    return decode(await tx.finish(LIST, limit=request.limit) or "", PromptPage)
