"""Split a filter into tokens in one pass over its characters, and parse each term by itself."""

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
    RULE,
    SIGILS,
    VIRTUAL_TAGS,
    filter_error,
    suggest,
)

MAX_TASK_NUMBER = 2**63 - 1

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[^\s()]+")
# A sigil or a field with its sign, directly before a quoted value.
_LEAD = re.compile(r"""(?:[#@+]|[^\s()'":<>=]*(?:[<>=]=|[:<>=]))(?=['"])""")
_FIELD = re.compile(r"(?s)(?P<name>[^:<>=]*?)(?P<sign>!=|==|<=|>=|[:<>=])(?P<value>.*)")
_NUMBER = r"#?[0-9]+(?:-#?[0-9]+)?"
_NUMBERS = re.compile(rf"{_NUMBER}(?:,{_NUMBER})*,?")
_PRIORITIES = re.compile("p[1-4](?:,p[1-4])*")

QUOTE_HINT = "quote text that is not a field: {!r}"


class FilterToken(NamedTuple):
    """One of ( ) and, or, not, term, end, with its position counted from 0."""

    kind: str
    at: int
    node: Node | None = None


def tokenize(text: str) -> list[FilterToken]:
    """Return the tokens of the filter; raise Invalid for text that is not a token."""
    tokens: list[FilterToken] = []
    at = _skip_space(text, 0)
    while at < len(text):
        token, at = _read_token(text, at)
        tokens.append(token)
        at = _skip_space(text, at)
    return tokens


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _read_token(text: str, at: int) -> tuple[FilterToken, int]:
    """Return the token that starts at `at`, and the position after it."""
    first, pair = text[at], text[at : at + 2]
    if first in "()":
        return FilterToken(first, at), at + 1
    if first in "&|":
        operator = pair if pair in OPERATORS else first
        return FilterToken(OPERATORS[operator], at), at + len(operator)
    if first in "!-":
        if first == "-" and not pair[1:].strip():
            raise filter_error(at, "nothing follows the minus", QUOTE_HINT.format("-"))
        return FilterToken("not", at), at + 1
    if first in "'\"":
        value, end = _read_quoted(text, at)
        return FilterToken("term", at, TextTerm(value, at)), end
    if lead := _LEAD.match(text, at):
        value, end = _read_quoted(text, lead.end())
        return FilterToken("term", at, _parse_term(lead[0], value, at)), end
    word = _WORD.match(text, at)
    assert word is not None  # noqa: S101  # the character is neither a space nor a parenthesis
    return _parse_word(word[0], at), word.end()


def _read_quoted(text: str, at: int) -> tuple[str, int]:
    """Return the quoted text and the position after it. A backslash escapes a quote or a backslash."""
    quote, place, characters = text[at], at + 1, []
    while place < len(text) and text[place] != quote:
        if text[place] == "\\" and text[place + 1 : place + 2] in (quote, "\\"):
            place += 1
        characters.append(text[place])
        place += 1
    if place >= len(text):
        raise filter_error(at, "the quote is not closed", f"add another {quote} after the text")
    following = text[place + 1 : place + 2]
    if following and not following.isspace() and following not in "()":
        raise filter_error(place + 1, "text follows the closing quote directly", "put a space between them")
    value = "".join(characters).strip()
    if not value:
        raise filter_error(at, "the quotes are empty")
    return value, place + 1


def _parse_word(word: str, at: int) -> FilterToken:
    """Return the token of a word without quotes: an operator or a term."""
    lower = word.lower()
    if lower in OPERATORS or lower == "not":
        return FilterToken(OPERATORS.get(lower, "not"), at)
    if lower == "xor":
        raise filter_error(at, "there is no operator xor", "write: (a or b) and not (a and b)")
    for sign in "&|":
        if sign in word:
            hint = f"put spaces around {sign}, or quotes around the whole word: {word!r}"
            raise filter_error(at + word.index(sign), f"{sign!r} is inside a word", hint)
    return FilterToken("term", at, _parse_bare_term(word, at))


def _parse_bare_term(word: str, at: int) -> Node:
    if _NUMBERS.fullmatch(word):
        return _parse_numbers(word, at)
    if _PRIORITIES.fullmatch(word.lower()):
        return _make_field_term("priority", ":", word.lower(), at, at)
    if word[0] in "#@+":
        return _parse_term(word[0], word[1:], at)
    if split := _FIELD.fullmatch(word):
        return _parse_term(split["name"] + split["sign"], split["value"], at)
    return TextTerm(word, at)


def _parse_term(lead: str, value: str, at: int) -> Node:
    """Parse a value after its lead: `#`, `@`, `+`, `:`, or a field with its sign."""
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
    return _parse_field(lead, value, at)


