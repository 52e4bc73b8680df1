"""Find the words behind `remind:` in a title: a time before the due date, or a date."""

from __future__ import annotations

from collections.abc import Sequence

from todo_cli.errors import Invalid
from todo_cli.parsing.quick_add_dates import PhraseTester, find_longest_date
from todo_cli.parsing.quick_add_lexer import PUNCTUATION, Word
from todo_cli.parsing.quick_add_phrase import Phrase
from todo_cli.parsing.reminders import LeadTime, parse_lead

MAX_LEAD_WORDS = 8  # 1 day and 2 hours before it is due


def find_reminder(words: Sequence[Word], first: int, tester: PhraseTester, head: str) -> Phrase | None:
    """Return the longest reminder that begins at this word, whose text behind the key is `head`."""
    return _find_lead(words, first, head) or find_longest_date(words, first, tester, head)


def _find_lead(words: Sequence[Word], first: int, head: str) -> Phrase | None:
    last = first + 1
    while last < len(words) and last - first < MAX_LEAD_WORDS and words[last].core:
        last += 1
    for stop in range(last, first, -1):
        text = " ".join([head, *(word.text for word in words[first + 1 : stop])])
        core = text.rstrip(PUNCTUATION)
        if _parse_lead(core):
            return Phrase(first, stop, core, "lead", words[stop - 1].end - len(text) + len(core), stop)
    return None


def _parse_lead(text: str) -> LeadTime | None:
    try:
        return parse_lead(text)
    except Invalid:
        return None
