"""A list on a terminal: its form at each width, after the mock-ups of the design."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Todo
from tests.support.terminal import Terminal
from tests.support.terminal_output import run_on_terminal
from todo_cli.cli.list_options import PIPE_COLUMNS
from todo_cli.cli.render.cells import cut, measure, wrap_words
from todo_cli.cli.render.chosen_columns import format_chosen_columns
from todo_cli.cli.render.colors import DARK_CODES, LIGHT_CODES, SGR_CODES, Line, Piece, Role, choose_paint
from todo_cli.cli.render.grid import format_grid
from todo_cli.cli.render.hyperlinks import link_addresses
from todo_cli.cli.render.list_columns import format_tasks
from todo_cli.cli.render.list_footer import format_footer
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.signs import ASCII_SIGNS, UNICODE_SIGNS, Signs
from todo_cli.cli.render.text import format_due
from todo_cli.cli.render.urgency_parts import format_explained
from todo_cli.contract.task_types import LinkedTask, Repeat, Task, TaskLinks, TaskPage

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)  # 10:00 in Berlin, a Friday
LONG_TITLE = "Cancel the old contract and tell everybody the new address"


@pytest.fixture
def way() -> str:
    """Use HTTP only: the output does not depend on the client."""
    return "api"


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

AT_200 = """\
Overdue · 3
 12 p1   Pay the electricity bill ↻                                    2 days ago   #Home.Bills   @büro @money  every month
  7 p2   Answer the tax office about the letter of 3 November          yesterday    #Home.Bills   @letters
 31      Stand-up ↻                                                    today 09:30  #Work                       every weekday

Today · Fri 27 Nov · 2
  9 p1 ▸ Call the dentist                                              15:00                      @phone        started 20m ago
 18 p2 ⊘ Write the offer                                                            #Work.Offers                after #19 Collect prices

Tomorrow · Sat 28 Nov · 1
 40      Überprüfe das Angebot für 東京 🚀 und die Anlagen             09:00        #Büro         @übrig @日本

Next 7 days · 4
 22 p2   Move house 1/4                                                Tue          #House        @family
 23      ├ Pack the books                                                           #House
 24    ⚑ ├ Rent a van                                                  Mon 12:00    #House        @phone        claimed by worker-1
 25    ⊘ └ Cancel the old contract and tell everybody the new address  Tue          #House                      after #24 Rent a van"""

AT_80 = """\
Overdue · 3
 12 p1   Pay the electricity bill ↻  #Home.Bills @büro @money         2 days ago
  7 p2   Answer the tax office about the letter of 3 November          yesterday
 31      Stand-up ↻  #Work                                           today 09:30

Today · Fri 27 Nov · 2
  9 p1 ▸ Call the dentist  @phone                                          15:00
 18 p2 ⊘ Write the offer  #Work.Offers

Tomorrow · Sat 28 Nov · 1
 40      Überprüfe das Angebot für 東京 🚀 und die Anlagen  #Büro          09:00

Next 7 days · 4
 22 p2   Move house 1/4  #House @family                                      Tue
 23      ├ Pack the books  #House
 24    ⚑ ├ Rent a van  #House @phone                                   Mon 12:00
 25    ⊘ └ Cancel the old contract and tell everybody the new addr…          Tue"""

AT_40 = """\
Overdue · 2
 12 p1 Pay the electricity bill ↻
    2 days ago #Home.Bills @büro @money
  7 p2 Answer the tax office about the
    letter of 3 November
    yesterday #Home.Bills @letters"""

AT_40_BELOW = """\
Next 7 days · 3
 22 p2 Move house 1/4
    Tue #House @family
 23 › Pack the books
    #House
 24 › ⚑ Rent a van
    Mon 12:00 #House @phone"""


def draw(tasks: list[Task], width: int, *, signs: Signs = UNICODE_SIGNS, colored: bool = False, **view: Any) -> str:
    """Return the list as text."""
    shown = ListView(**{"zone": BERLIN, "now": NOW, "signs": signs, "group": "day"} | view)
    return "\n".join(map(choose_paint(colored=colored), format_tasks(tasks, shown, width)))


