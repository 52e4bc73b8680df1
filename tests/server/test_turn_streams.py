"""Turn streams over the API: disconnection, resumption from any server, killed processes, stops and refusals."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import COMMAND, Database, Server
from tests.support.chat_process import (
    Balancer,
    ChatProcess,
    join_words,
    model_environment,
    read_frames,
    read_log,
    slow_answer,
    wait_until,
)
from tests.support.fake_model import FakeModel
from tests.support.model_answers import call_answer, chunk, text_answer
from tests.support.raw_http import ask, log_lines
from tests.support.server_log import read_json_log
from todo_cli.contract.ids import new_id

STORY = [f"word{n} " for n in range(12)]


@pytest.fixture
def talker(make_talker: Callable[..., ChatProcess], model: FakeModel) -> ChatProcess:
    """A user of the chat over HTTP."""
    model.scripts.clear()
    model.asked.clear()
    return make_talker("api")


@pytest.fixture
def two(db: Database, model: FakeModel, make_server: Callable[..., Server]) -> tuple[Server, Server]:
    """Two servers over one database."""
    env = model_environment(model)
    return make_server(db, env=env), make_server(db, env=env)


def make_turn(text: str = "a story", **more: Any) -> dict[str, Any]:
    """Return the body of a request for a new turn in a new conversation."""
    return {"turn": new_id(), "conversation": new_id(), "text": text} | more


def post(server: Server, talker: ChatProcess, body: dict[str, Any], **given: Any) -> Any:
    """Return the frames of `POST /v1/turns`."""
    return read_frames(server.url, "POST", "/v1/turns", body, token=talker.who.token, **given)


def get(server: Server, talker: ChatProcess, turn: str, after: int = -1, **given: Any) -> Any:
    """Return the frames of a stream that follows the turn."""
    return read_frames(server.url, "GET", f"/v1/turns/{turn}/events?after={after}", token=talker.who.token, **given)


def read_until(stream: Any, text: str) -> list[Any]:
    """Read frames until they contain the text, then close the connection."""
    found = []
    for frame in stream:
        found.append(frame)
        if text in join_words(found):
            stream.close()
            return found
    raise AssertionError(f"{text!r} did not arrive: {found}")


def test_turn_stream_sends_events_with_ids_and_the_turn(chat_server: Server, talker: ChatProcess) -> None:
    talker.script(call_answer(("add_task", {"title": "milk"})), text_answer("Added ", "milk."))
    body = make_turn("add milk")
    found = list(post(chat_server, talker, body))
    assert [found[0].event, found[-1].event] == ["begun", "turn"]
    assert (found[0].data["number"], found[0].data["turn"]) == (1, body["turn"])
    ids = [frame.id for frame in found if frame.event == "events"]
    assert ids == sorted({*ids})
    kinds = [event["kind"] for frame in found if frame.event == "events" for event in frame.data]
    assert (kinds[:2], kinds[-1]) == (["call", "result"], "end")
    assert join_words(found) == "Added milk."
    ended = {"turn": body["turn"], "state": "done", "held": [], "error": None}
    assert found[-1].data | ended == found[-1].data
    again = list(post(chat_server, talker, body))
    assert join_words(again) == "Added milk."
    assert talker.tasks() == [(1, "milk", "open")]
    (line,) = [entry for entry in log_lines(chat_server.log) if entry["path"] == "/v1/turns"][-1:]
    assert line["status"] == 200


def test_client_that_disconnects_does_not_stop_the_turn(two: tuple[Server, Server], talker: ChatProcess) -> None:
    talker.script(slow_answer(*STORY))
    one, other = two
    body = make_turn()
    seen = read_until(post(one, talker, body), "word2")
    last = max(frame.id for frame in seen if frame.event == "events")
    rest = list(get(other, talker, body["turn"], last))
    assert join_words(seen) + join_words(rest) == "".join(STORY)
    assert rest[-1].data["state"] == "done"
    whole = list(get(one, talker, body["turn"]))
    assert join_words(whole) == "".join(STORY)
    resumed = list(get(one, talker, body["turn"], last))
    assert join_words(resumed) == join_words(rest)


def test_last_event_id_header_resumes_the_stream(chat_server: Server, talker: ChatProcess) -> None:
    talker.script(slow_answer(*STORY[:4]))
    body = make_turn()
    found = [frame for frame in post(chat_server, talker, body) if frame.event == "events"]
    target = f"/v1/turns/{body['turn']}/events"
    rest = list(
        read_frames(chat_server.url, "GET", target, token=talker.who.token, headers={"Last-Event-ID": str(found[0].id)})
    )
    assert join_words(rest) == join_words(found[1:])


def test_killed_client_does_not_stop_the_turn(talker: ChatProcess) -> None:
    talker.script(slow_answer(*STORY))
    child = subprocess.Popen(
        [*COMMAND, "ask", "a story"], env=talker.todo.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    wait_until(talker.turns)
    child.kill()
    child.wait()
    wait_until(lambda: talker.turns()[0][1] == "done")
    assert talker.said() == [("user", "a story"), ("assistant", "".join(STORY).strip())]


def test_killed_server_during_an_answer_leaves_the_turn_to_another(
    two: tuple[Server, Server], talker: ChatProcess
) -> None:
    """Words once in the history, the effect exactly once."""
    one, other = two
    talker.script(call_answer(("add_task", {"title": "milk"})), slow_answer(*STORY), text_answer("Added ", "milk."))
    body = make_turn("add milk, and tell a story")
    seen = read_until(post(one, talker, body), "word1")
    one.stop(signal.SIGKILL)
    talker.lapse()
    last = max(frame.id for frame in seen if frame.event == "events")
    rest = list(post(other, talker, body | {"after": last}))
    kinds = [event["kind"] for frame in rest if frame.event == "events" for event in frame.data]
    assert "reset" in kinds
    assert (join_words(rest[-3:]), rest[-1].data["state"]) == ("Added milk.", "done")
    assert talker.tasks() == [(1, "milk", "open")]
    assert [content for role, content in talker.said() if role == "assistant" and content] == ["Added milk."]
    talker.model.assert_valid()


def test_watcher_of_an_expired_lease_takes_over(two: tuple[Server, Server], talker: ChatProcess) -> None:
    one, other = two
    talker.script(slow_answer(*STORY), text_answer("Once more."))
    body = make_turn()
    read_until(post(one, talker, body), "word1")
    watching = post(other, talker, body)
    read_until(get(other, talker, body["turn"]), "word1")
    one.stop(signal.SIGKILL)
    talker.lapse()
    found = list(watching)
    assert found[-1].data["state"] == "done"
    assert "Once more." in join_words(found)
    assert talker.said()[-1] == ("assistant", "Once more.")


def test_attached_client_of_an_expired_lease_takes_over(two: tuple[Server, Server], talker: ChatProcess) -> None:
    one, other = two
    talker.script(call_answer(("add_task", {"title": "milk"})), slow_answer(*STORY), text_answer("Once more."))
    body = make_turn()
    read_until(post(one, talker, body), "word1")
    one.stop(signal.SIGKILL)
    watching = get(other, talker, body["turn"])
    read_until(get(other, talker, body["turn"]), "word1")
    assert talker.turns()[0][1] == "running"  # the lease is respected
    talker.lapse()
    found = list(watching)
    assert found[-1].data["state"] == "done"
    assert join_words(found).endswith("Once more.")
    assert talker.tasks() == [(1, "milk", "open")]


def test_attach_to_a_dead_turn_without_a_model_is_refused(
    two: tuple[Server, Server], server: Server, talker: ChatProcess
) -> None:
    one, other = two
    talker.script(slow_answer(*STORY), text_answer("Once more."))
    body = make_turn()
    read_until(post(one, talker, body), "word1")
    one.stop(signal.SIGKILL)
    talker.lapse()
    problem = list(get(server, talker, body["turn"]))[-1]
    assert (problem.event, problem.data["type"]) == ("problem", "urn:todo:model")
    assert talker.turns()[0][1] == "running"
    assert list(get(other, talker, body["turn"]))[-1].data["state"] == "done"


def test_attach_to_a_finished_turn_rebuilds_it_from_messages(chat_server: Server, talker: ChatProcess) -> None:
    talker("add", "milk")
    act = call_answer(("add_task", {"title": "bread"}), ("fly", {}), text="Let me see. ")
    talker.script(act, text_answer("Added ", "bread."))
    body = make_turn("add bread")
    first = list(post(chat_server, talker, body))
    talker.script(text_answer("Yes."))
    list(post(chat_server, talker, make_turn("and?", conversation=body["conversation"])))
    assert talker.heard() == "Yes."  # the first turn's are forgotten
    late = list(get(chat_server, talker, body["turn"]))

    def list_events(found: list[Any]) -> list[Any]:
        return [event for frame in found if frame.event == "events" for event in frame.data if event["kind"] != "words"]

    assert (list_events(late), join_words(late)) == (list_events(first), join_words(first))
    assert late[-1].data == first[-1].data
    last = max(frame.id for frame in first if frame.event == "events")
    assert list_events(list(get(chat_server, talker, body["turn"], last))) == []
    again = list(get(chat_server, talker, body["turn"], 0))
    assert (list_events(again)[0], join_words(again)) == ({"kind": "reset"}, join_words(first))


def test_server_stop_waits_for_running_turns(
    db: Database, model: FakeModel, make_server: Callable[..., Server], talker: ChatProcess
) -> None:
    """Also without anybody who listens."""
    patient = make_server(db, "--grace", "30", env=model_environment(model))
    talker.script(slow_answer(*["word "] * 20))  # longer than a few seconds of anybody's patience
    body = make_turn()
    read_until(post(patient, talker, body), "word")
    assert patient.stop(signal.SIGTERM, timeout=60) == 0
    assert talker.turns() == [(body["turn"], "done")]
    assert talker.said()[-1] == ("assistant", ("word " * 20).strip())
    assert {entry.get("path") for entry in read_json_log(patient)} >= {"/v1/turns"}


def test_command_with_a_stopped_server_continues_at_another(two: tuple[Server, Server], talker: ChatProcess) -> None:
    """Two servers behind one address; the first is stopped in the middle of the answer, and nobody does anything."""
    one, _ = two
    balancer = Balancer(*two)
    talker.todo.env["TODO_SERVER"] = balancer.url
    talker.script(
        call_answer(("add_task", {"title": "milk"})), slow_answer("Half ", *["word "] * 100), text_answer("Whole.")
    )
    child = talker.start("ask", "add milk", "--json")
    wait_until(lambda: "Half" in talker.heard())
    one.stop(signal.SIGKILL)
    talker.lapse()
    out, err = child.communicate(timeout=60)
    balancer.close()
    assert (child.returncode, json.loads(out)["text"]) == (0, "Whole."), err
    assert talker.tasks() == [(1, "milk", "open")]
    talker.model.assert_valid()


def test_server_stop_releases_the_leases_of_its_turns(
    db: Database, model: FakeModel, make_server: Callable[..., Server], talker: ChatProcess
) -> None:
    one, other = (make_server(db, "--grace", "1", env=model_environment(model)) for _ in range(2))
    talker.script(slow_answer("Half ", *["word "] * 100), text_answer("Whole."))
    body = make_turn()
    read_until(post(one, talker, body), "Half")
    one.stop(signal.SIGTERM)
    assert {entry.get("path") for entry in read_json_log(one)} >= {"/v1/turns"}
    left = talker.db.execute(
        "SELECT state, lease_until < clock_timestamp() FROM todo.turns WHERE id = %s", body["turn"]
    )
    assert left == [("running", True)]
    assert talker.heard().count("word") > 2  # those of its grace, too
    found = list(post(other, talker, body))
    assert (found[-1].data["state"], talker.said()[-1]) == ("done", ("assistant", "Whole."))


def test_command_after_a_lost_connection_continues(
    talker: ChatProcess,
    db: Database,
    model: FakeModel,
    make_server: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same address answers again: a server that was restarted."""
    first = make_server(db, env=model_environment(model))
    monkeypatch.setattr("tests.conftest.free_port", lambda: int(first.url.rpartition(":")[2]))
    talker.todo.env["TODO_SERVER"] = first.url
    talker.script(slow_answer(*STORY), text_answer("After all."))
    child = subprocess.Popen(
        [*COMMAND, "ask", "a story", "--json"],
        env=talker.todo.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: talker.db.execute("SELECT 1 FROM todo.events WHERE space_id = %s", talker.who.user_id))
    first.stop(signal.SIGKILL)
    talker.lapse()
    make_server(db, env=model_environment(model))
    out, err = child.communicate(timeout=40)
    assert (child.returncode, '"text": "After all."' in out) == (0, True), err


