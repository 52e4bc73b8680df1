"""The everyday commands, over HTTP and directly."""

from __future__ import annotations

from tests.conftest import Todo


def test_task_is_added_done_and_reopened(todo: Todo) -> None:
    assert (
        todo("add", "Buy milk", "--due", "2030-01-02", "-t", "shop", "-p", "1").out
        == "Added #1 Buy milk (due Wed 2 Jan 2030, p1, @shop)\n"
    )
    assert todo("list").out == "1\topen\tp1\t2030-01-02\t\tshop\tBuy milk\n"
    assert todo("done", "1").out == "Done #1 Buy milk (due Wed 2 Jan 2030, p1, @shop)\n"
    assert todo("list").out == ""
    assert todo("undo").out == "Undid change 2:\n  #1 Buy milk: status done → open\n"
    assert todo("show", "1", "--json").json["status"] == "open"


def test_reopen_prints_the_occurrence_that_it_takes_back_and_the_one_that_stays(todo: Todo) -> None:
    todo("add", "Water", "--due", "2030-01-07", "--every", "week")
    todo("done", "1")
    assert todo("reopen", "1").lines == [
        "Reopened #1 Water (due Mon 7 Jan 2030, every week)",
        "Took back #2 Water (due Mon 14 Jan 2030, every week)",
    ]
    todo("done", "1")
    todo("edit", "2", "--title", "Water well")
    reopened = todo("reopen", "1")
    assert reopened.lines == ["Reopened #1 Water (due Mon 7 Jan 2030, every week)"]
    assert reopened.err == "the next occurrence #2 was changed since, so both are open\n"


def test_list_as_json_counts_the_deferred_tasks_that_it_hides(todo: Todo) -> None:
    todo("add", "now")
    todo("add", "some day", "--defer", "2100-01-01")
    todo("add", "some hour", "--defer", "2100-01-01 9am")
    page = todo("list", "--json").json
    assert ([task["title"] for task in page["tasks"]], page["deferred"]) == (["now"], 2)
