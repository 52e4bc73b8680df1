"""Exit codes: each that can be reached, with one line on stderr, or with --json one object."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable

import pytest

from tests.conftest import COMMAND, Database, Person, Todo, free_port, wait_for


@pytest.fixture
def way() -> str:
    """One suffices: tests/backends holds the errors of both ways to each other."""
    return "api"


def refused(todo: Todo, code: int, *arguments: str, env: dict[str, str] | None = None, says: str = "") -> str:
    """The command fails with this code and one line; with --json the same as an object. What it said."""
    plain = todo(*arguments, env=env)
    assert (plain.code, plain.out) == (code, ""), (plain, arguments)
    [line] = plain.err.splitlines()
    assert line.startswith("todo: ")
    assert says in line
    told = todo(*arguments, "--json", env=env)
    assert (told.code, told.out) == (code, "")
    [object_line] = told.err.splitlines()
    error = json.loads(object_line)["error"]
    assert error["exit_code"] == code
    assert error["detail"] in line
    assert error["type"].startswith("urn:todo:")
    return line


def test_0_done(todo: Todo) -> None:
    made = todo("add", "a")
    assert (made.code, made.err) == (0, "")
    again = [todo("add", "b", "--key", "k").code for _ in range(2)]
    assert again == [0, 0], "done either way"


def test_2_usage(todo: Todo) -> None:
    refused(todo, 2, "add", "a", "--due", "never", says="is not a date")
    refused(todo, 2, "list", "--nosuch", says="no such option")
    refused(todo, 2, "list", "--status", "gone", says="gone")
    refused(todo, 2, "list", "--limit", "0")
    refused(todo, 2, "show", says="argument")
    refused(todo, 2, "frobnicate", says="frobnicate")
    refused(todo, 2, "edit", "1", says="no change was given")


def test_3_not_found(todo: Todo) -> None:
    assert "task #7 does not exist" in refused(todo, 3, "show", "7")
    refused(todo, 3, "done", "7", says="nothing was changed")
    refused(todo, 3, "undo", says="nothing of yours")


def test_4_not_signed_in(todo: Todo, bare: Todo, person: Person) -> None:
    refused(bare, 4, "whoami", says="todo login")
    refused(bare, 4, "list", env={"TODO_SERVER": "http://localhost:1"}, says="you are not signed in")
    refused(todo, 4, "whoami", env={"TODO_TOKEN": person.token[:-3]}, says="the token is not known here")


def test_5_not_allowed(todo: Todo) -> None:
    token = todo("token", "create", "--name", "reader", "--scopes", "read").out.strip()
    refused(todo, 5, "add", "a", env={"TODO_TOKEN": token}, says="lacks the scope tasks:write")
    refused(todo, 5, "admin", "user", "list", says="only an administrator")


def test_6_conflict(todo: Todo) -> None:
    todo("add", "a", "--key", "k")
    refused(todo, 6, "add", "b", "--key", "k", says="was used for another request")
    todo("edit", "1", "--title", "b")
    line = refused(todo, 6, "done", "1", "--if-rev", "1", says="title: a → b")
    assert "todo show 1" in line
    refused(todo, 6, "--no-color", "undo", "--id", "1", says="has changed since")


def test_7_unavailable(bare: Todo, person: Person) -> None:
    nobody = {"TODO_TOKEN": person.token, "TODO_TIMEOUT": "1"}
    refused(bare, 7, "list", env=nobody | {"TODO_SERVER": f"http://127.0.0.1:{free_port()}"}, says="cannot be reached")
    refused(
        bare,
        7,
        "list",
        env=nobody | {"TODO_DATABASE_URL": f"postgresql://x@127.0.0.1:{free_port()}/x"},
        says="cannot be reached",
    )


def test_8_too_many(todo: Todo, person: Person, db: Database) -> None:
    db.execute("UPDATE todo.users SET per_minute = 1 WHERE id = %s", person.user_id)
    assert todo("list").code == 0
    assert "more than 1 requests in a minute" in refused(todo, 8, "list")


def test_10_needs_an_answer(bare: Todo) -> None:
    home = bare.directory / "pg" / "pgdata"
    home.mkdir(parents=True)
    (home / "PG_VERSION").write_text("18")
    result = bare("init", "--destroy")
    assert result.code == 10, result
    assert "--yes" in result.err


def test_1_from_doctor_only_when_it_finds_faults(todo: Todo, bare: Todo) -> None:
    well = todo("doctor")
    assert (well.code, well.err) == (0, "")
    assert [line.split()[0] for line in well.lines] == ["ok"] * 6
    ill = bare("doctor")
    assert ill.code == 1
    assert ill.lines[-2].startswith("FAULT")
    assert "todo login" in ill.lines[-1]
    told = todo("doctor", "--json", env={"TODO_TOKEN": "todo_x"})
    assert told.code == 1
    assert told.json["ok"] is False
    assert [check["name"] for check in told.json["checks"] if not check["ok"]] == ["token"]


def interrupted(todo: Todo, *arguments: str, ready: Callable[[], bool]) -> tuple[int, str]:
    """How the command ends when Ctrl-C comes while it waits."""
    child = subprocess.Popen([*COMMAND, *arguments], env=todo.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, cwd=todo.directory)  # fmt: skip
    wait_for(ready)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    return child.returncode, err.decode()


def test_130_interrupted(bare: Todo, person: Person) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        bare.env |= {"TODO_TOKEN": person.token, "TODO_SERVER": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        accepted = []

        def connected() -> bool:
            try:
                accepted.append(silent.accept()[0])
            except BlockingIOError:
                return False
            return True

        code, err = interrupted(bare, "list", ready=connected)
        for one in accepted:
            one.close()
    assert code == 130
    assert "Traceback" not in err


def test_a_fault_of_ours_is_1_and_one_line(todo: Todo) -> None:
    """Nothing of the fault's values is shown; --debug shows the trace."""
    broken = todo.directory / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text("import todo_cli.cli.session as s\ns.Session.send = lambda *a: 1 / 0\n")
    env = {"PYTHONPATH": f"{broken}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    line = refused(todo, 1, "list", env=env, says="an unexpected ZeroDivisionError")
    assert "--debug" in line
    assert "Traceback" in todo("list", "--debug", env=env).err
