"""A turn while it runs: words in a pipe as they arrive, a spinner on a terminal, and the line below the answer."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import COMMAND
from tests.support.chat_process import ChatProcess, slow_answer
from tests.support.fake_model import FakeModel
from tests.support.model_answers import Script, call_answer, delta_stream, text_answer
from tests.support.terminal import Terminal
from todo_cli.cli.render.turn_summary import summary_lines

PRICES = {"TODO_MODEL_INPUT_PRICE": "100", "TODO_MODEL_OUTPUT_PRICE": "1000"}


@pytest.fixture
def talker(make_talker: Callable[..., ChatProcess], model: FakeModel) -> ChatProcess:
    """A new user, directly on the database."""
    model.scripts.clear()
    return make_talker("direct")


def late_answer(seconds: float, *parts: str) -> Script:
    """Return an answer whose first word takes some seconds."""
    return [{"wait": seconds}, *text_answer(*parts)]


def read_bytes(child: Any, size: int) -> str:
    """Return so many bytes of the output as they arrive."""
    return bytes(child.stdout.read(size)).decode()


def start_ask(talker: ChatProcess, *arguments: str) -> Any:
    """Start `todo ask` in an unbuffered pipe."""
    return subprocess.Popen(
        [*COMMAND, "ask", *arguments],
        env=talker.todo.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )


@pytest.mark.parametrize("way", ["direct", "api"])
def test_ask_in_a_pipe_prints_each_delta_at_once(make_talker: Callable[..., ChatProcess], way: str) -> None:
    talker = make_talker(way)
    talker.script(slow_answer("\n", "Half", " a word", "\n\n", every=1))
    child = start_ask(talker, "talk slowly")
    assert read_bytes(child, 4) == "Half"
    assert talker.turns()[0][1] == "running"
    out, err = child.communicate(timeout=30)
    assert (out.decode(), err.decode(), child.returncode) == (" a word\n", "", 0)


def test_ask_whose_reader_leaves_finishes_the_turn(talker: ChatProcess) -> None:
    talker.script(
        call_answer(("add_task", {"title": "milk"}), text="First milk. "),
        call_answer(("add_task", {"title": "bread"}), text="Now bread. "),
        slow_answer(*["and so on "] * 5, every=0.1),
    )
    child = start_ask(talker, "add milk, then bread")
    assert read_bytes(child, 5) == "First"
    child.stdout.close()
    assert child.wait(30) == 0
    with child.stderr as errors:
        assert errors.read() == b""
    assert [title for _, title, _ in talker.tasks()] == ["milk", "bread"]
    assert talker.turns()[0][1] == "done"


def test_spinner_is_drawn_while_the_model_thinks_and_erased(talker: ChatProcess) -> None:
    talker.script(call_answer(("add_task", {"title": "milk"})), late_answer(2, "Added."))
    screen = Terminal(talker.todo, "ask", "add milk")
    screen.until("✓ Added #1 milk")
    screen.until("thinking · ")
    assert screen.line.endswith("Ctrl-C stops")
    assert len(screen.line) == 79
    screen.until("Added.\n")
    screen.ended()
    assert "thinking" not in screen.text


@pytest.mark.parametrize(
    ("arguments", "env", "note"),
    [
        ((), {"NO_COLOR": "1"}, "thinking… (Ctrl-C stops)\n"),
        ((), {"TERM": "dumb"}, "thinking... (Ctrl-C stops)\n"),
        ((), {"NO_MOTION": "1"}, "thinking… (Ctrl-C stops)\n"),
        (("--quiet",), {}, ""),
    ],
)
def test_spinner_where_motion_is_not_wanted_is_one_line_or_none(
    talker: ChatProcess, arguments: tuple[str, ...], env: dict[str, str], note: str
) -> None:
    talker.script(late_answer(1, "Yes."))
    screen = Terminal(talker.todo, "ask", "is it?", *arguments, **env)
    screen.ended()
    assert screen.raw.count("thinking") == bool(note)
    assert screen.text.startswith(f"{note}Yes.\n")
    assert ("tokens" in screen.text) == bool(note)


@pytest.mark.parametrize(("env", "shown"), [({}, "\nHm, one moment.\nYes.\n"), ({"NO_COLOR": "1"}, "\nYes.\n")])
def test_reasoning_is_dimmed_above_the_answer_and_kept_from_stdout(
    talker: ChatProcess, env: dict[str, str], shown: str
) -> None:
    talker.script([{"wait": 0.5}, *delta_stream({"reasoning_content": "\n\nHm, one moment."}, {"content": "Yes."})])
    screen = Terminal(talker.todo, "ask", "is it?", **env)
    screen.ended()
    assert shown in f"\n{screen.text}"
    assert ("\x1b[2mHm,\x1b[0m" in screen.raw) == (not env)


def test_ctrl_c_before_the_first_word_prints_one_line(talker: ChatProcess) -> None:
    talker.script(late_answer(20, "Late."))
    screen = Terminal(talker.todo, "ask", "is it?")
    screen.until("thinking")
    screen.child.send("\x03")
    screen.ended(130)
    assert screen.lines == ["(stopped before the first word)"]


def test_answer_on_a_terminal_ends_with_changes_tokens_and_cost(talker: ChatProcess) -> None:
    talker.script(call_answer(("add_task", {"title": "milk"})), text_answer("Added."))
    config = talker.todo.directory / "config.toml"
    config.write_text('[model]\ninput_price = 100.0\noutput_price = 1000.0\ncurrency = "EUR"\n')
    config.chmod(0o600)
    screen = Terminal(talker.todo, "ask", "add milk", TODO_CONFIG=str(config))
    screen.ended()
    left, _, right = screen.lines[2].strip().partition("   ")
    assert left == "1 changed · undo: todo chat undo 1"
    assert right.strip().startswith("14 + 6 tokens · 0.0074 EUR · ")


USAGE = {"prompt": 1204, "completion": 86, "cost": "0.0012", "currency": "USD"}


@pytest.mark.parametrize(
    ("columns", "changed", "usage", "lines"),
    [
        (80, 2, USAGE, ["  2 changed · undo: /undo                    1,204 + 86 tokens · 0.0012 USD · 3s"]),
        (56, 0, USAGE, [" " * 21 + "1,204 + 86 tokens · 0.0012 USD · 3s"]),
        (55, 2, USAGE, ["  2 changed · undo: /undo", "  1,204 + 86 tokens · 0.0012 USD · 3s"]),
        (40, 0, USAGE, ["  1,204 + 86 tokens · 0.0012 USD · 3s"]),
        (80, 0, None, [" " * 78 + "3s"]),
    ],
)
def test_summary_lines_of_a_width_follow_the_design(
    monkeypatch: pytest.MonkeyPatch, columns: int, changed: int, usage: dict[str, Any] | None, lines: list[str]
) -> None:
    """The first line is the one of the design's page on screens."""
    monkeypatch.setenv("COLUMNS", str(columns))
    assert summary_lines(changed, "/undo", usage, 3.2) == lines


def test_preference_switches_the_line_below_the_answer_off_and_on(talker: ChatProcess) -> None:
    assert "usage\toff\tpreference" in talker("prefs", "--usage", "off").lines
    for choice in ("off", "on"):
        assert talker("prefs", "--usage", choice).code == 0
        talker.script(text_answer("Yes."))
        screen = Terminal(talker.todo, "ask", "is it?")
        screen.ended()
        assert ("7 + 3 tokens" in screen.text) == (choice == "on")
