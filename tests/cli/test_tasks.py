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
