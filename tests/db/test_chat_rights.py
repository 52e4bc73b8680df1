"""Conversations, comments and views of one user are out of the reach of others, also of members of the same space."""

from __future__ import annotations

import json
from contextlib import closing
from random import Random
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from tests.conftest import Database
from tests.support.connections import Line, Raw, raw, share, signed, token_for
from tests.support.neighbours import REFUSED, Neighbours, list_identities
from todo_cli.contract.base import Request
from todo_cli.contract.conversations import ListConversations, ShowConversation
from todo_cli.contract.message_search import SearchConversations
from todo_cli.contract.prompt_history import ListPrompts
from todo_cli.contract.tasks import AddTask
from todo_cli.contract.usage import ReadUsage
from todo_cli.errors import NotAllowed

MESSAGE = """INSERT INTO todo.messages (space_id, conversation_id, seq, turn_id, attempt, role, content, tokens, model, usage)
  VALUES (%s, %s, %s, %s, %s, 'assistant', %s, 1, 'm', %s)"""


def insert_turn(connection: Raw, space: str) -> tuple[str, str]:
    """Insert a conversation with a turn of the user who is signed in; return their ids."""
    conversation, turn = str(uuid4()), str(uuid4())
    connection.execute(
        "INSERT INTO todo.conversations (space_id, id, title) VALUES (%s, %s, 'bobtalk')",
        [space, conversation],
    )
    connection.execute(
        "INSERT INTO todo.turns (space_id, id, conversation_id, runner, lease_until, asked)"
        " VALUES (%s, %s, %s, gen_random_uuid(), now(), 1)",
        [space, turn, conversation],
    )
    return conversation, turn


REACHING = (
    "SELECT * FROM todo.search_tasks('bobtitle bobcomment', 10, 'all', true)",
    "SELECT * FROM todo.search_messages('bobword', 10, NULL, '{{user,assistant,tool}}', '-infinity', 'infinity', false)",
    "SELECT * FROM todo.delete_comment(1, '{comment}')",
    "SELECT * FROM todo.delete_view('bobview')",
    "SELECT * FROM todo.set_default_view('bobview')",
    "SELECT * FROM todo.set_default_view(NULL)",
    "SELECT * FROM todo.token_budget()",
    "SELECT * FROM todo.usage",
    "SELECT 1 WHERE todo.remove_links('{{2}}', '{{1}}') IS NULL",
    "SELECT 1 WHERE todo.delete_turn_events('{turn}') IS NULL",
)


MADE = """SELECT (SELECT count(*) FROM todo.links WHERE space_id = %s), (SELECT count(*) FROM todo.comments WHERE space_id = %s),
  (SELECT count(*) FROM todo.views WHERE space_id = %s AND is_default), (SELECT sum(prompt) FROM todo.usage WHERE user_id = %s)"""


def test_functions_reach_no_rows_of_another_user(db: Database) -> None:
    neighbours = Neighbours(db, db.person(), db.person(f"bob{uuid4().hex[:8]}"), ())
    bob = neighbours.bob.user_id
    with closing(Line(neighbours.bob.database_url, neighbours.bob)) as line:
        for title in ("bobtitle", "bobother"):
            line(AddTask(title=title))
    with closing(signed(neighbours.bob)) as his:
        conversation, turn = insert_turn(his, bob)
        his.execute(MESSAGE, [bob, conversation, 1, turn, 1, "bobword", '{"prompt": 7}'])
        his.execute("INSERT INTO todo.links VALUES (%s, 2, 1)", [bob])
        comment = str(uuid4())
        his.execute(
            "INSERT INTO todo.comments (space_id, number, id, text) VALUES (%s, 1, %s, 'bobcomment')", [bob, comment]
        )
        his.execute("INSERT INTO todo.views (space_id, name, filter) VALUES (%s, 'bobview', 'p1')", [bob])
        his.execute("UPDATE todo.preferences SET tokens_per_day = 5")
        his.execute("SELECT todo.set_default_view('bobview')")
        attacks = [one.format(comment=comment, turn=turn) for one in REACHING]
        assert all(his.execute(one).fetchall() for one in (*attacks[:2], *attacks[6:8]))
    was = db.execute(MADE, bob, bob, bob, bob)
    assert was == [(1, 1, 1, 7)]
    for name, settings in list_identities(neighbours).items():
        given = {
            "token": neighbours.alice.token,
            "user": neighbours.alice.user_id,
            "space": neighbours.alice.user_id,
        } | settings
        with closing(raw(neighbours.alice.database_url, **given)) as connection:
            for attack in attacks:
                if not attack.startswith("SELECT 1"):
                    assert connection.execute(attack).fetchall() == [], (name, attack)
                else:
                    connection.execute(attack)
    assert db.execute(MADE, bob, bob, bob, bob) == was