def test_list_at_80_columns_is_one_line_per_task() -> None:
    assert draw(TASKS, 80) == AT_80


def test_list_at_40_columns_is_stacked() -> None:
    assert draw(TASKS[:2], 40) == AT_40
    assert draw(TASKS[6:9], 40) == AT_40_BELOW


def test_list_at_200_columns_has_columns_and_words() -> None:
    assert draw(TASKS, 200) == AT_200


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (120, ("2 Jan 2030", "#travel.japan.2027", "@accommod")),
        (100, ("2 Jan 2030", "#travel.japan.2027")),
        (80, ("2 Jan 2030",)),
        (60, ("2 Jan 2030",)),
        (40, ("2 Jan 2030", "#travel.japan.2027")),
    ],
)
def test_list_drops_columns_before_it_shortens_the_title(width: int, shown: tuple[str, ...]) -> None:
    title = "Compare the offers for the trip to Kyoto with the agency"
    task = make_task(
        1,
        title,
        due="2030-01-02",
        project="travel.japan.2027",
        tags=("accommodation",),
        repeat=make_repeat("FREQ=YEARLY"),
    )
    words = draw([task], width).replace(title, "").split()
    text = " ".join(words)
    for name in shown:
        assert name in text
    assert not any(word in ("travel.japa", "n", "#travel.japa…", "accommodation") for word in words)


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            120,
            [
                " 24 Rent a van  Mon 12:00  #House  @phone  for bob",
                f" 25 Cook{'for ada':>42}",
            ],
        ),
        (80, [f" 24 Rent a van  #House @phone for bob{'Mon 12:00':>43}", " 25 Cook  for ada"]),
        (40, [" 24 Rent a van", "    Mon 12:00 #House @phone for bob", " 25 Cook", "    for ada"]),
        (33, [" 24 Rent a van", "    Mon 12:00 #House @phone", " 25 Cook", "    for ada"]),
    ],
)
def test_list_says_whom_a_task_is_assigned_to(width: int, lines: list[str]) -> None:
    tasks = [
        make_task(
            24, "Rent a van", due="2026-11-30T11:00:00Z", project="House", tags=("phone",), assigned_to="bob"
        ),
        make_task(25, "Cook", assigned_to="ada"),
    ]  # fmt: skip  # one task an entry
    assert draw(tasks, width, group="none").splitlines() == lines


def test_list_without_a_priority_or_a_mark_has_no_column_for_them() -> None:
    assert draw([make_task(1, "a"), make_task(2, "b")], 80) == "No date · 2\n  1 a\n  2 b"


def test_list_with_plain_signs_is_ascii() -> None:
    plain = draw([task for task in TASKS if task.number != 40 and task.number != 12], 80, signs=ASCII_SIGNS)
    assert plain.isascii()
    assert " 25    x +- Cancel the old contract" in plain


def test_list_colours_what_is_due_today_and_what_is_overdue() -> None:
    lines = draw(TASKS, 80, colored=True).splitlines()
    assert lines[0] == "\x1b[1mOverdue\x1b[0m\x1b[2m · 3\x1b[0m"
    assert re.search(r"\x1b\[1;31m *2 days ago\x1b\[0m$", lines[1])
    assert re.search(r"\x1b\[33m *15:00\x1b\[0m$", lines[6])
    assert "\x1b[33m" not in lines[14], "a date in the coming days has no colour of its own"


def test_list_of_finished_tasks_shows_when_they_were_done() -> None:
    done_at = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)
    tasks = [
        make_task(1, "a", status="done", due="2026-11-20", completed_at=done_at),
        make_task(2, "b", status="deleted", deleted_at=datetime(2026, 10, 1, tzinfo=UTC)),
    ]
    assert draw(tasks, 80).splitlines() == [
        "  1 a                                                                done 3h ago",
        "  2 b                                                              deleted 1 Oct",
    ]


