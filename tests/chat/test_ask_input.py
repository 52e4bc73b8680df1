"""What `todo ask` sends: the words, the text on stdin, and the conversation that -c names."""

from __future__ import annotations

import subprocess

import pexpect
import pytest

from tests.conftest import COMMAND
from tests.support.chat_process import ChatProcess
from tests.support.model_answers import text_answer
from todo_cli.cli.group import load_command


def last_message(talker: ChatProcess) -> str:
    """Return the last message that the model received, without the line with the date."""
    content: str = talker.model.asked[-1].body["messages"][-1]["content"]
    return content.rpartition("\n\n(Today is")[0]


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        (("which of these is done?",), "milk\n", "which of these is done?\n\n<attachment>\nmilk\n</attachment>"),
        (
            ("which of these:", "-", "is done?"),
            "milk\n",
            "which of these:\n\n<attachment>\nmilk\n</attachment>\n\nis done?",
        ),
        (("-", "which is done?"), "milk\n", "<attachment>\nmilk\n</attachment>\n\nwhich is done?"),
        ((), "milk\n", "milk"),
        (("what is due?", "-"), "", "what is due?"),
    ],
)
def test_ask_with_words_and_stdin_sends_both(
    talker: ChatProcess, words: tuple[str, ...], stdin: str, message: str
) -> None:
    talker.script(text_answer("Yes."))
    assert talker("ask", *words, stdin=stdin).out == "Yes.\n"
    assert last_message(talker) == message


def test_chat_edit_with_words_and_stdin_sends_both(talker: ChatProcess) -> None:
    talker.script(text_answer("One."), text_answer("Two."))
    talker("ask", "first")
    assert talker("chat", "edit", "1", "which is done?", stdin="milk\n").out == "Two.\n"
    assert last_message(talker) == "which is done?\n\n<attachment>\nmilk\n</attachment>"


@pytest.mark.parametrize("redirection", ["<&-", "< /dev/null"])
def test_ask_with_no_stdin_sends_the_words_at_once(talker: ChatProcess, redirection: str) -> None:
    """As cron starts a job."""
    talker.script(text_answer("Yes."))
    command = ["sh", "-c", f'"$@" {redirection}', "sh", *COMMAND, "ask", "what is due?"]
    done = subprocess.run(command, env=talker.todo.environment(), capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("Yes.\n", "", 0)
    assert last_message(talker) == "what is due?"


def test_ask_at_a_terminal_does_not_read_it(talker: ChatProcess) -> None:
    talker.script(text_answer("Yes."))
    child = talker.spawn("ask", "what is due?")
    child.expect_exact("Yes.")
    child.expect(pexpect.EOF)
    assert last_message(talker) == "what is due?"


def test_ask_with_an_idle_stdin_names_what_it_waits_for(talker: ChatProcess) -> None:
    talker.script(text_answer("Yes."))
    child = subprocess.Popen(
        [*COMMAND, "ask", "what is due?"],
        env=talker.todo.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr
    assert "waiting for stdin to end" in child.stderr.readline()
    out, _ = child.communicate("milk\n", timeout=20)
    assert (out, child.returncode) == ("Yes.\n", 0)
    assert last_message(talker) == "what is due?\n\n<attachment>\nmilk\n</attachment>"


def test_ask_with_stdin_named_twice_exits_with_2(talker: ChatProcess) -> None:
    done = talker("ask", "-", "and", "-", stdin="milk\n")
    assert (done.code, "names stdin (-) twice" in done.err) == (2, True)
    assert talker.turns() == []


def test_ask_inside_a_piped_prompt_leaves_the_next_lines(talker: ChatProcess) -> None:
    talker.script(text_answer("One."), text_answer("Two."))
    assert talker("chat", stdin="/ask first\nsecond\n").out == "One.\nTwo.\n"
    assert last_message(talker) == "second"


@pytest.mark.parametrize(
    ("arguments", "conversation", "words"),
    [
        (["-c", "go", "on"], "last", ["go", "on"]),
        (["go on", "-c"], "last", ["go on"]),
        (["--conversation", "go on"], "last", ["go on"]),
        (["-yc", "go on"], "last", ["go on"]),
        (["-c", "-y", "go on"], "last", ["go on"]),
        (["-c", "last", "week"], "last", ["last", "week"]),
        (["-c", "--", "-c", "go on"], "last", ["-c", "go on"]),
        (["-c", "3", "go on"], "3", ["go on"]),
        (["-c3", "go on"], "3", ["go on"]),
        (["--conversation=x", "go on"], "x", ["go on"]),
        (["-c", "", "go on"], "", ["go on"]),
        (["-c", "new", "go on"], "new", ["go on"]),
        (["go on"], "new", ["go on"]),
    ],
)
def test_conversation_option_before_words_leaves_every_word(
    arguments: list[str], conversation: str, words: list[str]
) -> None:
    parameters = load_command("ask").make_context("ask", arguments).params
    assert (parameters["conversation"], list(parameters["words"])) == (conversation, words)


def test_option_without_a_number_continues_the_last_conversation(talker: ChatProcess) -> None:
    assert talker("ask", "-c", "go on").code == 3  # there is none yet
    talker.script(*(text_answer(answer) for answer in ("One.", "Two.", "Three.", "Four.")))
    talker("ask", "first")
    talker("ask", "second")
    talker("ask", "-c", "1", "the older conversation is the last one now")
    assert talker("ask", "-c", "go on").out == "Four.\n"
    talker.script(text_answer("Five."))
    assert talker("chat", "-c", stdin="fifth\n").out == "Five.\n"
    assert len(talker.said(1)) == 8
