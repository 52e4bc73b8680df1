"""The calendar and the statistics on a terminal."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.list_samples import BERLIN, TASKS, VIEW, draw_lines, make_repeat, make_task
from todo_cli.cli.render.bars import draw_bar, draw_sparkline
from todo_cli.cli.render.calendar_screen import format_calendar
from todo_cli.cli.render.cells import measure
from todo_cli.cli.render.colors import choose_paint
from todo_cli.cli.render.coming_dates import list_coming_days
from todo_cli.cli.render.signs import ASCII_SIGNS, UNICODE_SIGNS
from todo_cli.cli.render.stats_screen import format_stats
from todo_cli.contract.stats import ProjectTime, Stats, StatsDay, StatsWeek, Streak
from todo_cli.core.tasks.stats import find_streak, sum_weeks

TODAY = date(2026, 11, 27)
MONTHS = [date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)]
ONCE = [task for task in TASKS if task.number not in (12, 31)]


@pytest.fixture
def way() -> str:
    """Use HTTP only: the output does not depend on the client."""
    return "api"


CALENDAR_AT_80 = """\
     November 2026            December 2026             January 2027
 Mo Tu We Th Fr Sa Su     Mo Tu We Th Fr Sa Su     Mo Tu We Th Fr Sa Su
                    1         1: 2  3  4  5  6                  1  2  3
  2  3  4  5  6  7  8      7  8  9 10 11 12 13      4  5  6  7  8  9 10
  9 10 11 12 13 14 15     14 15 16 17 18 19 20     11 12 13 14 15 16 17
 16 17 18 19 20 21 22     21 22 23 24 25 26 27     18 19 20 21 22 23 24
 23 24 25 26!27:28·29     28 29 30 31              25 26 27 28 29 30 31
 30·
 · a task  : several  ! overdue                        today is the 27th

Fri 27 Nov   9 p1 ▸ Call the dentist                                       15:00
            18 p2 ⊘ Write the offer
Sat 28 Nov  40      Überprüfe das Angebot für 東京 🚀 und die Anlagen      09:00
Mon 30 Nov  24    ⚑ Rent a van  ‹22                                        12:00
Tue 1 Dec   22 p2   Move house 1/4
            25    ⊘ Cancel the old contract and tell everybody the new add…  ‹22"""

CALENDAR_AT_40 = """\
     November 2026
 Mo Tu We Th Fr Sa Su
                    1
  2  3  4  5  6  7  8
  9 10 11 12 13 14 15
 16 17 18 19 20 21 22
 23 24 25 26!27·28·29
 30
 · a task  : several  ! overdue
 today is the 27th

Fri 27 Nov
  9 p1 ▸ Call the dentist
    15:00
