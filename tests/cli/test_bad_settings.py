"""Bad settings, closed streams and missing terminals are refused with one sentence."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pexpect
import pytest

from tests.cli.test_exit_codes import assert_refused
from tests.conftest import COMMAND, Person, Result, Todo


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
