"""What a shell completes behind a command: numbers, names and fields, as bash, zsh and fish insert and show them."""

from __future__ import annotations

import shlex
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import BARE, COMMAND, Database, Person, Server, Todo
from tests.support.fake_server import run_fake_server
from tests.support.terminal import Terminal

FRONT = 'Pay $(touch owned) `touch owned` "it\'s" \x1b[31m\\ *'
"""A title that would run commands, close quotes or colour the screen in a shell that evaluates it."""
PATIENT = {"TODO_COMPLETION_TIMEOUT": "20"}


def complete(todo: Todo, *words: str, **env: str) -> list[str]:
    """Return the words that zsh is offered in place of the last one."""
    done = todo(*words, env=PATIENT | {"_TODO_COMPLETE": "zsh"} | env)
    assert (done.code, done.err) == (0, "")
    return [line.partition("\t")[0] for line in done.out.splitlines()]


@pytest.fixture
def filled(person: Person, as_person: Callable[..., Todo]) -> Todo:
    """A list over HTTP: an open task with names, a done one and one in the trash."""
    todo = as_person(person, "api")
    todo("add", FRONT, "--project", "Big Home", "--tag", "phone", "--raw")
    todo("add", "milk #work @shop; bread #work", "--raw", "--project", "work")
    todo("add", "eggs")
    todo("done", "2")
    todo("rm", "3")
    todo("view", "save", "calls", "@phone")
    return todo


def test_words_follow_from_the_place_on_the_command_line(filled: Todo) -> None:
    for words, offered in {
        ("done", ""): ["1"],
        ("reopen", ""): ["2"],
        ("restore", "#"): ["#work", '#"Big Home"'],
        ("restore", ""): ["3"],
        ("show", ""): ["1", "2", "3"],
        ("edit", "1", "--after", "7,#1"): ["7,#1"],
        ("edit", "1", "--project", "b"): ["Big Home"],
        ("add", "--project=w"): ["--project=work"],
        ("add", "-t", "ph"): ["phone"],
        ("add", "call them #b"): ['call them #"Big Home"'],
        ("add", "call", "p"): ["p1", "p2", "p3"],
        ("add", "call"): [],
        ("list", "-@p"): ["-@phone"],
        ("list", "(project:#wo"): ["(project:#work"],
        ("list", 'project:"Big'): ['project:"Big Home"'],
        ("list", ":"): [":calls"],
        ("list", "is:over"): ["is:overdue"],
        ("list", "pro"): ["project:"],
        ("list", "--sort", "due,-pri"): ["due,-priority"],
        ("--no-color", "view", "rm", ""): ["calls"],
        ("token", "revoke", ""): ["first"],
        ("search", ""): [],
        ("import", "--format", "to"): ["todo.txt", "todoist-csv", "todoist-backup"],
        ("export", "--format=to"): ["--format=todo.txt"],
        ("schema", "vi"): ["view"],
        ("schema", "view", "r"): ["rm"],
        ("schema", "view", "rm", ""): [],
        ("import", ""): [""],  # the shell completes a file
    }.items():
        assert complete(filled, *words) == offered, words


def test_conversations_spaces_and_attachments_are_completed(filled: Todo) -> None:
    filled("space", "create", "Our home", env={"TODO_CONFIG": str(filled.directory / "config.toml")})
    filled("attachment", "add", "1", "-", "--name", "plan.txt", stdin="text")
    assert complete(filled, "space", "leave", "o") == ["Our home"]
    assert complete(filled, "attachment", "get", "1", "") == ["plan.txt"]
    assert complete(filled, "attachment", "get", "no number", "") == []
    assert complete(filled, "chat", "show", "") == []


