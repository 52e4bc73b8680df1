"""Bad input from people, files and pipes is refused with one sentence, and nothing is half done."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pexpect
import pytest

from tests.cli.test_exit_codes import assert_refused
from tests.conftest import COMMAND, Person, Result, Todo


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


def write_settings_file(todo: Todo, text: str | bytes, mode: int = 0o600) -> Path:
    """Write the settings file."""
    path = todo.directory / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    todo.env["TODO_CONFIG"] = str(path)
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("profile = ", "is not TOML"),
        (b"\xff\xfe", "is not UTF-8"),
        ("collor = 'auto'", "did you mean 'color'?"),
        ("nonsense = 1", "unknown key 'nonsense'"),
        ("[profiles.default]\nservr = 'x'", "did you mean 'server'?"),
        ("[profiles.default]\nserver = 1", "[profiles.default] server must be a text"),
        ("timeout = 'soon'", "timeout must be a number"),
        ("timeout = true", "timeout must be a number"),
        ("[profiles.default]\nkeyring = 'yes'", "keyring must be true or false"),
        ("profiles = 3", "profiles"),
        ("[profiles]\ndefault = 3", "[profiles.default] must be a section"),
        ("server = 'x'", "[server] must be a section"),
        ("[server]\npool_size = 1.5", "pool_size must be a whole number"),
        ("profile = 'work'", "there is no profile 'work'"),
        ("timeout = -1", "timeout"),
        ("color = 'mauve'", "color"),
        ("timeout = nan", "timeout"),
    ],
)
def test_commands_with_a_bad_settings_file_are_refused(todo: Todo, text: str | bytes, says: str) -> None:
    path = write_settings_file(todo, text)
    failed = todo("list")
    assert (failed.code, failed.out) == (2, "")
    [line] = failed.err.splitlines()
    assert says in line
    assert str(path) in line


def test_settings_file_with_secrets_readable_by_others_is_refused(todo: Todo) -> None:
    path = write_settings_file(todo, "[profiles.default]\ntoken = 'todo_x'\n", 0o644)
    failed = todo("list")
    assert failed.code == 2
    assert f"chmod 600 {path}" in failed.err
    path.write_text("color = 'never'\n")
    assert todo("list").code == 0, "a file without secrets may be readable"


@pytest.mark.parametrize("name", ["TODO_TIMEOUT", "TODO_POOL_SIZE"])
def test_commands_with_a_bad_environment_variable_are_refused(todo: Todo, name: str) -> None:
    assert_refused(todo, 2, "list", env={name: "many"}, says=name)


def test_commands_with_an_unreadable_settings_file_are_refused(todo: Todo) -> None:
    todo.env["TODO_CONFIG"] = str(todo.directory)
    assert_refused(todo, 2, "list", says="cannot read")


def test_commands_without_a_terminal_never_prompt(bare: Todo, person: Person) -> None:
    """Stdin stays open and silent, so a command that reads it would hang."""
    for arguments, code in ((("login", "http://127.0.0.1:1"), 2), (("add", "-"), 2), (("init", "--destroy"), 0)):
        ended = bare(*arguments, env={"TODO_TOKEN": person.token, "TODO_SERVER": "http://127.0.0.1:1"}, timeout=20)
        assert ended.code == code, (arguments, ended)
        assert "[y/N]" not in ended.err


def run_in_bash(todo: Todo, line: str, **env: str) -> Result:
    """Run a line of bash in which `todo` is a command."""
    done = subprocess.run(
        ["bash", "-c", f'todo() {{ {_quote_command()} "$@"; }}; set -o pipefail; {line}'],
        env=todo.environment(env),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=todo.directory,
    )
    return Result(done.stdout, done.stderr, done.returncode)


def _quote_command() -> str:
    import shlex

    return shlex.join(COMMAND)


def test_commands_with_a_closed_pipe_end_silently(todo: Todo) -> None:
    todo("add", "-", stdin="".join(f"{'x' * 500} {i}\n" for i in range(500)))
    for line in (
        "todo list | head -0",
        "todo list --all | head -1 >/dev/null",
        "todo list --all --json | head -c 10 >/dev/null",
        "todo log -n 1000 | true",
        "todo --help | true",
    ):
        ended = run_in_bash(todo, line)
        assert ended.err == "", line
        assert ended.code == 0, line


def test_commands_with_stdout_on_a_full_disk_report_it(todo: Todo) -> None:
    todo("add", "a")
    for command in ("add b", "list", "--help", "list --json"):
        ended = run_in_bash(todo, f"todo {command} > /dev/full")
        assert ended.code == 1, command
        [line] = ended.err.splitlines()
        assert "cannot write the output: No space left on device" in line or "--json" in command
    assert len(todo("list").lines) == 2, "the add was made, as the error says"


def test_commands_with_closed_streams_work(todo: Todo) -> None:
    todo("add", "a")
    assert run_in_bash(todo, "todo list >&-") == Result("", "", 0)
    assert run_in_bash(todo, "todo list <&-").out == "1\topen\t\t\t\t\ta\n"
    assert run_in_bash(todo, "todo show 9 2>&-").code == 3
    assert run_in_bash(todo, "todo add - <&-").code == 2


def test_questions_accept_only_yes(bare: Todo) -> None:
    """Nothing is done at the end of the input, or after any answer but yes."""
    child = bare.spawn("login", "http://127.0.0.1:1")
    child.expect("E-mail")
    child.sendline("")
    child.expect("Token: ")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert not (bare.directory / ".config").exists()