def test_list_in_order_of_urgency_shows_it_and_names_parents() -> None:
    links = TaskLinks(parent=LinkedTask(number=22, title="Move house", status="open"))
    tasks = [make_task(24, "Rent a van", parent=22, urgency=17.21, links=links), make_task(22, "Move", urgency=9.0)]
    assert draw(tasks, 60, as_tree=False, with_urgency=True, group="none").splitlines() == [
        " 24 Rent a van  ‹22",
        " 22 Move",
    ]
    assert draw(tasks, 100, as_tree=False, with_urgency=True, name_parents=True, group="none").splitlines() == [
        " 24 Rent a van  ‹Move house  17.2",
        " 22 Move                      9.0",
    ]


def test_list_indents_four_levels_at_most() -> None:
    tasks = [make_task(number, "t", parent=number - 1 if number > 1 else None) for number in range(1, 7)]
    assert [line[4:] for line in draw(tasks, 80, group="none").splitlines()] == [
        "t",
        "└ t",
        "  └ t",
        "    └ t",
        "      └ t",
        "      └ …t",
    ]


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


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("ab cdef", 4, "ab…"),
        ("東京東京", 5, "東京…"),
        ("東京東京", 4, "東…"),
        ("👩‍👩‍👧👩‍👩‍👧", 3, "👩‍👩‍👧…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("🇩🇪🇫🇷", 3, "🇩🇪…"),
        ("ー" * 1000, 7, "ーーー…"),
    ],
)
def test_cut_keeps_graphemes_whole(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


def test_wrap_words_breaks_between_words() -> None:
    assert wrap_words("travel.japan to the sea", 12) == ["travel.japan", "to the sea"]
    assert wrap_words("", 12) == [""]
    assert wrap_words("x" * 25, 12) == ["x" * 12, "x" * 12, "x"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(
    st.lists(st.tuples(TEXTS, TEXTS, st.lists(TEXTS, max_size=3), st.integers(0, 5)), min_size=1, max_size=5),
    st.integers(20, 210),
    st.booleans(),
)
def test_list_is_never_wider_than_the_terminal(
    facts: list[tuple[str, str, list[str], int]], width: int, wrap_titles: bool
) -> None:
    tasks = [
        make_task(
            index + 10**6,
            title,
            project=project,
            tags=tuple(tags),
            parent=10**6 if 0 < index == parent else None,
            due="2026-11-28T08:00:00Z" if parent % 2 else None,
        )
        for index, (title, project, tags, parent) in enumerate(facts)
    ]
    for line in draw(tasks, width, wrap_titles=wrap_titles, with_urgency=True).splitlines():
        assert measure(line) <= width
        assert line == line.rstrip()


GRID = [
    ("soon", "due<=7d", ""),
    ("work", "#work and not @waiting and (due<=7d or p1) and not is:blocked", "priority,due"),
]


def draw_grid(width: int) -> list[str]:
    """Return the table of views."""
    lines = format_grid(("Name", "Filter", "Sort"), GRID, width)
    return [choose_paint(colored=False)(line) for line in lines]


def test_grid_wraps_between_words_and_stacks_where_columns_cannot_fit() -> None:
    assert draw_grid(60) == [
        "Name  Filter                                    Sort",
        "soon  due<=7d",
        "work  #work and not @waiting and (due<=7d or    priority,due",
        "      p1) and not is:blocked",
    ]
    assert draw_grid(20) == [
        "soon",
        "  filter due<=7d",
        "work",
        "  filter #work and",
        "  not @waiting and",
        "  (due<=7d or p1)",
        "  and not",
        "  is:blocked, sort",
        "  priority,due",
    ]


def test_grid_aligns_numbers_at_the_right_and_wide_characters_by_their_cells() -> None:
    lines = format_grid(("Tag", "Open tasks"), [("日本", "7"), ("übrig", "1,200")], 80)
    assert [choose_paint(colored=False)(line) for line in lines] == [
        "Tag    Open tasks",
        "日本            7",
        "übrig       1,200",
    ]


def draw_lines(lines: list[Line]) -> str:
    """Return laid-out lines as text."""
    return "\n".join(map(choose_paint(colored=False), lines))


VIEW = ListView(zone=BERLIN, now=NOW, signs=UNICODE_SIGNS)

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


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            80,
            [
                "Next · 2 of 9 that wait for nothing",
                "  9 p1 ▸ Call the dentist  @phone                                    today 15:00",
                "         19.6 = due 8.7 + priority 6.0 + active 4.0 + tags 0.8 + age 0.1",
                " 24      Rent a van  ‹22                                               Mon 12:00",
                "         13.2 = due 8.2 + blocking 8.0 (#25) - deferred 3.0",
            ],
        ),
        (
            120,
            [
                "  #      Title             Due          Urgency  due  blocking  priority  active  tags  age  deferred",
                "  9 p1 ▸ Call the dentist  today 15:00     19.6  8.7                 6.0     4.0   0.8  0.1",
                " 24      Rent a van  ‹22   Mon 12:00       13.2  8.2       8.0                                   -3.0",
            ],
        ),
        (
            40,
            [
                "Next · 2 of 9 that wait for nothing",
                "  9 p1 ▸ Call the dentist",
                "    today 15:00 @phone",
                "    19.6 = due 8.7 + priority 6.0",
                "         + active 4.0 + tags 0.8",
                "         + age 0.1",
                " 24 Rent a van  ‹22",
                "    Mon 12:00",
                "    13.2 = due 8.2 + blocking 8.0 (#25)",
                "         - deferred 3.0",
            ],
        ),
        (
            20,
            [
                "Next · 2 of 9 that…",
                "  9 p1 ▸ Call the",
                "    dentist",
                "    today 15:00",
                "    19.6 = due 8.7",
                "    + priority 6.0",
                "    + active 4.0",
                "    + tags 0.8",
                "    + age 0.1",
                " 24 Rent a van  ‹22",
                "    Mon 12:00",
                "    13.2 = due 8.2",
                "    + blocking 8.0 (",
                "    #25)",
                "    - deferred 3.0",
            ],
        ),
    ],
)
def test_explained_list_shows_the_parts_of_each_urgency(width: int, lines: list[str]) -> None:
    page = TaskPage(tasks=tuple(EXPLAINED), next="x", total=9)
    view = VIEW._replace(as_tree=False, with_urgency=True)
    assert draw_lines(format_explained(page, view, width)).splitlines() == lines


