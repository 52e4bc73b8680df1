"""Help and completion: without settings, token, network or HOME."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.conftest import BARE, COMMAND, Todo
from tests.support.terminal import Terminal
from todo_cli.cli.group import load_command, run_command_line
from todo_cli.cli.help_topics import join_lines, list_topics
from todo_cli.command_table import COMMANDS

MAX_TEXT_COLUMNS = 78
"""What a terminal of 80 columns has room for, between the margins of the help."""


def leaf_commands(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that is not a group, with the words that name it."""
    subcommands = getattr(command, "commands", None)
    if not subcommands:
        yield words, command
    for name, subcommand in (subcommands or {}).items():
        yield from leaf_commands(subcommand, *words, name)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_two_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words, command in leaf_commands(load_command(name), name):
        examples = [line for line in (command.help or "").splitlines() if "todo " in line and not line.endswith(".")]
        assert len(examples) >= 2, words
        assert all(" ".join(words) in line or "todo " in line for line in examples), words
        assert run_command_line([*words, "--help"]) == 0
        shown = capsys.readouterr().out
        assert "Usage: todo" in shown
        assert shown.count("todo ") >= 3, words


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_keeps_its_lines_at_80_columns(name: str) -> None:
    """The first paragraph flows; all other lines keep their ends, so a longer one would be broken in its middle."""
    for words, command in leaf_commands(load_command(name), name):
        lines = (command.help or "").partition("\n\n")[2].splitlines()
        assert [line for line in lines if len(line) > MAX_TEXT_COLUMNS] == [], words


@pytest.mark.parametrize(("columns", "width"), [(60, 60), (80, 80), (100, 100), (200, 100)])
def test_help_is_as_wide_as_the_terminal_up_to_100_columns(columns: int, width: int) -> None:
    done = subprocess.run(
        [*COMMAND, "edit", "--help"], env=BARE | {"COLUMNS": str(columns)}, capture_output=True, text=True, check=True
    )
    assert max(map(len, done.stdout.splitlines())) == width


def test_help_without_settings_works(tmp_path: Path) -> None:
    for arguments in (["--help"], ["add", "--help"], ["token", "-h"], ["--version"], ["completion", "bash"]):
        done = subprocess.run(
            [*COMMAND, *arguments],
            env={"PATH": BARE["PATH"]},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), arguments
        assert done.stdout
    assert list(tmp_path.iterdir()) == []


def test_aliases_run_the_usual_commands(todo: Todo) -> None:
    todo("add", "milk")
    assert todo("ls").out == todo("list").out
    assert todo("--no-color", "ls", "--json").json == todo("list", "--json").json
    assert todo("version").out == todo("--version").out
    assert todo("help").out == todo("--help").out
    assert todo("help", "edit").out == todo("edit", "--help").out
    assert todo("help", "token", "create").out == todo("token", "create", "--help").out
    refused = todo("help", "filtres")
    assert (refused.code, refused.err) == (2, "todo: there is no command or topic 'filtres' (did you mean filters?)\n")


def test_help_of_a_topic_is_drawn_on_a_terminal_and_markdown_in_a_pipe(bare: Todo) -> None:
    for topic in list_topics():
        assert bare("help", topic).out.startswith("# "), topic
        assert topic in bare("--help").out
    terminal = Terminal(bare, "help", "exit-codes", columns=60, rows=60)
    terminal.ended()
    assert "Exit codes" in terminal.lines[0]
    assert "```" not in terminal.text
    assert max(map(len, terminal.lines)) <= 60


def test_join_lines_keeps_code_lists_and_tables() -> None:
    text = "# A\na\nb\n\n- c\n  d\n- e\n\n```sh\nf\ng\n```\nh\n| i |\n| j |\n"
    assert join_lines(text) == "# A\na b\n\n- c d\n- e\n\n```sh\nf\ng\n```\nh\n| i |\n| j |\n"


