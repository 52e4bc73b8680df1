"""One process for each request, without a pool, a lifespan or a warm-up, as a host of functions runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import BARE, Database, Person
from tests.support.chat_process import ChatProcess, model_environment, slow_answer, wait_until
from tests.support.fake_model import FakeModel
from tests.support.model_answers import text_answer
from tests.support.pgbouncer import run_pgbouncer
from todo_cli.contract.ids import new_id

ROOT = Path(__file__).parents[2]
NEEDLESS_PACKAGES = {"httpx2", "openai", "mcp", "sqlalchemy", "alembic", "typer", "rich", "dateutil"}
# 695 and 729 on Python 3.11, with a fiftieth to spare; ASGI servers may have a proxy in front, which uvicorn believes
MAX_MODULES = {"lambda": 709, "asgi": 744}


class Answer(NamedTuple):
    """What a process answered, and what it has imported."""

    status: int
    body: Any
    modules: set[str]


class Function:
    """Starts a process for each request."""

    def __init__(self, entry: str, url: str, token: str, env: dict[str, str] | None = None) -> None:
        self._entry, self._token = entry, token
        self._env = BARE | {"TODO_SERVER_DATABASE_URL": url, "TODO_POOL_SIZE": "0"} | (env or {})

    def start(self, method: str, path: str, body: Any = None) -> subprocess.Popen[str]:
        """Start a process that answers one request."""
        request = {"method": method, "path": path, "token": self._token, "body": body}
        command = [sys.executable, "-m", "tests.support.serverless_request", self._entry, json.dumps(request)]
        return subprocess.Popen(
            command, cwd=ROOT, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        """Return the answer to one request."""
        out, err = self.start(method, path, body).communicate(timeout=60)
        assert out, err
        found = json.loads(out)
        body = found["body"] if "event: " in found["body"] else json.loads(found["body"])
        return Answer(found["status"], body, set(found["modules"]))


ENTRIES = pytest.mark.parametrize("entry", ["lambda", "asgi"])


@ENTRIES
def test_function_serves_every_request_in_a_process_of_its_own(entry: str, db: Database, person: Person) -> None:
    call = Function(entry, db.server_url, person.token)
    assert call("POST", "/v1/tasks", {"title": "milk"}).status == 201
    assert call("POST", "/v1/tasks/completion", {"numbers": [1]}).status == 200
    listed = call("GET", "/v1/tasks?status=done&limit=5")
    assert [task["title"] for task in listed.body["tasks"]] == ["milk"]
    assert len(listed.modules) <= MAX_MODULES[entry]
    assert not {module.partition(".")[0] for module in listed.modules} & NEEDLESS_PACKAGES


def test_function_refuses_a_wrong_token_and_the_login_of_the_owner(db: Database, person: Person) -> None:
    refused = Function("lambda", db.server_url, person.token[:-4] + "0000")("GET", "/v1/tasks")
    assert (refused.status, refused.body["type"]) == (401, "urn:todo:not-signed-in")
    _, err = Function("lambda", db.owner_url, person.token).start("GET", "/v1/tasks").communicate(timeout=60)
    assert "must not connect as the database's owner" in err


def test_function_works_behind_a_pooler(db: Database, person: Person) -> None:
    with run_pgbouncer(db.owner_url) as pooler:
        call = Function("lambda", pooler.through(db.server_url), person.token)
        assert call("POST", "/v1/tasks", {"title": "milk"}).status == 201
        assert call("POST", "/v1/tasks/completion", {"numbers": [1]}).status == 200
    assert db.execute("SELECT status FROM todo.tasks WHERE space_id = %s", person.user_id) == [("done",)]


def test_turn_that_was_cut_short_is_taken_up_by_the_next_request(
    db: Database, model: FakeModel, make_talker: Callable[..., ChatProcess]
) -> None:
    talker = make_talker("api")
    model.scripts.clear()
    talker.script(slow_answer(*(f"word{number} " for number in range(50))), text_answer("Here ", "again."))
    call = Function("lambda", db.server_url, talker.who.token, model_environment(model))
    body = {"turn": new_id(), "conversation": new_id(), "text": "a story"}
    first = call.start("POST", "/v1/turns", body)
    wait_until(lambda: "word1" in talker.heard())
    first.send_signal(signal.SIGKILL)
    first.communicate()
    talker.lapse()
    answer = call("GET", f"/v1/turns/{body['turn']}/events")
    assert "event: turn" in answer.body
    assert talker.turns() == [(body["turn"], "done")]
    assert talker.said() == [("user", "a story"), ("assistant", "Here again.")]
