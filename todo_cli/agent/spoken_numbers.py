"""Read the numbers of tasks out of a person's words. Dates, times, amounts and ordinals are no numbers of tasks."""

from __future__ import annotations

import re

MAX_RANGE_NUMBERS = 1_000

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*"
_UNIT = (
    r"(?:[ap]\.?m\b|o'?clock|uhr|h\b|hrs?\b|hours?|min\b|mins\b|minutes?|sec\b|seconds?|days?\b|weeks?|months?|years?"
    r"|times|st\b|nd\b|rd\b|th\b|kg|km|pages?|people|persons|eur\b|euros?|usd|dollars?|pounds?|percent|[%€$£])"
)
_NO_TASKS = re.compile(
    rf"""\d{{4}}-\d\d?-\d\d?(?:t[\d:.+z-]*)?     # 2026-11-27
    | \d\d?[:.h]\d\d(?!\d) | \d\d?/\d\d?(?:/\d+)?      # 9:30, 12/5
    | \d\d?\.\d\d?\.(?:\d\d)*                          # 27.11.
    | \b(?:at|@)\s+\d\d?\b | [€$£]\s*\d[\d.,]{{0,12}}     # at 9, €20
    | \b{_MONTH}\.?\s+\d\d?\b | \d\d?\.?\s+{_MONTH}\b   # nov 27, 27 november
    | (?<!\#)\b\d[\d.,]{{0,12}}\s*{_UNIT}                # 9 am, 3 weeks, the 3rd, 20%
    | [^\W\d_]\d+ | \d+[^\W\d_]                        # p1, 5k""",
    re.VERBOSE | re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{1,18}")
_RANGE = re.compile(r"(\d{1,18})\s*(?:-|–|\.\.|to)\s*#?(\d{1,18})")


def spoken_numbers(text: str) -> set[int]:
    """Return the numbers in the text that may be numbers of tasks, and all of a range such as 3-7."""
    text = _NO_TASKS.sub(" ; ", text)
    numbers = {int(number) for number in _NUMBER.findall(text)}
    for first, last in _RANGE.findall(text):
        if 0 <= int(last) - int(first) <= MAX_RANGE_NUMBERS:
            numbers |= set(range(int(first), int(last) + 1))
    return numbers
