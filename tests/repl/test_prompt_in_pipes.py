"""`todo chat` in a pipe: one line after the other, and every slash command."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Person, Todo
from tests.support.ask import settings_of
from tests.support.chat_process import ChatProcess
from tests.support.model_answers import call_answer, error_answer, text_answer
from todo_cli.cli.repl.slash_commands import CHAT_COMMANDS
from todo_cli.clients.open import open_client
from todo_cli.contract.prompt_history import ListPrompts


def test_prompt_without_a_model_runs_commands(person: Person, way: str, as_person: Callable[..., Todo]) -> None:
    todo = as_person(person, way)
    done = todo("chat", stdin="/add milk\nhello\n/list\n", env={"OLLAMA_HOST": "127.0.0.1:1"})
    assert done.code == 0, done.err
    assert done.lines == ["Added #1 milk", "1\topen\t\t\t\t\tmilk"]
    assert "OPENROUTER_API_KEY" in done.err


def test_slash_help_fits_on_a_screen_and_every_command_works(talker: ChatProcess) -> None:
    listed = talker("chat", stdin="/help\n").out.splitlines()
    assert len(listed) <= 20  # with the prompt and its line below, a screen of 24
    assert all(len(line) < 80 for line in listed)
    assert all(f"/{name} " in "\n".join(listed) for name in CHAT_COMMANDS)
    talker.script(text_answer("Hello."), text_answer("Hi."))
    lines = [
        "hello",
        "/history",
        "/history 1",
        "/search hello",
        "/usage",
        "/export",
        "/conversations",
        "/rename A title",
        "/model",
        "/fork",
        "/new",
        "/resume 1",
        "/retry",
        "/undo",
        "/redo",
        "/stop",
        "/todo search milk",
        "/help add",
    ]
    done = talker("chat", stdin="\n".join(lines))
    assert done.code == 0
    for said in ("unknown", "usage", "Traceback"):
        assert said not in done.err
    for said in ("you: hello", "Renamed conversation 1: A title", "The model is test-model", "Hi.", "todo add"):
        assert said in done.out, said


def test_bad_slash_commands_print_one_line_each(talker: ChatProcess) -> None:
    lines = [
        "/retry",
        "/edit",
        "/history",
        "/fork",
        "/resume x",
        "/resume 99",
        "/model " + "x" * 101,
        "/chat",
        "/lst",
        "/",
    ]
    done = talker("chat", stdin="\n".join(lines))
    assert (done.code, done.out, len(done.err.splitlines())) == (0, "", len(lines)), done.err
    assert "/list?" in done.err


def test_edit_in_a_pipe_replaces_the_message(talker: ChatProcess) -> None:
    talker.script(call_answer(("add_task", {"title": "milk"})), text_answer("One."), text_answer("Two."))
    done = talker("chat", stdin="first\n/edit\nsecond\n/exit\n")
    assert (done.code, done.out) == (0, "One.\nTwo.\n"), done.err
    assert [text for role, text in talker.said() if role == "user"] == ["second"]
    assert talker.tasks() == [(1, "milk", "open")]  # without a terminal nobody can be asked to undo it


def test_prompt_history_has_only_the_users_own_messages(
    talker: ChatProcess, make_talker: Callable[..., ChatProcess]
) -> None:
    talker.script(text_answer("One."), text_answer("Two."))
    talker("ask", "first")
    talker("ask", "-c", "1", "second")
    other = make_talker(talker.way)
    other.script(text_answer("Three."))
    other("ask", "not mine")
    for ask, wanted in ((talker, ("second", "first")), (other, ("not mine",))):
        with_settings = settings_of(
            ask.who, talker.way, server=ask.todo.env.get("TODO_SERVER") or ask.other.env["TODO_SERVER"]
        )
        backend = open_client(with_settings)
        assert backend.send_now(ListPrompts()).prompts == wanted
        assert backend.send_now(ListPrompts(limit=1)).prompts == wanted[:1]
        backend.close()


def test_prompt_in_a_pipe_answers_each_line(talker: ChatProcess) -> None:
    talker.script(text_answer("One."), text_answer("Two."))
    done = talker("chat", stdin="first\nsecond\n/exit\nthird\n")
    assert (done.code, done.out, done.err) == (0, "One.\nTwo.\n", "")


def test_undo_of_an_answer_that_changed_nothing_says_so(talker: ChatProcess) -> None:
    talker.script(call_answer(("list_tasks", {})), text_answer("Nothing is due."))
    assert talker("ask", "what is due?").code == 0
    for arguments in (("--dry-run",), ()):
        done = talker("chat", "undo", "1", *arguments)
        assert (done.code, done.out) == (0, "The last answer changed no task.\n"), done
    talker.script(text_answer("Two."))
    done = talker("chat", "-c", "1", stdin="again\n/undo\n/redo\n")
    assert (done.code, done.out) == (0, "Two.\n" + "The last answer changed no task.\n" * 2), done


def test_stop_and_approve_with_nothing_pending_say_so(talker: ChatProcess) -> None:
    talker.script(error_answer(401, "Incorrect API key"))
    assert talker("ask", "hi").code == 9
    done = talker("chat", "-c", "1", stdin="/approve\n/stop\n")
    assert done.out == "Nothing runs or waits in conversation 1; nothing was stopped.\n"
    assert done.err == "todo: nothing waits for your approval in this conversation (see: /history)\n"
    assert talker("chat", "approve", "1").code == 6
    new = talker("chat", stdin="/approve\n/stop\n")
    assert [line.partition(" (")[0] for line in new.err.splitlines()] == [
        "todo: nothing waits for your approval in this conversation",
        "todo: nothing runs in this conversation",
    ]


@pytest.mark.parametrize("word", ["exit", "quit", "q", ":q", "/q", "Quit"])
def test_prompt_ends_with_the_words_of_other_programs(talker: ChatProcess, word: str) -> None:
    done = talker("chat", stdin=f"{word}\nthis is not sent\n")
    assert (done.code, done.out, done.err) == (0, "", "")
