"""The parts of every screen: cells, wrapped words, grids, links and themes."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from todo_cli.cli.render.cells import cut, wrap_words
from todo_cli.cli.render.colors import DARK_CODES, LIGHT_CODES, SGR_CODES, Piece, Role, choose_paint
from todo_cli.cli.render.grid import format_grid
from todo_cli.cli.render.hyperlinks import link_addresses


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
