"""A list on a terminal: its form at each width, after the mock-ups of the design."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Todo
from tests.support.list_samples import EXPLAINED, TASKS, VIEW, draw, draw_lines, make_repeat, make_task
from tests.support.terminal import Terminal
from tests.support.terminal_output import run_on_terminal
from todo_cli.cli.list_options import PIPE_COLUMNS
from todo_cli.cli.render.cells import measure
from todo_cli.cli.render.chosen_columns import format_chosen_columns
from todo_cli.cli.render.signs import ASCII_SIGNS
from todo_cli.cli.render.urgency_parts import format_explained
from todo_cli.contract.task_types import LinkedTask, TaskLinks, TaskPage


@pytest.fixture
def way() -> str:
    """Use HTTP only: the output does not depend on the client."""
    return "api"


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
