"""Answers that are read again, and conversations across restarts of the servers."""

from __future__ import annotations

import ast
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Database, Server, Todo
from tests.support.chat_process import ChatProcess, model_environment, wait_until
from tests.support.endless_answers import ENDLESS, LIVE
from tests.support.fake_model import FakeModel
from tests.support.model_answers import call_answer, text_answer

ROOT = Path(__file__).parents[2]


def messages(talker: ChatProcess) -> str:
    """What the model was sent last."""
    return json.dumps(talker.model.asked[-1].body["messages"])


def test_finished_turn_is_printed_again(talker: ChatProcess) -> None:
    assert talker("chat", "resume").code == 3
    talker.script(call_answer(("add_task", {"title": "milk"})), text_answer("Added ", "milk."))
    talker("ask", "add milk")
    talker.script(text_answer("Other."))
    talker("ask", "hello")
    assert talker("chat", "resume").out == "Other.\n"
    assert talker.other("chat", "resume", "1").out == "Added milk.\n"
    assert talker("chat", "resume", "9").code == 3


@pytest.fixture
def machines(
    db: Database,
    model: FakeModel,
    make_server: Callable[..., Server],
    as_person: Callable[..., Todo],
    make_talker: Callable[..., ChatProcess],
) -> tuple[ChatProcess, list[Server], Callable[[], Server]]:
    """Somebody, two servers, and a way to have another one."""
    model.scripts.clear()
    model.asked.clear()
    env = model_environment(model)
    return make_talker("api"), [make_server(db, env=env) for _ in range(2)], lambda: make_server(db, env=env)


def test_conversations_after_a_restart_of_two_servers_continue(machines: Any) -> None:
    """Ask on A, go on at B; kill both; "mark it as done" hits the task that was spoken of. Conversations do not mix."""
    talker, (one, other), another = machines

    def ask(server: Server, *arguments: str) -> str:
        done = talker("ask", *arguments, env={"TODO_SERVER": server.url})
        assert done.code == 0, done.err
        return str(done.out)

    for title in ("report", "dentist", "taxes"):
        talker("add", title)
    talker.script(call_answer(("list_tasks", {})), text_answer("The dentist is #2."))
    ask(one, "what about the dentist?")
    talker.script(text_answer("Taxes, you said."))
    ask(one, "a secret of the other conversation: taxes")
    talker.script(text_answer("Yes, #2."))
    ask(other, "-c", "1", "and is that urgent?")
    assert ("what about the dentist" in messages(talker), "secret" in messages(talker)) == (True, False)
    for server in (one, other):
        server.stop(signal.SIGKILL)
    third = another()
    talker.script(call_answer(("complete_task", {"number": 2})), text_answer("Done: #2 dentist."))
    assert ask(third, "-c", "1", "mark it as done") == "Done: #2 dentist.\n"
    assert talker.tasks() == [(1, "report", "open"), (2, "dentist", "done"), (3, "taxes", "open")]
    sent = messages(talker)
    assert ("The dentist is #2." in sent, "secret" in sent) == (True, False)
    talker.script(text_answer("Taxes."))
    ask(third, "-c", "2", "what was it?")
    assert ("secret" in messages(talker), "The dentist is" in messages(talker)) == (True, False)
    talker.model.assert_valid()


SHIFTED = """
import os, time
_by = float(os.environ["SHIFTED_BY"])
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + _by
time.time_ns = lambda: _time_ns() + int(_by * 1e9)
"""


@pytest.mark.parametrize("days", [-400, 400])
def test_machine_with_a_wrong_clock_behaves_the_same(
    make_talker: Callable[..., ChatProcess], tmp_path: Path, days: int
) -> None:
    """Whose lease runs is not taken for dead, whose lease is over is not taken for alive: the database says so."""
    talker = make_talker("direct")
    (tmp_path / "sitecustomize.py").write_text(SHIFTED)
    wrong = {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT))), "SHIFTED_BY": str(days * 86_400)}
    talker.script(ENDLESS)
    child = talker.start("ask", "a story", **wrong)
    wait_until(lambda: "a word" in talker.heard())
    assert talker.db.execute(LIVE, talker.who.user_id) == [(True,)]
    talker.todo.env |= wrong
    assert talker("ask", "-c", "1", "and now?").code == 6
    assert talker.other("ask", "-c", "1", "and now?").code == 6
    child.kill()
    child.communicate()
    assert talker("ask", "-c", "1", "and now?").code == 6
    talker.lapse()
    talker.script(text_answer("Whole."), text_answer("Next."))
    assert talker("chat", "resume", "1").out.endswith("Whole.\n")
    assert talker("ask", "-c", "1", "and now?").out == "Next.\n"
    roles = [role for role, _ in talker.said()]
    assert roles == ["user", "assistant", "user", "assistant"]  # by number, never by time


def test_deciding_modules_never_read_the_local_clock() -> None:
    """Leases, fences, plans and what waits: judged by the database. A monotonic clock measures patience, no more."""
    house = ROOT / "todo_cli"
    deciding = [
        path
        for folder in ("agent", "llm", "server", "turn_client", "core/turns", "core/conversations", "core/history")
        for path in (house / folder).glob("*.py")
    ]
    found = {
        (path.name, node.attr)
        for path in deciding
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in ("time", "time_ns", "now", "utcnow", "today")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("time", "datetime", "date")
    }
    # the log's time; a server's Retry-After as a date
    assert found == {("access_log.py", "time"), ("errors.py", "now")}
