"""`todo chat` on a real terminal and in a pipe, over HTTP and directly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pexpect
import pytest

from tests.conftest import Person, Todo
from tests.support.ask import settings_of
from tests.support.chat_process import ChatProcess, slow_answer
from tests.support.fake_model import call_answer, error_answer, text_answer
from todo_cli.cli.repl.slash_commands import CHAT_COMMANDS
from todo_cli.clients.open import open_client
from todo_cli.contract.prompt_history import ListPrompts

PROMPT = "todo> "


def open_prompt(talker: ChatProcess, *arguments: str) -> Any:
    """Start `todo chat` and wait for the prompt."""
    child = talker.spawn("chat", *arguments)
    child.expect_exact(PROMPT)
    return child


def leave_prompt(child: Any, line: str = "/exit") -> None:
    """Leave and assert that the exit code is 0."""
    child.sendline(line)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def send_line(child: Any, line: str, *wanted: str) -> None:
    """Send a line, expect the texts, then the prompt."""
    child.sendline(line)
    for text in wanted:
        child.expect_exact(text)
    child.expect_exact(PROMPT)


def test_prompt_runs_messages_and_commands(talker: ChatProcess) -> None:
    child = open_prompt(talker)
    send_line(child, "/help", "Plain text goes to the model")
    send_line(child, "/add 'Pay rent' --due friday", "Added #1 Pay rent")
    talker.script(call_answer(("add_task", {"title": "milk"})), text_answer("Added ", "#2 milk."))
    send_line(child, "put milk on it", "Added #2 milk.")
    talker.script(text_answer("You said ", "milk."))
    send_line(child, "what did I say?", "You said milk.")
    assert len(talker.turns()) == 2
    assert len(talker.said(1)) > 4
    send_line(child, "/list", "milk")
    send_line(child, "/done 2", "#2 milk")
    send_line(child, "/conversations", "put milk on it")
    send_line(child, "", "")
    leave_prompt(child)


def test_undo_and_redo_at_the_prompt_change_the_last_turn(talker: ChatProcess) -> None:
    talker.script(call_answer(("add_task", {"title": "one"}), ("add_task", {"title": "two"})), text_answer("Both."))
    child = open_prompt(talker)
    send_line(child, "add one and two", "Both.")
    send_line(child, "/undo", "Undid")
    assert [status for *_, status in talker.tasks()] == ["deleted", "deleted"]
    send_line(child, "/redo", "Redid")
    assert [status for *_, status in talker.tasks()] == ["open", "open"]
    leave_prompt(child, "/quit")


def test_approval_at_the_prompt_refused_changes_nothing(talker: ChatProcess) -> None:
    talker("add", "one")
    talker("add", "two")
    talker.script(
        call_answer(("list_tasks", {})), call_answer(("delete_task", {"number": 1}), ("delete_task", {"number": 2}))
    )
    talker.script(text_answer("Kept."))
    child = open_prompt(talker)
    child.sendline("delete all")
    child.expect_exact("#2 two")
    child.expect_exact("[y/N] ")
    send_line(child, "n", "Kept.")
    assert [status for *_, status in talker.tasks()] == ["open", "open"]
    leave_prompt(child)


def test_approve_only_some_calls_runs_those(talker: ChatProcess) -> None:
    for title in ("one", "two", "three"):
        talker("add", title)
    wished = (("delete_task", {"number": number}) for number in (1, 2, 3))
    talker.script(call_answer(("list_tasks", {})), call_answer(*wished), text_answer("Two."))
    assert talker("ask", "delete all").code == 10
    for wrong in (("--only", "4"), ("--only", "1", "--no"), ("--only", "x"), ("--only", " ")):
        assert talker("chat", "approve", "1", *wrong).code == 2, wrong
    assert talker.other("chat", "approve", "1", "--only", "1,3").out == "Two.\n"
    assert [status for *_, status in talker.tasks()] == ["deleted", "open", "deleted"]


@pytest.mark.parametrize("way_to_answer", ["--only", "/approve", "prompt"])
def test_approve_some_tasks_of_one_call_changes_those(talker: ChatProcess, way_to_answer: str) -> None:
    for number in range(1, 6):
        talker("add", f"task {number}")
    talker.script(call_answer(("list_tasks", {})), call_answer(("complete_task", {"numbers": [1, 2, 3, 4, 5]})))
    talker.script(text_answer("Three."))
    if way_to_answer == "prompt":
        child = open_prompt(talker)
        child.sendline("finish all")
        child.expect_exact("   5  done    #5 task 5")
        child.expect_exact("[y/N] ")
        send_line(child, "1 3-4", "Three.")
        leave_prompt(child)
    else:
        assert talker("ask", "finish all").code == 10
        if way_to_answer == "--only":
            done = talker("chat", "approve", "1", "--only", "1,3-4")
            assert (done.code, done.out) == (0, "Three.\n")
        else:
            child = talker.spawn("chat", "--conversation", "1")
            child.expect_exact("[y/N] ")
            child.sendintr()
            child.expect_exact(PROMPT)
            send_line(child, "/approve 1 3-4", "Three.")
            leave_prompt(child)
    assert [status for *_, status in talker.tasks()] == ["done", "open", "done", "done", "open"]
    assert talker("chat", "undo", "1").code == 0
    assert {status for *_, status in talker.tasks()} == {"open"}


def test_ctrl_c_at_an_approval_leaves_it_pending(talker: ChatProcess) -> None:
    talker("add", "one")
    talker.script(call_answer(("list_tasks", {})), call_answer(("delete_task", {"number": 1})))
    child = open_prompt(talker)
    child.sendline("delete it")
    child.expect_exact("[y/N] ")
    child.sendintr()
    child.expect_exact("answer later with: todo chat approve 1")
    child.expect_exact(PROMPT)
    send_line(child, "/chat show 1", "need your approval")
    talker.script(text_answer("Gone."))
    send_line(child, "/chat approve 1", "Gone.")
    leave_prompt(child)
    assert [status for *_, status in talker.tasks()] == ["deleted"]


def test_ctrl_c_during_an_answer_returns_to_the_prompt(talker: ChatProcess) -> None:
    talker.script(slow_answer("Once ", *["upon "] * 60, every=0.4))
    child = open_prompt(talker)
    child.sendline("a story")
    child.expect_exact("upon")
    child.sendintr()
    child.expect_exact("the text so far and the changes are kept")
    child.expect_exact(PROMPT)
    talker.script(text_answer("Still here."))
    send_line(child, "are you there?", "Still here.")
    child.sendintr()
    child.expect_exact(PROMPT)
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert [state for _, state in talker.turns()] == ["stopped", "done"]


def test_prompt_with_a_conversation_number_continues_it(talker: ChatProcess) -> None:
    talker.script(text_answer("One."))
    talker("ask", "first")
    talker.script(text_answer("Two."))
    child = open_prompt(talker, "-c", "1")
    send_line(child, "second", "Two.")
    leave_prompt(child)
    assert len(talker.said(1)) == 4
    assert talker("chat", "-c", "99").code == 3


def test_errors_at_the_prompt_are_printed_and_it_continues(talker: ChatProcess) -> None:
    child = open_prompt(talker)
    send_line(child, "/nosuch", "unknown command '/nosuch'")
    send_line(child, "/add 'open quote", "no closing quotation")
    send_line(child, "/done 99", "task #99 does not exist")
    send_line(child, "/list --nosuch", "no such option")
    send_line(child, "/stop", "nothing runs in this conversation")
    send_line(child, "hello", "todo: ")  # the script has ended: status 500
    talker.script(text_answer("Hello."))
    send_line(child, "hello", "Hello.")
    leave_prompt(child)


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
