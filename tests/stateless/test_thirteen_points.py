"""The thirteen points of a stateless server, each shown with two processes over one database.

No module, no class and no object keeps state: tests/architecture/test_state.py reads the source for that.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, NamedTuple

import pytest

from tests.conftest import Database, Person, Server, start_server, wait_for
from tests.server.test_serverless import Function
from tests.support.accounts import create_account
from tests.support.attachments import attach, read_back
from tests.support.chat_process import model_environment, read_frames
from tests.support.connections import Line
from tests.support.fake_model import FakeModel
from tests.support.model_answers import text_answer
from tests.support.raw_http import ask
from tests.support.thread_clients import over
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTask, EditTasks, ListTasks
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.errors import TooMany

POOL_SIZE = 3


class Two(NamedTuple):
    """Two servers over one database."""

    first: Server
    second: Server


@pytest.fixture(scope="module")
def two(db: Database, model: FakeModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    environment = model_environment(model) | {"TODO_POOL_SIZE": str(POOL_SIZE)}
    servers = Two(*(start_server(tmp_path_factory.mktemp("two"), db, env=environment) for _ in range(2)))
    yield servers
    for server in servers:
        server.stop(signal.SIGKILL)


@pytest.fixture
def send(two: Two, person: Person) -> Callable[..., Any]:
    """Send a Request to one of the servers: send(two.first, request)."""

    def send_to(server: Server, request: Any, who: Person = person) -> Any:
        with closing(over(server.url, who)) as client:
            return client.send_now(request, new_id() if request.write else None)

    return send_to


def list_titles(send: Callable[..., Any], server: Server, **who: Person) -> list[str]:
    return [task.title for task in send(server, ListTasks(sort="created"), **who).tasks]


def talk(server: Server, person: Person, conversation: str, text: str) -> None:
    """Run a turn to its end."""
    body = {"turn": new_id(), "conversation": conversation, "text": text}
    frames = list(read_frames(server.url, "POST", "/v1/turns", body, token=person.token))
    assert frames[-1].data["state"] == "done"


def test_no_mutable_module_variables_a_change_is_on_every_server_at_once(two: Two, send: Callable[..., Any]) -> None:
    for server, other in ((two.first, two.second), (two.second, two.first)):
        added = send(server, AddTask(title="milk"))
        send(other, EditTasks(numbers=(added.number,), title="bread"))
        assert list_titles(send, server)[-1] == "bread"


def test_no_instance_state_users_who_take_turns_see_their_own(two: Two, send: Callable[..., Any], db: Database) -> None:
    people = [db.person(), db.person()]
    for person in people:
        send(two.first, AddTask(title=f"of {person.name}"), person)
    for server in two:
        for person in people:
            assert [task.title for task in send(server, ListTasks(), person).tasks] == [f"of {person.name}"]


def test_sessions_in_the_database_one_that_is_revoked_ends_everywhere(two: Two, person: Person) -> None:
    token = create_account(two.first.url, person).open_session()
    assert [ask(server.url, "GET", "/v1/me", token=token).status for server in two] == [200, 200]
    assert ask(two.first.url, "DELETE", "/v1/sessions", token=person.token).status == 200
    assert [ask(server.url, "GET", "/v1/me", token=token).status for server in two] == [401, 401]


def test_history_from_the_database_a_conversation_goes_on_at_another_server(
    two: Two, person: Person, model: FakeModel
) -> None:
    conversation = new_id()
    model.scripts.clear()
    model.add(text_answer("Hello Ada."), text_answer("You are Ada."))
    talk(two.first, person, conversation, "I am Ada")
    talk(two.second, person, conversation, "who am I?")
    said = [message["content"] for message in model.asked[-1].body["messages"] if message["role"] != "system"]
    assert said[:2] == ["I am Ada", "Hello Ada."]
    assert said[2].startswith("who am I?")


def test_context_as_arguments_a_time_zone_is_that_of_its_request_alone(two: Two, person: Person) -> None:
    zones = ["Asia/Tokyo", "America/New_York", "Asia/Tokyo"]
    answers = [ask(two.first.url, "GET", "/v1/tasks", token=person.token, Time_Zone=zone) for zone in zones]
    assert [answer.headers["time-zone"] for answer in answers] == zones


def test_external_cache_a_list_is_never_older_than_a_change_elsewhere(two: Two, send: Callable[..., Any]) -> None:
    for number in range(1, 6):
        send(two.first, AddTask(title=f"task {number}"))
        assert len(list_titles(send, two.second)) == number
        assert len(list_titles(send, two.first)) == number


def test_pooled_connections_stay_within_their_number(two: Two, person: Person, db: Database) -> None:
    with ThreadPoolExecutor(20) as pool:
        urls = [server.url for server in two] * 20
        statuses = list(pool.map(lambda url: ask(url, "GET", "/v1/tasks", token=person.token).status, urls))
    assert {*statuses} == {200}
    query = """SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND usename = 'todo_server' AND application_name = 'todo serve'"""
    others = POOL_SIZE * 5  # other servers of this run may use the database
    assert db.execute(query)[0][0] <= 2 * POOL_SIZE + others


def test_uploads_outside_of_the_server_a_file_is_read_at_another_one(two: Two, send: Callable[..., Any]) -> None:
    task = send(two.first, AddTask(title="with a file"))
    attached = attach(lambda request: send(two.first, request), task.number, b"contents" * 1000)
    identifier = attached.attachments[0].id
    assert read_back(lambda request: send(two.second, request), task.number, identifier) == b"contents" * 1000


def test_external_queue_a_turn_of_a_dead_process_is_found_and_ended(
    two: Two, person: Person, db: Database, model: FakeModel
) -> None:
    model.scripts.clear()
    model.add(text_answer("Here I am."))
    with closing(Line(db.server_url, person)) as line:
        line(
            BeginTurn(conversation=new_id(), turn=new_id(), runner=new_id(), text="hello", model="test-model"), key="k"
        )
    db.execute("UPDATE todo.turns SET lease_until = now() WHERE user_id = %s", person.user_id)
    assert ask(two.second.url, "GET", "/v1/me", token=person.token).status == 200
    wait_for(lambda: db.execute("SELECT state FROM todo.turns WHERE user_id = %s", person.user_id) == [("done",)])


def test_external_limiter_the_limit_holds_over_all_servers(
    two: Two, send: Callable[..., Any], person: Person, db: Database
) -> None:
    db.execute("UPDATE todo.users SET per_minute = 6 WHERE id = %s", person.user_id)
    for server in (two.first, two.second) * 3:
        send(server, ListTasks())
    for server in two:
        with pytest.raises(TooMany):
            send(server, ListTasks())


def test_works_with_many_instances_ten_adds_at_once_through_both_are_all_stored(
    two: Two, send: Callable[..., Any]
) -> None:
    with ThreadPoolExecutor(10) as pool:
        added = list(pool.map(lambda place: send(two[place % 2], AddTask(title=f"task {place}")), range(10)))
    assert sorted(task.number for task in added) == list(range(1, 11))
    assert list_titles(send, two.first) == list_titles(send, two.second)


def test_survives_restarts_and_serverless_a_new_process_for_one_request_knows_everything(
    two: Two, send: Callable[..., Any], person: Person, db: Database
) -> None:
    """The process starts for the request and ends with it: nothing can have been kept."""
    send(two.first, AddTask(title="kept"))
    answer = Function("lambda", db.server_url, person.token)("GET", "/v1/tasks")
    assert (answer.status, [task["title"] for task in answer.body["tasks"]]) == (200, ["kept"])


# -- further cases of the brief -----------------------------------------------------------------------


def test_preferences_have_defaults_without_a_row_and_follow_to_every_server(
    two: Two, person: Person, db: Database
) -> None:
    db.execute("DELETE FROM todo.preferences WHERE user_id = %s", person.user_id)
    before = ask(two.first.url, "GET", "/v1/preferences", token=person.token)
    assert (before.status, before.json["timezone"]) == (200, None)
    changed = ask(two.first.url, "PATCH", "/v1/preferences", {"timezone": "Asia/Tokyo"}, token=person.token)
    assert changed.status == 200
    assert ask(two.second.url, "GET", "/v1/preferences", token=person.token).json["timezone"] == "Asia/Tokyo"


def test_uploads_of_one_name_at_the_same_time_are_two_files(two: Two, send: Callable[..., Any]) -> None:
    task = send(two.first, AddTask(title="with files"))
    contents = {0: b"first" * 100, 1: b"second" * 100}
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda place: attach(lambda request: send(two[place], request), task.number, contents[place]), (0, 1)
            )
        )
    stored = attach(lambda request: send(two.first, request), task.number, b"third").attachments
    read = {read_back(lambda request: send(two.second, request), task.number, file.id) for file in stored}
    assert read == {*contents.values(), b"third"}


def test_message_is_stored_once_though_it_is_sent_to_both_servers(two: Two, person: Person, model: FakeModel) -> None:
    """The brief stores the message and then loads it with the history: the model saw it twice."""
    model.scripts.clear()
    model.otherwise = text_answer("Yes.")
    body = {"turn": new_id(), "conversation": new_id(), "text": "only once"}
    with ThreadPoolExecutor(2) as pool:
        streams = [
            pool.submit(lambda url=server.url: list(read_frames(url, "POST", "/v1/turns", body, token=person.token)))
            for server in two
        ]
        assert {stream.result()[-1].data["state"] for stream in streams} == {"done"}
    said = [message for message in model.asked[-1].body["messages"] if "only once" in str(message["content"])]
    assert len(said) == 1
