"""The prompt on a real terminal: typing, pasting, completing, stopping, leaving, and answers from elsewhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Database, Server
from tests.support.chat_process import Balancer, ChatProcess, model_environment, slow_answer, wait_until
from tests.support.fake_model import FakeModel
from tests.support.model_answers import call_answer, text_answer
from tests.support.terminal import Terminal

UP, ALT_ENTER, CTRL_C, CTRL_D = "\x1b[A", "\x1b\r", "\x03", "\x04"


@pytest.fixture
def talker(make_talker: Callable[..., ChatProcess], model: FakeModel) -> ChatProcess:
    """A new user, over HTTP."""
    model.scripts.clear()
    model.asked.clear()
    return make_talker("api")


@pytest.fixture
def terminal(talker: ChatProcess) -> Iterator[Callable[..., Terminal]]:
    """Return a function that starts `todo chat` on a terminal: terminal("-c", "1", columns=200)."""
    opened: list[Terminal] = []

    def make(*arguments: str, columns: int = 80, rows: int = 24, whose: ChatProcess = talker, **env: str) -> Terminal:
        opened.append(Terminal(whose.todo, "chat", *arguments, columns=columns, rows=rows, **env))
        opened[-1].prompted()
        return opened[-1]

    yield make
    for one in opened:
        one.child.close(force=True)


def last_user_message(talker: ChatProcess) -> Any:
    """Return the last user message that the model received."""
    return talker.model.asked[-1].body["messages"][-1]["content"]


def script_deletions(talker: ChatProcess, *titles: str) -> None:
    """Add tasks, and script the model to list and delete all of them."""
    for title in titles:
        talker("add", title)
    talker.script(call_answer(("list_tasks", {})))
    talker.script(call_answer(*(("delete_task", {"number": number}) for number in range(1, len(titles) + 1))))


@pytest.mark.parametrize(("columns", "rows", "env"), [(80, 24, {}), (200, 50, {"NO_COLOR": "1"})])
def test_first_conversation_is_shown_formatted(
    talker: ChatProcess, terminal: Callable[..., Terminal], columns: int, rows: int, env: dict[str, str]
) -> None:
    screen = terminal(columns=columns, rows=rows, **env)
    screen.until("new conversation")
    assert "What is due today?" in screen.text
    assert "/ commands" in screen.screen.display[-1]
    talker.script(
        call_answer(("add_task", {"title": "Buy milk"})),
        text_answer("**Done:** ", "I added\n\n", "- *Buy milk*\n- noth", "ing else"),
    )
    screen.say("put milk on the list", "nothing else")
    shown = screen.text
    assert "  ✓ Added #1 Buy milk\nDone: I added\n\n • Buy milk\n • nothing else\n  1 changed · undo: /undo " in shown
    assert re.search(r"  14 \+ 6 tokens · \d+s\n\ntodo>", shown)
    screen.until("1. put milk")  # the line below shows the conversation and the model
    screen.until("test-model")
    screen.say("/list", "Buy milk")
    screen.keys(CTRL_D)
    screen.ended()
    codes = {code for found in re.findall(r"\x1b\[([\d;]*)m", screen.raw) for code in found.split(";")}
    assert not {code for code in codes if code in ("38", "48") or (len(code) > 1 and code[:1] == "4" and code != "49")}
    assert not env or not codes & {str(code) for code in (*range(30, 38), *range(90, 98))}


def test_prompt_completes_and_recalls_history(talker: ChatProcess, terminal: Callable[..., Terminal]) -> None:
    talker.script(text_answer("Yes."))
    talker("ask", "what I said on another machine")
    talker("add", "Buy milk #home @shop")
    screen = terminal()
    screen.keys("/he")
    screen.until("Show this help;")
    screen.keys("\t")
    screen.until("todo> /help")
    screen.keys("\r")
    screen.until("Every todo command works too")
    screen.prompted()
    screen.keys("finish #mil")
    screen.until(lambda: re.search(r"#1 +Buy milk", screen.text))  # /help names 'Buy milk' too
    screen.keys("\t")
    screen.until("todo> finish #1")
    screen.keys(CTRL_C, "look at #ho", "\t")
    screen.until("todo> look at #home")
    screen.keys(CTRL_C, "/done 1 --if-r")
    screen.until("only if it is still at")
    screen.keys(CTRL_C, "/show ")
    screen.until(lambda: re.search(r" 1 +Buy milk", screen.text))
    screen.keys(CTRL_C, UP)  # the discarded line is in the history
    screen.until("todo> /show")
    screen.keys(CTRL_C)
    for _ in range(8):
        screen.keys(UP)
        if "what I said on another machine" in screen.line:
            break
    talker.script(text_answer("Two lines."))
    screen.keys(ALT_ENTER, "and more\r")
    screen.until("Two lines.")
    assert last_user_message(talker).startswith("what I said on another machine\nand more")


def test_pasted_lines_are_one_message(talker: ChatProcess, terminal: Callable[..., Terminal]) -> None:
    lines = [f"line {number} of what was copied" for number in range(1_000)]
    screen = terminal()
    screen.child.send("\x1b[200~" + "\r".join(lines) + "\x1b[201~")
    screen.until("line 999")
    assert talker.turns() == []
    talker.script(text_answer("Long."))
    screen.child.send("\r")
    screen.until("Long.")
    screen.prompted()
    assert talker.said()[0][1] == "\n".join(lines)


def test_editor_changes_the_message_without_sending_it(
    talker: ChatProcess, terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    editor = tmp_path / "editor"
    editor.write_text(
        f"#!{sys.executable}\nimport sys\np = sys.argv[1]\nt = open(p).read()\nopen(p, 'w').write(t.upper() + 'x\\ny')\n"
    )
    editor.chmod(0o755)
    screen = terminal(VISUAL=str(editor))
    screen.keys("abc", "\x18\x05")
    screen.until("ABC")
    assert talker.turns() == []  # nothing is sent before Enter
    talker.script(text_answer("Edited."))
    screen.child.send("\r")
    screen.until("Edited.")
    assert re.match(r"ABC\n?x\ny", last_user_message(talker))


def test_resize_during_an_answer_loses_and_repeats_nothing(
    talker: ChatProcess, terminal: Callable[..., Terminal]
) -> None:
    words = [f"word{number}" for number in range(60)]
    talker.script(slow_answer(*(word + " " for word in words), every=0.03))
    screen = terminal()
    screen.child.send("a story\r")
    for number, size in ((8, (60, 24)), (20, (200, 50)), (40, (100, 24))):
        screen.until(f"word{number} ")
        screen.resize(*size)
    screen.until("word59")
    screen.prompted()
    assert re.findall(r"word\d+", screen.replayed()) == words


def test_keys_typed_during_an_answer_reach_the_next_prompt(
    talker: ChatProcess, terminal: Callable[..., Terminal]
) -> None:
    talker.script(slow_answer("One ", "two ", "three.", every=0.4))
    screen = terminal()
    screen.child.send("count\r")
    screen.until("One")
    screen.child.send("typed meanwhile")
    screen.until("todo> typed meanwhile")
    assert "One two three." in screen.text
    assert screen.text.count("typed") == 1


def test_ctrl_c_at_every_stage_returns_to_the_prompt(talker: ChatProcess, terminal: Callable[..., Terminal]) -> None:
    screen = terminal()
    screen.keys("not this", CTRL_C)
    screen.prompted()
    talker.script(slow_answer("Once ", *["upon "] * 60, every=0.3))
    screen.child.send("a story\r")
    screen.until("Once upon")
    screen.child.send(CTRL_C)
    screen.until("the text so far and the changes are kept")
    assert "Once upon" in screen.text
    screen.prompted()
    script_deletions(talker, "one", "two")
    screen.child.send("delete all\r")
    screen.until("Do it?")
    screen.keys(CTRL_C)
    screen.until("answer later")
    screen.prompted()
    screen.until("needs approval: /approve")
    talker.script(slow_answer("Kept ", *["it "] * 60, every=0.3))
    screen.child.send("/approve\r")
    screen.until(lambda: screen.text.count("Do it?") == 2)
    screen.child.send("n\r")
    screen.until("✗ not done: rm #2 two")
    screen.until("Kept it")
    screen.child.send(CTRL_C + CTRL_C)  # the second one leaves at once
    screen.prompted()
    screen.keys(CTRL_C)
    screen.until("again to leave")
    screen.keys(CTRL_C)
    screen.ended()
    assert [status for *_, status in talker.tasks()] == ["open", "open"]


def test_ctrl_d_at_an_approval_leaves_it_pending(talker: ChatProcess, terminal: Callable[..., Terminal]) -> None:
    script_deletions(talker, "one")
    screen = terminal()
    screen.child.send("delete it\r")
    screen.until("Do it?")
    screen.keys(CTRL_D)
    screen.ended()
    assert "answer later" in screen.text
    again = Terminal(talker.todo, "chat", "-c", "1")  # asks the question again
    again.until("Do it?")
    talker.script(text_answer("Gone."))
    again.child.send("y\r")
    again.until("✓ Deleted #1 one")
    again.until("Gone.")
    again.prompted()
    again.keys(CTRL_D)
    again.ended()


def test_approval_of_some_numbers_runs_those(talker: ChatProcess, terminal: Callable[..., Terminal]) -> None:
    script_deletions(talker, "one", "two", "three", "four")
    screen = terminal()
    screen.child.send("delete all\r")
    screen.until("Needs your yes · 4 deletions")
    screen.until("   4  rm  #4 four   to the trash")
    screen.until("(? explains) >")
    for wrong in ("perhaps", "7"):
        screen.child.send(wrong + "\r")
        screen.until("numbers such as 1 3-4" if wrong == "perhaps" else "choose numbers from 1 to 4")
    screen.child.send("?\r")
    screen.until("you are asked once more")
    talker.script(text_answer("Three of them."))
    screen.child.send("1 3-4\r")
    screen.until("✗  2  rm  #2 two    to the trash")
    screen.until("Do these 3? [y/N]")
    screen.say("y", "✓ Deleted #4 four", "Three of them.")
    assert [status for *_, status in talker.tasks()] == ["deleted", "open", "deleted", "deleted"]
    assert "#2" not in "".join(line for line in screen.lines if "✓ Deleted" in line)


@pytest.mark.parametrize("word", ["approve", "--no"])
def test_approval_answered_elsewhere_ends_the_question(
    talker: ChatProcess, terminal: Callable[..., Terminal], word: str
) -> None:
    script_deletions(talker, "one", "two")
    screen = terminal()
    screen.child.send("delete all\r")
    screen.until("Do it?")
    talker.script(text_answer("So be it."))
    assert talker.other("chat", "approve", "1", *([word] if word == "--no" else [])).code == 0
    screen.until("answered at another terminal")
    screen.until("So be it.")
    screen.prompted()
    assert {status for *_, status in talker.tasks()} == {"open" if word == "--no" else "deleted"}


def test_lost_connection_is_reported_and_the_prompt_continues(
    db: Database, talker: ChatProcess, terminal: Callable[..., Terminal], make_server: Callable[..., Server]
) -> None:
    first = make_server(db, env=model_environment(talker.model))
    balancer = Balancer(first)
    talker.todo.env |= {"TODO_SERVER": balancer.url, "TODO_TIMEOUT": "1"}
    screen = terminal()
    talker.script(slow_answer("Once ", *["upon "] * 60, every=0.3))
    screen.child.send("a story\r")
    screen.until("Once upon")
    first.stop(9)
    screen.until("cannot be reached")
    screen.prompted()
    screen.say("anybody there?", "cannot be reached")
    second = make_server(db, env=model_environment(talker.model))
    balancer.targets[:] = [int(second.url.rpartition(":")[2])]
    talker.script(text_answer("The end."), text_answer("Here again."))
    talker.lapse()
    wait_until(lambda: {state for _, state in talker.turns()} == {"done"})  # the server continues the dead turn
    screen.say("and now?", "Here again.")
    balancer.close()


def test_retry_and_edit_replace_the_last_message(talker: ChatProcess, terminal: Callable[..., Terminal]) -> None:
    screen = terminal()
    talker.script(text_answer("One."), text_answer("Two."))
    screen.say("a joke", "One.")
    screen.say("/retry", "Two.")
    assert [text for _, text in talker.said()] == ["a joke", "Two."]
    screen.child.send("/edit\r")
    screen.until("edit your last message")
    screen.until(lambda: screen.line == "todo> a joke")
    screen.keys(CTRL_C)  # cancels the edit: the next message is a new one
    talker.script(text_answer("Hello."), text_answer("A joke."))
    screen.say("hello", "Hello.")
    assert [text for role, text in talker.said() if role == "user"] == ["a joke", "hello"]
    screen.child.send("/edit\r")
    screen.until(lambda: screen.line == "todo> hello")
    screen.keys(*["\x7f"] * 5)
    screen.say("a joke", "A joke.")
    screen.child.send("/edit\r")
    screen.until(lambda: screen.line == "todo> a joke")
    talker.script(call_answer(("add_task", {"title": "milk"})), text_answer("Three."))
    screen.say(" about milk", "Three.")
    assert [text for role, text in talker.said() if role == "user"] == ["a joke", "a joke about milk"]
    screen.child.send("/retry\r")
    screen.until("Undo these changes first? [y/N]")
    talker.script(call_answer(("add_task", {"title": "bread"})), text_answer("Four."))
    screen.say("y", "Four.")
    assert talker.tasks() == [(1, "milk", "deleted"), (2, "bread", "open")]
    screen.say("/undo", "Undid")
    talker.script(text_answer("Five."))
    screen.say("/retry", "Five.")
    assert [text for _, text in talker.said()][-2:] == ["a joke about milk", "Five."]


def test_fork_new_and_resume_switch_conversations(talker: ChatProcess, terminal: Callable[..., Terminal]) -> None:
    talker.script(text_answer("One."), text_answer("Two."), text_answer("Three."), text_answer("Four."))
    screen = terminal()
    screen.say("first", "One.")
    screen.say("/fork", "now in conversation 2")
    screen.say("second", "Two.")
    screen.say("/new")
    screen.say("third", "Three.")
    screen.say("/resume 1", "(1. ")
    screen.say("/model other-model", "model is other-model now")
    screen.say("fourth", "Four.")
    assert talker.model.asked[-1].body["model"] == "other-model"
    assert [len(talker.said(number)) for number in (1, 2, 3)] == [4, 4, 2]
    screen.say("/history", "fourth")
    screen.say("/model", "The model is other-model")
    screen.say("/nex", "/next?")
    screen.say("/rename Plans", "Renamed conversation 1: Plans")
    screen.until("1. Plans")


CODE = """
import sys
from todo_cli.cli.run import run
code = run(sys.argv[1:])
print([one for one in ("prompt_toolkit", "openai", "psycopg", "sqlalchemy", "starlette", "mcp") if one in sys.modules])
"""


def test_prompt_over_http_imports_no_model_or_database_client(talker: ChatProcess) -> None:
    talker.script(text_answer("Hi."))
    screen = Terminal(talker.todo, "chat", command=(sys.executable, "-c", CODE))
    screen.prompted()
    screen.say("hello", "Hi.")
    screen.child.send("/exit\r")
    screen.ended()
    assert screen.lines[-1] == "['prompt_toolkit']"


def test_prompt_with_a_server_down_appears_at_once(
    db: Database, talker: ChatProcess, make_server: Callable[..., Server]
) -> None:
    """A server that is down is noticed with the first message and delays nothing before."""
    server = make_server(db)
    talker.todo.env |= {"TODO_SERVER": server.url, "TODO_TIMEOUT": "1"}
    server.stop(9)
    screen = Terminal(talker.todo, "chat")
    screen.prompted()
    screen.say("hello", "cannot be reached")
    screen.keys("/show ", CTRL_C, CTRL_D)
    screen.ended()


def test_edit_with_a_number_opens_the_editor(talker: ChatProcess, terminal: Callable[..., Terminal]) -> None:
    talker("add", "a")
    screen = terminal(EDITOR="sed -i 's/^title: a/title: b/'")
    screen.say("/edit 1", "Changed #1 b")
