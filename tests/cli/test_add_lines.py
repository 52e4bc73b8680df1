"""`todo add -`: adding all lines of a real todo.txt, interrupted runs, and one undo for all of them."""

from __future__ import annotations

import random
import signal
import subprocess
import time

import pytest

from tests.conftest import COMMAND, Database, Person, Todo, wait_for
from todo_cli.server.refusal_counts import REPEAT_SECONDS


@pytest.fixture
def way() -> str:
    """Use HTTP only; test_http_and_direct adds a file directly."""
    return "api"


def make_todo_txt(count: int = 400) -> str:
    """Return a todo.txt as people have it: priorities, dates, contexts, projects, links, accents, emoji."""
    chance = random.Random(7)
    verbs = (
        "Call",
        "Pay",
        "Fix",
        "Écrire à",
        "Überweisen:",
        "買う",
        "Ask about",
        "Read https://example.org/a?b=c&d=%20#e",
    )
    things = (
        "the bike 🚲",
        "Mum & Dad",
        "rent (2x)",
        '"quoted" text',
        "50% off",
        "the roof; then paint",
        "C:\\tmp\\x",
        "naïve café",
        "taxes 'n' forms",
    )
    ends = ("+garage @phone", "due:2030-01-02", "@home", "rec:1w", "", "  ", "\t@desk", "key:value +p")
    starts = ("", "(A) ", "(B) 2026-01-02 ", "x 2026-02-03 2026-01-01 ", "2026-05-06 ", "- [ ] ", "# ")
    lines = [
        f"{chance.choice(starts)}{chance.choice(verbs)} {chance.choice(things)} {i} {chance.choice(ends)}"
        for i in range(count)
    ]
    for place in range(0, count, 37):
        lines.insert(place, chance.choice(("", "   ", "\t")))
    return "\n".join(lines) + "\n"


def test_add_lines_of_a_todo_txt_file_are_undone_together(todo: Todo) -> None:
    text = make_todo_txt()
    wanted = [line.strip() for line in text.splitlines() if line.strip()]
    assert len(wanted) == 400
    todo("add", "before")
    added = todo("add", "-", "--raw", "--project", "inbox", "-t", "moved", stdin="\ufeff" + text.replace("\n", "\r\n"))
    assert (added.out, added.err, added.code) == ("Added 400 tasks: #2 to #401\n", "", 0)
    tasks = todo("list", "--all", "--sort", "created", "--json").json["tasks"][1:]
    assert [task["title"] for task in tasks] == wanted
    assert {(task["project"], *task["tags"]) for task in tasks} == {("inbox", "moved")}
    undone = todo("undo")
    assert undone.lines[0] == "Undid change 2:"
    assert undone.lines[-1] == "  … and 380 more"
    assert [line.split("\t")[-1] for line in todo("list", "--all").lines] == ["before"]
    todo("redo")
    assert len(todo("list", "--all").lines) == 401


def test_add_lines_in_several_requests_are_undone_together(todo: Todo) -> None:
    assert todo("add", "-", "--key", "k", stdin=make_todo_txt(1_100)).out == "Added 1,100 tasks: #1 to #1100\n"
    assert [line.split("\t")[0] for line in todo("log").lines] == ["3", "2", "1"]
    assert todo("undo").lines[0] == "Undid change 1, 2, 3:"
    assert todo("list").out == ""


def test_add_lines_with_the_same_key_continues_an_interrupted_run(todo: Todo, person: Person, db: Database) -> None:
    """A rate limit stops the run in the middle. The same run with its key adds the rest, nothing twice."""
    text = make_todo_txt(1_100)
    db.execute("UPDATE todo.users SET per_minute = 2 WHERE id = %s", person.user_id)
    stopped = todo("add", "-", "--key", "move", stdin=text)
    assert (stopped.code, stopped.out) == (8, "")
    assert stopped.err.startswith(
        "1,000 of 1,100 tasks were added; send the same lines with --key move to add the rest"
    )
    db.execute("UPDATE todo.users SET per_minute = NULL WHERE id = %s", person.user_id)
    time.sleep(REPEAT_SECONDS)
    again = todo("add", "-", "--key", "move", stdin=text)
    assert (again.code, again.out) == (0, "Added 1,100 tasks: #1 to #1100\n")
    whole = todo("add", "-", "--key", "move", stdin=text)
    assert whole.out == again.out
    assert "already added" in whole.err
    assert len(todo("list", "--all", "--status", "all").lines) == 1_100
    assert todo("undo").lines[0] == "Undid change 1, 2, 3:"


def test_add_lines_interrupted_without_a_key_prints_its_key(todo: Todo, person: Person, db: Database) -> None:
    db.execute("UPDATE todo.users SET per_minute = 1 WHERE id = %s", person.user_id)
    text = make_todo_txt(600)
    stopped = todo("add", "-", stdin=text)
    assert stopped.err.startswith("500 of 600 tasks were added; ")
    db.execute("UPDATE todo.users SET per_minute = NULL WHERE id = %s", person.user_id)
    time.sleep(REPEAT_SECONDS)
    key = stopped.err.split("--key ")[1].split()[0]
    assert todo("add", "-", "--key", key, stdin=text).out == "Added 600 tasks: #1 to #600\n"


def test_add_lines_interrupted_by_ctrl_c_prints_how_many_were_added(todo: Todo, person: Person, db: Database) -> None:
    text = make_todo_txt(20_000)
    child = subprocess.Popen(
        [*COMMAND, "add", "-"],
        env=todo.environment(),
        cwd=todo.directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdin is not None
    child.stdin.write(text.encode())
    child.stdin.close()
    child.stdin = None

    def stored() -> int:
        return int(db.execute("SELECT seq FROM todo.spaces WHERE id = %s", person.user_id)[0][0])

    wait_for(lambda: stored() > 2)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (130, b"")
    message = err.decode()
    assert "Traceback" not in message
    told = int(message.split(" of ")[0].replace(",", ""))
    wait_for(lambda: stored() == (time.sleep(0.3), stored())[1])  # the request in flight has arrived
    [(there,)] = db.execute("SELECT count(*) FROM todo.tasks WHERE space_id = %s", person.user_id)
    assert told <= there <= told + 500
    assert "and possibly up to 500 more" in message
    assert there % 500 == 0, "a request is all or nothing"
    assert there < 20_000
    assert todo("undo").code == 0
    assert todo("list").out == "", "one undo removes all, as the message says"