def test_comments_views_and_turns_of_another_member_are_not_changed(db: Database) -> None:
    owner, editor = db.person(), db.person()
    space, comment = owner.user_id, str(uuid4())
    share(db, space, editor, "editor")
    with closing(Line(owner.database_url, owner)) as line:
        line(AddTask(title="shared"))
    with closing(signed(owner)) as connection:
        _, turn = insert_turn(connection, space)
        connection.execute(
            "INSERT INTO todo.comments (space_id, number, id, text) VALUES (%s, 1, %s, 'hers')", [space, comment]
        )
        connection.execute("INSERT INTO todo.views (space_id, name, filter) VALUES (%s, 'v', 'p1')", [space])
    rows = json.dumps(
        [{"turn": turn, "role": "user", "status": "whole", "content": "x", "tokens": 1, "at": "2020-01-01T00:00:00Z"}]
    )
    with closing(signed(editor, space=space)) as connection:
        assert connection.execute("UPDATE todo.comments SET text = 'his'").rowcount == 0
        assert connection.execute("SELECT * FROM todo.delete_comment(1, %s)", [comment]).fetchall() == []
        assert connection.execute("SELECT * FROM todo.delete_view('v')").fetchall() == []
        assert connection.execute("UPDATE todo.conversations SET title = 'his'").rowcount == 0
        take_in = "SELECT stored FROM todo.import_messages(%s, 't', NULL, now(), 0, %s)"
        assert connection.execute(take_in, [str(uuid4()), rows]).fetchall() == [(1,)]
        for forged in (
            "INSERT INTO todo.comments (space_id, number, id, text, user_id) VALUES (%s, 1, gen_random_uuid(), 'x', %s)",
            "INSERT INTO todo.views (space_id, name, filter, user_id) VALUES (%s, 'w', 'p1', %s)",
        ):
            with pytest.raises(REFUSED):
                connection.execute(forged, [space, space])
    # the turn's id stands in the journal, for all of the space to read
    assert db.execute("SELECT last, ended_at FROM todo.turns WHERE id = %s AND user_id = %s", turn, space) == [
        (None, None)
    ]
    assert db.execute("SELECT text FROM todo.comments WHERE id = %s", comment) == [("hers",)]


def test_rows_under_the_conversation_of_another_member_are_refused(db: Database) -> None:
    """Keys contain the user, so a row under another's conversation has nothing to refer to."""
    owner, editor = db.person(), db.person()
    space = owner.user_id
    share(db, space, editor, "editor")
    with closing(signed(owner)) as connection:
        conversation, turn = insert_turn(connection, space)
        connection.execute(MESSAGE, [space, conversation, 1, turn, 1, "hers", None])
    rows = json.dumps(
        [{"turn": turn, "role": "user", "status": "whole", "content": "x", "tokens": 1, "at": "2020-01-01T00:00:00Z"}]
    )
    forged_turn = "INSERT INTO todo.turns (space_id, id, conversation_id, runner, lease_until, asked)"
    forged_event = "INSERT INTO todo.events (space_id, turn_id, n, attempt, after, batch)"
    with closing(signed(editor, space=space)) as connection:
        for statement, values in (
            (MESSAGE, [space, conversation, 2, turn, 1, "his", None]),
            (f"{forged_turn} VALUES (%s, gen_random_uuid(), %s, gen_random_uuid(), now(), 1)", [space, conversation]),
            (f"{forged_event} VALUES (%s, %s, 0, 1, 1, '[]')", [space, turn]),
        ):
            with pytest.raises(errors.ForeignKeyViolation):
                connection.execute(statement, values)
        # the same ids are free for a conversation of the editor's own
        imported = connection.execute(
            "SELECT stored FROM todo.import_messages(%s, 't', NULL, now(), 0, %s)", [conversation, rows]
        )
        assert imported.fetchall() == [(1,)]
    contents = "SELECT user_id::text, content FROM todo.messages WHERE conversation_id = %s ORDER BY content"
    assert db.execute(contents, conversation) == [(owner.user_id, "hers"), (editor.user_id, "x")]
    assert db.execute("SELECT count(*) FROM todo.turns WHERE id = %s", turn) == [(2,)]


