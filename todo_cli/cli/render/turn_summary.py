"""The line below an answer on a terminal: how many tasks it changed, and its tokens, cost and time."""

from __future__ import annotations

from typing import Any

from todo_cli.cli.render.cells import measure, read_width
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.signs import UNICODE_SIGNS, Signs

MIN_ONE_LINE_COLUMNS = 56


def summary_lines(
    changed: int, undo: str, usage: dict[str, Any] | None, seconds: float, signs: Signs = UNICODE_SIGNS
) -> list[str]:
    """Return the line, or two on a narrow terminal: `2 changed {signs.dot} undo: /undo   1,204 + 86 tokens · 3s`."""
    left = f"  {changed:,} changed {signs.dot} undo: {undo}" if changed else ""
    right = f" {signs.dot} ".join([*format_usage(usage), f"{seconds:.0f}s"])
    width = read_width()
    gap = width - measure(left) - measure(right)
    if width < MIN_ONE_LINE_COLUMNS or gap < 2:
        return [*([left] if left else []), f"  {right}"]
    return [left + " " * gap + right]


def format_usage(usage: dict[str, Any] | None) -> list[str]:
    """Return the tokens and, where a price is configured, the cost: `1,204 + 86 tokens`, `0.0012 USD`."""
    if not usage:
        return []
    tokens = f"{usage.get('prompt', 0):,} + {usage.get('completion', 0):,} tokens"
    cost = [f"{usage['cost']} {usage.get('currency', '')}".rstrip()] if "cost" in usage else []
    return [escape(part) for part in (tokens, *cost)]