@pytest.mark.long
def test_quiet_stream_sends_heartbeats(chat_server: Server, talker: ChatProcess) -> None:
    talker.script([chunk({"content": "Hm."}), {"wait": 12}, chunk({}, "stop"), {"done": True}])
    connection = http.client.HTTPConnection(urlsplit(chat_server.url).netloc, timeout=30)
    connection.request(
        "POST",
        "/v1/turns",
        json.dumps(make_turn()),
        {"Authorization": f"Bearer {talker.who.token}", "Content-Type": "application/json"},
    )
    text = connection.getresponse().read().decode()
    connection.close()
    assert "\n: \n" in text
    assert "event: turn\n" in text


def test_turn_counts_as_one_turn_and_as_no_request(chat_server: Server, talker: ChatProcess) -> None:
    """A user over the limit cannot begin another turn. A running one goes on: its steps are not counted."""
    talker.script(slow_answer(*STORY))
    limits = "UPDATE todo.users SET per_minute = 1, turns_per_minute = 1 WHERE id = %s"
    talker.db.execute(limits, talker.who.user_id)
    body = make_turn()
    found = list(post(chat_server, talker, body))
    assert (join_words(found), found[-1].data["state"]) == ("".join(STORY), "done")
    refused = ask(
        chat_server.url, "POST", "/v1/turns", make_turn(conversation=body["conversation"]), token=talker.who.token
    )
    assert (refused.status, refused.headers["retry-after"] > "0") == (429, True)
    assert refused.headers["ratelimit-policy"] == '"chat";q=1;w=60'
    assert next(get(chat_server, talker, body["turn"])).event == "events", (
        "to follow a turn is a request, counted apart"
    )
    with pytest.raises(AssertionError, match="429"):
        next(get(chat_server, talker, body["turn"]))


