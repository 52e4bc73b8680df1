"""Statistics: days of the user's zone, deleted tasks, and the time of this month from the journal."""

from __future__ import annotations

from tests.conftest import Database, Person
from tests.support.ask import Ask
from todo_cli.contract.stats import ShowStats
from todo_cli.contract.tasks import CompleteTasks
from todo_cli.contract.time_tracking import StartTasks, StopTasks
from todo_cli.contract.trash import DeleteTasks


def test_stats_count_by_day_what_was_added_done_and_open(ask: Ask, db: Database, person: Person) -> None:
    for title in "abcd":
        ask.add(title)
    ask(CompleteTasks(numbers=(1, 2)))
    ask(DeleteTasks(numbers=(3,)))
    move = "UPDATE todo.tasks SET created_at = now() - interval '3 days' WHERE space_id = %s AND number IN (1, 3)"
    db.execute(move, person.user_id)
    db.execute(
        "UPDATE todo.tasks SET completed_at = now() - interval '1 day' WHERE space_id = %s AND number = 1",
        person.user_id,
    )
    days = ask(ShowStats(days=3)).burndown
    assert [(day.open, day.added, day.done) for day in days] == [(2, 0, 0), (1, 0, 1), (1, 2, 1)]
    stats = ask(ShowStats(days=1))
    assert [(day.open, day.added, day.done) for day in stats.burndown] == [(1, 2, 1)]
    assert sum(stats.heat.values()) == sum(week.done for week in stats.weeks) == 2
    assert (stats.streak.days, stats.streak.longest, stats.cut) == (2, 2, False)


def test_stats_sum_the_time_of_this_month_by_project(ask: Ask, db: Database, person: Person) -> None:
    ask.add("a", project="home")
    ask.add("b")
    ask.add("c", project="home")
    back = "UPDATE todo.tasks SET started_at = started_at - %s::interval WHERE space_id = %s AND number = %s"
    ask(StartTasks(numbers=(1, 2)))
    db.execute(back, "90 seconds", person.user_id, 1)
    db.execute(back, "30 seconds", person.user_id, 2)
    ask(StopTasks(numbers=(1,)))
    ask(StartTasks(numbers=(1,)))
    time = {row.project: row.seconds for row in ask(ShowStats()).time}
    assert 90 <= time["home"] <= 100
    assert 0 <= time[None] <= 40, "work that goes on counts too, from the beginning of the month"
