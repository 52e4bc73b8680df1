"""The title that a conversation gets after its first turn."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Database, Person, Server, Todo, start_server
from tests.support.chat import Chat
from tests.support.chat_process import ChatProcess, model_environment, wait_until
from tests.support.fake_model import FakeModel, run_fake_model
from tests.support.model_answers import error_answer, text_answer
from todo_cli.agent.titles import clean_title, store_title
from todo_cli.contract.conversations import AnswerTurn, ForkConversation, RenameConversation
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_steps import ReadReplay
from todo_cli.contract.usage import ReadUsage
from todo_cli.turn_client.title import TITLE_SECONDS

ON = {"TODO_TITLES": "true"}
ASKS = {"role": "user", "has": "assistant: "}


def titling(script: Any) -> dict[str, Any]:
    """An answer to who asks for a title."""
    return {"steps": script, "when": ASKS}


@pytest.fixture(scope="module")
def own() -> Iterator[FakeModel]:
    with run_fake_model() as running:
        running.strict = True
        yield running


@pytest.fixture(scope="module")
def titling_server(db: Database, own: FakeModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("titles"), db, env=model_environment(own) | ON)
    yield running
    running.stop()


@pytest.fixture
def somebody(
    db: Database, own: FakeModel, titling_server: Server, as_person: Callable[..., Todo], person: Person, way: str
) -> ChatProcess:
    own.scripts.clear()
    own.asked.clear()
    todo = as_person(person, way, url=titling_server.url)
    todo.env |= model_environment(own) | ON if way == "direct" else {}
    return ChatProcess(db, person, todo, own, way, todo)


def title(one: ChatProcess, number: int = 1) -> str:
    return str(
        one.db.execute(
            "SELECT title FROM todo.conversations WHERE space_id = %s AND number = %s", one.who.user_id, number
        )[0][0]
    )


def test_title_is_requested_after_the_first_turn_only(somebody: ChatProcess) -> None:
    somebody.script(text_answer("Hello."), titling(text_answer("## **A short ", "title.**\n")))
    assert somebody("ask", "hello, what can you do for me?").out == "Hello.\n"
    if somebody.way == "direct":
        assert title(somebody) == "A short title", "the command itself has stored it"
    wait_until(lambda: title(somebody) == "A short title")
    asked = somebody.model.asked[-1].body
    assert not asked.get("tools")
    assert "hello, what can you do" in asked["messages"][-1]["content"]
    somebody.script(text_answer("Bye."))
    assert somebody("ask", "-c", "1", "bye").out == "Bye.\n"
    assert len(somebody.model.asked) == 3
    assert somebody("chat", "show", "1").lines[0] == "1. A short title"
    # what it has used is counted, and kept outside of the line
    assert somebody("chat", "usage", "--by", "conversation").out == "1 A short title\t3\t21\t9\t\n"
    assert [role for role, _ in somebody.said()] == ["user", "assistant", "user", "assistant"]
    somebody.model.assert_valid()


def processes_with(marker: str) -> list[int]:
    """Return the ids of the processes whose environment contains the marker."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and marker.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are counted in /proc")
def test_ask_leaves_no_process_behind(somebody: ChatProcess) -> None:
    marker = new_id()
    somebody.script(text_answer("Hello."), titling([{"stall": True}]))
    assert somebody("ask", "hello", env={"TODO_TEST_MARKER": marker}).out == "Hello.\n"
    assert processes_with(marker) == []


@pytest.mark.parametrize("way", ["direct"])  # over HTTP the server requests the title, and the command has ended
def test_ask_with_ctrl_c_during_the_title_skips_it_and_succeeds(somebody: ChatProcess) -> None:
    somebody.script(text_answer("Hello."), titling([{"stall": True}]))
    process = somebody.start("ask", "hello")
    wait_until(lambda: len(somebody.model.asked) == 2 or process.poll() is not None)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("Hello.\n", "")
    assert process.returncode == 0
    assert time.monotonic() - began < TITLE_SECONDS


def test_ask_with_a_model_that_never_answers_for_the_title_ends(somebody: ChatProcess) -> None:
    somebody.script(text_answer("Hello."), titling([{"stall": True}]))
    assert somebody("ask", "hello").out == "Hello.\n"
    wait_until(lambda: len(somebody.model.asked) == 2)
    assert title(somebody) == "hello"
    somebody.script(text_answer("Again."))
    assert somebody("ask", "-c", "1", "go on").out == "Again.\n"


