"""From text to terms: one pass over the characters; what each term means by itself."""

from __future__ import annotations

import re
from typing import NamedTuple

from todo_cli.parsing.filter_ast import FieldTerm, Node, Numbers, TextTerm, ViewTerm, make_not, make_numbers, make_or
from todo_cli.parsing.filter_vocabulary import (
    ANY,
    CHOICE,
    CHOICE_ALIASES,
    CHOICES,
    DATE,
    FIELD_ALIASES,
    FIELDS,
    MODIFIERS,
    NONE,
    NULLABLE_FIELDS,
    NUMBER,
    OPERATORS,
    ORDERED,
    PRIORITIES,
    VIRTUAL_TAGS,
    filter_error,
    suggest,
)

MAX_TASK_NUMBER = 2**63 - 1

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[^\s()]+")
_LEAD = re.compile(r"""(?:[#@+]|[^\s()'":<>=]*(?:[<>=]=|[:<>=]))(?=['"])""")  # behind it stands a quoted value
_FIELD = re.compile(r"(?s)(?P<name>[^:<>=]*?)(?P<sign>!=|==|<=|>=|[:<>=])(?P<value>.*)")
_ID = r"#?[0-9]+(?:-#?[0-9]+)?"
_IDS = re.compile(rf"{_ID}(?:,{_ID})*,?")

QUOTE_HINT = "quote what is meant as text: {!r}"


class FilterToken(NamedTuple):
    """kind: ( ) and or not term; `at`: where it begins, from 0."""

    kind: str
    at: int
    node: Node | None = None


def tokenize(text: str) -> list[FilterToken]:
    """The filter's tokens; raises Invalid."""
    found: list[FilterToken] = []
    place = _past_space(text, 0)
    while place < len(text):
        token, place = _token(text, place)
        found.append(token)
        place = _past_space(text, place)
    return found


def _past_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _token(text: str, at: int) -> tuple[FilterToken, int]:
    first, pair = text[at], text[at : at + 2]
    if first in "()":
        return FilterToken(first, at), at + 1
    if first in "&|":
        join = pair if pair in OPERATORS else first
        return FilterToken(OPERATORS[join], at), at + len(join)
    if first in "!-":
        if first == "-" and not pair[1:].strip():
            raise filter_error(at, "a minus with nothing behind it", QUOTE_HINT.format("-"))
        return FilterToken("not", at), at + 1
    if first in "'\"":
        value, end = _quoted(text, at)
        return FilterToken("term", at, TextTerm(value, at)), end
    if lead := _LEAD.match(text, at):
        value, end = _quoted(text, lead.end())
        return FilterToken("term", at, _term(lead[0], value, at)), end
    word = _WORD.match(text, at)
    assert word is not None  # noqa: S101  # a character that is neither a space nor a parenthesis
    return _worded(word[0], at), word.end()


def _quoted(text: str, at: int) -> tuple[str, int]:
    """What stands in quotes, and where they end; a backslash goes before a quote or a backslash."""
    quote, place, kept = text[at], at + 1, []
    while place < len(text) and text[place] != quote:
        if text[place] == "\\" and text[place + 1 : place + 2] in (quote, "\\"):
            place += 1
        kept.append(text[place])
        place += 1
    if place >= len(text):
        raise filter_error(at, "the quote is not closed", f"put another {quote} behind it")
    behind = text[place + 1 : place + 2]
    if behind and not behind.isspace() and behind not in "()":
        raise filter_error(place + 1, "something follows the closing quote at once", "put a space in between")
    value = "".join(kept).strip()
    if not value:
        raise filter_error(at, "there is nothing in the quotes")
    return value, place + 1


def _worded(word: str, at: int) -> FilterToken:
    """A word without quotes: a join, or a term."""
    lower = word.lower()
    if lower in OPERATORS or lower == "not":
        return FilterToken(OPERATORS.get(lower, "not"), at)
    if lower == "xor":
        raise filter_error(at, "there is no xor", "(a or b) and not (a and b) says the same")
    for sign in "&|":
        if sign in word:
            hint = f"put spaces around {sign}, or quotes around the whole: {word!r}"
            raise filter_error(at + word.index(sign), f"{sign!r} inside a word", hint)
    if _IDS.fullmatch(word):
        return FilterToken("term", at, _ids(word, at))
    if re.fullmatch("p[1-4](?:,p[1-4])*", lower):
        return FilterToken("term", at, _read("priority", ":", lower, at, at))
    split = None if word[0] in "#@+" else _FIELD.fullmatch(word)
    if split:
        return FilterToken("term", at, _term(split["name"] + split["sign"], split["value"], at))
    return FilterToken("term", at, _term(word[0], word[1:], at) if word[0] in "#@+" else TextTerm(word, at))


def _term(lead: str, value: str, at: int) -> Node:
    """`#`, `@`, `+`, `:` or a field and its sign, and the value behind it."""
    if not value and lead.lower().endswith((".none:", ".any:")):
        lead, value = lead.rpartition(".")[0] + ":", lead[:-1].rpartition(".")[2]
    if not value:
        example = {"#": "#home", "@": "@phone", "+": "+phone", ":": ":work"}.get(lead, f"{lead}none")
        raise filter_error(at + len(lead), f"nothing follows {lead!r}", f"for example {example}, without a space")
    if lead == "#":
        return FieldTerm("project", ":", value, at)
    if lead == "+" and value in VIRTUAL_TAGS:
        name, state = VIRTUAL_TAGS[value]
        return FieldTerm(name, ":", state, at)
    if lead in ("@", "+"):
        return FieldTerm("tag", ":", value, at)
    if lead == ":":
        return ViewTerm(value, at)
    return _matched(lead, value, at)


