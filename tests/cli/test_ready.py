"""`todo ready`: the tasks that a worker can take, and why the others are not ready."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Person, Todo


@pytest.fixture
def todo(person: Person, as_person: Callable[..., Todo]) -> Todo:
    return as_person(person, "api")


def test_ready_lists_what_a_worker_can_take_and_explains_the_rest(todo: Todo) -> None:
    for words in (
        ("plain",),
        ("urgent", "-p", "1"),
        ("waits", "--after", "1"),
        ("later", "--defer", "2099-01-01"),
        ("planned", "--scheduled", "2099-01-01"),
        ("taken", "--project", "builds"),
    ):
        todo("add", *words, "--raw")
    todo("claim", "6")
    assert [line.split("\t")[0] for line in todo("ready").lines] == ["1", "2"], "the first one blocks another"
    listed = todo("list", "is:ready", "--sort", "urgency", "--json").json["tasks"]
    assert [task["number"] for task in listed] == [1, 2]
    assert [task["number"] for task in todo("next", "--json").json["tasks"]] == [1, 2, 6], "the user's own claim too"
    assert todo("ready", "#builds").out == ""
    answer = todo("ready", "--explain", "--json").json
    assert [task["number"] for task in answer["tasks"]] == [1, 2]
    assert answer["tasks"][0]["urgency"] > answer["tasks"][1]["urgency"]
    reasons = {task["number"]: task["reasons"] for task in answer["waiting"]}
    assert reasons[3] == ["blocked by #1 plain"]
    assert reasons[4] == ["deferred until 2099-01-01"]
    assert reasons[5] == ["scheduled for 2099-01-01"]
    assert reasons[6][0].startswith("claimed by ")
    assert set(reasons) == {3, 4, 5, 6}
    lines = todo("ready", "is:blocked", "--explain").lines
    assert lines == ["3\twaits\tblocked by #1 plain"]
    assert todo("ready", "--explain", "--jsonl").code == 2


def test_claim_next_takes_what_ready_lists(todo: Todo) -> None:
    todo("add", "-", stdin="a\nb\n")
    todo("claim", "1")
    assert todo("ready", "--json").json["tasks"][0]["number"] == 2
    assert todo("claim", "--next", "--json").json["number"] == 2
    assert todo("claim", "--next").code == 11


def test_discovered_from_is_set_shown_and_cleared(todo: Todo) -> None:
    todo("add", "-", stdin="paint\nbrush\n")
    assert todo("add", "clean up", "--discovered-from", "1", "--json").json["discovered_from"] == 1
    todo("edit", "2", "--discovered-from", "#1")
    shown = todo("show", "2").out
    assert "found in  #1 paint" in shown
    assert "led to    #2 brush (open)" in todo("show", "1").out
    assert todo("edit", "2", "--clear", "discovered-from", "--json").json["tasks"][0]["discovered_from"] is None