def _parse_field(lead: str, value: str, at: int) -> Node:
    split = _FIELD.fullmatch(lead)
    assert split is not None  # noqa: S101  # the lead ends with a sign
    sign, (name, _, modifier) = split["sign"], split["name"].lower().partition(".")
    if name in ("id", "ids", "number") and sign in ":=" and not modifier:
        return _parse_numbers(value, at + len(lead))
    name = _find_field(name, split["name"] + sign, value, at)
    if modifier:
        sign = _find_modifier(modifier, sign, at + len(split["name"]) - len(modifier))
    if sign in (NONE, ANY):
        raise filter_error(at + len(lead), f"{name}.{sign} takes no value", f"write {name}:{sign}")
    term = _make_field_term(name, ":" if sign in ("=", "==", "!", "!=") else sign, value, at, at + len(lead))
    return make_not(term) if sign in ("!", "!=") else term


def _find_field(name: str, lead: str, value: str, at: int) -> str:
    """Return the field of this name or alias."""
    field = name if name in FIELDS else FIELD_ALIASES.get(name)
    if field is None:
        similar = suggest(name, [*FIELDS], "{}:") or suggest(name, [*FIELD_ALIASES], "{}:")
        hint = "; ".join(filter(None, [similar, QUOTE_HINT.format((lead + value)[:60])]))
        raise filter_error(at, f"there is no field {name[:60]!r}", hint)
    return field


def _find_modifier(modifier: str, sign: str, at: int) -> str:
    """Return the sign that one of Taskwarrior's modifiers stands for."""
    if sign != ":" or modifier not in MODIFIERS:
        raise filter_error(at, f"there is no modifier {modifier[:60]!r}", suggest(modifier, [*MODIFIERS], ".{}:"))
    return MODIFIERS[modifier]


def _make_field_term(name: str, sign: str, value: str, at: int, value_at: int) -> Node:
    """Check the value of a field and return its term."""
    kind = FIELDS[name]
    if sign != ":" and kind not in (ORDERED, DATE):
        raise filter_error(at, f"{name} has no order, so {sign} cannot be used", f"write {name}:{value[:60]}")
    if value.lower() in (NONE, ANY) and name in NULLABLE_FIELDS:
        if sign != ":":
            raise filter_error(value_at, f"{value} cannot be compared with {sign}", f"write {name}:{value.lower()}")
        return FieldTerm(name, ":", value.lower(), at)
    if kind in (DATE, RULE):
        return FieldTerm(name, sign, value, value_at)
    if kind == ORDERED and sign != ":":
        return FieldTerm(name, sign, _parse_choice(name, value, value_at), at)
    if kind in (CHOICE, ORDERED, NUMBER):
        parse = _parse_single_number if kind == NUMBER else _parse_choice
        return make_or(FieldTerm(name, ":", parse(name, item, value_at), at) for item in value.rstrip(",").split(","))
    return FieldTerm(name, ":", value.removeprefix(SIGILS.get(name, "")) or value, at)


def _parse_choice(name: str, value: str, at: int) -> str:
    """Return the value in the one form that the field stores."""
    word = value.strip().lower()
    if name == "priority":
        if word not in PRIORITIES:
            raise filter_error(at, f"{value[:60]!r} is not a priority", "priorities are 1 (most urgent), 2 and 3")
        return PRIORITIES[word]
    word = word if word in CHOICES[name] else CHOICE_ALIASES.get(word, word)
    if word not in CHOICES[name]:
        similar = suggest(word, CHOICES[name], name + ":{}")
        raise filter_error(at, f"{name} cannot be {value[:60]!r}", similar or f"it can be: {', '.join(CHOICES[name])}")
    return word


def _parse_single_number(name: str, value: str, at: int) -> str:
    low, high = _parse_range(value.strip(), at, f"{name} takes the number of a task")
    if low != high:
        raise filter_error(at, f"{name} takes single numbers", f"for example {name}:{low},{high}")
    return str(low)


def _parse_numbers(word: str, at: int) -> Numbers:
    """Parse `3,7-9,#12`."""
    ranges, place = [], at
    for part in word.split(","):
        if part:
            ranges.append(_parse_range(part, place, "the term must be the number of a task"))
        place += len(part) + 1
    if not ranges:
        raise filter_error(at, "the term must be the number of a task", "for example 3 or 7-9")
    return make_numbers(ranges)


def _parse_range(part: str, at: int, expectation: str) -> tuple[int, int]:
    if not re.fullmatch(_NUMBER, part):
        raise filter_error(at, f"{expectation}, not {part[:60]!r}", "for example 3 or 7-9")
    first, _, last = part.replace("#", "").partition("-")
    low, high = (min(int(digits[:20]), MAX_TASK_NUMBER + 1) for digits in (first, last or first))
    if not 1 <= low <= high <= MAX_TASK_NUMBER:
        hint = "write the smaller number first, or quote the text" if low > high else "numbers start at 1"
        raise filter_error(at, f"there are no tasks {part[:60]}", hint)
    return low, high