def test_head_of_a_stream_returns_headers_only(chat_server: Server, talker: ChatProcess) -> None:
    talker.script(slow_answer(*STORY))
    body = make_turn()
    read_until(post(chat_server, talker, body), "word0")
    answer = ask(chat_server.url, "HEAD", f"/v1/turns/{body['turn']}/events", token=talker.who.token, timeout=2)
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "text/event-stream", b"")


# -- refusals --------------------------------------------------------------------------------------

BAD = {
    "no token": ({}, None, 401),
    "no text": ({"text": ""}, "", 422),
    "too long": ({"text": "x" * 100_001}, "", 422),
    "no id": ({"turn": "x"}, "", 422),
    "an unknown member": ({"colour": "red"}, "", 422),
    "number zero": ({"conversation": 0}, "", 422),
    "a conversation that is not there": ({"conversation": 4711}, "", 404),
    "after nothing": ({"after": -2}, "", 422),
}


@pytest.mark.parametrize("name", BAD)
def test_refusal_of_a_turn_is_a_problem_document(chat_server: Server, talker: ChatProcess, name: str) -> None:
    more, token, status = BAD[name]
    answer = ask(
        chat_server.url, "POST", "/v1/turns", make_turn() | more, token=None if token is None else talker.who.token
    )
    assert answer.status == status, answer
    assert answer.problem["detail"]
    assert talker.turns() == []


