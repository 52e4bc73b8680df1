"""Decide whether a date in a title counts: leave `sun cream`, `the 9am standup` and `24/7` in the title.

- Strong phrases count anywhere: today, tomorrow, tonight, `in 3 days`, 2026-12-24, `24 dec`, `fri 4 dec`, 9am,
  `at 9:30`, 17:00, and any day with a time (`sat 5pm`).
- Weak phrases count after on, by or due, or at the end of the text: weekdays, `monday morning`, `next week`,
  `this weekend`, eom, `the 15th`, 12/24, `may 5` in lower case, 17:03. sat, sun and wed at the end need a capital;
  days of a month (`on the 3rd floor`) count only at the end.
- A weekday also counts if a time stands elsewhere (`Friday dentist 3pm`).
- noon, `weekend`, 3.5. and 9:30 without am count only after by, on or due, or beside a recurrence; a month alone
  only after due, or after by at the end.
- Only after due: the past (yesterday, `last week`, `3 days ago`), now, tom, sow … soy, `at 5`, `3d`, `2 weeks`, 24/7.
- None counts after the, a, my, for, of, about, from, until, to … (`the friday call`, `outfit for tomorrow`). The last
  word of a question stays in the title (`is it tomorrow?`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from todo_cli.parsing.date_vocabulary import (
    CLOCK_UNITS,
    DAY_PARTS,
    DAY_UNITS,
    MONTHS,
    NUMBERS,
    WEEKDAYS,
    any_of,
)
from todo_cli.parsing.quick_add_phrase import BLOCKERS, Phrase

_UNITS = any_of([*DAY_UNITS, *CLOCK_UNITS])
_PAST = re.compile(r"last (?!.* of ).*|.*\bago|.*yesterday.*|-.*|[se]op[wmqy]")
ONLY_AFTER_DUE = re.compile(
    r"now|.*\b(?:tod|tom)\b.*|so[np]?[wmqy]|sod|24/7|at [0-9]{1,2}"
    rf"|(?:half an hour|(?:[0-9]+ ?|{any_of(NUMBERS)} ){_UNITS}\b)(?!.*\bfrom\b).*"
)
LENGTH = re.compile(rf"(?:half an|[0-9]+ ?|{any_of(NUMBERS)}) ?{_UNITS}(?: ?[0-9]+ ?{_UNITS})*")
_NEEDS_MARKER = re.compile(r"noon|midnight|(?:the )?weekend|[0-9]:[0-9]{2}(?::[0-9]{2})?|[0-9]{1,2}\.[0-9]\.")
_MONTH = re.compile(f"(?:in )?{any_of(MONTHS)}")
_DAY_OF_MONTH = re.compile("(?:the )?[0-9]{1,2}(?:st|nd|rd|th)")
_ALSO_WORDS = ("sat", "sun", "wed")  # English words, too
_WEAK = re.compile(
    rf"(?:(?:this|next) )?{any_of(WEEKDAYS)}(?: (?:in the |at )?{any_of(DAY_PARTS)})?|this {any_of(DAY_PARTS)}"
    r"|next (?:week|month|quarter|year)|(?:this|next) weekend|eo[np]?[wmqy]|eod"
    r"|(?:the )?(?:start|beginning|end) of .*|[0-9]{1,2}/[0-9]{1,2}|[0-9]{1,2}\.[0-9]{2}\.|[0-9]{2}:[0-9][1-46-9]"
    rf"|(?:in )?{any_of(MONTHS)} [0-9]{{4}}"
)
_MAYBE_MONTH = re.compile(r"(?:may|march|mar) [0-9].*|[0-9]{1,2}\S* (?:of )?(?:may|march|mar)(?: [0-9]{4})?")


class Context(NamedTuple):
    """The place of a phrase: the marker before it, the word before that, and whether it ends or starts the title."""

    marker: str
    before: str
    is_at_end: bool
    is_at_start: bool
    is_beside_rule: bool = False


def is_loose_weekday(phrase: Phrase) -> bool:
    """Return whether the phrase counts once a time stands elsewhere: `Friday dentist 3pm`."""
    text = phrase.text.lower()
    return text in WEEKDAYS and (text not in _ALSO_WORDS or phrase.text[0].isupper())


def is_date_there(phrase: Phrase, context: Context) -> bool:
    """Return whether the phrase is a date where it stands."""
    text = " ".join(phrase.text.lower().replace(",", " ").split())
    if context.marker == "due" or context.is_beside_rule:
        return True
    if _PAST.fullmatch(text) or ONLY_AFTER_DUE.fullmatch(text):
        return False
    if context.before in BLOCKERS and not context.marker:
        return False
    if _MONTH.fullmatch(text):
        return context.marker == "by" and context.is_at_end
    if _NEEDS_MARKER.fullmatch(text):
        return bool(context.marker)
    if _DAY_OF_MONTH.fullmatch(text):
        return context.is_at_end
    if text in _ALSO_WORDS and not context.marker:
        return context.is_at_end and phrase.text[0].isupper()
    has_capital = bool(re.search("M(?:ay|ar)", phrase.text)) and not context.is_at_start
    is_weak = _WEAK.fullmatch(text) or (_MAYBE_MONTH.fullmatch(text) and not has_capital)
    return not is_weak or bool(context.marker) or context.is_at_end
