"""Markdown that arrives in chunks: the screen ends the same for any chunks, and control characters are escaped."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from itertools import pairwise

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st

from todo_cli.cli.render.markdown import MarkdownRenderer
from todo_cli.cli.render.signs import ASCII_SIGNS
from todo_cli.cli.render.stream import LiveWriter, PlainWriter

TEXT = """\
# Plan for **today**
You have *three* tasks, and `code` with **bold and long words** which go on until the line is full; see
[the docs](https://example.org/a/b) now.

- one **x**
- two which is a long item that must be wrapped properly since it is longer than the line is wide, is it not
  - nested
    1. deep

| Task | Due | P |
|---|:---:|--:|
| Buy milk | tomorrow | 1 |
| Call **Anna** | fri | 2 |

```python
def f(x):
    return "a very long line" * 3
```
> quoted
> more

---
Done <b>html</b> ~~gone~~ 日本語 #1 milk
"""


def render_chunks(
    pieces: list[str], columns: int = 60, rows: int = 20, *, colored: bool = True
) -> tuple[list[str], str]:
    """Return all lines of the terminal afterwards, and the bytes that were printed."""
    out = io.StringIO()
    with redirect_stdout(out):
        one = LiveWriter(colored=colored, size=lambda: (columns, rows))
        for piece in pieces:
            one.add_text(piece)
        one.finish()
    raw = out.getvalue()
    screen = pyte.HistoryScreen(columns, rows, history=5_000, ratio=0.5)
    pyte.Stream(screen).feed(raw.replace("\n", "\r\n"))
    rows_before = ["".join(row[place].data for place in sorted(row)) for row in screen.history.top]
    return "\n".join(line.rstrip() for line in [*rows_before, *screen.display]).rstrip().split("\n"), raw


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, len(TEXT) - 1), max_size=40), st.sampled_from([40, 80, 200]), st.sampled_from([6, 24]))
def test_live_writer_with_any_chunks_prints_the_same(cuts: list[int], columns: int, rows: int) -> None:
    places = [0, *sorted(set(cuts)), len(TEXT)]
    pieces = [TEXT[a:b] for a, b in pairwise(places)]
    assert render_chunks(pieces, columns, rows)[0] == render_chunks([TEXT], columns, 100)[0]


def test_markdown_with_plain_signs_is_ascii() -> None:
    lines = MarkdownRenderer(colored=False, signs=ASCII_SIGNS).render_text(TEXT.replace("日本語", "x"), 60)
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))
    assert text.isascii()
    assert "\n * one x\n" in text
    assert "\n| quoted" in text


def test_live_writer_formats_markdown() -> None:
    lines, raw = render_chunks(list(TEXT), 80, 24)
    text = "\n".join(lines)
    for wanted in (
        "Plan for today",
        "see\nthe docs (https://example.org/a/b) now.",
        " • one x",
        "   • nested",
        "     1 deep",
        " Buy milk   tomorrow  1",
        "  def f(x):",
        "▌ quoted",
        "Done <b>html</b> gone 日 本 語  #1 milk",
    ):
        assert wanted in text or wanted.replace("日 本 語 ", "日本語") in text, wanted
    assert "**" not in text
    assert "```" not in text
    assert all(len(line) < 80 for line in lines)
    assert "since it is longer\n" in text  # no word is broken
    # only the sixteen standard colours and no background; only the end of a line or block is cleared
    codes = {code for found in re.findall(r"\x1b\[([\d;]*)m", raw) for code in found.split(";")}
    assert codes <= {"", "0", "1", "2", "3", "4", "9", "34", "36"}
    assert set(re.findall(r"\x1b\[[\d;?]*([a-zA-Z])", raw)) <= set("mKJA")


def test_live_writer_never_prints_a_finished_line_again() -> None:
    _, raw = render_chunks(re.findall(r"\S+\s*", TEXT), 80, 24)
    assert raw.count("Plan for") <= 3  # it is redrawn until its line is complete
    assert raw.count("Buy milk") <= len(re.findall(r"\S+\s*", TEXT.partition("| Buy")[2].partition("```")[0])) + 1
    after = raw.rpartition("deep")[2]
    assert "one" not in after.partition("Done")[0].replace("gone", "")


def test_live_writer_without_colours_prints_none() -> None:
    _, raw = render_chunks([TEXT], colored=False)
    assert {code for found in re.findall(r"\x1b\[([\d;]*)m", raw) for code in found.split(";")} <= set("012349")


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.text(st.characters(), max_size=12)
        | st.sampled_from(["\x1b[2J", "\x1b]0;x\x07", "\r", "\x9b31m", "```", "\n"]),
        max_size=20,
    )
)
def test_live_writer_escapes_control_characters(pieces: list[str]) -> None:
    _, raw = render_chunks(pieces)
    left = re.sub(r"\x1b\[[\d;]*[mKJA]", "", raw)
    assert not re.search(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]", left)
    assert all(found in ("", "0") or int(found.split(";")[0]) < 40 for found in re.findall(r"\x1b\[([\d;]*)m", raw))


def test_live_writer_on_a_resized_terminal_loses_and_repeats_nothing() -> None:
    words = [f"word{number}" for number in range(300)]
    sizes = iter([(80, 24)] * 50 + [(60, 24)] * 50 + [(120, 24)] * 50 + [(40, 10)] * 60 + [(200, 50)] * 1_000)
    out = io.StringIO()
    with redirect_stdout(out):
        one = LiveWriter(colored=True, size=lambda: next(sizes))
        for place, word in enumerate(words):
            one.add_text(word[:3])
            one.add_text(word[3:] + ("\n\n" if place % 40 == 39 else " "))
        one.finish()
    raw = out.getvalue()
    # lines drawn twice are drawn over: each remaining line appears once
    screen = pyte.HistoryScreen(200, 50, history=5_000, ratio=0.5)
    pyte.Stream(screen).feed(raw.replace("\n", "\r\n"))
    seen = re.findall(r"word\d+", "\n".join("".join(line) for line in screen.display))
    assert seen == words


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text("ab \n", max_size=9), max_size=60), st.integers(10, 40))
def test_plain_writer_breaks_lines_between_words(pieces: list[str], columns: int) -> None:
    out = io.StringIO()
    with redirect_stdout(out):
        one = PlainWriter(size=lambda: (columns, 24))
        for piece in pieces:
            one.add_text(piece)
        one.finish()
    assert out.getvalue().split() == "".join(pieces).split()
    assert all(len(line) <= columns or " " not in line.strip() for line in out.getvalue().split("\n"))
