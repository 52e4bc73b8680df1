"""Reminders: when they are scheduled, what moves or ends them, and that the database computes the moments that are shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.jobs.conftest import Post
from todo_cli.contract.journal import Undo
from todo_cli.contract.preferences import SetPreferences
from todo_cli.contract.reminders import RemindTasks
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, EditTasks, NewTask, ReopenTasks, Task
from todo_cli.contract.trash import DeleteTasks
from todo_cli.errors import Conflict, Invalid
from todo_cli.parsing.reminders import LeadTime, format_lead, parse_lead

HOUR = timedelta(hours=1)


def add(post: Post, **fields: object) -> Task:
    """Add a task that is due on a far day."""
    task: Task = post(AddTask(**({"title": "Pay rent", "due": "2030-06-03T09:00:00Z"} | fields)))  # type: ignore[arg-type]
    return task


def moments(post: Post, number: int) -> list[str]:
    """Return the moments of a task's scheduled reminders."""
    return [f"{job.moment:%Y-%m-%dT%H:%MZ}" for job in post.jobs(number).jobs if job.moment]


def test_reminder_follows_the_due_date_until_the_task_is_done(post: Post) -> None:
    number = add(post, remind=("1h before", "at due", "2029-01-01T08:00:00Z")).number
    assert moments(post, number) == ["2029-01-01T08:00Z", "2030-06-03T08:00Z", "2030-06-03T09:00Z"]
    post(EditTasks(numbers=(number,), due="2030-06-04T12:00:00Z"))
    assert moments(post, number) == ["2029-01-01T08:00Z", "2030-06-04T11:00Z", "2030-06-04T12:00Z"]
    post(EditTasks(numbers=(number,), due=None))
    assert moments(post, number) == ["2029-01-01T08:00Z"]
    post(Undo())
    post(CompleteTasks(numbers=(number,)))
    assert moments(post, number) == []
    post(ReopenTasks(numbers=(number,)))
    assert len(moments(post, number)) == 3
    post(DeleteTasks(numbers=(number,)))
    assert moments(post, number) == []
    post(Undo())
    assert len(moments(post, number)) == 3
    post(RemindTasks(numbers=(number,), replace=True))
    assert moments(post, number) == []


def test_reminder_of_a_recurring_task_goes_on_to_the_next_occurrence(post: Post) -> None:
    number = add(post, due="2030-03-30T08:00:00+01:00", every="every day", remind=("1d", "2030-03-29T20:00:00Z")).number
    changed = post(CompleteTasks(numbers=(number,)))
    following = changed.tasks[1].number
    # daylight saving begins on 31 March: the due time stays 08:00 by the clock, and the day before is a calendar day
    assert moments(post, following) == ["2030-03-30T07:00Z", "2030-03-30T20:00Z"]
    assert moments(post, number) == []


@pytest.mark.parametrize(
    ("due", "lead", "zone", "moment"),
    [
        (datetime(2030, 3, 31, 10, tzinfo=UTC), LeadTime(1, 0), "Europe/Berlin", "2030-03-30T11:00"),
        (datetime(2030, 3, 31, 10, tzinfo=UTC), LeadTime(0, 43_200), "Europe/Berlin", "2030-03-30T22:00"),
        (datetime(2030, 11, 3, 15, tzinfo=UTC), LeadTime(7, 3_600), "America/New_York", "2030-10-27T13:00"),
        (date(2030, 6, 3), LeadTime(0, 0), "Asia/Kolkata", "2030-06-03T03:30"),
        (date(2030, 6, 3), LeadTime(1, 1_800), "Europe/Berlin", "2030-06-02T06:30"),
        (datetime(2030, 4, 1, 0, 30, tzinfo=UTC), LeadTime(1, 0), "Europe/Berlin", "2030-03-31T01:30"),
        (datetime(2030, 10, 28, 1, 30, tzinfo=UTC), LeadTime(1, 0), "Europe/Berlin", "2030-10-27T01:30"),
    ],
)
def test_moment_of_a_reminder_follows_the_clocks_of_its_zone(
    post: Post, due: date, lead: LeadTime, zone: str, moment: str
) -> None:
    text = due.isoformat()
    number = post(AddTask(title="x", due=text, remind=(format_lead(*lead),)), zone=zone).number
    assert moments(post, number) == [f"{moment}Z"]


@pytest.mark.parametrize(
    ("words", "lead"),
    [
        ("1h before", LeadTime(0, 3_600)),
        ("30m", LeadTime(0, 1_800)),
        ("1 day and 2 hours before", LeadTime(1, 7_200)),
        ("2w", LeadTime(14, 0)),
        ("at due", LeadTime(0, 0)),
        ("0m", LeadTime(0, 0)),
        ("tomorrow 9am", None),
        ("2030-01-01", None),
        ("9am", None),
    ],
)
def test_words_of_a_reminder_are_a_time_before_or_a_date(words: str, lead: LeadTime | None) -> None:
    assert parse_lead(words) == lead
    if lead:
        assert parse_lead(format_lead(*lead)) == lead


def test_reminder_that_cannot_come_is_refused_and_changes_nothing(post: Post) -> None:
    number = add(post, due=None).number
    with pytest.raises(Invalid, match="no due date"):
        post(RemindTasks(numbers=(number,), remind=("1h before",)))
    with pytest.raises(Invalid, match="no due date"):
        add(post, due=None, remind=("1h before",))
    with pytest.raises(Invalid, match="passed"):
        post(RemindTasks(numbers=(number,), remind=("2020-01-01",)))
    with pytest.raises(Invalid, match="not a time to remind"):
        post(RemindTasks(numbers=(number,), remind=("some day",)))
    for day in range(1, 11):
        post(RemindTasks(numbers=(number,), remind=(f"2030-01-{day:02}",)))
    with pytest.raises(Invalid, match="at most 10"):
        post(RemindTasks(numbers=(number,), remind=("2030-01-11",)))
    assert len(moments(post, number)) == 10
    post(CompleteTasks(numbers=(number,)))
    with pytest.raises(Conflict):
        post(RemindTasks(numbers=(number,), remind=("2030-02-01",)))


def test_usual_reminder_goes_to_new_tasks_with_a_due_date_only(post: Post) -> None:
    post(SetPreferences(remind="1 day and 30 min"))
    usual = ["2030-06-02T08:30Z"]
    number = add(post).number
    assert moments(post, number) == usual
    assert moments(post, add(post, parent=number).number) == usual
    rows = post(AddTasks(tasks=(NewTask(title="a", due="2030-06-03T09:00:00Z"), NewTask(title="b")))).tasks
    assert [moments(post, task.number) for task in rows] == [usual, []]
    assert moments(post, add(post, remind=("1h",)).number) == ["2030-06-03T08:00Z"]
    assert moments(post, add(post, remind=(), parse=True).number) == []


def test_reminder_whose_time_has_passed_comes_at_once_while_the_task_is_not_due(post: Post) -> None:
    soon = (datetime.now(UTC) + HOUR / 2).isoformat()
    before = (datetime.now(UTC) - HOUR / 2).isoformat()
    assert len(moments(post, add(post, due=soon, remind=("1h before",)).number)) == 1
    assert moments(post, add(post, due=before, remind=("1h before",)).number) == []
