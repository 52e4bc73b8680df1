"""Preferences over both clients."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.conftest import Person
from tests.support.ask import Ask, AskAs
from todo_cli.contract.preferences import SetPreferences
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, EditTasks, ListTasks, NewTask
from todo_cli.contract.users import WhoAmI
from todo_cli.contract.views import SaveView
from todo_cli.errors import Invalid


def test_stored_time_zone_applies_where_none_is_sent(person: Person, ask_as: AskAs) -> None:
    ask = ask_as(person, timezone=None)
    assert ask(SetPreferences(timezone="Pacific/Kiritimati")).timezone == "Pacific/Kiritimati"
    assert ask(WhoAmI()).timezone == "Pacific/Kiritimati"
    assert ask.add(due="2030-01-02 09:00").due == "2030-01-01T19:00:00Z"


def test_absent_preferences_stay_and_null_clears(ask: Ask) -> None:
    ask(SetPreferences(timezone="Asia/Tokyo"))
    assert ask(SetPreferences()).timezone == "Asia/Tokyo"
    assert ask(SetPreferences(timezone=None)).timezone is None


def test_unknown_time_zone_is_refused(ask: Ask) -> None:
    with pytest.raises(Invalid, match="Berlim"):
        ask(SetPreferences(timezone="Europe/Berlim"))


def test_model_is_stored_as_a_preference(ask: Ask) -> None:
    ask(SetPreferences(timezone="Asia/Tokyo"))
    assert ask(SetPreferences(model=" gpt-5-mini ")).model == "gpt-5-mini"
    me = ask(WhoAmI())
    assert (me.timezone, me.model) == ("Asia/Tokyo", "gpt-5-mini")
    kept = ask(SetPreferences(timezone=None))
    assert (kept.timezone, kept.model) == (None, "gpt-5-mini")
    assert ask(SetPreferences(model=None)).model is None
    for wrong in (" ", "a\nb", "a\0b", "x" * 101):
        with pytest.raises(Invalid):
            ask(SetPreferences(model=wrong))


def test_show_usage_is_stored_and_cleared_beside_the_others(ask: Ask) -> None:
    ask(SetPreferences(budget=100))
    assert ask(SetPreferences(show_usage=False)).show_usage is False
    me = ask(WhoAmI())
    assert (me.show_usage, me.budget) == (False, 100)
    assert ask(SetPreferences(show_usage=None)).show_usage is None


def test_default_project_is_that_of_new_tasks_which_name_none(ask: Ask) -> None:
    assert ask(SetPreferences(project="#inbox")).project == "inbox"
    parent = ask.add()
    assert parent.project == "inbox"
    assert ask(AddTask(title="Call #work", parse=True)).project == "work"
    several = ask(
        AddTasks(tasks=(NewTask(title="a"), NewTask(title="b", project="none"), NewTask(title="c", project="d")))
    )
    assert [task.project for task in several.tasks] == ["inbox", None, "d"]
    for request in (
        AddTask(title="x", project="none"),
        AddTask(title="x #none", parse=True),
        AddTask(title="x", parent=1),
    ):
        assert ask(request).project is None
    assert ask.add(after=(parent.number,)).project == "inbox"
    assert ask(SetPreferences(project=None)).project is None
    assert ask.add().project is None


@pytest.mark.parametrize("given", [{}, {"after": (1,)}])
def test_known_key_returns_the_task_whatever_the_default_project_is_now(ask: Ask, given: dict[str, Any]) -> None:
    ask.add()
    request = AddTask(title="x", **given)
    added = ask(request, key="nightly")
    ask(SetPreferences(project="later"))
    again = ask(request, key="nightly")
    assert (again.number, again.project, again.new) == (added.number, None, False)


def test_default_sort_orders_lists_that_name_none_on_every_page(ask: Ask) -> None:
    for priority in (3, 1, 2):
        ask.add(priority=priority, due=f"2030-01-0{priority}")
    ask(SetPreferences(sort="-priority"))
    page = ask(ListTasks(limit=2))
    assert ([task.priority for task in page.tasks], page.sort) == ([3, 2], "-priority")
    ask(SetPreferences(sort="created"))
    rest = ask(ListTasks(limit=2, cursor=page.next))
    assert [task.priority for task in rest.tasks] == [1], "a page continues the one before"
    assert [task.priority for task in ask(ListTasks(sort="due")).tasks] == [1, 2, 3]
    ask(SaveView(name="all", filter="status:open", sort="due"))
    assert [task.priority for task in ask(ListTasks(filter=":all")).tasks] == [1, 2, 3]
    assert [task.priority for task in ask(ListTasks()).tasks] == [3, 1, 2]


@pytest.mark.parametrize(("week_start", "due"), [("monday", "2030-01-06"), ("sunday", "2030-01-13")])
def test_recurrence_of_every_two_weeks_counts_the_weeks_of_the_user(ask: Ask, week_start: str, due: str) -> None:
    ask(SetPreferences(week_start=week_start))  # type: ignore[arg-type]  # a day of the week
    task = ask.add(every="2 weeks on sat, sun starting 2030-01-05")
    assert task.due == "2030-01-05"
    ask(SetPreferences(week_start=None))
    ask(CompleteTasks(numbers=(task.number,)))
    assert [found.due for found in ask(ListTasks()).tasks] == [due], "a series keeps its weeks"


def test_week_begins_on_the_preferred_day(ask: Ask, ask_as: AskAs) -> None:
    ask(SetPreferences(week_start="sunday"))
    for zone in ("Europe/Berlin", None):  # of the machine, or the preference
        send = ask_as(ask.who, timezone=zone)
        assert date.fromisoformat(send.add(due="next week").due or "").weekday() == 6
        assert date.fromisoformat(send.add(due="eow").due or "").weekday() == 5
    first = date.fromisoformat(ask.add(due="sow").due or "")
    task = ask.add(title="edge", due=first.isoformat())
    last = ask.add(title="edge", due=(first + timedelta(days=6)).isoformat())
    ask.add(title="edge", due=(first + timedelta(days=7)).isoformat())
    ask.add(title="edge", due=(first - timedelta(days=1)).isoformat())

    def find(words: str) -> set[int]:
        return {found.number for found in ask(ListTasks(filter=f"{words} title:edge")).tasks}

    assert find("due:week") == find("due:'this week'") == {task.number, last.number}
    assert find("due<=week") - find("due<week") == {task.number, last.number}
    assert find("due>=week") - find("due>week") == {task.number, last.number}
    ask(EditTasks(numbers=(task.number,), due="eow"))
    assert ask.show(task.number).due == last.due
