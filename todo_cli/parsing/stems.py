"""Reduce words to their stems, so that "ironing" means the task "Iron shirts", as the search of the database does.

`meaningful_stems(text)` is the one function for the question whether two texts name the same thing. The database stems
with its own copy of the same Snowball algorithm (`todo.match_words`); a test compares the two.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from todo_cli.parsing.words import split_words

_STOP_WORDS = """
i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it
its itself they them their theirs themselves what which who whom this that these those am is are was were be been
being have has had having do does did doing a an the and but if or because as until while of at by for with about
against between into through during before after above below to from up down in out on off over under again further
then once here there when where why how all any both each few more most other some such no nor not only own same so
than too very s t can will just don should now
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""The English words that a search ignores beside others: the list `english.stop` of Postgres."""

_ENGLISH = re.compile("[a-z]+")
_CACHED_STEMS = 10_000


def meaningful_stems(text: str) -> frozenset[str]:
    """Return the stems of the text's words without stop words, or of all words when the text has only stop words.

    Case and accents do not count. A word that is not plain English letters is its own stem.
    """
    words = split_words(text)
    return frozenset(stem_word(word) for word in (words - STOP_WORDS or words))


@lru_cache(_CACHED_STEMS)
def stem_word(word: str) -> str:
    """Return the English stem of a folded word: "iron" for "ironing"; any other word as it is."""
    return str(_load_stemmer().stemWord(word)) if _ENGLISH.fullmatch(word) else word


@cache
def _load_stemmer() -> Any:
    """Import the stemmer for the first word: it takes 10 ms."""
    from snowballstemmer.english_stemmer import EnglishStemmer

    return EnglishStemmer()