def _matched(lead: str, value: str, at: int) -> Node:
    split = _FIELD.fullmatch(lead)
    assert split is not None  # noqa: S101  # it ends with a sign
    sign, (name, _, modifier) = split["sign"], split["name"].lower().partition(".")
    if name in ("id", "ids", "number") and sign in ":=" and not modifier:
        return _ids(value, at + len(lead))
    name = _field(name, split["name"] + sign, value, at)
    if modifier:
        sign = _modified(modifier, sign, at + len(split["name"]) - len(modifier))
    if sign in (NONE, ANY):
        raise filter_error(at + len(lead), f"{name}.{sign} takes no value", f"write {name}:{sign}")
    match = _read(name, ":" if sign in ("=", "==", "!", "!=") else sign, value, at, at + len(lead))
    return make_not(match) if sign in ("!", "!=") else match


def _field(name: str, lead: str, value: str, at: int) -> str:
    found = name if name in FIELDS else FIELD_ALIASES.get(name)
    if found is None:
        near = suggest(name, [*FIELDS], "{}:") or suggest(name, [*FIELD_ALIASES], "{}:")
        hint = "; ".join(filter(None, [near, QUOTE_HINT.format((lead + value)[:60])]))
        raise filter_error(at, f"there is no field {name[:60]!r}", hint)
    return found


def _modified(modifier: str, sign: str, at: int) -> str:
    """The sign that Taskwarrior's `.before:` stands for."""
    if sign != ":" or modifier not in MODIFIERS:
        raise filter_error(at, f"there is no modifier {modifier[:60]!r}", suggest(modifier, [*MODIFIERS], ".{}:"))
    return MODIFIERS[modifier]


def _read(name: str, sign: str, value: str, at: int, place: int) -> Node:
    kind = FIELDS[name]
    if sign != ":" and kind not in (ORDERED, DATE):
        raise filter_error(at, f"{name} has no order, so {sign} means nothing", f"write {name}:{value[:60]}")
    if value.lower() in (NONE, ANY) and name in NULLABLE_FIELDS:
        if sign != ":":
            raise filter_error(place, f"{value} is not before or behind anything", f"write {name}:{value.lower()}")
        return FieldTerm(name, ":", value.lower(), at)
    if kind == DATE:
        return FieldTerm(name, sign, value, place)
    if kind == CHOICE or (kind == ORDERED and sign == ":"):
        return make_or(FieldTerm(name, sign, _listed(name, one, place), at) for one in value.rstrip(",").split(","))
    if kind == ORDERED:
        return FieldTerm(name, sign, _listed(name, value, place), at)
    if kind == NUMBER:
        return make_or(FieldTerm(name, ":", _numbered(name, one, place), at) for one in value.rstrip(",").split(","))
    sigil = {"project": "#", "tag": "@"}.get(name, "")
    return FieldTerm(name, ":", value.removeprefix(sigil) or value, at)


def _listed(name: str, value: str, place: int) -> str:
    """One of a field's own words."""
    word = value.strip().lower()
    if name == "priority":
        if word not in PRIORITIES:
            raise filter_error(place, f"{value[:60]!r} is not a priority", "priorities are 1 (most urgent), 2 and 3")
        return PRIORITIES[word]
    word = word if word in CHOICES[name] else CHOICE_ALIASES.get(word, word)
    if word not in CHOICES[name]:
        near = suggest(word, CHOICES[name], name + ":{}")
        raise filter_error(place, f"{name} cannot be {value[:60]!r}", near or f"it can be: {', '.join(CHOICES[name])}")
    return word


def _numbered(name: str, value: str, place: int) -> str:
    low, high = _bounds(value.strip(), place, f"{name} takes a task's number")
    if low != high:
        raise filter_error(place, f"{name} takes single numbers", f"for example {name}:{low},{high}")
    return str(low)


def _ids(word: str, at: int) -> Numbers:
    """`3,7-9,#12` as ranges."""
    pairs, place = [], at
    for part in word.split(","):
        if part:
            pairs.append(_bounds(part, place, "that is not a task's number"))
        place += len(part) + 1
    if not pairs:
        raise filter_error(at, "that is not a task's number", "for example 3 or 7-9")
    return make_numbers(pairs)


def _bounds(part: str, at: int, what: str) -> tuple[int, int]:
    if not re.fullmatch(_ID, part):
        raise filter_error(at, f"{what}, not {part[:60]!r}", "for example 3 or 7-9")
    first, _, last = part.replace("#", "").partition("-")
    low, high = (min(int(digits[:20]), MAX_TASK_NUMBER + 1) for digits in (first, last or first))
    if not 1 <= low <= high <= MAX_TASK_NUMBER:
        hint = "write the smaller one first; a text is quoted" if low > high else "numbers start at 1"
        raise filter_error(at, f"there are no tasks {part[:60]}", hint)
    return low, high
