"""Which words of a title are a date: the rules that keep `sun cream`, `the 9am standup` and `24/7` in the title.

- Clear: today, tomorrow, `in 3 days`, 2026-12-24, `24 dec`, 9am, `at 9:30`, 17:00, and any day with a time (`sat 5pm`).
- Weak: weekdays, `next week`, `this weekend`, eom, `the 15th`, 12/24, `may 5` in small letters, 17:03. They count
  after on, by or due, or at the end of the text; sat, sun and wed there only with a capital; days of a month (`on the
  3rd floor`) only there.
- A weekday also counts when a time stands elsewhere (`Friday dentist 3pm`).
- noon, `weekend`, 3.5., 9:30 without am count only after by, on or due; a bare month only after due, or after by at
  the end.
- Only after due: the past (yesterday, `last week`, `3 days ago`), now, tom, sow … soy, `at 5`, `3d`, `2 weeks`, 24/7.
- None counts after the, a, my, for, of, about, from, until, to … (`the friday call`, `outfit for tomorrow`), nor at
  either end of a range (`9am to 5pm`). A question's last word stays (`is it tomorrow?`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple

from todo_cli.errors import Invalid
from todo_cli.parsing.date_vocabulary import (
    CLOCK_UNITS,
    CLOCK_WORDS,
    DAY_UNITS,
    DAYS,
    MONTHS,
    NUMBERS,
    RELATIVE,
    TIMES,
    WEEKDAYS,
    find,
)  # fmt: skip
from todo_cli.parsing.dates import parse_date
from todo_cli.parsing.quick_add_lexer import ENDING, Word

# Any moment would do: only whether the words can be read is asked, and that must not change from day to day.
SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST = 9  # words: in 1 week and 2 days at 9 am
MARKERS = ("due", "by", "on")
BLOCKERS = frozenset({
    "the", "a", "an", "some", "any", "my", "your", "our", "his", "her", "its", "their", "that", "for", "of", "about",
    "from", "until", "till", "since", "before", "after", "than", "vs", "to", "between", "and", "or", "&", "with",
    "like", "last", "every", "each", "all", "per", "no", "regarding", "re:", "except",
})  # fmt: skip
RANGES = ("to", "-", "–", "—", "or", "until", "till", "and")


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


VOCABULARY = frozenset({
    *(part for word in RELATIVE for part in word.split()), *WEEKDAYS, *MONTHS, *NUMBERS, *DAY_UNITS, *CLOCK_UNITS,
    *CLOCK_WORDS, "in", "on", "at", "of", "the", "next", "this", "last", "from", "now", "ago", "end", "start",
    "beginning", "weekend", "quarter", "am", "pm", "a.m", "p.m", "+", "-", "@",
})  # fmt: skip
_PERIOD = re.compile("[se]o[np]?[wmqy]")
_UNITS = _any([*DAY_UNITS, *CLOCK_UNITS])
_PAST = re.compile(r"last .*|.*\bago|.*yesterday.*|-.*|[se]op[wmqy]")
_ONLY_DUE = re.compile(
    r"now|.*\b(?:tod|tom)\b.*|so[np]?[wmqy]|sod|24/7|at [0-9]{1,2}"
    rf"|(?:[0-9]+ ?|{_any(NUMBERS)} ){_UNITS}\b(?!.*from now).*"
)
_MARKED = re.compile(r"noon|midnight|(?:the )?weekend|[0-9]:[0-9]{2}(?::[0-9]{2})?|[0-9]{1,2}\.[0-9]\.")
_MONTH = re.compile(_any(MONTHS))
_DAY_OF_MONTH = re.compile("(?:the )?[0-9]{1,2}(?:st|nd|rd|th)")
_SMALL = ("sat", "sun", "wed")  # words of their own, too
_WEAK = re.compile(
    rf"(?:(?:this|next) )?{_any(WEEKDAYS)}|next (?:week|month|quarter|year)|(?:this|next) weekend|eo[np]?[wmqy]|eod"
    r"|(?:start|beginning|end) of .*|[0-9]{1,2}/[0-9]{1,2}|[0-9]{1,2}\.[0-9]{2}\.|[0-9]{2}:[0-9][1-46-9]"
    rf"|{_any(MONTHS)} [0-9]{{4}}"
)
_MAYBE_MONTH = re.compile(r"(?:may|march|mar) [0-9].*|[0-9]{1,2}\S* (?:of )?(?:may|march|mar)(?: [0-9]{4})?")


class Phrase(NamedTuple):
    """Some words, first to last (exclusive), that are a date: as typed, and whether a day, a time or both."""

    first: int
    last: int
    text: str
    kind: str
    end: int  # where it ends in the text, before punctuation
    counts: bool = True  # False for a weekday that counts only beside a time


class Context(NamedTuple):
    """Where a phrase stands: the marker before it, the word before that, and whether nothing of the title follows."""

    marker: str
    before: str
    at_end: bool
    at_start: bool


@lru_cache(4096)
def is_date(words: str) -> bool:
    """Whether parsing/dates.py reads the words, today or on any other day."""
    try:
        parse_date(words, zone="UTC", now=SOME_TIME)
    except Invalid:
        return False
    return True


@lru_cache(1024)
def is_recurrence(words: str) -> bool:
    """Whether parsing/recurrence.py reads the words."""
    from todo_cli.parsing.recurrence import is_recurrence as is_rule

    return is_rule(words, zone="UTC", now=SOME_TIME)


class Patience:
    """How many phrases of one text are tried: no real text needs as many, and a made one costs no more than them."""

    def __init__(self, tries: int = 1_000) -> None:
        self.left = tries

    def is_date(self, words: str) -> bool:
        """Whether the words are a date; never once patience has run out."""
        self.left -= 1
        return self.left >= 0 and is_date(words)

    def recurs(self, words: str) -> bool:
        """Whether the words are a recurrence; never once patience has run out."""
        self.left -= 1
        return self.left >= 0 and is_recurrence(words)


def longest(words: Sequence[Word], first: int, patience: Patience, head: str | None = None) -> Phrase | None:
    """The longest date that begins at that word; `head` stands for the first word's text, after its key."""
    if patience.left <= 0:
        return None
    last = first + (head is not None)
    while last < len(words) and last - first < LONGEST and _possible(words[last]):
        last += 1
    for stop in range(last, first, -1):
        texts = [head if head is not None and at == first else words[at].text for at in range(first, stop)]
        text = " ".join(filter(None, texts))
        for whole in dict.fromkeys((text, text.rstrip(ENDING))):
            if whole and not whole.isspace() and patience.is_date(whole):
                return Phrase(first, stop, whole, _kind(whole.lower()), words[stop - 1].end - len(text) + len(whole))
    return None