@pytest.mark.parametrize(("scope", "count"), [("read", 0), ("tasks:write", 0), ("chat", 1)])
def test_conversations_are_visible_to_the_scope_chat_alone(db: Database, scope: str, count: int) -> None:
    carol = db.person()
    with closing(signed(carol)) as connection:
        conversation, turn = insert_turn(connection, carol.user_id)
        connection.execute(MESSAGE, [carol.user_id, conversation, 1, turn, 1, "text", None])
        connection.execute(
            "INSERT INTO todo.events (space_id, turn_id, n, attempt, after, batch) VALUES (%s, %s, 0, 1, 1, '[]')",
            [carol.user_id, turn],
        )
    token = token_for(db, carol, scope)
    search = "todo.search_messages('text', 10, NULL, '{assistant}', '-infinity', 'infinity', false)"
    with closing(raw(db.server_url, token=token, user=carol.user_id, space=carol.user_id)) as connection:
        for source in ("todo.conversations", "todo.turns", "todo.messages", "todo.events", search):
            assert connection.execute(f"SELECT count(*) FROM {source}").fetchone() == (count,), source


CHAT_READS: tuple[Request[Any], ...] = (
    ListConversations(),
    ShowConversation(number=1),
    SearchConversations(words="x"),
    ListPrompts(),
    ReadUsage(),
)


@pytest.mark.parametrize("request_", CHAT_READS, ids=lambda request: request.verb)
def test_chat_read_with_the_scope_read_alone_raises_not_allowed(db: Database, request_: Request[Any]) -> None:
    carol = db.person()
    with closing(Line(db.server_url, carol)) as line, pytest.raises(NotAllowed, match="scope chat"):
        line(request_, token=token_for(db, carol, "read"))


def test_recorded_usage_is_not_lowered(db: Database) -> None:
    carol = db.person()
    used = "SELECT prompt, completion, cost FROM todo.usage WHERE user_id = %s"
    with closing(signed(carol)) as connection:
        conversation, turn = insert_turn(connection, carol.user_id)
        for seq, (attempt, usage) in enumerate(
            [
                (1, '{"prompt": 1000, "completion": 10}'),
                (1, '{"prompt": -5000, "completion": -10, "cost": "-3"}'),
                (0, '{"prompt": 5}'),
                (-1, '{"prompt": 5}'),
                (1, '{"cached": 9223372036854775807, "cost": "NaN"}'),
                (1, '{"cached": 9223372036854775807}'),
            ],
            1,
        ):
            connection.execute(MESSAGE, [carol.user_id, conversation, seq, turn, attempt, "x", usage])
        for statement in (
            "UPDATE todo.usage SET prompt = 0",
            "DELETE FROM todo.usage",
            "TRUNCATE todo.usage",
            "UPDATE todo.messages SET usage = NULL",
        ):
            with pytest.raises(REFUSED):
                connection.execute(statement)
        with pytest.raises(psycopg.Error, match="administrator"):
            connection.execute("SELECT * FROM todo.set_token_budget(%s, NULL)", [carol.name])
    assert [row[:2] for row in db.execute(used, carol.user_id)] == [(1010, 10)]
    assert 0 <= db.execute(used, carol.user_id)[0][2] <= 10**12


@pytest.mark.long
def test_message_of_a_hundred_thousand_different_words_is_stored(db: Database) -> None:
    carol = db.person()
    letters = Random(1)
    with closing(signed(carol)) as connection:
        conversation, turn = insert_turn(connection, carol.user_id)
        for seq, (low, high) in enumerate([(0x4E00, 0x9FA0), (0x20000, 0x2A6D0)], 1):
            text = "".join(chr(letters.randrange(low, high)) for _ in range(100_000))
            connection.execute(MESSAGE, [carol.user_id, conversation, seq, turn, 1, text, None])
            stored = connection.execute("SELECT content FROM todo.messages WHERE seq = %s", [seq]).fetchone()
            assert stored == (text,)
