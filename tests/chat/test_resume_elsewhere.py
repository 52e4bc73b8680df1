"""Conversations that continue on another machine, after killed servers and with clocks that disagree."""

from __future__ import annotations

import ast
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.conftest import Database, Server, Todo
from tests.support.chat_process import ChatProcess, model_environment, slow_answer, wait_until
from tests.support.fake_model import FakeModel, call_answer, text_answer

ROOT = Path(__file__).parents[2]
ENDLESS = slow_answer("Half ", *["a word "] * 100)
LIVE = "SELECT lease_until > clock_timestamp() FROM todo.turns WHERE space_id = %s"


def messages(talker: ChatProcess) -> str:
    """What the model was sent last."""
    return json.dumps(talker.model.asked[-1].body["messages"])


# -- leaving ---------------------------------------------------------------------------------------


def test_turn_killed_on_one_machine_continues_on_another(talker: ChatProcess) -> None:
    """Over the API the turn goes on by itself; straight to the database the other machine goes on with it."""
    talker.script(call_answer(("add_task", {"title": "milk"})), slow_answer(*["Half. "] * 8))
    child = talker.start("ask", "add milk")
    wait_until(lambda: "Half" in talker.heard())
    child.kill()
    child.communicate()
    if talker.way == "direct":
        busy = talker.other("ask", "-c", "1", "and now?")
        assert (busy.code, "todo chat resume 1" in busy.err) == (6, True)
        talker.lapse()
        talker.script(text_answer("Added ", "milk."))
    done = talker.other("chat", "resume")
    assert done.code == 0, done.err
    assert done.out.strip().endswith("Added milk." if talker.way == "direct" else "Half. Half.")
    assert talker.tasks() == [(1, "milk", "open")]
    assert talker.turns()[0][1] == "done"
    assert [role for role, _ in talker.said()] == ["user", "assistant", "tool", "assistant"]
    talker.model.assert_valid()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_closed_terminal_releases_the_turn_at_once(make_talker: Callable[..., ChatProcess], number: int) -> None:
    talker = make_talker("direct")
    talker.script(ENDLESS, text_answer("Whole."))
    child = talker.start("ask", "a story")
    wait_until(lambda: "a word" in talker.heard())
    child.send_signal(number)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, out[:11], out[-1:]) == (128 + number, "Half a word", "\n")
    assert err == "(left; the text so far is stored, and the answer is continued by: todo chat resume)\n"
    assert talker.db.execute(LIVE, talker.who.user_id) == [(False,)]
    assert talker.turns()[0][1] == "running"
    events = [json.loads(line) for line in talker.other("chat", "resume", "1", "--jsonl").lines]
    assert "".join(event["text"] for event in events if event["kind"] == "words").startswith("Half a word")
    assert "reset" in [event["kind"] for event in events]
    assert (events[-1]["state"], events[-1]["text"]) == ("done", "Whole.")


def test_resumed_turn_prints_everything_once(make_talker: Callable[..., ChatProcess]) -> None:
    """Straight to the database: what the dead one did and said, what comes now, and after the answer only what follows."""
    talker = make_talker("direct")
    for title in ("one", "two"):
        talker("add", title)
    talker.script(call_answer(("add_task", {"title": "milk"}), text="First milk. "), ENDLESS)
    child = talker.start("ask", "add milk, delete the others")
    wait_until(lambda: "a word" in talker.heard())
    child.kill()
    child.communicate()
    talker.lapse()
    talker.script(
        call_answer(("list_tasks", {})),
        call_answer(("delete_task", {"number": 1}), ("delete_task", {"number": 2})),
        text_answer("Gone."),
    )
    done = talker("chat", "resume", "--yes", "--jsonl")
    events = [json.loads(line) for line in done.lines]
    told = [event.get("verb", event["kind"]) for event in events if event["kind"] in ("call", "reset", "end", "turn")]
    assert told[:3] == ["AddTask", "reset", "ListTasks"], done
    assert (told.count("AddTask"), told.count("ListTasks"), told[-2:]) == (1, 1, ["end", "turn"])
    said = "".join(event["text"] for event in events if event["kind"] == "words")
    assert (said.count("First milk."), said.count("Half"), said.count("Gone.")) == (1, 1, 1)
    assert [status for *_, status in talker.tasks()] == ["deleted", "deleted", "open"]


def test_turn_resumed_at_a_prompt_continues(talker: ChatProcess) -> None:
    talker.script(ENDLESS)
    child = talker.start("ask", "a story")
    wait_until(lambda: "a word" in talker.heard())
    child.kill()
    child.communicate()
    if talker.way == "api":  # it still runs: who attaches may stop it
        talker.other("chat", "stop", "1")
        wait_until(lambda: talker.turns()[0][1] == "stopped")
    else:
        talker.lapse()
        talker.script(text_answer("Whole."))
    prompt = talker.spawn("chat", "-c", "1")
    if talker.way == "direct":
        prompt.expect_exact("you: a story")
        prompt.expect_exact("starts again")
        prompt.expect_exact("Whole.")
    prompt.expect_exact("todo> ")
    talker.script(text_answer("Indeed."))
    prompt.sendline("is that all?")
    prompt.expect_exact("Indeed.")
    prompt.sendline("/resume")
    prompt.expect_exact("you: is that all?")
    prompt.expect_exact("Indeed.")
    prompt.sendline("/exit")
    prompt.expect(pexpect.EOF)
    prompt.close()


def test_pending_approval_is_shown_again_on_another_machine(talker: ChatProcess) -> None:
    talker("add", "one")
    talker.script(call_answer(("list_tasks", {})), call_answer(("delete_task", {"number": 1})))
    assert talker("ask", "delete it").code == 10
    assert talker.other("chat", "resume").code == 10
    talker.script(text_answer("Gone."))
    prompt = talker.spawn("chat", "resume", "1")
    prompt.expect_exact("#1 one")
    prompt.expect_exact("[y/N] ")
    prompt.sendline("y")
    prompt.expect_exact("Gone.")
    prompt.expect(pexpect.EOF)
    prompt.close()
    assert prompt.exitstatus == 0
    assert talker.tasks() == [(1, "one", "deleted")]


def test_finished_turn_is_printed_again(talker: ChatProcess) -> None:
    assert talker("chat", "resume").code == 3
    talker.script(call_answer(("add_task", {"title": "milk"})), text_answer("Added ", "milk."))
    talker("ask", "add milk")
    talker.script(text_answer("Other."))
    talker("ask", "hello")
    assert talker("chat", "resume").out == "Other.\n"
    assert talker.other("chat", "resume", "1").out == "Added milk.\n"
    assert talker("chat", "resume", "9").code == 3


# -- two instances ---------------------------------------------------------------------------------


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


# -- clocks ----------------------------------------------------------------------------------------

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