def test_turn_of_another_user_is_not_found(
    chat_server: Server, talker: ChatProcess, make_talker: Callable[..., ChatProcess]
) -> None:
    talker.script(text_answer("Secret."))
    body = make_turn()
    list(post(chat_server, talker, body))
    stranger = make_talker("api")
    answer = ask(chat_server.url, "GET", f"/v1/turns/{body['turn']}/events", token=stranger.who.token)
    assert (answer.status, answer.problem["detail"]) == (404, "you have no such turn")
    for target in (
        f"/v1/turns/{body['turn']}/events?after=x",
        "/v1/turns/x/events",
        f"/v1/turns/{body['turn']}/events?colour=1",
    ):
        assert ask(chat_server.url, "GET", target, token=talker.who.token).problem["status"] == 422


def test_turn_in_a_busy_conversation_or_with_a_used_id_is_refused(chat_server: Server, talker: ChatProcess) -> None:
    talker.script(slow_answer(*STORY))
    body = make_turn()
    read_until(post(chat_server, talker, body), "word0")
    busy = ask(
        chat_server.url, "POST", "/v1/turns", make_turn(conversation=body["conversation"]), token=talker.who.token
    )
    assert (busy.status, busy.problem["turn"]) == (409, body["turn"])
    used = ask(chat_server.url, "POST", "/v1/turns", body | {"text": "another"}, token=talker.who.token)
    assert (used.status, "another message" in used.problem["detail"]) == (409, True)
    stopped = ask(chat_server.url, "POST", f"/v1/turns/{body['turn']}/stop", {}, token=talker.who.token)
    assert stopped.status == 200
    wait_until(lambda: talker.turns()[0][1] == "stopped")


def test_server_without_a_model_refuses_turns(server: Server, talker: ChatProcess) -> None:
    answer = ask(server.url, "POST", "/v1/turns", make_turn(), token=talker.who.token)
    assert (answer.status, answer.problem["type"]) == (502, "urn:todo:model")
    assert "on the server" in answer.problem["detail"]
    assert talker.turns() == []


def test_model_key_is_in_no_log_and_no_answer(chat_server: Server, talker: ChatProcess) -> None:
    talker.script([{"answer": {"status": 401, "body": {"error": {"message": "bad key sk-test-not-to-be-shown"}}}}])
    found = list(post(chat_server, talker, make_turn()))
    assert (found[-1].data["state"], found[-1].data["error"]["type"]) == ("failed", "urn:todo:model")
    assert "sk-test" not in str(found)
    assert "sk-test" not in read_log(chat_server)
    assert talker.who.token not in read_log(chat_server)
