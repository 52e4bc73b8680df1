"""The list of what waits for approval, to the cell: its columns, what was chosen of it, and a long one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from todo_cli.cli.render.colors import choose_paint
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.pending_calls import draw_choices, draw_heading
from todo_cli.cli.render.signs import UNICODE_SIGNS
from todo_cli.contract.journal import Difference
from todo_cli.contract.plans import Plan, PlanTarget
from todo_cli.contract.turn_steps import PendingCall

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
VIEW = ListView(UTC, NOW, UNICODE_SIGNS)


def pending(verb: str, tasks: dict[tuple[int, str], dict[str, Any]]) -> PendingCall:
    """Return a call that waits; `tasks` has the changed fields by number and title."""
    names = list(tasks)
    plan = Plan(
        id="p",
        verb=verb,
        arguments={"numbers": [number for number, _ in names]},
        state="open",
        targets=tuple(PlanTarget(number=number, rev=1, title=title) for number, title in names),
        differences=tuple(
            Difference(number=number, title=title, added=False, fields=tasks[number, title]) for number, title in names
        ),
        made_at=NOW,
        expires_at=NOW,
    )
    return PendingCall(message=1, index=0, plan=plan)


CALLS = [
    pending(
        "EditTasks",
        {
            (12, "Pay the electricity bill"): {"due": ("2026-11-25", "2026-11-30")},
            (7, "Answer the tax office about the letter of last year"): {"due": ("2026-11-26", "2026-11-30")},
            (18, "Write the offer"): {"due": ("2026-11-25", "2026-11-30"), "tags": ([], ["work", "家族"])},
        },
    ),
    pending("DeleteTasks", {(2, "Learn to juggle"): {"status": ("open", "deleted")}}),
]


def draw(calls: list[PendingCall], width: int, *, chosen: Collection[int] = (), shown: int | None = None) -> list[str]:
    paint = choose_paint(colored=False)
    return [paint(line) for line in draw_choices(calls, VIEW, width, chosen=chosen, shown=shown)]


def test_heading_counts_changes_and_deletions() -> None:
    paint = choose_paint(colored=False)
    assert paint(draw_heading(CALLS, VIEW)) == "Needs your yes · 3 changes, 1 deletion"
    assert paint(draw_heading(CALLS[1:], VIEW)) == "Needs your yes · 1 deletion"


def test_choices_at_eighty_columns_stand_in_columns() -> None:
    assert draw(CALLS, 79) == [
        "   1  edit  #12 Pay the electricity bill       due 25 Nov → 30 Nov",
        "   2  edit  #7 Answer the tax office about t…  due 26 Nov → 30 Nov",
        "   3  edit  #18 Write the offer",
        "              due 25 Nov → 30 Nov, tags none → work 家族",
        "   4  rm    #2 Learn to juggle                 to the trash",
    ]


def test_choices_at_forty_columns_have_their_changes_below() -> None:
    assert draw(CALLS, 39)[:4] == [
        "   1  edit  #12 Pay the electricity bi…",
        "              due 25 Nov → 30 Nov",
        "   2  edit  #7 Answer the tax office a…",
        "              due 26 Nov → 30 Nov",
    ]


def test_chosen_of_the_choices_are_ticked_and_the_others_grey() -> None:
    lines = list(draw_choices(CALLS, VIEW, 79, chosen=(1, 4)))
    assert ["".join(piece.text for piece in line)[:9] for line in lines if line[0].text.strip()] == [
        "✓  1  edi",
        "✗  2  edi",
        "✗  3  edi",
        "✓  4  rm ",
    ]
    assert {piece.role for piece in lines[1]} == {"grey"}
    assert [piece.role for piece in lines[-1]] == ["", "removed", ""]


def test_one_choice_has_no_number() -> None:
    assert draw(CALLS[1:], 79) == ["  rm  #2 Learn to juggle  to the trash"]


def test_first_of_many_choices_name_how_to_see_all() -> None:
    many = [pending("DeleteTasks", {(number, "Old"): {"status": ("open", "deleted")} for number in range(1, 225)})]
    lines = draw(many, 79, shown=10)
    assert len(lines) == 11
    assert lines[-1] == "       … 214 more (l shows all)"
