"""A turn whose server died is continued by another server on its own, as the token that asked."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import BARE, COMMAND, Database, Person, Server, wait_for
from tests.jobs.conftest import WORKER_PASSWORD
from tests.support.chat_fixtures import end_unfinished_turns
from tests.support.chat_process import ChatProcess, model_environment, read_frames, slow_answer
from tests.support.connections import Line
from tests.support.fake_model import FakeModel
from tests.support.model_answers import call_answer, text_answer
from tests.support.raw_http import ask
from todo_cli.contract.base import Secret
from todo_cli.contract.conversations import StopTurn
from todo_cli.contract.ids import new_id, new_token
from todo_cli.contract.tokens import ListTokens
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.core.turns.unfinished_turns import DeadTurn, act_for, find_unfinished_turns
from todo_cli.db.owner import open_owner_session
from todo_cli.db.pipeline import Connection, connect
from todo_cli.errors import TodoError
from todo_cli.server.turn_adoption import MAX_ATTEMPTS

LAPSE = "UPDATE todo.turns SET lease_until = now() - interval '1 s' WHERE user_id = %s"
STATES = "SELECT state, attempt FROM todo.turns WHERE user_id = %s"


def make_body(text: str) -> dict[str, Any]:
    return {"turn": new_id(), "conversation": new_id(), "text": text}


@pytest.fixture
def talker(make_talker: Callable[..., ChatProcess], model: FakeModel) -> ChatProcess:
    model.scripts.clear()
    return make_talker("api")


@pytest.fixture
def two(db: Database, model: FakeModel, make_server: Callable[..., Server]) -> tuple[Server, Server]:
    return make_server(db, env=model_environment(model)), make_server(db, env=model_environment(model))


def test_turn_whose_server_died_is_continued_though_nobody_follows_it(
    two: tuple[Server, Server], talker: ChatProcess, db: Database
) -> None:
    first, second = two
    who = talker.who
    talker.script(call_answer(("add_task", {"title": "milk"})), slow_answer(*["word "] * 100))
    frames = read_frames(first.url, "POST", "/v1/turns", make_body("add milk"), token=who.token)
    next(frame for frame in frames if "word" in str(frame.data))
    first.stop(signal.SIGKILL)
    frames.close()
    talker.script(text_answer("Added milk."))
    db.execute(LAPSE, who.user_id)
    assert ask(second.url, "GET", "/v1/me", token=who.token).status == 200  # the server is in use
    wait_for(lambda: db.execute(STATES, who.user_id) == [("done", 2)])
    assert talker.tasks() == [(1, "milk", "open")]
    assert talker.said()[-1] == ("assistant", "Added milk.")
    journal = "SELECT verb, token_id, way FROM todo.changes WHERE user_id = %s"
    own_token = db.execute("SELECT id FROM todo.tokens WHERE user_id = %s AND kind = 'token'", who.user_id)[0][0]
    assert db.execute(journal, who.user_id) == [("AddTask", own_token, "chat")]


def test_turn_whose_servers_all_died_is_continued_by_a_worker_with_a_model(
    model: FakeModel, fresh_db: Database, tmp_path: Path
) -> None:
    """No server works over this database."""
    with open_owner_session(fresh_db.owner_url) as work:
        work.set_password("todo_worker", Secret(WORKER_PASSWORD))
    who = fresh_db.person()
    with closing(Line(fresh_db.server_url, who)) as line:
        line(BeginTurn(conversation=new_id(), turn=new_id(), runner=new_id(), text="hello"), key=new_id())
    fresh_db.execute(LAPSE, who.user_id)
    model.scripts.clear()
    model.add({"steps": text_answer("Continued by the worker."), "keep": True})
    env = BARE | model_environment(model) | {"HOME": str(tmp_path), "TODO_WORKER_DESKTOP": "false"}
    env["TODO_WORKER_DATABASE_URL"] = fresh_db.address("todo_worker", WORKER_PASSWORD)
    env["TODO_SERVER_DATABASE_URL"] = fresh_db.server_url
    worker = subprocess.Popen([*COMMAND, "worker"], env=env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: fresh_db.execute(STATES, who.user_id) == [("done", 2)], "the turn", timeout=30)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    finally:
        worker.kill()
    said = "SELECT content FROM todo.messages WHERE user_id = %s AND role = 'assistant'"
    assert fresh_db.execute(said, who.user_id) == [("Continued by the worker.",)]


def test_turn_that_killed_every_server_is_ended(
    chat_server: Server, dead: DeadTurn, person: Person, db: Database
) -> None:
    db.execute("UPDATE todo.turns SET attempt = %s WHERE user_id = %s", MAX_ATTEMPTS, person.user_id)
    assert ask(chat_server.url, "GET", "/v1/me", token=person.token).status == 200
    wait_for(lambda: db.execute(STATES, person.user_id) == [("stopped", MAX_ATTEMPTS)])


@pytest.fixture
def dead(db: Database, person: Person, line: Callable[..., Line]) -> Iterator[DeadTurn]:
    """A turn that was begun through a server, with a zone, and whose process is gone."""
    begin = BeginTurn(conversation=new_id(), turn=new_id(), runner=new_id(), text="hello", model="test-model")
    line(person, served=True)(begin, key=new_id(), zone="Asia/Tokyo")
    db.execute(LAPSE, person.user_id)
    me = person.user_id
    yield DeadTurn(me, me, begin.conversation, begin.turn, 1, model="test-model", zone="Asia/Tokyo")
    end_unfinished_turns(db)


@pytest.fixture
def service(db: Database) -> Iterator[Callable[..., Any]]:
    """Call a function with a connection of the servers' login."""
    with asyncio.Runner() as runner:
        connection: Connection = runner.run(connect(db.server_url))
        yield lambda function, *values: runner.run(function(connection, *values))
        runner.run(connection.close())


