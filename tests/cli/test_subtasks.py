"""Quick add, subtasks, dependencies, time tracking and recurrence on the command line."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Todo


def test_add_prints_the_fields_that_it_read(todo: Todo) -> None:
    added = todo("add", "Pay rent 2030-01-07 9am #home @phone p1 every month")
    assert added.lines == ["Added #1 Pay rent (due Mon 7 Jan 2030 09:00, p1, #home, @phone, every month)"], added.err
    assert todo("add", "Pay rent 2030-01-07 #home", "--raw").lines == ["Added #2 Pay rent 2030-01-07 #home"]
    assert todo("add", "call 555-1234 about 2 #10 screws").lines == ["Added #3 call 555-1234 about 2 #10 screws"]
    added = todo("add", "Report tomorrow #home @a", "--due", "2030-01-08", "--project", "work", "--tag", "b", "-p", "2")
    assert added.lines == ["Added #4 Report (due Tue 8 Jan 2030, p2, #work, @a @b)"]
    lines = todo("add", "-", stdin="one 2030-01-07\ntwo @x\n").lines
    assert lines == ["Added #5 one (due Mon 7 Jan 2030)", "Added #6 two (@x)"]
    assert todo("add", "-", "--raw", stdin="two @x\n").lines == ["Added #7 two @x"]


def test_subtasks_and_dependencies_are_shown_and_edited(todo: Todo) -> None:
    todo("add", "-", stdin="a\nb\n")
    added = todo("add", "c", "--parent", "1", "--after", "1-2", "--defer", "2030-01-07", "--scheduled", "2030-01-08")
    assert added.lines == [
        "Added #3 c (deferred to Mon 7 Jan 2030, scheduled Tue 8 Jan 2030, subtask of #1, after #1 #2)"
    ], added.err
    shown = todo("show", "3").out
    for line in ("parent    #1", "after     #1 #2 (blocked)", "deferred  7 Jan 2030 (2030-01-07)"):
        assert line in shown
    assert "subtasks  1 open" in todo("show", "1").out
    assert todo("edit", "3", "--not-after", "1", "--clear", "parent", "--clear", "defer").code == 0
    task = todo("show", "3", "--json").json
    assert (task["parent"], task["after"], task["defer"], task["blocked"]) == (None, [2], None, True)
    refused = todo("edit", "2", "--after", "3")
    assert (refused.code, "#2 would wait for itself" in refused.err) == (2, True)
    refused = todo("add", "x", "--parent", "99")
    assert (refused.code, "task #99 does not exist" in refused.err) == (3, True)


def test_done_with_open_subtasks_prints_how_many_remain(todo: Todo) -> None:
    todo("add", "a")
    todo("add", "b", "--parent", "1")
    done = todo("done", "1")
    assert (done.lines, "1 open subtask remains" in done.err) == (["Done #1 a"], True)
    todo("undo")
    assert todo("done", "1", "--with-subtasks").lines == ["Done #1 a", "Done #2 b (subtask of #1)"]


def test_changes_without_an_effect_print_unchanged(todo: Todo) -> None:
    todo("add", "-", stdin="a\nb\n")
    assert todo("release", "1").lines == ["Unchanged #1 a"]
    assert todo("reopen", "1").lines == ["Unchanged #1 a"]
    assert todo("done", "1").lines == ["Done #1 a"]
    assert todo("done", "1-2").lines == ["Unchanged #1 a", "Done #2 b"]
    planned = todo("reopen", "1-2", "--plan").lines[-1].split()[-1]
    assert todo("apply", planned).lines == ["Applied #1 a", "Applied #2 b"]
    keyed = ("done", "1", "--key", "k")
    assert todo(*keyed).lines == todo(*keyed).lines == ["Done #1 a"]


def test_start_and_stop_track_time(todo: Todo) -> None:
    todo("add", "a")
    assert todo("start", "1").lines == ["Started #1 a (started just now)"]
    assert "started   just now" in todo("show", "1").out
    stopped = todo("stop")
    assert re.fullmatch(r"Stopped #1 a( \(worked \ds\))?", stopped.lines[0])
    assert todo("stop").code == 3
    assert todo("start", "1", "--plan").code == 0
    assert todo("show", "1", "--json").json["started_at"] is None


def test_recurring_task_gets_its_next_occurrence(todo: Todo) -> None:
    todo("add", "Water", "--every", "2 weeks on mon", "--due", "2030-01-07")
    assert "repeats   every 2 weeks on mon" in todo("show", "1").out
    planned = todo("done", "1", "--plan")
    assert (planned.code, "#2 Water" in planned.out) == (0, True), planned.err
    done = todo("done", "1")
    assert [line.partition(" (")[0] for line in done.lines] == ["Done #1 Water", "Next #2 Water"]
    assert "due Mon 21 Jan 2030" in done.lines[1]
    assert "due Mon 4 Feb 2030" in todo("skip", "2").lines[0]
    assert todo("edit", "2", "--title", "Feed", "--this").code == 0
    assert "Next #3 Water" in todo("done", "2").lines[1]
    assert todo("edit", "3", "--every", "day for 3 times").code == 0
    done = todo("done", "3")
    assert (len(done.lines), "#3 was the last occurrence of its series" in done.err) == (1, True)
    assert todo("skip", "3").code == 6
    assert todo("edit", "3", "--this", "--all", "--title", "x").code == 2


def test_defer_hides_tasks_until_a_date(todo: Todo) -> None:
    todo("add", "-", stdin="a\nb\n")
    assert todo("defer", "1-2", "2030-01-07").lines[1] == "Deferred #2 b (deferred to Mon 7 Jan 2030)"
    refused = todo("defer", "monday")
    assert (refused.code, "the date is missing" in refused.err) == (2, True)
    assert todo("defer", "1", "31 february").code == 2
    assert todo("undo").code == 0
    assert todo("show", "1", "--json").json["defer"] is None


@pytest.mark.parametrize("title", ["@a " * 333, "#" + "p" * 101 + " x", "x parent:99999999999999999999", "every", "p1"])
def test_add_with_odd_syntax_keeps_the_text_or_is_refused(todo: Todo, title: str) -> None:
    """The text is kept, or refused with a sentence; it is never a bug and never lost."""
    done = todo("add", title)
    assert done.code in (0, 2, 3), done.err
    assert "unexpected" not in done.err
    if done.code == 0:
        assert set(title.split()) <= set(done.out.replace("(", " ").replace(")", " ").split()) | {"every", "p1"}
