"""A row of the journal as the log shows it: its JSON in a statement, and its conversion to the contract."""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString

import msgspec

from todo_cli.contract.journal import Change
from todo_cli.core.journal import differences
from todo_cli.core.journal_texts import restore_texts, texts_of
from todo_cli.core.json_sql import format_instant

CHANGE_JSON: LiteralString = f"""json_build_object(
    'seq', c.seq, 'at', {format_instant("c.at")},
    'user', coalesce(m.name, c.user_id::text), 'token', coalesce(k.name, ''), 'way', c.way,
    'mine', c.user_id = %(me)s::uuid,
    'same_token', c.token_id = todo.current_token_id(),
    'by_model', c.turn_id IS NOT NULL, 'conversation', v.number,
    'verb', c.verb, 'key', c.key, 'group', c.group_id, 'undoes', c.undoes,
    'about', coalesce(
      c.request ->> 'name', c.request ->> 'reason',
      CASE WHEN c.verb LIKE '%Comment' THEN '#' || (c.request ->> 'number') END),
    'undone', c.undoes IS NULL AND coalesce((
      SELECT NOT u.redo FROM todo.changes u
      WHERE u.space_id = c.space_id AND u.undoes = coalesce((
        SELECT min(g.seq) FROM todo.changes g
        WHERE g.space_id = c.space_id AND g.group_id = c.group_id), c.seq)
      ORDER BY u.seq DESC LIMIT 1), false),
    'tasks', CASE WHEN jsonb_typeof(c.after) = 'array' THEN jsonb_array_length(c.after) ELSE 0 END,
    'before', shown.before, 'after', shown.after,
    'texts', {texts_of("shown.before || shown.after", "c.texts")})"""
"""The JSON of a change `c` of a statement that has `CHANGE_JOINS`, and its `shown` rows before and after."""

CHANGE_JOINS: LiteralString = """LEFT JOIN
    todo.find_members(ARRAY(SELECT DISTINCT p.user_id FROM page p)) m ON m.id = c.user_id
  LEFT JOIN LATERAL ( -- a join would read the tokens of all users
    SELECT t.name FROM todo.tokens t WHERE t.user_id = c.user_id AND t.id = c.token_id
    OFFSET 0) AS k ON true
  LEFT JOIN todo.turns x
    ON x.space_id = c.space_id AND x.user_id = c.user_id AND x.id = c.turn_id
      AND x.user_id = %(me)s::uuid
  LEFT JOIN todo.conversations v
    ON v.space_id = x.space_id AND v.user_id = x.user_id AND v.id = x.conversation_id"""
"""The joins that name the user, the token and the conversation of a change `c`."""


class LoggedChange(msgspec.Struct):
    """A change as a statement returns it."""

    seq: int
    at: datetime
    user: str
    token: str
    way: str
    verb: str
    tasks: int
    undone: bool
    mine: bool
    same_token: bool
    by_model: bool
    conversation: int | None = None
    key: str | None = None
    group: str | None = None
    undoes: int | None = None
    about: str | None = None
    before: list[Any] | None = None  # of any content, since a person's own login may write the journal
    after: list[Any] | None = None
    texts: dict[str, Any] | None = None

    def to_change(self, *, is_brief: bool) -> Change:
        """Return the change as the contract has it."""
        before, after = (restore_texts(rows or [], self.texts or {}) for rows in (self.before, self.after))
        return Change(
            seq=self.seq,
            at=self.at,
            user=self.user,
            token=self.token,
            way=self.way,
            verb=self.verb,
            key=self.key,
            group=self.group,
            undoes=self.undoes,
            about=self.about,
            undone=self.undone,
            mine=self.mine,
            same_token=self.same_token,
            by_model=self.by_model,
            conversation=self.conversation,
            tasks=self.tasks,
            differences=differences(before, after, is_brief=is_brief),
        )
