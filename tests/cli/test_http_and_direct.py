"""One list changed by two commands, one directly on the database, the other over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from tests.cli.test_add_lines import make_todo_txt
from tests.conftest import Person, Todo


def test_one_list_over_http_and_direct_is_the_same(person: Person, as_person: Callable[..., Todo]) -> None:
    direct, api = as_person(person, "direct"), as_person(person, "api")
    assert direct("add", "-", "--project", "moved", stdin=make_todo_txt()).out == "Added 400 tasks: #1 to #400\n"
    assert len(api("list", "--all", "--status", "all", "--project", "moved").lines) == 400
    assert api("done", "3", "7-9").code == 0
    assert direct("show", "8", "--json").json["status"] == "done"
    assert direct("edit", "8", "--title", "x").code == 0
    assert api("add", "Buy milk", "--key", "milk").out == "Added #401 Buy milk\n"
    again = direct("add", "Buy milk", "--key", "milk")
    assert (again.out, "already added" in again.err) == ("Added #401 Buy milk\n", True), "a key counts for both clients"
    refused = api("edit", "8", "--title", "y", "--if-rev", "2")
    assert (refused.code, "title" in refused.err) == (6, True)
    assert direct("undo").out == "Undid change 4:\n  #401 Buy milk: status open → deleted\n", (
        "the user's last change, made by either client"
    )
    assert api("redo").out == "Redid change 5:\n  #401 Buy milk: status deleted → open\n"
    assert api("rm", "1").code == direct("restore", "1").code == 0
    rows = [line.split("\t") for line in direct("log").lines]
    assert [(row[0], row[4], row[5]) for row in reversed(rows)] == [
        ("1", "direct", "add"),
        ("2", "api", "done"),
        ("3", "direct", "edit"),
        ("4", "api", "add"),
        ("5", "direct", "undo"),
        ("6", "api", "redo"),
        ("7", "api", "rm"),
        ("8", "direct", "restore"),
    ]
    assert {(row[2], row[3]) for row in rows} == {(person.name, "first")}
    assert api("log").out == direct("log").out
    assert [line.split("\t")[0] for line in api("log", "8").lines] == ["3", "2", "1"]
    assert api("list", "--all", "--status", "all").out == direct("list", "--all", "--status", "all").out
