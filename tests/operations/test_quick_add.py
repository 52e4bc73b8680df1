"""Quick add through both ways in: a time beside a recurrence, keys as promises, and `none`."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.support.ask import Ask
from todo_cli.contract.tasks import AddTask, AddTasks, EditTasks, ListTasks, NewTask, Task
from todo_cli.errors import Invalid

SATURDAY, SUNDAY = 5, 6
BERLIN = ZoneInfo("Europe/Berlin")


def weekday_and_time(task: Task) -> tuple[int, str]:
    assert task.due
    due = datetime.fromisoformat(task.due).astimezone(BERLIN)  # the zone of the tests' users
    return due.weekday(), f"{due:%H:%M}"


def test_add_task_time_beside_a_recurrence_is_the_time_of_its_first_occurrence(ask: Ask) -> None:
    parsed = ask.add("Call mom at 6pm every sunday", parse=True)
    assert parsed.title == "Call mom"
    assert weekday_and_time(parsed) == (SUNDAY, "18:00")
    by_options = ask.add("Call mom", due="6pm", every="every sunday")
    assert by_options.due == parsed.due
    assert by_options.repeat
    assert by_options.repeat.rule == "FREQ=WEEKLY;BYDAY=SU;BYHOUR=18;BYMINUTE=0"


def test_edit_tasks_time_beside_a_recurrence_is_the_time_of_its_first_occurrence(ask: Ask) -> None:
    task = ask.add("Call mom", due="2030-01-02")
    changed = ask(EditTasks(numbers=(task.number,), due="6pm", every="every sunday")).tasks[0]
    assert weekday_and_time(changed) == (SUNDAY, "18:00")


def test_add_task_day_beside_a_recurrence_is_the_first_due_date(ask: Ask) -> None:
    task = ask.add("Pay rent 2030-01-05 9am every sunday", parse=True)
    assert weekday_and_time(task) == (SATURDAY, "09:00")


@pytest.mark.parametrize("words", ["blub", "2026-11-31", "2027-02-29", "fri monday"])
def test_add_task_bad_date_behind_a_key_fails_with_the_error_of_the_option(ask: Ask, words: str) -> None:
    with pytest.raises(Invalid) as of_option:
        ask.add("Fix", due=words)
    with pytest.raises(Invalid) as of_key:
        ask.add(f"Fix due:{words}", parse=True)
    assert (of_key.value.detail, of_key.value.hint) == (of_option.value.detail, of_option.value.hint)
    with pytest.raises(Invalid, match="'blub' is not a recurrence"):
        ask.add("Fix every:blub", parse=True)


def test_add_tasks_bad_date_behind_a_key_names_the_task(ask: Ask) -> None:
    with pytest.raises(Invalid, match="task 2: 'blub' is not a date") as error:
        ask(AddTasks(tasks=(NewTask(title="Fine"), NewTask(title="Fix due:blub")), parse=True))
    assert error.value.extra["task"] == 2


def test_add_task_none_leaves_the_field_empty(ask: Ask) -> None:
    task = ask(AddTask(title="Fix", due="none", defer="None", every="none"))
    assert (task.due, task.defer, task.repeat) == (None, None, None)
    assert ask.add("Fix due:none p4", parse=True).title == "Fix"


def test_edit_tasks_none_clears_the_field(ask: Ask) -> None:
    task = ask.add("Fix", due="2030-01-02", defer="2030-01-01")
    changed = ask(EditTasks(numbers=(task.number,), due="none", defer="none")).tasks[0]
    assert (changed.due, changed.defer) == (None, None)


def test_add_task_hourly_recurrence_is_due_one_interval_later(ask: Ask) -> None:
    task = ask.add("Drink water every 4 hours", parse=True)
    assert task.due
    assert task.repeat
    assert task.repeat.rule == "FREQ=HOURLY;INTERVAL=4"
    delay = datetime.fromisoformat(task.due) - task.created_at
    assert 3.9 * 3600 < delay.total_seconds() <= 4 * 3600


@pytest.mark.parametrize(
    ("filter", "titles"),
    [
        ("every:weekly", ["Bins"]),
        ("rec:'1 week'", ["Bins"]),
        ("recur:'every! 3 days'", ["Plants"]),
        ("every:'3 days'", []),
        ("every:any", ["Bins", "Plants"]),
        ("every:none", ["Milk"]),
        ("-every:weekly", ["Milk", "Plants"]),
    ],
)
def test_list_tasks_filter_by_recurrence_finds_the_tasks_of_the_rule(ask: Ask, filter: str, titles: list[str]) -> None:
    for title, every in (("Bins", "every week"), ("Plants", "every! 3 days"), ("Milk", None)):
        ask(AddTask(title=title, every=every))
    assert sorted(task.title for task in ask(ListTasks(filter=filter)).tasks) == titles


def test_list_tasks_filter_by_bad_recurrence_names_its_place(ask: Ask) -> None:
    with pytest.raises(Invalid, match="the filter, at character 10: 'often' is not a recurrence") as error:
        ask(ListTasks(filter="p1 every:often"))
    assert error.value.extra["position"] == 10


def test_add_task_remind_in_the_title_is_that_of_the_option(ask: Ask) -> None:
    by_option = ask.add("Pay", due="2030-01-04 18:00", remind=("1h before",))
    parsed = ask.add("Pay due:2030-01-04 18:00 remind:1h", parse=True)
    assert (parsed.title, parsed.remind) == ("Pay", by_option.remind)
    assert (
        ask.add("Pay due:2030-01-04 remind:1h", parse=True, remind=("2h",)).remind
        == ask.add("Pay", due="2030-01-04", remind=("2h",)).remind
    )
    with pytest.raises(Invalid, match="'blub' is not a time to remind"):
        ask.add("Pay due:2030-01-04 remind:blub", parse=True)
    with pytest.raises(Invalid, match="no due date to remind before"):
        ask.add("Pay remind:1h", parse=True)
