"""Store long conversations without a model, and measure the space that they take."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

MESSAGES_PER_TURN = 4  # the request, a call, its result, the answer
ASKED = "please put thing number {n} on my list, if it is not there yet"
CALLED = {"title": "Thing number {n}"}
RESULT = '{{"task":{{"number":{n},"title":"Thing number {n}","status":"open","priority":4}}}}'
ANSWERED = "It is on your list now, as number {n}."

MAKE = """
INSERT INTO todo.conversations (space_id, id, user_id, number, title)
  SELECT %(me)s, md5('talk' || n)::uuid, %(me)s, n, 'a talk' FROM generate_series(%(first)s::int, %(first)s::int + %(talks)s::int - 1) AS n"""
TURNS = """
INSERT INTO todo.turns (space_id, id, user_id, conversation_id, state, runner, lease_until, asked, last, ended_at, usage)
  SELECT %(me)s, md5('turn' || t || ' ' || n)::uuid, %(me)s, md5('talk' || n)::uuid, 'done', md5('runner' || t)::uuid, now(),
         4 * t + 1, 4 * t + 4, now(), '{"prompt": 1200, "completion": 40, "cached": 0}'
    FROM generate_series(0, %(turns)s::int - 1) AS t, generate_series(%(first)s::int, %(first)s::int + %(talks)s::int - 1) AS n
   ORDER BY t, n"""
# The rows of all conversations alternate, as they do where many people chat at the same time.
MESSAGES = """
INSERT INTO todo.messages (space_id, conversation_id, seq, parent, user_id, turn_id, attempt, role, content, calls, call_seq, call_index,
    tokens, model, usage)
  SELECT %(me)s, md5('talk' || n)::uuid, 4 * t + p, nullif(4 * t + p - 1, 0), %(me)s, md5('turn' || t || ' ' || n)::uuid, 1,
         (ARRAY['user', 'assistant', 'tool', 'assistant'])[p], replace((%(texts)s::text[])[p], '{n}', t::text),
         CASE WHEN p = 2 THEN replace(%(calls)s, '{n}', t::text)::jsonb END,
         CASE WHEN p = 3 THEN 4 * t + 2 END, CASE WHEN p = 3 THEN 0 END,
         8 + length((%(texts)s::text[])[p]) / 4 + CASE WHEN p = 2 THEN 10 ELSE 0 END,
         CASE WHEN p IN (2, 4) THEN 'a-model-of-today' END,
         CASE WHEN p IN (2, 4) THEN '{"prompt": 1200, "completion": 40, "cached": 0}'::jsonb END
    FROM generate_series(0, %(turns)s::int - 1) AS t, generate_series(%(first)s::int, %(first)s::int + %(talks)s::int - 1) AS n,
         generate_series(1, 4) AS p ORDER BY t, n, p"""
SUMMARY = """
INSERT INTO todo.messages (space_id, conversation_id, seq, user_id, turn_id, attempt, role, content, tokens, reaches)
  SELECT space_id, conversation_id, 1000000, user_id, turn_id, 1, 'summary', %(summary)s, 200, seq
    FROM todo.messages WHERE conversation_id = md5('talk' || %(first)s::int)::uuid AND seq = %(reaches)s::bigint"""
POINT = """
UPDATE todo.conversations SET seq = 2000000, head = 4 * %(turns)s::int, turn_id = md5('turn' || %(turns)s::int - 1 || ' ' || number)::uuid
 WHERE number >= %(first)s::int AND number < %(first)s::int + %(talks)s::int"""

SIZES = """SELECT pg_relation_size(%(table)s::regclass), pg_indexes_size(%(table)s::regclass), pg_total_relation_size(%(table)s::regclass)"""


class Talk(NamedTuple):
    """A conversation with its number of messages, and how many of them a replay reads."""

    id: str
    messages: int
    replayed: int


def store_talk(connection: Any, me: str, number: int, messages: int, replayed: int) -> Talk:
    """Store one conversation. A summary stands for the messages that a replay does not read."""
    turns, kept = messages // MESSAGES_PER_TURN, replayed // MESSAGES_PER_TURN
    reaches = MESSAGES_PER_TURN * (turns - kept) if turns > kept else None
    store(connection, me, number, 1, turns, reaches)
    (found,) = connection.execute("SELECT md5(%s)::uuid::text", [f"talk{number}"]).fetchone()
    return Talk(found, MESSAGES_PER_TURN * turns, MESSAGES_PER_TURN * kept)


def store(connection: Any, me: str, first: int, talks: int, turns: int, reaches: int | None = None) -> None:
    """Store `talks` conversations of `turns` turns each, numbered from `first`."""
    calls = json.dumps([{"name": "add_task", "arguments": json.dumps(CALLED), "id": "call_0"}])
    texts = [ASKED, "", RESULT.replace("{{", "{").replace("}}", "}"), ANSWERED]
    values = {
        "me": me,
        "first": first,
        "talks": talks,
        "turns": turns,
        "texts": texts,
        "calls": calls,
        "reaches": reaches,
        "summary": "They put things on the list. " * 24,
    }
    for statement in (MAKE, TURNS, MESSAGES, *([SUMMARY] if reaches else []), POINT):
        connection.execute(statement, values)


def make_history(messages: int) -> list[dict[str, Any]]:
    """Return the same conversation as the list of messages that a loop in memory holds."""
    from todo_cli.agent.prompts import system_prompt

    history: list[dict[str, Any]] = [{"role": "system", "content": system_prompt(None)}]
    for n in range(messages // MESSAGES_PER_TURN):
        arguments = json.dumps({"title": CALLED["title"].format(n=n)})
        call = {"id": f"call_{n}", "type": "function", "function": {"name": "add_task", "arguments": arguments}}
        history += [
            {"role": "user", "content": ASKED.format(n=n)},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": RESULT.format(n=n)},
            {"role": "assistant", "content": ANSWERED.format(n=n)},
        ]
    return history


class SizePerRow(NamedTuple):
    """Bytes of a message or turn: in the table, in its indexes, and of the text itself."""

    table: float
    indexes: float
    text: float

    @property
    def beyond(self) -> float:
        """The bytes that are not text."""
        return self.table + self.indexes - self.text


def table_size(connection: Any, table: str) -> tuple[int, int]:
    """Return the bytes of a table, its out-of-line values included, and of its indexes."""
    _, indexes, total = connection.execute(SIZES, {"table": table}).fetchone()
    return total - indexes, indexes


def measure_sizes(connection: Any, me: str, messages: int, talks: int) -> dict[str, SizePerRow]:
    """Store the messages in so many conversations, vacuum, and return the growth for each message and turn."""
    tables = {"messages": messages, "turns": messages // MESSAGES_PER_TURN}
    before = {name: table_size(connection, f"todo.{name}") for name in tables}
    text = "SELECT coalesce(sum(octet_length(content)), 0) FROM todo.messages"
    (text_before,) = connection.execute(text).fetchone()
    store(connection, me, 1_000, talks, messages // talks // MESSAGES_PER_TURN)
    connection.execute("VACUUM ANALYZE")
    (text_after,) = connection.execute(text).fetchone()
    found = {}
    for name, count in tables.items():
        now = table_size(connection, f"todo.{name}")
        own = float(text_after - text_before) / count if name == "messages" else 0.0
        found[name] = SizePerRow((now[0] - before[name][0]) / count, (now[1] - before[name][1]) / count, own)
    return found
