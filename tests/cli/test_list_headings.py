"""The headings and the footer of a list, and the words of its dates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.list_samples import BERLIN, NOW, TASKS, VIEW, draw, draw_lines, make_task
from todo_cli.cli.render.list_footer import format_footer
from todo_cli.cli.render.text import format_due
from todo_cli.contract.task_types import TaskPage

# days from today -> the words of a date, and of an instant at noon in Berlin
DATE_WORDS = [
    (-60, "28 Sep 2026", "28 Sep 2026"),
    (-59, "29 Sep", "29 Sep"),
    (-14, "13 Nov", "13 Nov"),
    (-13, "13 days ago", "13 days ago"),
    (-2, "2 days ago", "2 days ago"),
    (-1, "yesterday", "yesterday 12:00"),
    (0, "today", "today 12:00"),
    (1, "tomorrow", "tomorrow 12:00"),
    (2, "Sun", "Sun 12:00"),
    (6, "Thu", "Thu 12:00"),
    (7, "4 Dec", "4 Dec 12:00"),
    (299, "22 Sep", "22 Sep 12:00"),
    (300, "23 Sep 2027", "23 Sep 2027"),
]


@pytest.mark.parametrize(("days", "date_words", "instant_words"), DATE_WORDS)
def test_format_due_at_each_edge_returns_the_words(days: int, date_words: str, instant_words: str) -> None:
    noon = datetime.fromordinal(NOW.toordinal() + days).replace(hour=12, tzinfo=BERLIN)
    assert format_due(f"{noon:%Y-%m-%d}", BERLIN, NOW) == date_words
    instant = noon.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert format_due(instant, BERLIN, NOW) == instant_words


BY_PROJECT = """\
Büro · 1
 40      Überprüfe das Angebot für 東京 🚀 und die Anlagen        tomorrow 09:00

Home.Bills · 2
 12 p1   Pay the electricity bill ↻  @büro @money                     2 days ago
  7 p2   Answer the tax office about the letter of 3 November          yesterday

No project · 1
  9 p1 ▸ Call the dentist  @phone                                    today 15:00"""


def test_list_by_project_has_their_names_as_headings() -> None:
    assert draw([TASKS[3], TASKS[5], TASKS[0], TASKS[1]], 80, group="project") == BY_PROJECT


@pytest.mark.parametrize(
    ("due", "heading"),
    [
        ("2026-11-27T08:59:59Z", "Overdue"),
        ("2026-11-27T09:00:00Z", "Today · Fri 27 Nov"),
        ("2026-11-27T22:59:00Z", "Today · Fri 27 Nov"),
        ("2026-11-27T23:00:00Z", "Tomorrow · Sat 28 Nov"),
        ("2026-11-29", "Next 7 days"),
        ("2026-12-03", "Next 7 days"),
        ("2026-12-04", "Later"),
        (None, "No date"),
    ],
)
def test_list_by_day_divides_at_the_midnights_of_the_user(due: str | None, heading: str) -> None:
    assert draw([make_task(1, "a", due=due)], 80).splitlines()[0] == f"{heading} · 1"


@pytest.mark.parametrize(
    ("width", "footer"),
    [
        (80, "10 open · 3 overdue · 2 blocked · 5 deferred: todo list is:deferred"),
        (50, "10 open · 3 overdue · 2 blocked · 5 deferred"),
        (40, "10 open · 5 deferred"),
    ],
)
def test_footer_counts_what_fits(width: int, footer: str) -> None:
    page = TaskPage(tasks=tuple(TASKS), deferred=5)
    assert draw_lines(format_footer(page, VIEW, "todo list --all", width)) == f"\n{footer}"


def test_footer_of_a_part_names_the_command_for_the_rest() -> None:
    page = TaskPage(tasks=tuple(TASKS), next="x", total=214)
    assert draw_lines(format_footer(page, VIEW, "todo list --all", 80)) == "\n10 of 214 shown · todo list --all"


@pytest.mark.parametrize(
    ("now", "due", "words", "heading"),
    [
        # the night of 25 October 2026 has 25 hours in Berlin, that of 29 March 23
        ("2026-10-24T22:30:00Z", "2026-10-25T22:59:00Z", "today 23:59", "Today · Sun 25 Oct"),
        ("2026-10-24T22:30:00Z", "2026-10-25T23:00:00Z", "tomorrow 00:00", "Tomorrow · Mon 26 Oct"),
        ("2026-03-28T23:30:00Z", "2026-03-29T21:59:00Z", "today 23:59", "Today · Sun 29 Mar"),
        ("2026-03-28T23:30:00Z", "2026-03-29T22:00:00Z", "tomorrow 00:00", "Tomorrow · Mon 30 Mar"),
        ("2026-10-25T00:30:00Z", "2026-10-25T00:29:00Z", "today 02:29", "Overdue"),
    ],
)
def test_list_on_the_days_when_clocks_change_keeps_local_days(now: str, due: str, words: str, heading: str) -> None:
    moment = datetime.fromisoformat(now)
    assert format_due(due, BERLIN, moment) == words
    assert draw([make_task(1, "a", due=due)], 80, now=moment).splitlines()[0] == f"{heading} · 1"
