"""Bad input from people, files and pipes is refused with one sentence, and nothing is half done."""

from __future__ import annotations

import subprocess

import pytest

from tests.cli.test_exit_codes import assert_refused
from tests.conftest import COMMAND, Todo


@pytest.fixture
def way() -> str:
    """Use HTTP only: these errors occur before a request is sent."""
    return "api"


def test_add_with_a_blank_or_too_long_title_is_refused(todo: Todo) -> None:
    for title in ("", " ", "\t\u2003"):
        assert_refused(todo, 2, "add", title, says="the title is blank")
    assert_refused(todo, 2, "add", "two\nlines", says="todo add -")
    assert_refused(todo, 2, "add", "x" * 1_001, says="title is longer than 1,000")
    assert todo("list").out == ""


def test_add_of_a_ten_megabyte_line_is_refused_briefly(todo: Todo) -> None:
    failed = todo("add", "-", stdin="x" * 10_000_000)
    assert (failed.code, failed.out) == (2, "")
    assert "line 1 is longer than 1,000 characters" in failed.err
    assert len(failed.err) < 300, "the message does not repeat the input"


def test_add_with_control_characters_or_markup_prints_them_as_text(todo: Todo) -> None:
    assert todo("add", "a\x07\x1b[2Jb").out == "Added #1 a\\x07\\x1b[2Jb\n"
    assert todo("add", "[link=http://x]y[/link]").out == "Added #2 [link=http://x]y[/link]\n"
    assert todo("add", "--", "--json").out == "Added #3 --json\n"


def test_add_of_nul_or_invalid_utf_8_is_refused(todo: Todo) -> None:
    for data, says in (
        (b"ok\na\0b\n", "line 2 contains a NUL"),
        (b"ok\nok\nca\xfe\n", "line 3 is not valid UTF-8 (byte 3)"),
        (b"a\x0cb\n", "line 1 contains a line break"),
        (b"one\rtwo\r", "line 1 contains a line break"),
    ):
        failed = todo("add", "-", stdin=data)
        assert (failed.code, failed.out) == (2, ""), data
        assert says in failed.err, data
    bad = subprocess.run(
        [*COMMAND, "add", b"caf\xe9"], env=todo.environment(), capture_output=True, check=False, cwd=todo.directory
    )
    assert bad.returncode == 2
    assert b"not valid UTF-8" in bad.stderr
    for arguments in (
        (b"show", b"\xff"),
        (b"\xff",),
        (b"list", b"--tag", b"\xff"),
        (b"add", b"a", b"--key", b"\xff"),
        (b"token", b"revoke", b"\xff"),
    ):
        bad = subprocess.run(
            [*COMMAND, *arguments], env=todo.environment(), capture_output=True, check=False, cwd=todo.directory
        )
        assert bad.returncode == 2, (arguments, bad)
        assert len(bad.stderr.splitlines()) == 1, (arguments, bad)
    assert todo("list").out == ""


def test_commands_in_a_c_locale_work(todo: Todo) -> None:
    """With LANG=C, as in a cron job, Python uses its UTF-8 mode."""
    made = todo("add", "Käse 漢字", env={"LANG": "C", "LC_ALL": "C"})
    assert (made.code, made.out) == (0, "Added #1 Käse 漢字\n")


def test_commands_with_an_ascii_stdout_escape_other_characters(todo: Todo) -> None:
    ascii_output = {"PYTHONIOENCODING": "ascii"}
    title = "K\u00e4se \u6f22\u5b57 \U0001f680"
    added = todo("add", title, env=ascii_output)
    assert (added.code, added.out) == (0, "Added #1 K\\u00e4se \\u6f22\\u5b57 \\ud83d\\ude80\n"), added.err
    assert todo("list", env=ascii_output).code == todo("show", "1", env=ascii_output).code == 0
    assert todo("show", "1", "--json", env=ascii_output).json["title"] == title


@pytest.mark.parametrize(
    "number", ["0", "-1", "99999999999999999999", "1.5", "", "#", "3-1", "1-99999999", "٣", "1_0", "9" * 5_000]
)
def test_commands_with_a_malformed_number_are_refused(todo: Todo, number: str) -> None:
    failed = todo("done", "--", number) if number.startswith("-") else todo("done", number)
    assert (failed.code, failed.out) == (2, "")
    assert len(failed.err.splitlines()) == 1
    assert len(failed.err) < 300
    if number == "-1":
        assert todo("done", number).code == 2


def test_commands_with_unknown_or_bad_flags_are_refused(todo: Todo) -> None:
    for arguments in (
        ("add", "a", "--dew", "x"),
        ("list", "--sort", "colour"),
        ("list", "-n", "x"),
        ("undo", "--id", "0"),
        ("log", "--before", "-3"),
        ("--nosuch",),
        ("edit", "1", "--clear", "title"),
        ("edit", "1", "--due", "fri", "--clear", "due"),
        ("show", "1", "extra"),
        ("init", "--stop", "--destroy"),
        ("completion", "tcsh"),
    ):
        failed = todo(*arguments)
        assert (failed.code, failed.out) == (2, ""), arguments
        assert len(failed.err.splitlines()) == 1, arguments


def test_words_that_begin_with_a_minus_name_the_double_dash(todo: Todo) -> None:
    assert_refused(todo, 2, "add", "-5 degrees", says="put -- before words that begin with a minus")
    assert todo("add", "--", "-5 degrees").out == "Added #1 -5 degrees\n"
