"""Tasks as the mock-ups of the design have them, and the screens that are drawn of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from todo_cli.cli.render.colors import Line, choose_paint
from todo_cli.cli.render.list_columns import format_tasks
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.signs import UNICODE_SIGNS, Signs
from todo_cli.contract.task_types import LinkedTask, Repeat, Task, TaskLinks

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)  # 10:00 in Berlin, a Friday
LONG_TITLE = "Cancel the old contract and tell everybody the new address"


def make_task(number: int, title: str, **fields: Any) -> Task:
    """Return a task of the list."""
    given = {"status": "open", "rev": 1, "created_at": NOW, "updated_at": NOW} | fields
    return Task(number=number, id=str(number), title=title, **given)


def make_repeat(rule: str) -> Repeat:
    """Return how a task recurs."""
    return Repeat(rule=rule, series="s", occurrence=1)


def make_links(number: int, title: str) -> TaskLinks:
    """Return the links of a task that waits for another."""
    return TaskLinks(blockers=(LinkedTask(number=number, title=title, status="open"),))


TASKS = [
    make_task(
        12,
        "Pay the electricity bill",
        priority=1,
        due="2026-11-25",
        project="Home.Bills",
        tags=("büro", "money"),
        repeat=make_repeat("FREQ=MONTHLY"),
    ),
    make_task(
        7,
        "Answer the tax office about the letter of 3 November",
        priority=2,
        due="2026-11-26",
        project="Home.Bills",
        tags=("letters",),
    ),
    make_task(
        31,
        "Stand-up",
        due="2026-11-27T08:30:00Z",
        project="Work",
        repeat=make_repeat("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
    ),
    make_task(
        9,
        "Call the dentist",
        priority=1,
        due="2026-11-27T14:00:00Z",
        tags=("phone",),
        started_at=datetime(2026, 11, 27, 8, 40, tzinfo=UTC),
    ),
    make_task(
        18,
        "Write the offer",
        priority=2,
        due="2026-11-27",
        project="Work.Offers",
        after=(19,),
        blocked=True,
        links=make_links(19, "Collect prices"),
    ),
    make_task(
        40,
        "Überprüfe das Angebot für 東京 🚀 und die Anlagen",
        due="2026-11-28T08:00:00Z",
        project="Büro",
        tags=("übrig", "日本"),
    ),
    make_task(
        22,
        "Move house",
        priority=2,
        due="2026-12-01",
        project="House",
        tags=("family",),
        subtasks=3,
        subtasks_done=1,
    ),
    make_task(23, "Pack the books", project="House", parent=22),
    make_task(
        24,
        "Rent a van",
        due="2026-11-30T11:00:00Z",
        project="House",
        tags=("phone",),
        parent=22,
        claimed_by="worker-1",
        claimed_until=datetime(2026, 11, 27, 10, 15, tzinfo=UTC),
    ),
    make_task(
        25,
        LONG_TITLE,
        due="2026-12-01",
        project="House",
        parent=22,
        after=(24,),
        blocked=True,
        links=make_links(24, "Rent a van"),
    ),
]


def draw(tasks: list[Task], width: int, *, signs: Signs = UNICODE_SIGNS, colored: bool = False, **view: Any) -> str:
    """Return the list as text."""
    shown = ListView(**{"zone": BERLIN, "now": NOW, "signs": signs, "group": "day"} | view)
    return "\n".join(map(choose_paint(colored=colored), format_tasks(tasks, shown, width)))


def draw_lines(lines: list[Line]) -> str:
    """Return laid-out lines as text."""
    return "\n".join(map(choose_paint(colored=False), lines))


VIEW = ListView(zone=BERLIN, now=NOW, signs=UNICODE_SIGNS)


EXPLAINED = [
    make_task(
        9,
        "Call the dentist",
        priority=1,
        due="2026-11-27T14:00:00Z",
        tags=("phone",),
        started_at=NOW,
        urgency=19.6,
        parts={"due": 8.7, "priority": 6.0, "active": 4.0, "tags": 0.8, "age": 0.06, "project": 0.01},
    ),
    make_task(
        24,
        "Rent a van",
        due="2026-11-30T11:00:00Z",
        parent=22,
        urgency=13.2,
        parts={"due": 8.2, "blocking": 8.0, "deferred": -3.0},
        links=TaskLinks(blocked=(LinkedTask(number=25, title="Cancel", status="open"),)),
    ),
]