def test_chosen_columns_stand_in_their_order_and_the_title_gives_way() -> None:
    names = ("due", "title", "number", "repeat", "subtasks")
    assert draw_lines(format_chosen_columns([TASKS[0], *TASKS[6:8]], VIEW, 56, names)).splitlines() == [
        " Due         Title               # Repeat       Subtasks",
        " 2 days ago  Pay the electric…  12 every month",
        " Tue         Move house 1/4     22                   1/4",
        "             └ Pack the books   23",
    ]


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("see https://a.org/x_(y).", "see {https://a.org/x_(y)}."),
        ("(https://a.org/b) http://c.d", "({https://a.org/b}) {http://c.d}"),
        ("https://a.org/lo…", "https://a.org/lo…"),
        ("file:///etc/passwd javascript://x", "file:///etc/passwd javascript://x"),
    ],
)
def test_link_addresses_links_whole_web_addresses_only(text: str, linked: str) -> None:
    drawn = re.sub(r"\x1b\]8;;[^\x1b]+\x1b\\(.*?)\x1b\]8;;\x1b\\", r"{\1}", link_addresses(text))
    assert drawn == linked


def test_list_links_addresses_on_a_terminal_with_colours_alone(todo: Todo) -> None:
    todo("add", "--raw", "Read https://example.org/a")
    link = "\x1b]8;;https://example.org/a\x1b\\"
    for environment, is_linked in (({}, True), ({"NO_COLOR": "1"}, False), ({"TODO_LINKS": "0"}, False)):
        terminal = Terminal(todo, "list", **environment)
        terminal.ended()
        assert (link in terminal.raw) == is_linked, environment
        assert "NO_COLOR" not in environment or "\x1b" not in terminal.raw