def test_completion_is_silent_without_a_server_and_starts_none(bare: Todo, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[profiles.default]\nembedded = "%s"\ntoken = "todo_x"\n' % (tmp_path / "pg"))
    config.chmod(0o600)
    for env in (
        {},
        {"TODO_CONFIG": str(config), "TODO_SERVICE": "true"},
        {"TODO_SERVER": "http://127.0.0.1:1", "TODO_TOKEN": "todo_x"},
        {"TODO_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/todo", "TODO_TOKEN": "todo_x"},
        {"TODO_SERVER": "no address", "TODO_TOKEN": "todo_x"},
    ):
        assert complete(bare, "done", "", **env) == [], env
    assert not (tmp_path / "pg").exists()


def test_completion_ends_where_the_server_does_not_answer(bare: Todo) -> None:
    def hang(sock: socket.socket, request: bytes) -> None:
        time.sleep(60)

    with run_fake_server(hang) as server:
        env = {"TODO_SERVER": server.url, "TODO_TOKEN": "todo_x", "TODO_COMPLETION_TIMEOUT": "0.2"}
        done = bare("done", "", env=env | {"_TODO_COMPLETE": "fish"}, timeout=30)
        assert (done.out, done.err, done.code) == ("", "", 0)
        assert server.requests[0].startswith(b"GET /v1/suggestions?kind=task")


SHELLS = {
    "bash": (("bash", "--norc", "--noprofile", "-i"), "source <(todo completion bash)", "1  (Pay $(touch"),
    "zsh": (
        ("zsh", "-f", "-i"),
        "autoload -Uz compinit; compinit -u -D; source <(todo completion zsh)",
        "1  -- Pay $(touch",
    ),
    "fish": (("fish", "-N"), "function fish_prompt; echo '$ '; end; todo completion fish | source", "1  (Pay $(touch"),
}
PRESSED = {
    "todo show 2": "todo show 2 ",
    "todo edit 1 --project B": "todo edit 1 --project Big\\ Home ",
    "todo edit 1 --project 'B": "todo edit 1 --project 'Big Home' ",
    "todo list project:B": 'todo list project:\\"Big\\ Home\\" ',
    "todo list --tag=p": "todo list --tag=phone ",
    "todo list @p": "todo list @phone ",
    "todo list :c": "todo list :calls ",
    "todo list pro": "todo list project:",
    "todo add 'x #w": "todo add 'x #work' ",
    "todo view rm c": "todo view rm calls ",
}
"""What is typed before the Tab key, and the line behind it."""


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_key_inserts_words_and_shows_titles_without_running_them(filled: Todo, shell: str, tmp_path: Path) -> None:
    command, load, shown = SHELLS[shell]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{shell} is not installed")
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "todo").write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    (directory / "todo").chmod(0o755)
    env = PATIENT | {"PATH": f"{directory}:{BARE['PATH']}", "PS1": "$ ", "PROMPT": "$ ", "TERM": "xterm"}
    terminal = Terminal(filled, columns=100, rows=40, command=command, **env)
    terminal.child.sendline(f"{load}; cd {tmp_path}; echo re''ady")
    terminal.until("\nready")
    for typed, line in PRESSED.items():
        terminal.child.send(f"\x0c{typed}\t")
        terminal.until(lambda line=line: any(row.rstrip() == f"$ {line}".rstrip() for row in terminal.lines))
        terminal.child.send("\x15")
    terminal.child.send("\x0ctodo show \t\t")
    terminal.until(shown)
    assert "\x1b[31m\\" not in terminal.raw
    terminal.child.close(force=True)
    assert not [path for path in (tmp_path, filled.directory) if (path / "owned").exists()]


def test_completion_sends_one_request_that_a_limited_answer_fits(
    db: Database, as_person: Callable[..., Todo], make_server: Callable[..., Server]
) -> None:
    server = make_server(db)
    todo = as_person(db.person(), "api", url=server.url)
    todo("add", "milk")
    before = server.log.read_text().count('"path":"/v1/')
    assert complete(todo, "done", "") == ["1"]
    assert server.log.read_text().count('"path":"/v1/') == before + 1