def test_group_without_a_subcommand_prints_its_help(bare: Todo) -> None:
    shown = bare("token")
    assert shown.code == 2
    assert "create" in shown.out + shown.err


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A directory that contains `todo`."""
    directory = tmp_path / "bin"
    directory.mkdir()
    script = directory / "todo"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    script.chmod(0o755)
    return directory


WORDS = [
    ("todo re", ["ready", "reject", "release", "remind", "reopen", "restore", "redo", "register"]),
    ("todo ", list(COMMANDS)),
    ("todo list --s", ["--status", "--sort"]),
    ("todo list --status ", ["open", "done", "deleted", "all"]),
    ("todo list --status d", ["done", "deleted"]),
    ("todo list --sort=pri", ["priority"]),
    ("todo token ", ["create", "list", "revoke"]),
    ("todo admin user d", ["disable"]),
    ("todo --no-color sh", ["show"]),
    ("todo --profile ", ["default", "work"]),
    ("todo --profile work li", ["list"]),
    ("todo completion ", ["bash", "zsh", "fish"]),
    ("todo token create --na", ["--name"]),
    ("todo --vers", ["--version"]),
    ("todo nosuch ", None),
    ("todo add 'a b' --pri", ["--priority"]),
]


def test_bash_completion_offers_the_matching_words(bare: Todo, path: Path) -> None:
    config = bare.directory / "config.toml"
    config.write_text("[profiles.default]\ncolor = 1\n[profiles.work]\n".replace("color = 1\n", ""))
    ask = 'COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=37; _todo todo "$2"; printf \'%s|\' "${COMPREPLY[@]}"; echo'
    script = ["source <(todo completion bash)", f"ask() {{ {ask}; }}"]
    script += [f"ask {shlex.quote(line)} {shlex.quote(re.split('[ =]', line)[-1])}" for line, _ in WORDS]
    environment = bare.environment({"PATH": f"{path}:{BARE['PATH']}", "TODO_CONFIG": str(config)})
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    for (line, wanted), offered in zip(WORDS, done.stdout.splitlines(), strict=True):
        if wanted is not None:
            assert offered.rstrip("|").split("|") == wanted, line


def test_bash_completion_by_the_tab_key_works(bare: Todo, path: Path) -> None:
    environment = bare.environment({"PATH": f"{path}:{BARE['PATH']}", "TERM": "dumb", "PS1": "$ "})
    child = pexpect.spawn("bash", ["--norc", "--noprofile"], env=environment, encoding="utf-8", timeout=20)  # type: ignore[arg-type]
    child.sendline("bind 'set enable-bracketed-paste off'; source <(todo completion bash); echo re''ady")
    child.expect("ready")
    child.send("todo compl\t")
    child.expect("todo completion ")
    child.send("ba\t")
    child.expect("bash")
    child.sendcontrol("u")
    child.sendline("exit")
    child.expect(pexpect.EOF)
    child.close()


def test_completion_of_a_command_name_imports_nothing(bare: Todo) -> None:
    code = "import sys; from todo_cli.main import main; before = set(sys.modules); main(); print(sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [COMMAND[0], "-c", code, "sh"],
        env=bare.environment({"_TODO_COMPLETE": "zsh"}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["show\tShow one task.", "[]"]


@pytest.mark.parametrize(
    "words", [[], [""], ["", ""], ["--profile"], ["list", "--nosuch", ""], ["'\n\""], ["--", "--"], ["nosuch", "-"]]
)
def test_completion_of_bad_input_prints_nothing(bare: Todo, words: list[str]) -> None:
    for shell in ("bash", "zsh", "fish", "nosuch", ""):
        done = bare(*words, env={"_TODO_COMPLETE": shell})
        assert (done.code, done.err) == (0, "")
    (bare.directory / "broken.toml").write_text("=")
    env = {"_TODO_COMPLETE": "zsh", "TODO_CONFIG": str(bare.directory / "broken.toml")}
    for words in (["--profile", ""], ["done", ""]):
        done = bare(*words, env=env)
        assert (done.out, done.err, done.code) == ("", "", 0)