def test_list_in_a_pipe_takes_columns_a_head_and_the_form_of_a_terminal(todo: Todo) -> None:
    todo("add", "a\tb", "--raw", "--project", "home")
    assert todo("list", "--columns", "title,number", "--head").out == "title\tnumber\na\\x09b\t1\n"
    assert todo("list", "--head").lines[0].split("\t") == list(PIPE_COLUMNS)
    assert todo("list", "--format", "table").lines == ["No date · 1", "  1 a\\x09b  #home", "", "1 open"]
    refused = todo("list", "--columns", "numbr")
    assert (refused.code, refused.err) == (2, "todo: there is no column 'numbr' (did you mean number?)\n")


def test_empty_list_of_a_misspelt_name_suggests_the_names_in_use(todo: Todo) -> None:
    todo("add", "Clean", "--project", "home", "--tag", "phone")
    todo("view", "save", "soon", "due<=7d")
    todo("add", "Wait", "--after", "1")
    for filter, suggestion in {
        "#hmoe": "Did you mean #home (1)?",
        "@phnoe p1": "Did you mean @phone (1)?",
        "#phone": "Did you mean @phone (1)?",
        "soon": "Did you mean :soon?",
        "projects": "Did you mean todo projects?",
        "@nothing-like-it": "Nothing matches '@nothing-like-it'.",
    }.items():
        assert suggestion in run_on_terminal(todo, "list", filter), filter
    todo("edit", "1", "--defer", "2099-01-01")
    assert "Nothing can be done now: 1 wait for others (is:blocked), 1 are put off" in run_on_terminal(todo, "next")


AT_EDGES = {
    100: """\
Overdue · 1
 12 p1   Pay the electricity bill ↻                              2 days ago  #Home.Bills  @büro +1

Next 7 days · 1
 25    ⊘ Cancel the old contract and tell everybody the n…  ‹22  Tue         #House""",
    99: """\
Overdue · 1
 12 p1   Pay the electricity bill ↻  #Home.Bills @büro @money                            2 days ago

Next 7 days · 1
 25    ⊘ Cancel the old contract and tell everybody the new address  ‹22  #House                Tue""",
    56: """\
Overdue · 1
 12 p1   Pay the electricity bill ↻           2 days ago

Next 7 days · 1
 25    ⊘ Cancel the old contract and t…  ‹22         Tue""",
    55: """\
Overdue · 1
 12 p1 Pay the electricity bill ↻
    2 days ago #Home.Bills @büro @money

Next 7 days · 1
 25 ⊘ Cancel the old contract and tell everybody the
    new address  ‹22
    Tue #House""",
    20: """\
Overdue · 1
 12 p1 Pay the
    electricity b… ↻
    2 days ago

Next 7 days · 1
 25 ⊘ Cancel the old
    contract a…  ‹22
    Tue #House""",
}


@pytest.mark.parametrize("width", AT_EDGES)
def test_list_at_the_edges_of_its_forms_is_exact(width: int) -> None:
    assert draw([TASKS[0], TASKS[9]], width) == AT_EDGES[width]


def test_list_at_20_columns_has_headings_without_dates() -> None:
    assert draw([TASKS[3]], 20).splitlines() == ["Today · 1", "  9 p1 ▸ Call the", "    dentist", "    15:00 @phone"]


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


def test_themes_have_a_colour_for_every_role() -> None:
    roles = set(get_args(Role)) - {""}
    assert roles == set(SGR_CODES) == set(DARK_CODES) == set(LIGHT_CODES)
    line = [Piece("p1", "p1"), Piece(" "), Piece("x", "project")]
    painted = [choose_paint(colored=True, theme=theme)(line) for theme in ("auto", "dark", "light")]
    assert painted == [
        "\x1b[1;31mp1\x1b[0m \x1b[35mx\x1b[0m",
        "\x1b[1;38;5;203mp1\x1b[0m \x1b[38;5;176mx\x1b[0m",
        "\x1b[1;38;5;160mp1\x1b[0m \x1b[38;5;90mx\x1b[0m",
    ]
