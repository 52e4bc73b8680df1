"""Measure, cut, pad and wrap text by the cells that it takes on a terminal."""

from __future__ import annotations

from typing import Literal

MIN_WIDTH_COLUMNS = 20
MIN_COLUMNS_WIDTH = 100
"""The least width, in cells, on which a list has columns and names other tasks by their titles."""


_ONE_CELL_SIGNS = str.maketrans("", "", "·…–→▸⊘⚑◌↻├└│─›‹✓✗░▒▓█▉▊▋▌▍▎▏▁▂▃▄▅▆▇")
"""Our own signs. A text of these and of ASCII takes one cell for each character, and needs no table of widths."""


def read_width() -> int:
    """Return the columns of the terminal, or of COLUMNS if it is set; at least 20."""
    import shutil

    return max(MIN_WIDTH_COLUMNS, shutil.get_terminal_size().columns)


def measure(text: str) -> int:
    """Return the cells that the text takes."""
    if _is_narrow(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _is_narrow(text: str) -> bool:
    return text.isascii() or text.translate(_ONE_CELL_SIGNS).isascii()


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """Return the text, or as much of it as fits the width together with an ellipsis."""
    if measure(text) <= width:
        return text
    return split_at(text, max(0, width - len(ellipsis)))[0].rstrip() + ellipsis[: max(0, width)]


def split_at(text: str, width: int) -> tuple[str, str]:
    """Split the text at the last grapheme that fits the width: an emoji or a letter with its accents stays whole."""
    if _is_narrow(text):
        return text[:width], text[width:]
    from rich.cells import split_graphemes

    end = used = 0
    for _, stop, cells in split_graphemes(text)[0]:
        if used + cells > width:
            break
        end, used = stop, used + cells
    return text[:end], text[end:]


def pad(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """Fill the text up to the width with blanks."""
    blanks = " " * (width - measure(text))
    return text + blanks if align == "left" else blanks + text


def wrap_words(text: str, width: int, *, break_long: bool = True) -> list[str]:
    """Break the text into lines at its blanks; of the words only one that is wider than a line is broken, or none."""
    lines = [""]
    for word in text.split():
        line = f"{lines[-1]} {word}" if lines[-1] else word
        if measure(line) <= width:
            lines[-1] = line
            continue
        if lines[-1]:
            lines.append("")
        while break_long and measure(word) > width:
            head, word = split_at(word, max(width, 2))
            lines[-1] = head
            lines.append("")
        lines[-1] = word
    return lines if lines[-1] or len(lines) == 1 else lines[:-1]


def wrap_hanging(text: str, first: int, other: int) -> list[str]:
    """Break the text into lines at its blanks; the first has another width, and is empty where no word fits on it."""
    head, *rest = wrap_words(text, max(1, first), break_long=False)
    if measure(head) > first:
        return ["", *wrap_words(text, max(1, other))]
    return [head, *wrap_words(text.split(maxsplit=len(head.split()))[-1], max(1, other))] if rest else [head]


def wrap_line(line: str, width: int) -> list[str]:
    """Break a line that is too wide between words; the further lines keep its indent. Addresses stay whole."""
    if measure(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())][: width // 2]
    return [indent + part for part in wrap_words(line, width - measure(indent), break_long=False)]


def longest_word(text: str) -> int:
    """Return the cells of the longest word."""
    return max((measure(word) for word in text.split()), default=0)
