"""The log and one task on a terminal: local times, titles, who acted, and the tasks around a task."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Todo
from tests.support.list_samples import BERLIN, NOW, make_task
from tests.support.terminal import Terminal
from tests.support.terminal_output import ESCAPES, run_on_terminal
from todo_cli.cli.render.changes import describe_actor, format_changes
from todo_cli.cli.render.colors import choose_paint
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.signs import UNICODE_SIGNS
from todo_cli.cli.render.task_screen import format_details
from todo_cli.contract.journal import Change, ChangePage, Difference
from todo_cli.contract.task_types import LinkedTask, TaskLinks

VIEW = ListView(zone=BERLIN, now=NOW, signs=UNICODE_SIGNS)


@pytest.fixture
def way() -> str:
    """Use HTTP only: the output does not depend on the client."""
    return "api"


def make_change(seq: int, verb: str, *differences: Difference, **fields: Any) -> Change:
    """Return a change of the caller."""
    given: dict[str, Any] = {
        "at": NOW,
        "user": "ada",
        "token": "laptop",
        "way": "api",
        "mine": True,
        "same_token": True,
    }
    return Change(seq=seq, verb=verb, tasks=len(differences), differences=differences, **given | fields)


def make_difference(number: int, title: str, **fields: Any) -> Difference:
    """Return what a change did to a task."""
    return Difference(number=number, title=title, added=False, fields=fields)


def draw_log(*changes: Change, width: int = 80) -> list[str]:
    """Return the lines of the log."""
    return [choose_paint(colored=False)(line) for line in format_changes(changes, VIEW, width)]


@pytest.mark.parametrize(
    ("fields", "actor"),
    [
        ({}, "you"),
        ({"same_token": False}, 'you with "laptop"'),
        ({"mine": False, "same_token": False, "token": ""}, "ada"),
        ({"way": "chat", "by_model": True, "conversation": 3}, "model in conversation 3"),
        ({"way": "chat", "by_model": True, "mine": False}, "ada's model"),
        ({"way": "mcp", "same_token": False}, 'agent "laptop"'),
        ({"way": "mcp", "mine": False, "token": ""}, "ada's agent"),
    ],
)
def test_describe_actor_names_the_way(fields: dict[str, Any], actor: str) -> None:
    assert describe_actor(make_change(1, "EditTasks", **fields)) == actor


def test_log_shows_days_local_times_and_local_dates() -> None:
    due = ("2026-11-25", "2026-11-29T23:30:00Z")
    assert draw_log(
        make_change(1204, "CompleteTasks", make_difference(31, "Stand-up", status=("open", "done"))),
        make_change(
            1203,
            "EditTasks",
            make_difference(12, "Pay the bill", due=due, parent=(None, 22)),
            make_difference(7, "Tax", priority=(None, 1), tracked=(0, 7200)),
            way="chat",
            by_model=True,
            conversation=3,
            undone=True,
        ),
        make_change(1202, "SaveView", about="work", at=NOW - timedelta(hours=11)),
    ) == [
        "Today · Fri 27 Nov",
        " 1204  10:00  you                      done       #31 Stand-up",
        " 1203  10:00  model in conversation 3  edit       2 tasks (undone)",
        "              #12 Pay the bill: due 25 Nov → 30 Nov 00:30, parent none → #22",
        "              #7 Tax: priority none → p1, worked 0s → 2h 00m",
        "",
        "Yesterday · Thu 26 Nov",
        " 1202  23:00  you                      view save  work",
    ]


def test_log_on_a_narrow_terminal_takes_two_lines_a_change() -> None:
    change = make_change(1204, "EditTasks", make_difference(12, "Pay the electricity bill", due=("2026-11-25", None)))
    assert draw_log(change, width=40) == [
        "Today · Fri 27 Nov",
        " 1204  10:00  you",
        "  edit  #12 Pay the electricity bill:",
        "    due 25 Nov → none",
    ]
    assert draw_log(change, width=20) == [
        "Today · Fri 27 Nov",
        " 1204  10:00  you",
        "  edit",
        "    #12 Pay the",
        "    electricity",
        "    bill: due 25 Nov",
        "    → none",
    ]


def test_log_of_a_model_and_of_an_agent_names_them(todo: Todo) -> None:
    todo("add", "a", "--due", "2030-01-02")
    log = ESCAPES.sub("", run_on_terminal(todo, "log"))
    assert " you  add  #1 a: due 2 Jan 2030" in log
    change = todo("log", "--json").json["changes"][0]
    assert (change["mine"], change["same_token"], change["by_model"], change["conversation"]) == (
        True,
        True,
        False,
        None,
    )


AT_80 = """\
 22  Move house                                                         p2 · Tue

  due       Tue 1 Dec, in 4 days    project   #House
  tags      @family                 added     just now
  rev       1

  Take the big van if the small one is gone, see https://example.org/vans

  Subtasks 1/3
  ✓ 21      Tell the landlord                                               done
    24    ⚑ Rent a van                                                 Mon 12:00
    25    ⊘ Cancel the old contract and tell everybody the new addre…        Tue

  Waits for
    19      Collect prices                                                18 Dec

  Holds up
    41 p1   Hand over the keys                                             5 Dec

  History · last 2: todo log 22
    1187  8m ago  you             edit  due 30 Nov → 1 Dec
    1102  3d ago  agent "laptop"  edit  tags none → family"""

AT_40 = """\
 22 Move house
    p2 · Tue · 1/3 done · #House @family

  added     just now
  rev       1

  Take the big van if the small one is
  gone, see https://example.org/vans"""


