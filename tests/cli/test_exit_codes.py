"""Every reachable exit code, with one line on stderr, or one object with --json."""

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
    """Use HTTP only: other tests compare the errors over HTTP with direct ones."""
    return "api"


def assert_refused(todo: Todo, code: int, *arguments: str, env: dict[str, str] | None = None, says: str = "") -> str:
    """Assert that the command fails with this code and one line, and the same as an object; return the line."""
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


def test_exit_code_is_0_on_success(todo: Todo) -> None:
    made = todo("add", "a")
    assert (made.code, made.err) == (0, "")
    again = [todo("add", "b", "--key", "k").code for _ in range(2)]
    assert again == [0, 0], "the task is done in both cases"


def test_exit_code_is_2_for_bad_usage(todo: Todo) -> None:
    assert_refused(todo, 2, "add", "a", "--due", "never", says="is not a date")
    assert_refused(todo, 2, "list", "--nosuch", says="no such option")
    assert_refused(
        todo, 2, "add", "--du", "friday", says="no such option: --du (did you mean --due? see: todo add --help)"
    )
    assert_refused(todo, 2, "list", "--status", "gone", says="gone")
    assert_refused(todo, 2, "list", "--limit", "0")
    assert_refused(todo, 2, "show", says="argument")
    assert_refused(todo, 2, "frobnicate", says="frobnicate")
    assert_refused(todo, 2, "edit", "1", says="no change was given")


def test_exit_code_is_3_for_a_missing_task(todo: Todo) -> None:
    assert "task #7 does not exist" in assert_refused(todo, 3, "show", "7")
    assert_refused(todo, 3, "done", "7", says="nothing was changed")
    assert_refused(todo, 3, "undo", says="nothing of yours")


def test_exit_code_is_4_without_a_valid_token(todo: Todo, bare: Todo, person: Person) -> None:
    assert_refused(bare, 4, "whoami", says="todo login")
    assert_refused(bare, 4, "list", env={"TODO_SERVER": "http://localhost:1"}, says="you are not signed in")
    assert_refused(todo, 4, "whoami", env={"TODO_TOKEN": person.token[:-3]}, says="the token is not known here")


def test_exit_code_is_5_beyond_the_token_scopes(todo: Todo) -> None:
    token = todo("token", "create", "--name", "reader", "--scopes", "read").out.strip()
    assert_refused(todo, 5, "add", "a", env={"TODO_TOKEN": token}, says="lacks the scope tasks:write")
    assert_refused(todo, 5, "admin", "user", "list", says="only an administrator")


def test_exit_code_is_6_for_a_conflict(todo: Todo) -> None:
    todo("add", "a", "--key", "k")
    assert_refused(todo, 6, "add", "b", "--key", "k", says="was used for another request")
    todo("edit", "1", "--title", "b")
    line = assert_refused(todo, 6, "done", "1", "--if-rev", "1", says="title: a → b")
    assert "todo show 1" in line
    assert_refused(todo, 6, "--no-color", "undo", "--id", "1", says="has changed since")


def test_exit_code_is_7_without_a_server(bare: Todo, person: Person) -> None:
    nobody = {"TODO_TOKEN": person.token, "TODO_TIMEOUT": "1"}
    assert_refused(
        bare, 7, "list", env=nobody | {"TODO_SERVER": f"http://127.0.0.1:{free_port()}"}, says="cannot be reached"
    )
    assert_refused(
        bare,
        7,
        "list",
        env=nobody | {"TODO_DATABASE_URL": f"postgresql://x@127.0.0.1:{free_port()}/x"},
        says="cannot be reached",
    )


def test_exit_code_is_8_at_the_rate_limit(todo: Todo, person: Person, db: Database) -> None:
    db.execute("UPDATE todo.users SET per_minute = 1 WHERE id = %s", person.user_id)
    assert todo("list").code == 0
    assert "more than 1 requests in a minute" in assert_refused(todo, 8, "list")


def test_rate_limit_that_ends_in_seconds_is_waited_for_once(todo: Todo, person: Person, db: Database) -> None:
    db.execute("UPDATE todo.users SET per_minute = 2 WHERE id = %s", person.user_id)
    used = "ARRAY[now() - interval '57 seconds', now() - interval '57 seconds']"
    db.execute(f"INSERT INTO todo.recent_requests VALUES (%s, 'user', {used})", person.user_id)
    done = todo("add", "milk")
    assert (done.code, done.err) == (0, ""), "refused, waited, let in"
    recorded = "SELECT cardinality(moments) FROM todo.recent_requests WHERE user_id = %s"
    assert db.execute(recorded, person.user_id) == [(2,)]
    assert todo("list").code == 8, "the next one would have to wait for a minute"


def test_exit_code_is_10_without_a_terminal_to_ask_on(bare: Todo) -> None:
    home = bare.directory / "pg" / "pgdata"
    home.mkdir(parents=True)
    (home / "PG_VERSION").write_text("18")
    result = bare("init", "--destroy")
    assert result.code == 10, result
    assert "--yes" in result.err


def test_exit_code_of_doctor_is_1_if_a_check_fails(todo: Todo, bare: Todo) -> None:
    well = todo("doctor")
    assert (well.code, well.err) == (0, "")
    direct = "TODO_DATABASE_URL" in todo.env  # no model is configured there
    assert [line.split()[0] for line in well.lines] == ["ok"] * 6 + (["note", "→"] if direct else ["ok"])
    ill = bare("doctor")
    assert ill.code == 1
    assert ill.lines[-3].startswith("FAULT  connection")
    assert "todo login" in ill.lines[-2]
    assert ill.lines[-1].strip() == "not checked without it: token, clock, timezone, model"
    told = todo("doctor", "--json", env={"TODO_TOKEN": "todo_x"})
    assert told.code == 1
    assert told.json["ok"] is False
    faults = [check for check in told.json["checks"] if not check["ok"]]
    assert [(fault["name"], fault["state"], fault["unchecked"]) for fault in faults] == [
        ("token", "FAULT", ["clock", "timezone", "model"])
    ]
    away = todo("doctor", env={"TODO_SERVER": "http://127.0.0.1:1"})
    assert (away.code, away.lines[2].split()[:2]) == (1, ["FAULT", "connection"])
    assert away.lines[-1].strip() == "not checked without it: token, clock, timezone, model"


def interrupt(todo: Todo, *arguments: str, ready: Callable[[], bool]) -> tuple[int, str]:
    """Send Ctrl-C while the command waits; return its exit code and stderr."""
    child = subprocess.Popen(
        [*COMMAND, *arguments],
        env=todo.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=todo.directory,
    )
    wait_for(ready)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    return child.returncode, err.decode()


def test_exit_code_is_130_after_ctrl_c(bare: Todo, person: Person) -> None:
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

        code, err = interrupt(bare, "list", ready=connected)
        for one in accepted:
            one.close()
    assert code == 130
    assert "Traceback" not in err


def test_exit_code_is_1_for_a_bug(todo: Todo) -> None:
    """The error's values are not printed; --debug prints the trace."""
    broken = todo.directory / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text("import todo_cli.cli.session as s\ns.Session.send = lambda *a: 1 / 0\n")
    env = {"PYTHONPATH": f"{broken}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    line = assert_refused(todo, 1, "list", env=env, says="an unexpected ZeroDivisionError")
    assert "--debug" in line
    assert "Traceback" in todo("list", "--debug", env=env).err