def find(service: Callable[..., Any], who: Person) -> list[DeadTurn]:
    return [turn for turn in service(find_unfinished_turns, 1000).dead if turn.user == who.user_id]


def test_dead_turn_is_found_with_its_model_and_zone(
    service: Callable[..., Any], dead: DeadTurn, person: Person
) -> None:
    assert find(service, person) == [dead]


def test_acting_token_does_what_the_asking_token_may_and_is_not_listed(
    service: Callable[..., Any], dead: DeadTurn, person: Person, db: Database
) -> None:
    token = new_token(person.user_id)
    assert service(act_for, dead, token)
    with closing(Line(db.server_url, person)) as line:
        assert line(StopTurn(turn=dead.turn), key=new_id(), token=token.reveal()).state == "stopped"
        assert [listed.name for listed in line(ListTokens(all=True)).tokens] == ["first"]
    assert not service(act_for, dead, new_token(person.user_id))  # the turn has ended


def test_second_server_may_not_act_for_the_same_attempt(
    service: Callable[..., Any], dead: DeadTurn, person: Person, db: Database
) -> None:
    tokens = [new_token(person.user_id) for _ in range(3)]
    assert [service(act_for, dead, token) for token in tokens[:2]] == [True, False]
    db.execute("UPDATE todo.tokens SET created_at = now() - interval '11 s' WHERE kind = 'acting'")
    assert service(act_for, dead, tokens[2])  # the first one died as well
    with closing(Line(db.server_url, person)) as line, pytest.raises(TodoError) as refusal:
        line(ListTokens(), token=tokens[0].reveal())
    assert refusal.value.code == "not-signed-in"


REASONS = {
    "the turn runs": "UPDATE todo.turns SET lease_until = now() + interval '1 min' WHERE user_id = %s",
    "it has ended": "UPDATE todo.turns SET state = 'done' WHERE user_id = %s",
    "it waits for an approval": "UPDATE todo.turns SET state = 'awaiting' WHERE user_id = %s",
    "it was begun without a server": "UPDATE todo.turns SET way = 'direct' WHERE user_id = %s",
    "the token is revoked": "UPDATE todo.tokens SET revoked_at = now() WHERE user_id = %s",
    "the token has expired": "UPDATE todo.tokens SET expires_at = now() WHERE user_id = %s",
    "the token has lost its scope": "UPDATE todo.tokens SET scopes = '{read}' WHERE user_id = %s",
    "the user is disabled": "UPDATE todo.users SET disabled_at = now() WHERE id = %s",
    "the user has left the space": "DELETE FROM todo.members WHERE user_id = %s",
    "the user only views the space": "UPDATE todo.members SET role = 'viewer' WHERE user_id = %s",
}


@pytest.mark.parametrize("reason", REASONS)
def test_nobody_acts_for_a_turn_if(
    reason: str, service: Callable[..., Any], dead: DeadTurn, person: Person, db: Database
) -> None:
    db.execute(REASONS[reason], person.user_id)
    assert find(service, person) == []
    assert not service(act_for, dead, new_token(person.user_id))


def test_act_for_of_another_attempt_is_refused(service: Callable[..., Any], dead: DeadTurn, person: Person) -> None:
    other = DeadTurn(dead.space, dead.user, dead.conversation, dead.turn, attempt=2)
    assert not service(act_for, other, new_token(person.user_id))


@pytest.mark.parametrize("end", ["revoked_at = now()", "expires_at = now()"])
def test_acting_token_ends_with_the_token_that_asked(
    end: str, service: Callable[..., Any], dead: DeadTurn, person: Person, db: Database
) -> None:
    token = new_token(person.user_id)
    assert service(act_for, dead, token)
    db.execute(f"UPDATE todo.tokens SET {end} WHERE user_id = %s AND kind = 'token'", person.user_id)
    with closing(Line(db.server_url, person)) as line, pytest.raises(TodoError) as refusal:
        line(ListTokens(), token=token.reveal())
    assert refusal.value.code == "not-signed-in"


def test_person_with_psql_may_neither_find_nor_act(person: Person, dead: DeadTurn) -> None:
    hash = sha256(b"mine").digest()
    with psycopg.connect(person.database_url, autocommit=True) as connection:
        for statement, values in (
            ("SELECT todo.find_unfinished_turns(1)", []),
            ("SELECT todo.act_for(%s, %s, %s, 1, %s)", [dead.space, dead.user, dead.turn, hash]),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement, values)


def test_search_for_dead_turns_reads_the_unfinished_ones_alone(
    service: Callable[..., Any], dead: DeadTurn, person: Person, db: Database
) -> None:
    """Though the planner, without statistics, expects half of all turns to be unfinished."""
    many = """INSERT INTO todo.turns (space_id, id, user_id, conversation_id, state, runner, lease_until, asked, way)
      SELECT space_id, md5(n::text)::uuid, user_id, conversation_id, 'done', id, now(), 1, 'http'
        FROM todo.turns, generate_series(1, 5000) n WHERE user_id = %s"""
    db.execute(many, person.user_id)
    reads = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relid = 'todo.turns'::regclass"
    flush = "SELECT pg_stat_force_next_flush()"

    async def search(connection: Connection) -> None:
        await find_unfinished_turns(connection, 10)
        await connection.execute(flush)

    db.execute(flush)
    before = db.execute(reads)[0][0]
    service(search)
    assert db.execute(reads)[0][0] - before < 500