def test_show_lists_subtasks_blockers_and_blocked_tasks_by_title() -> None:
    long_title = "Cancel the old contract and tell everybody the new address and the door code"
    task = make_task(
        22,
        "Move house",
        priority=2,
        due="2026-12-01",
        project="House",
        tags=("family",),
        subtasks=2,
        subtasks_done=1,
        note="Take the big van if the small one is gone, see https://example.org/vans",
        links=TaskLinks(
            subtasks=(
                LinkedTask(number=21, title="Tell the landlord", status="done"),
                LinkedTask(
                    number=24,
                    title="Rent a van",
                    status="open",
                    due="2026-11-30T11:00:00Z",
                    claimed_until=NOW + timedelta(minutes=1),
                ),
                LinkedTask(number=25, title=long_title, status="open", due="2026-12-01", blocked=True),
            ),
            blockers=(LinkedTask(number=19, title="Collect prices", status="open", due="2026-12-18"),),
            blocked=(LinkedTask(number=41, title="Hand over the keys", status="open", due="2026-12-05", priority=1),),
        ),
    )
    history = ChangePage(
        changes=(
            make_change(
                1187,
                "EditTasks",
                make_difference(22, "Move house", due=("2026-11-30", "2026-12-01")),
                at=NOW - timedelta(minutes=8),
            ),
            make_change(
                1102,
                "EditTasks",
                make_difference(22, "Move house", tags=([], ["family"])),
                at=NOW - timedelta(days=3),
                way="mcp",
                same_token=False,
            ),
        ),
        next=1101,
    )
    assert "\n".join(map(choose_paint(colored=False), format_details(task, VIEW, 80, history))) == AT_80
    narrow = "\n".join(map(choose_paint(colored=False), format_details(task, VIEW, 40)))
    assert narrow.startswith(AT_40)
    lines = [choose_paint(colored=False)(line) for line in format_details(task, VIEW, 20, history)]
    assert lines[:4] == [" 22 Move house", "    p2 · Tue", "    1/3 done", "    #House @family"]
    assert lines[-5:] == [
        "  History · last 2",
        "    1187  8m ago  y…",
        "      edit  due 30…",
        "    1102  3d ago  a…",
        "      edit  tags no…",
    ]


def test_show_keeps_an_address_whole_on_a_narrow_terminal() -> None:
    address = "https://example.org/a/very/long/path/that/is/wider/than/the/screen"
    lines = [choose_paint(colored=False)(line) for line in format_details(make_task(1, "a", note=address), VIEW, 40)]
    assert f"  {address}" in lines


def test_show_in_a_pipe_and_in_json_has_the_tasks_around(todo: Todo) -> None:
    todo("add", "-", stdin="Move house\nCollect prices\n")
    todo("add", "Rent a van", "--parent", "1", "--after", "2")
    todo("add", "Pack", "--parent", "1")
    todo("done", "4")
    assert "  subtask   #3 Rent a van (open)\n  subtask   #4 Pack (done)\n" in todo("show", "1").out
    assert "  blocks    #3 Rent a van (open)\n" in todo("show", "2").out
    shown = todo("show", "3")
    assert "  parent    #1 Move house\n" in shown.out
    assert "  blocker   #2 Collect prices (open)\n" in shown.out
    links = todo("show", "3", "--json").json["links"]
    assert links["parent"].items() >= {"number": 1, "title": "Move house", "status": "open", "due": None}.items()
    assert [task["number"] for task in links["blockers"]] == [2]
    todo("rm", "3")
    assert "#3" not in todo("show", "1").out, "what is in the trash is left out"


def test_show_draws_a_note_with_the_marks_of_markdown(todo: Todo) -> None:
    todo("add", "a", "--note", "**Bring** the `key`\n\n- one")
    todo("add", "b", "--note", "plain 2 * 3 * 4")
    assert "\x1b[1mBring\x1b[0m the \x1b[36mkey\x1b[0m" in run_on_terminal(todo, "show", "1")
    assert "  plain 2 * 3 * 4" in run_on_terminal(todo, "show", "2")
    terminal = Terminal(todo, "show", "1", NO_COLOR="1")
    terminal.ended()
    assert "  **Bring** the `key`" in terminal.text
    assert "\x1b" not in terminal.raw
