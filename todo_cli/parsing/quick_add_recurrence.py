"""Find the recurrence in the words of a title: `every …`, `daily … yearly`, and `3 days after done`.

As with dates, a phrase is read as a whole or not at all. daily to yearly count only at the end of the title or with
something behind them that belongs to them (`weekly on monday`): `Create monthly report` stays a title.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from todo_cli.parsing.date_words import count_date_words, end_of_run, is_day_word
from todo_cli.parsing.misspellings import is_misspelled
from todo_cli.parsing.quick_add_dates import MAX_WORD_CHARS, PhraseTester
from todo_cli.parsing.quick_add_fields import split_field
from todo_cli.parsing.quick_add_lexer import PUNCTUATION, Word
from todo_cli.parsing.quick_add_phrase import BLOCKERS, Phrase

MAX_RECURRENCE_WORDS = 14
MAX_WORDS_BEFORE_EVERY = 5  # the last working day of every month
EVERY = ("every", "every!")
ADVERBS = frozenset({
    "hourly", "daily", "weekly", "biweekly", "bi-weekly", "fortnightly", "monthly", "quarterly", "yearly", "annually",
})  # fmt: skip  # a word list
DONE = ("done", "completion", "completed", "finished")
# `every 5` of `every 5 servers`: a bare number is not a day of the month.
_BARE_NUMBER = r"(?i)(?:every ?!?|and|on|the|[,&]) ?[0-9]+$"
_CONNECTORS = ("and", "or", "&", "to", "through", "-", "–", "—")


class RecurrenceFinder:
    """Finds the first recurrence among the open words of a text."""

    def __init__(self, words: Sequence[Word], taken: Sequence[bool], tester: PhraseTester) -> None:
        self._words, self._taken, self._tester = words, taken, tester
        self._cores = ["" if gone or split_field(word) else word.core for word, gone in zip(words, taken, strict=True)]
        self.refused: list[tuple[int, int]] = []  # runs that are not one documented form

    def find(self) -> Phrase | None:
        """Return the first recurrence that counts."""
        title_end = max((at for at, gone in enumerate(self._taken) if not gone), default=-1) + 1
        at = 0
        while at < len(self._words):
            if not self._begins(at):
                at += 1
                continue
            phrase = self._find_from_ordinal(at) or self.find_longest(at)
            end = self._end_of_run(phrase.last if phrase else at + 1)
            is_joined = phrase is not None and phrase.first == at and self._follows_connector(at)
            if phrase and end == phrase.last and not is_joined:
                if self._cores[at] not in ADVERBS or self._is_strong(phrase, title_end):
                    return phrase
            elif end > at + 1:
                self.refused.append((self._start_of_run(at), end))
            at = max(end, at + 1)
        return None

    def _find_from_ordinal(self, every: int) -> Phrase | None:
        """Return the recurrence of `on the 1st of every month`, which begins before `every`."""
        if every < 2 or self._cores[every - 1] != "of":
            return None
        for first in range(max(0, every - MAX_WORDS_BEFORE_EVERY), every - 1):
            phrase = self.find_longest(first) if self._is_possible(first) else None
            if phrase and phrase.last > every:
                has_marker = first > 0 and self._cores[first - 1] == "on"
                return phrase._replace(first=first - 1) if has_marker else phrase
        return None

    def find_longest(self, first: int, head: str | None = None) -> Phrase | None:
        """Return the longest recurrence that begins at this word. `head` replaces its text, after its key."""
        last = first + 1 if self._tester.tries > 0 else first
        while first < last < min(len(self._words), first + MAX_RECURRENCE_WORDS) and self._is_possible(last):
            last += 1
        for stop in range(last, first, -1):
            texts = [word.text for word in self._words[first:stop]]
            text = " ".join(filter(None, texts if head is None else [head, *texts[1:]]))
            phrase = text.rstrip(PUNCTUATION)
            if phrase and (head or not re.search(_BARE_NUMBER, phrase)) and self._tester.is_recurrence(phrase):
                end = self._words[stop - 1].end - len(text) + len(phrase)
                return Phrase(first, stop, phrase, "rule", end, stop)
        return None

    def _is_possible(self, at: int) -> bool:
        core = self._cores[at]
        return bool(core) and len(core) <= MAX_WORD_CHARS and core.isascii()

    def _begins(self, at: int) -> bool:
        word = self._words[at]
        if not self._is_possible(at):
            return False
        if word.text.lower() in EVERY:
            return True
        if self._cores[at] in ADVERBS:
            return not at or self._cores[at - 1] not in BLOCKERS
        near = [core if len(core) <= MAX_WORD_CHARS else "" for core in self._cores[at : at + 4]]
        return any(first == "after" and second in DONE for first, second in pairwise(near[1:]))

    def _end_of_run(self, at: int) -> int:
        """Return the end of the vocabulary that follows: `and 5pm`, `and every thursday`, or a misspelled word."""
        while at < len(self._cores):
            is_repeated = self._cores[at] in _CONNECTORS and self._cores[at + 1 : at + 2] == ["every"]
            length = count_date_words(self._cores, at) or (2 if is_repeated else 0)
            if not length and is_misspelled(self._cores[at]):
                length = 1
            if not length:
                break
            at += length
        return at

    def _start_of_run(self, at: int) -> int:
        """Return the start of the vocabulary that a recurrence goes on from: `tomorrow and`."""
        while at and (self._cores[at - 1] in (*_CONNECTORS, "of") or is_day_word(self._cores[at - 1])):
            at -= 1
        return at

    def _follows_connector(self, at: int) -> bool:
        """Return whether words before `every` belong to it: `monday and every thursday`, `rid of every monday`."""
        if at and self._cores[at - 1] == "of":
            return True
        return at > 1 and self._cores[at - 1] in _CONNECTORS and is_day_word(self._cores[at - 2])

    def _is_strong(self, phrase: Phrase, title_end: int) -> bool:
        is_after_time = phrase.first > 0 and end_of_run(self._cores, phrase.first - 1) == phrase.first
        return phrase.last >= title_end or phrase.last - phrase.first > 1 or is_after_time
