"""Leases end, whoever writes them: also a member with psql cannot keep a turn or a task for ever."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest

from tests.conftest import Database, Person
from tests.support.connections import signed
from todo_cli.contract.ids import new_id
from todo_cli.contract.limits import MAX_LEASE_SECONDS, MAX_TURN_LEASE_SECONDS

INSERT_CONVERSATION = """
INSERT INTO todo.conversations (space_id, user_id, id, number, title) VALUES (%s, %s, %s, 1, 'x')"""
INSERT_TURN = """
INSERT INTO todo.turns (space_id, id, conversation_id, runner, lease_until, asked)
VALUES (%s, %s, %s, %s, '9999-01-01', 1)"""
UPDATE_TURN = "UPDATE todo.turns SET lease_until = 'infinity' WHERE id = %s"
LEASE_OF_TURN = "SELECT lease_until - clock_timestamp() FROM todo.turns WHERE id = %s"

INSERT_TASK = """
INSERT INTO todo.tasks (space_id, number, id, title, claimed_by, claimed_until, created_at, updated_at, rev)
VALUES (%s, 1, %s, 'x', 'psql', '9999-01-01', now(), now(), 1)"""
UPDATE_TASK = "UPDATE todo.tasks SET claimed_until = 'infinity' WHERE id = %s"
LEASE_OF_TASK = "SELECT claimed_until - clock_timestamp() FROM todo.tasks WHERE id = %s"


@pytest.mark.parametrize("kind", ["turn", "task"])
def test_lease_written_with_psql_is_bounded(db: Database, person: Person, kind: str) -> None:
    space, conversation, row = person.user_id, new_id(), new_id()
    with closing(signed(person)) as connection:
        if kind == "turn":
            db.execute(INSERT_CONVERSATION, space, space, conversation)
            connection.execute(INSERT_TURN, [space, row, conversation, new_id()])
        else:
            connection.execute(INSERT_TASK, [space, row])
        lease, update = (LEASE_OF_TURN, UPDATE_TURN) if kind == "turn" else (LEASE_OF_TASK, UPDATE_TASK)
        longest = timedelta(seconds=MAX_TURN_LEASE_SECONDS if kind == "turn" else MAX_LEASE_SECONDS)
        assert longest - timedelta(minutes=1) < db.execute(lease, row)[0][0] <= longest
        connection.execute(update, [row])
        assert longest - timedelta(minutes=1) < db.execute(lease, row)[0][0] <= longest