Sat 28 Nov
 40 Überprüfe das Angebot für 東京 🚀
    und die Anlagen
    09:00"""


def test_calendar_at_each_width_has_the_months_that_fit() -> None:
    assert draw_lines(format_calendar(ONCE, MONTHS, VIEW, 80)) == CALENDAR_AT_80
    assert draw_lines(format_calendar([TASKS[1], TASKS[3], TASKS[5]], MONTHS[:1], VIEW, 40)) == CALENDAR_AT_40
    beside = draw_lines(format_calendar(ONCE, MONTHS, VIEW, 200)).splitlines()
    assert beside[0].endswith("January 2027        Fri 27 Nov   9 p1 ▸ Call the dentist" + " " * 59 + "15:00")


def test_calendar_at_20_columns_has_every_day_of_the_week() -> None:
    lines = draw_lines(format_calendar([], MONTHS[:1], VIEW, 20)).splitlines()
    assert lines[1] == "Mo Tu We Th Fr Sa Su"
    assert lines[3] == " 2  3  4  5  6  7  8"
    assert lines[-3:] == ["· a task  : several", "! overdue", "today is the 27th"]


def test_calendar_and_heat_map_begin_with_the_preferred_weekday() -> None:
    view = VIEW._replace(week_start=6)
    month = draw_lines(format_calendar(ONCE, MONTHS[:1], view, 40)).splitlines()[1:4]
    assert month == [" Su Mo Tu We Th Fr Sa", "  1  2  3  4  5  6  7", "  8  9 10 11 12 13 14"]
    rows = draw_lines(format_stats(STATS, view, 80)).splitlines()[13:20]
    assert [row[:4].strip() for row in rows] == ["Sun", "", "Tue", "", "Thu", "", "Sat"]
    assert rows[4].endswith("░")  # Thursday, and on Friday four
    assert rows[5].endswith("▓")


def test_calendar_marks_coming_dates_in_grey_and_today_in_reverse() -> None:
    task = make_task(1, "Pay", due="2026-11-28", repeat=make_repeat("FREQ=WEEKLY;BYDAY=SA"))
    paint = choose_paint(colored=True)
    lines = [paint(line) for line in format_calendar([task], MONTHS[:2], VIEW, 80)]
    assert "\x1b[7m27\x1b[0m \x1b[1m28\x1b[0m·" in lines[6]
    assert "\x1b[2m5\x1b[0m\x1b[2m·\x1b[0m" in lines[2]


@pytest.mark.parametrize(
    ("rule", "due", "days"),
    [
        ("FREQ=WEEKLY", "2026-11-28", [(12, 5), (12, 12), (12, 19)]),
        ("FREQ=WEEKLY;COUNT=2", "2026-11-28", [(12, 5)]),
        ("FREQ=DAILY;UNTIL=20261201", "2026-11-29T23:30:00Z", [(12, 1)]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-10-31", [(10, 31)][:0]),
    ],
)
def test_coming_days_follow_the_rule_to_its_end(rule: str, due: str, days: list[tuple[int, int]]) -> None:
    task = make_task(1, "a", due=due, repeat=make_repeat(rule))
    found = list(list_coming_days(task, date(2026, 12, 19), BERLIN))
    assert found == [date(2026, month, day) for month, day in days]


BURNDOWN = tuple(
    StatsDay(day=TODAY - timedelta(days=59 - place), open=33 - place // 3, added=1, done=2) for place in range(60)
)
STATS = Stats(
    burndown=BURNDOWN,
    heat={"2026-06-09": 11, "2026-11-26": 1, "2026-11-27": 4},
    weeks=tuple(StatsWeek(week=TODAY - timedelta(weeks=11 - place), done=place) for place in range(12)),
    streak=Streak(days=4, longest=17),
    time=(ProjectTime(project="Work.Offers", seconds=68_700), ProjectTime(project=None, seconds=34_800)),
)


def test_stats_at_80_columns_are_drawn_with_blocks() -> None:
    lines = draw_lines(format_stats(STATS, VIEW, 80)).splitlines()
    assert lines[0] == "Last 60 days" + " " * 39 + "open 14 · done 120 · added 60"
    assert lines[7:10] == [
        "   0 └" + "─" * 60,
        "      29 Sep         14 Oct         29 Oct         13 Nov    today",
        "  at this pace the list is empty on 11 Jan",
    ]
    assert lines[11] == "Done in a year · 16                             best day 9 Jun: 11"
    assert lines[13].startswith("Mon  ····")
    assert lines[14] == " " * 5 + "·" * 28 + "█" + "·" * 24
    assert lines[17].endswith("·▓")
    assert lines[-3:] == [
        "Time · this month  28h 45m",
        "Work.Offers        19h 05m  ████████████████████",
        "No project          9h 40m  ██████████▏",
    ]
    assert "Streak 4 days, longest 17 · a week 5.5 done (▁▁▁▂▃▄▄▅▆▇▇█)" in lines


@settings(deadline=None)
@given(st.integers(20, 210), st.integers(0, 10**6), st.booleans())
def test_stats_and_calendar_are_never_wider_than_the_terminal(width: int, most: int, plain: bool) -> None:
    days = tuple(StatsDay(day=day.day, open=most * place, added=0, done=0) for place, day in enumerate(BURNDOWN))
    time = (ProjectTime(project="東京" * 20, seconds=most + 1),)
    stats = Stats(burndown=days, heat={"2026-11-27": most + 1}, weeks=STATS.weeks, streak=STATS.streak, time=time)
    view = VIEW._replace(signs=ASCII_SIGNS if plain else UNICODE_SIGNS)
    for line in draw_lines([*format_stats(stats, view, width), *format_calendar(TASKS, MONTHS, view, width)]).split(
        "\n"
    ):
        assert measure(line) <= width
        assert line == line.rstrip()


def test_stats_at_20_columns_say_what_every_sign_means() -> None:
    lines = draw_lines(format_stats(STATS, VIEW, 20)).splitlines()
    place = lines.index("     · 0  ░ 1  ▒ 2-3")
    assert lines[place + 1] == "     ▓ 4-5  █ 6+"
    assert lines[-3] == "Time · thi…  28h 45m"


def test_stats_with_plain_signs_are_ascii() -> None:
    assert draw_lines(format_stats(STATS, VIEW._replace(signs=ASCII_SIGNS), 200)).isascii()


@pytest.mark.parametrize(("share", "bar"), [(0, ""), (0.5, "█████"), (0.56, "█████▋"), (1.5, "██████████")])
def test_draw_bar_is_exact_to_an_eighth(share: float, bar: str) -> None:
    assert draw_bar(share, 10, UNICODE_SIGNS) == bar
    assert measure(draw_bar(share, 10, UNICODE_SIGNS, filled=True)) == 10
    assert draw_sparkline([0, share], UNICODE_SIGNS)[0] == "▁"


@pytest.mark.parametrize(
    ("ago", "streak"),
    [
        ((), (0, 0)),
        ((0,), (1, 1)),
        ((1, 2), (2, 2)),
        ((0, 1, 3, 4, 5), (2, 3)),
        ((2, 3), (0, 2)),
    ],
)
def test_find_streak_counts_up_to_today_or_yesterday(ago: tuple[int, ...], streak: tuple[int, int]) -> None:
    found = find_streak({TODAY - timedelta(days=days) for days in ago}, TODAY)
    assert (found.days, found.longest) == streak


def test_sum_weeks_counts_from_monday_to_sunday() -> None:
    weeks = sum_weeks({date(2026, 11, 23): 1, date(2026, 11, 22): 2, date(2026, 1, 1): 4}, TODAY)
    assert [week.done for week in weeks] == [0] * 10 + [2, 1]
    assert weeks[-1].week == date(2026, 11, 23)
    from_sunday = sum_weeks({date(2026, 11, 23): 1, date(2026, 11, 22): 2}, TODAY, week_start=6)
    assert (from_sunday[-1].week, from_sunday[-1].done) == (date(2026, 11, 22), 3)