def test_title_with_a_failing_model_is_the_first_words(somebody: ChatProcess) -> None:
    somebody.script(text_answer("Hello."), titling(error_answer(400)))
    assert somebody("ask", "the first\nwords").code == 0
    wait_until(lambda: len(somebody.model.asked) == 2)
    assert title(somebody) == "the first"
    assert somebody("chat", "list").lines[0].split("\t")[1] == "the first"


def test_title_when_switched_off_is_not_requested(somebody: ChatProcess, talker: ChatProcess) -> None:
    talker.script(text_answer("Hello."), titling(text_answer("No")))
    assert talker("ask", "hello").code == 0
    assert title(talker) == "hello"
    assert len(talker.model.asked) == 1


def name(chat: Chat, *words: Any, turn: str | None = None) -> list[Any]:
    """As a runner does behind the turn's end; what the model was asked."""
    from tests.support.turn_driver import ScriptedModel

    script = ScriptedModel([words] * 9)

    async def send(request: Any) -> Any:
        return await chat.line.send(request, key=new_id() if request.write else None)

    turn = turn or chat.replay()[-1].turn
    chat.line.runner.run(store_title(send, script, chat.id, turn, "m"))
    return script.asked


def named(chat: Chat) -> str:
    return str(chat.db.execute("SELECT title FROM todo.conversations WHERE id = %s", chat.id)[0][0])


def test_title_set_by_the_user_is_kept(chat: Chat) -> None:
    chat.say("hello", ["Hi."])
    chat(RenameConversation(number=1, title="Mine"))
    assert name(chat, "Another")
    assert named(chat) == "Mine"


def test_title_after_a_failed_first_turn_is_not_requested(chat: Chat, make_chat: Callable[..., Chat]) -> None:
    chat.say("hello", ["Hi."])
    before = chat.replay()[-1].turn
    fork = chat(ForkConversation(number=1, id=new_id()))
    chat.say("more", ["More."])
    assert name(chat, "x") == []
    assert name(chat, "x", turn=before) == []
    copy = make_chat(chat.who, fork.id)
    copy.say("and here", ["Yes."])
    assert name(copy, "x") == []
    assert named(copy) == "hello"


def test_title_after_an_approved_first_turn_is_requested(chat: Chat) -> None:
    turn = new_id()
    first = chat.say("add a, delete it", [["add_task", {"title": "a"}]], [["delete_task", {"number": 1}]], turn=turn)
    assert (first.state, first.first) == ("awaiting", True)
    chat(AnswerTurn(turn=turn, yes=True))
    then = chat.say("add a, delete it", [], [], ["Done."], turn=turn)
    assert (then.state, then.first) == ("done", True)
    assert not chat.say("more", ["More."]).first


def test_title_does_not_appear_in_the_replay(chat: Chat) -> None:
    chat.say("hello", ["Hi."])
    before = chat(ReadReplay(conversation=chat.id))
    name(chat, "Named")
    assert (named(chat), chat(ReadReplay(conversation=chat.id))) == ("Named", before)
    chat.say("more", ["More."])
    assert [role for role, _ in chat.history()] == ["user", "assistant"] * 2
    assert chat(ReadUsage()).total.calls == 0  # this model tells no usage


def test_title_with_a_spent_budget_is_not_requested(chat: Chat) -> None:
    chat.say("hello", ["Hi."])
    chat.db.execute("UPDATE todo.users SET tokens_per_day = 0 WHERE id = %s", chat.who.user_id)
    assert name(chat, "Named") == []


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Groceries", "Groceries"),
        ('"Groceries"', "Groceries"),
        ("# **Rent and more**\n\nSome words.", "Rent and more"),
        ("Title: The rent.", "The rent"),
        ("\n\n  \n- ", "-"),
        ("", None),
        ('**\n""', None),
        ("\x1b[31mred\u202e", "[31mred"),
        ("w" * 80, "w" * 59 + "…"),
        ("家賃の支払い。", "家賃の支払い。"),
        ("a\tb   c", "a b c"),
    ],
)
def test_title_from_a_model_is_cleaned(said: str, title: str | None) -> None:
    assert clean_title(said) == title


def test_title_with_an_endless_model_is_given_up(chat: Chat) -> None:
    chat.say("hello", ["Hi."])
    name(chat, *["word " * 100] * 50)
    assert named(chat) == "hello"
