"""Decide whether a person's words name a task: by a word of its title, in any inflection or with one typo.

Common words (articles, "mark as done", "friday", "buy") name no task, unless the title has no other words. Then the
person must say all of them.
"""

from __future__ import annotations

import re
from functools import cache

from todo_cli.parsing.spelling import is_one_letter_apart
from todo_cli.parsing.stems import STOP_WORDS, stem_word
from todo_cli.parsing.words import split_words

MIN_TYPO_CHARS = 6
"""Letters of the shortest word in which a typo is forgiven."""
MAX_SENTENCE_WORDS = 400
"""Words and stems of the longest text in which a typo is forgiven."""

_LIST_WORDS = """
task tasks todo todos list lists item items thing things stuff note notes title tag tags project projects subtask
subtasks priority urgent important high low normal medium status
add create insert put set change update edit modify rename make turn mark tick check cross strike scratch flag move push
shift bump bring pull postpone delay defer snooze schedule reschedule plan repeat
finish complete close done ready over finally already just still yet almost nearly accomplish handle sort
open reopen start begin stop pause resume continue skip claim release drop cancel abandon
delete remove restore undo redo revert clear clean keep hold leave
show find search look tell see say know think guess mean want wish need like try let help use go come get give take send
buy call pay fetch pick write prepare fix ask do yes yeah yep yup sure right correct exactly absolutely definitely ahead
actually instead rather also too again wait so now then later soon early earlier maybe
first second third fourth fifth last next previous former latter one two three four five both other same new old
"""
_FILLER_WORDS = """
please ok okay thanks thank thx cheers hello hi hey oh ah oops sorry well great perfect cool nice fine good alright
no nope nah not never mind
"""
FILLER_WORDS = frozenset(_FILLER_WORDS.split())
"""Words that say nothing about a task when they stand alone."""
_DATE_WORDS = """
today tonight tomorrow tmrw yesterday morning noon afternoon evening night midnight am pm
monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun weekday weekend
january february march april may june july august september october november december
jan feb mar apr jun jul aug sep sept oct nov dec
minute minutes min mins hour hours day days week weeks month months year years date time due deadline every daily weekly
monthly yearly annually oclock
"""
DATE_WORDS = frozenset(_DATE_WORDS.split())
_IRREGULAR_FORMS = """
ate:eat eaten:eat began:begin begun:begin bound:bind bought:buy brought:bring built:build chose:choose chosen:choose
came:come did:do dug:dig drew:draw drawn:draw drank:drink drove:drive driven:drive fed:feed felt:feel flew:fly flown:fly
found:find gave:give given:give got:get gotten:get went:go gone:go ground:grind grew:grow grown:grow hung:hang held:hold
hid:hide hidden:hide kept:keep knew:know known:know laid:lay led:lead left:leave lent:lend lit:light lost:lose made:make
meant:mean met:meet paid:pay ran:run rang:ring rung:ring rode:ride ridden:ride said:say sang:sing sung:sing saw:see
seen:see sent:send sewn:sew shook:shake shaken:shake shot:shoot sold:sell sought:seek spoke:speak spoken:speak
spent:spend stuck:stick swam:swim swum:swim swept:sweep taught:teach threw:throw thrown:throw took:take taken:take
told:tell thought:think tore:tear torn:tear woke:wake wore:wear worn:wear wound:wind wrote:write written:write
mown:mow hoovered:hoover
"""
# ideographs and katakana carry the meaning; a common pair of them is a common word
_IDEOGRAPHS = re.compile("[\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


def spoken_words(text: str) -> frozenset[str]:
    """Return all words of a person's text and their stems."""
    words = split_words(text)
    return words | {_stem(word) for word in words}


def naming_words(text: str) -> frozenset[str]:
    """Return the words that can name a task, without the words of sentences about any task."""
    return frozenset(word for word in split_words(text) if _can_name(word))


def find_named(spoken: frozenset[str], title: str) -> frozenset[str]:
    """Return those of the `spoken_words` that name a task with this title."""
    naming = naming_words(title)
    if not naming:
        stems = {_stem(word) for word in split_words(title)}
        return frozenset(stems) if stems <= spoken else frozenset()
    named = spoken & (naming | {_stem(word) for word in naming})
    if named or len(spoken) > MAX_SENTENCE_WORDS:
        return named
    return frozenset(word for word in spoken if any(_is_similar(word, other) for other in naming))


def _stem(word: str) -> str:
    return stem_word(_irregular_forms().get(word, word))


def _can_name(word: str) -> bool:
    is_short = len(word) == 1 and word.isascii()
    return not (is_short or word.isdigit() or word in STOP_WORDS or _stem(word) in _common_stems())


def _is_similar(spoken: str, word: str) -> bool:
    if min(len(spoken), len(word)) >= MIN_TYPO_CHARS and is_one_letter_apart(spoken, word):
        return True
    return bool(_ideograph_pairs(spoken) & _ideograph_pairs(word))


def _ideograph_pairs(word: str) -> set[str]:
    if word.isascii():
        return set()
    return {run[index : index + 2] for run in _IDEOGRAPHS.findall(word) for index in range(len(run) - 1)}


@cache
def _common_stems() -> frozenset[str]:
    return frozenset(map(stem_word, (*_LIST_WORDS.split(), *FILLER_WORDS, *DATE_WORDS)))


@cache
def _irregular_forms() -> dict[str, str]:
    return dict(pair.split(":") for pair in _IRREGULAR_FORMS.split())