def _possible(word: Word) -> bool:
    if word.literal or word.value is not None or not word.text.isascii() or len(word.text) > 30:
        return False
    core = word.text.lower().rstrip(ENDING)
    return core in VOCABULARY or bool(_PERIOD.fullmatch(core)) or any(char.isdigit() for char in core)


def _kind(text: str) -> str:
    some_day = date(2000, 1, 1)
    if find(TIMES, text, some_day):
        return "time"
    return "day" if find(DAYS, text.removeprefix("on "), some_day) else "both"


def free_dates(words: Sequence[Word], taken: Sequence[bool], patience: Patience) -> list[Phrase]:
    """The dates among the words that are not taken, in order, each with its marker."""
    open_words = [word._replace(literal=True) if gone else word for word, gone in zip(words, taken, strict=True)]
    title_ends = max((at for at, gone in enumerate(taken) if not gone), default=-1) + 1
    found: list[Phrase] = []
    at = 0
    while at < len(words):
        phrase, at = _at(open_words, at, title_ends, patience)
        if phrase:
            found.append(phrase)
    clear = [phrase for phrase in found if phrase.counts]
    return found if clear and all(phrase.kind == "time" for phrase in clear) else clear


def _at(words: Sequence[Word], at: int, title_ends: int, patience: Patience) -> tuple[Phrase | None, int]:
    """The date that begins with that word, which may be its marker (`due on friday`), and where to go on."""
    start, marker = at, ""
    while not words[at].literal and words[at].text.lower() in MARKERS and at + 1 < len(words) and at - start < 2:
        marker, at = marker or words[at].text.lower(), at + 1
    if not (_possible(words[at]) and (phrase := longest(words, at, patience))):
        return None, start + 1
    before = words[start - 1] if start else None
    blocked = before.text.lower() if before and not before.literal else ""
    context = Context(marker, blocked, phrase.last >= title_ends, start == 0)
    counts = _counts(phrase, context)
    if not counts and not (blocked not in BLOCKERS and _loose(phrase)):
        return None, start + 1
    if not marker and (range_ends := _range(words, phrase, patience)):
        return None, range_ends
    return phrase._replace(first=start, counts=counts), phrase.last


def _loose(phrase: Phrase) -> bool:
    """A weekday that counts once a time stands elsewhere: `Friday dentist 3pm`."""
    text = phrase.text.lower()
    return text in WEEKDAYS and (text not in _SMALL or phrase.text[0].isupper())


def _range(words: Sequence[Word], phrase: Phrase, patience: Patience) -> int:
    """Behind `9am to 5pm`, `monday or tuesday`, `7pm - 9pm friday`; 0 where no range begins with the phrase."""
    after = phrase.last
    if after + 1 >= len(words) or words[after].text.lower() not in RANGES or not _possible(words[after + 1]):
        return 0
    other = longest(words, after + 1, patience)
    return other.last if other else 0


def _counts(phrase: Phrase, where: Context) -> bool:
    text = " ".join(phrase.text.lower().replace(",", " ").split())
    if where.marker == "due":
        return True
    if _PAST.fullmatch(text) or _ONLY_DUE.fullmatch(text):
        return False
    if where.before in BLOCKERS and not where.marker:
        return False
    if _MONTH.fullmatch(text):
        return where.marker == "by" and where.at_end
    if _MARKED.fullmatch(text):
        return bool(where.marker)
    if _DAY_OF_MONTH.fullmatch(text):
        return where.at_end
    if text in _SMALL and not where.marker:
        return where.at_end and phrase.text[0].isupper()
    capital = bool(re.search("M(?:ay|ar)", phrase.text)) and not where.at_start
    weak = _WEAK.fullmatch(text) or (_MAYBE_MONTH.fullmatch(text) and not capital)
    return not weak or bool(where.marker) or where.at_end
