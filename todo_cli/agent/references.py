"""Resolve the references of a person to tasks of the turn before: "it", "the first one", or an answer such as "friday".

A reference only allows a change without approval: a change that it does not cover needs approval.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from todo_cli.agent.spoken_numbers import spoken_numbers
from todo_cli.parsing.task_names import DATE_WORDS, FILLER_WORDS, find_named, naming_words, spoken_words

_PRONOUNS = "it its that this these those them they both all everything one ones other others same he him his she her"
PRONOUNS = frozenset(_PRONOUNS.split())
ORDINALS = {"first": 0, "former": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3}
ORDINALS |= {"fifth": 4, "5th": 4, "last": -1, "latter": -1}
COUNTS = {"two": 2, "2": 2, "three": 3, "3": 3, "four": 4, "4": 4, "five": 5, "5": 5}
AGREEMENTS = frozenset(("ok", "okay", "please", "great", "perfect", "cool", "nice", "fine", "good", "alright"))
NEGATIONS = frozenset(("no", "nope", "nah", "not", "never"))
_DETERMINERS = {"this", "that", *ORDINALS}
_MENTION = re.compile(r"#(\d{1,18})")


class TurnBefore(NamedTuple):
    """The turn before the running one: its tasks by number, those that it changed, the message and the answer."""

    shown: dict[int, str]
    changed: frozenset[int]
    message: str
    answer: str

    @property
    def is_open_question(self) -> bool:
        """True if the model asked back and changed nothing."""
        return "?" in self.answer and not self.changed

    @property
    def mentioned_numbers(self) -> list[int]:
        """The shown tasks in the order in which the answer mentions their numbers."""
        numbers = dict.fromkeys(int(number) for number in _MENTION.findall(self.answer))
        return [number for number in numbers if number in self.shown]


def find_references(text: str, before: TurnBefore, titles: dict[int, str]) -> set[int]:
    """Return the tasks of the turn before that the person's text refers to.

    A text that names a task itself, one of `titles` or by number, refers to no other.
    """
    spoken = spoken_words(text)
    if spoken_numbers(text) or any(find_named(spoken, title) for title in titles.values()):
        return set()
    words = _without_dates(re.findall(r"\w+", text.lower()))
    places = [place for place, word in enumerate(words) if word in ORDINALS]
    if places:
        return {number for place in places for number in _pick(words, place, before)}
    if PRONOUNS.intersection(words):
        return {*before.shown}
    tasks = before.changed or {*before.shown}
    is_clear = len(tasks) == 1 or before.is_open_question
    return {*tasks} if is_clear and not naming_words(text) and _is_answer(words, before) else set()


def _is_answer(words: list[str], before: TurnBefore) -> bool:
    """Return True for words such as "done", "friday", or "ok" to a question; False for "thanks" and "no"."""
    if NEGATIONS.intersection(words) and not DATE_WORDS.intersection(words):
        return False
    return not FILLER_WORDS.issuperset(words) or (before.is_open_question and not AGREEMENTS.isdisjoint(words))


def _without_dates(words: list[str]) -> list[str]:
    """Drop "this", "last" and so on before a date: "this evening", "the first of march"."""

    def is_dated(place: int) -> bool:
        following = [word for word in words[place + 1 : place + 3] if word != "of"]
        return bool(following) and following[0] in DATE_WORDS

    return [word for place, word in enumerate(words) if word not in _DETERMINERS or not is_dated(place)]


def _pick(words: list[str], place: int, before: TurnBefore) -> list[int]:
    """Return the tasks of "the second" or "the last two"; all tasks where the answer shows no order."""
    if not before.mentioned_numbers:
        return list(before.shown)
    index = ORDINALS[words[place]]
    count = COUNTS.get(words[place + 1], 1) if place + 1 < len(words) else 1
    if index < 0:
        return before.mentioned_numbers[-count:]
    return before.mentioned_numbers[index : index + count]
