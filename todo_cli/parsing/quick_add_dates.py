"""Find the date in the words of a title, by the rules of `quick_add_strength.py`.

A phrase is read as a whole or not at all. It is the longest documented form that begins at its first word, and it does
not count if date vocabulary stands directly beside it. The search goes on behind a phrase, never inside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date

from todo_cli.parsing.date_vocabulary import (
    CLOCK_UNITS,
    CLOCK_WORDS,
    DAY_PARTS,
    DAY_UNITS,
    MONTHS,
    NUMBERS,
    ORDINALS,
    RELATIVE_DAYS,
    WEEKDAYS,
)
from todo_cli.parsing.date_words import (
    begins_unreadable_date,
    end_of_run,
    is_date,
    is_number_at_end,
    is_recurrence_phrase,
    is_zone_word,
    range_start,
    touches_date_word,
)
from todo_cli.parsing.quick_add_lexer import PUNCTUATION, Word
from todo_cli.parsing.quick_add_phrase import BLOCKERS, Phrase

MAX_DATE_WORDS = 10  # in 1 week and 2 days at 9 am
MAX_WORD_CHARS = 30
MAX_TRIES = 1_000  # phrases tried in one text; no real text needs so many
MARKERS = ("due", "by", "on")
VOCABULARY = frozenset({
    *(part for word in RELATIVE_DAYS for part in word.split()),
    *WEEKDAYS, *MONTHS, *NUMBERS, *DAY_UNITS, *CLOCK_UNITS, *CLOCK_WORDS, *DAY_PARTS, *ORDINALS,
    "in", "on", "at", "by", "of", "the", "next", "this", "last", "from", "now", "ago", "end", "start", "beginning",
    "weekend", "quarter", "half", "am", "pm", "a.m", "p.m", "+", "-", "@",
})  # fmt: skip  # a word list
_PERIOD = re.compile("[se]o[np]?[wmqy]")
_RANGE_WORDS = ("from", "between", "for", "of", "about", "until", "to")  # a date behind one is meant as text
_RULE = re.compile("every|[a-z-]+ly")  # the first word of a recurrence


class PhraseTester:
    """Tests phrases on one day. It gives up after `MAX_TRIES`, so that no text takes long."""

    def __init__(self, today: date) -> None:
        self._today, self.tries = today.isoformat(), MAX_TRIES

    def is_date(self, words: str) -> bool:
        """Return whether the words are a date."""
        self.tries -= 1
        return self.tries >= 0 and is_date(words, self._today)

    def is_recurrence(self, words: str) -> bool:
        """Return whether the words are a recurrence."""
        self.tries -= 1
        return self.tries >= 0 and is_recurrence_phrase(words, self._today)


def find_longest_date(
    words: Sequence[Word], first: int, tester: PhraseTester, head: str | None = None
) -> Phrase | None:
    """Return the longest date that begins at this word. `head` replaces the text of the first word, after its key."""
    if tester.tries <= 0:
        return None
    last = first + (head is not None)
    while last < len(words) and last - first < MAX_DATE_WORDS and _is_possible(words[last]):
        last += 1
    for stop in range(last, first, -1):
        texts = [head if head is not None and at == first else words[at].text for at in range(first, stop)]
        text = " ".join(filter(None, texts))
        for phrase in dict.fromkeys((text, text.rstrip(PUNCTUATION))):
            if phrase and not phrase.isspace() and tester.is_date(phrase):
                end = words[stop - 1].end - len(text) + len(phrase)
                return _extend_to_range(words, Phrase(first, stop, phrase, _classify(phrase), end, stop), tester)
    return None


def _extend_to_range(words: Sequence[Word], phrase: Phrase, tester: PhraseTester) -> Phrase:
    """Take the start of a range of times behind a day: `sat 7pm-9pm` is due at 7pm, and its length is kept."""
    start = range_start(words[phrase.last].core) if phrase.last < len(words) and phrase.kind == "day" else None
    text = f"{phrase.text} {start}"
    if start and tester.is_date(text):
        return phrase._replace(text=text, kind="both", reach=phrase.last + 1)
    return phrase


def _is_possible(word: Word) -> bool:
    if word.literal or word.value is not None or not word.text.isascii() or len(word.text) > MAX_WORD_CHARS:
        return False
    core = word.core
    is_known = core in VOCABULARY or bool(_PERIOD.fullmatch(core)) or is_zone_word(word.text.rstrip(PUNCTUATION))
    return is_known or any(char.isdigit() for char in core)


def _classify(text: str) -> str:
    from todo_cli.parsing.date_forms import TIMES, find_day, find_form
    from todo_cli.parsing.date_readers import Week

    some_day, lower = date(2000, 1, 1), text.lower().replace(", ", " ")
    if find_form(TIMES, lower, some_day):
        return "time"
    return "day" if find_day(lower.removeprefix("on "), Week(some_day)) and lower != "tonight" else "both"


class DateFinder:
    """Finds the dates among the open words of a text, in order."""

    def __init__(
        self, words: Sequence[Word], taken: Sequence[bool], blocked: Sequence[bool], tester: PhraseTester
    ) -> None:
        self._rules = [gone and bool(_RULE.match(word.core)) for word, gone in zip(words, taken, strict=True)]
        closed = [gone or refused for gone, refused in zip(taken, blocked, strict=True)]
        self._words = [word._replace(literal=True) if shut else word for word, shut in zip(words, closed, strict=True)]
        self._cores = ["" if gone else word.core for word, gone in zip(words, taken, strict=True)]
        self._tester = tester
        self._title_end = max((at for at, gone in enumerate(taken) if not gone), default=-1) + 1
        self.refused: list[tuple[int, int]] = []  # runs of date vocabulary that are not one documented form

    def find_all(self) -> list[Phrase]:
        """Return the phrases that count, each with its marker."""
        phrases: list[Phrase] = []
        at = 0
        while at < len(self._words):
            phrase, at = self._read(at)
            if phrase:
                phrases.append(phrase)
        complete = [phrase for phrase in phrases if phrase.is_complete]
        return phrases if complete and all(phrase.kind == "time" for phrase in complete) else complete

    def _read(self, start: int) -> tuple[Phrase | None, int]:
        """Return the date that begins at this word or behind its marker (`due on friday`), and where to go on."""
        at, marker = self._skip_markers(start)
        phrase = find_longest_date(self._words, at, self._tester) if _is_possible(self._words[at]) else None
        if not phrase:
            return None, self._skip_unreadable(start)
        return self._check_strength(phrase, start, marker)

    def _check_strength(self, phrase: Phrase, start: int, marker: str) -> tuple[Phrase | None, int]:
        """Return the phrase if it counts where it stands, and where to go on."""
        from todo_cli.parsing.quick_add_strength import (
            LENGTH,
            ONLY_AFTER_DUE,
            Context,
            is_date_there,
            is_loose_weekday,
        )

        text = phrase.text.lower()
        is_beside_rule = self._is_beside_rule(phrase)
        if marker != "due" and not is_beside_rule and ONLY_AFTER_DUE.fullmatch(text):
            return None, phrase.reach if LENGTH.fullmatch(text) else start + 1
        before = self._cores[start - 1] if start else ""
        if touches_date_word(self._cores, start, phrase.reach):
            end = end_of_run(self._cores, phrase.reach)
            end += end == phrase.reach and is_number_at_end(self._cores, end)
            if before not in _RANGE_WORDS:
                self.refused.append((start, end))
            return None, end
        context = Context(marker, before, phrase.reach >= self._title_end, start == 0, is_beside_rule)
        is_strong = is_date_there(phrase, context)
        if not is_strong and (before in BLOCKERS or not is_loose_weekday(phrase)):
            return None, phrase.reach
        return phrase._replace(first=start, is_complete=is_strong), phrase.reach

    def _skip_unreadable(self, start: int) -> int:
        """Return where to go on behind words that are no date: `2026-11-31`, `31 feb`, or any other word."""
        if self._words[start].literal or not begins_unreadable_date(self._cores, start):
            return start + 1
        end = end_of_run(self._cores, start)
        is_clear = end > start + 1 or "-" in self._cores[start]
        if is_clear and (not start or self._cores[start - 1] not in BLOCKERS):
            self.refused.append((start, end))
        return end

    def _skip_markers(self, at: int) -> tuple[int, str]:
        start, marker = at, ""
        while at + 1 < len(self._words) and at - start < 2 and not self._words[at].literal:
            if self._words[at].text.lower() not in MARKERS:
                break
            marker, at = marker or self._words[at].text.lower(), at + 1
        return at, marker

    def _is_beside_rule(self, phrase: Phrase) -> bool:
        """Return whether a time stands directly before a recurrence: `at 6 every sunday`."""
        return phrase.kind == "time" and phrase.last < len(self._rules) and self._rules[phrase.last]


def join_day_and_time(phrases: list[Phrase], is_date: Callable[[str], bool]) -> tuple[str, list[Phrase]]:
    """Return the words of the first date, joined with the first time or day that it lacks."""
    first = phrases[0]
    lacking = {"day": "time", "time": "day"}.get(first.kind)
    if second := next((phrase for phrase in phrases[1:] if phrase.kind == lacking), None):
        day, clock = (first, second) if lacking == "time" else (second, first)
        if is_date(f"{day.text} {clock.text}"):
            return f"{day.text} {clock.text}", [first, second]
    return first.text, [first]
