"""From text to terms: one pass over the characters; what each term means by itself."""

from __future__ import annotations

import re
from typing import NamedTuple

from todo_cli.parsing.filter_ast import FieldTerm, Node, Numbers, TextTerm, ViewTerm, either, ids, negated
from todo_cli.parsing.filter_vocabulary import (
    ALIASES,
    ANYTHING,
    DATED,
    EMPTIABLE,
    FIELDS,
    JOINS,
    LISTED,
    LISTS,
    MODIFIERS,
    NOTHING,
    NUMBERED,
    ORDERED,
    PRIORITIES,
    STATES,
    VIRTUAL,
    mistake,
    nearest,
)

LARGEST = 2**63 - 1

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[^\s()]+")
_LEAD = re.compile(r"""(?:[#@+]|[^\s()'":<>=]*(?:[<>=]=|[:<>=]))(?=['"])""")  # behind it stands a quoted value
_FIELD = re.compile(r"(?s)(?P<name>[^:<>=]*?)(?P<sign>!=|==|<=|>=|[:<>=])(?P<value>.*)")
_ID = r"#?[0-9]+(?:-#?[0-9]+)?"
_IDS = re.compile(rf"{_ID}(?:,{_ID})*,?")

QUOTE = "quote what is meant as text: {!r}"


class Token(NamedTuple):
    """kind: ( ) and or not term; `at`: where it begins, from 0."""

    kind: str
    at: int
    node: Node | None = None


def tokens(text: str) -> list[Token]:
    """The filter's tokens; raises Invalid."""
    found: list[Token] = []
    place = _past_space(text, 0)
    while place < len(text):
        token, place = _token(text, place)
        found.append(token)
        place = _past_space(text, place)
    return found


def _past_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _token(text: str, at: int) -> tuple[Token, int]:
    first, pair = text[at], text[at : at + 2]
    if first in "()":
        return Token(first, at), at + 1
    if first in "&|":
        join = pair if pair in JOINS else first
        return Token(JOINS[join], at), at + len(join)
    if first in "!-":
        if first == "-" and not pair[1:].strip():
            raise mistake(at, "a minus with nothing behind it", QUOTE.format("-"))
        return Token("not", at), at + 1
    if first in "'\"":
        value, end = _quoted(text, at)
        return Token("term", at, TextTerm(value, at)), end
    if lead := _LEAD.match(text, at):
        value, end = _quoted(text, lead.end())
        return Token("term", at, _term(lead[0], value, at)), end
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
        raise mistake(at, "the quote is not closed", f"put another {quote} behind it")
    behind = text[place + 1 : place + 2]
    if behind and not behind.isspace() and behind not in "()":
        raise mistake(place + 1, "something follows the closing quote at once", "put a space in between")
    value = "".join(kept).strip()
    if not value:
        raise mistake(at, "there is nothing in the quotes")
    return value, place + 1


def _worded(word: str, at: int) -> Token:
    """A word without quotes: a join, or a term."""
    lower = word.lower()
    if lower in JOINS or lower == "not":
        return Token(JOINS.get(lower, "not"), at)
    if lower == "xor":
        raise mistake(at, "there is no xor", "(a or b) and not (a and b) says the same")
    for sign in "&|":
        if sign in word:
            hint = f"put spaces around {sign}, or quotes around the whole: {word!r}"
            raise mistake(at + word.index(sign), f"{sign!r} inside a word", hint)
    if _IDS.fullmatch(word):
        return Token("term", at, _ids(word, at))
    if re.fullmatch("p[1-4](?:,p[1-4])*", lower):
        return Token("term", at, _read("priority", ":", lower, at, at))
    split = None if word[0] in "#@+" else _FIELD.fullmatch(word)
    if split:
        return Token("term", at, _term(split["name"] + split["sign"], split["value"], at))
    return Token("term", at, _term(word[0], word[1:], at) if word[0] in "#@+" else TextTerm(word, at))


def _term(lead: str, value: str, at: int) -> Node:
    """`#`, `@`, `+`, `:` or a field and its sign, and the value behind it."""
    if not value and lead.lower().endswith((".none:", ".any:")):
        lead, value = lead.rpartition(".")[0] + ":", lead[:-1].rpartition(".")[2]
    if not value:
        example = {"#": "#home", "@": "@phone", "+": "+phone", ":": ":work"}.get(lead, f"{lead}none")
        raise mistake(at + len(lead), f"nothing follows {lead!r}", f"for example {example}, without a space")
    if lead == "#":
        return FieldTerm("project", ":", value, at)
    if lead == "+" and value in VIRTUAL:
        name, state = VIRTUAL[value]
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
    if sign in (NOTHING, ANYTHING):
        raise mistake(at + len(lead), f"{name}.{sign} takes no value", f"write {name}:{sign}")
    match = _read(name, ":" if sign in ("=", "==", "!", "!=") else sign, value, at, at + len(lead))
    return negated(match) if sign in ("!", "!=") else match


def _field(name: str, lead: str, value: str, at: int) -> str:
    found = name if name in FIELDS else ALIASES.get(name)
    if found is None:
        near = nearest(name, [*FIELDS], "{}:") or nearest(name, [*ALIASES], "{}:")
        raise mistake(
            at, f"there is no field {name[:60]!r}", "; ".join(filter(None, [near, QUOTE.format((lead + value)[:60])]))
        )
    return found


def _modified(modifier: str, sign: str, at: int) -> str:
    """The sign that Taskwarrior's `.before:` stands for."""
    if sign != ":" or modifier not in MODIFIERS:
        raise mistake(at, f"there is no modifier {modifier[:60]!r}", nearest(modifier, [*MODIFIERS], ".{}:"))
    return MODIFIERS[modifier]


def _read(name: str, sign: str, value: str, at: int, place: int) -> Node:
    kind = FIELDS[name]
    if sign != ":" and kind not in (ORDERED, DATED):
        raise mistake(at, f"{name} has no order, so {sign} means nothing", f"write {name}:{value[:60]}")
    if value.lower() in (NOTHING, ANYTHING) and name in EMPTIABLE:
        if sign != ":":
            raise mistake(place, f"{value} is not before or behind anything", f"write {name}:{value.lower()}")
        return FieldTerm(name, ":", value.lower(), at)
    if kind == DATED:
        return FieldTerm(name, sign, value, place)
    if kind == LISTED or (kind == ORDERED and sign == ":"):
        return either(FieldTerm(name, sign, _listed(name, one, place), at) for one in value.rstrip(",").split(","))
    if kind == ORDERED:
        return FieldTerm(name, sign, _listed(name, value, place), at)
    if kind == NUMBERED:
        return either(FieldTerm(name, ":", _numbered(name, one, place), at) for one in value.rstrip(",").split(","))
    sigil = {"project": "#", "tag": "@"}.get(name, "")
    return FieldTerm(name, ":", value.removeprefix(sigil) or value, at)


def _listed(name: str, value: str, place: int) -> str:
    """One of a field's own words."""
    word = value.strip().lower()
    if name == "priority":
        if word not in PRIORITIES:
            raise mistake(place, f"{value[:60]!r} is not a priority", "priorities are 1 (most urgent), 2 and 3")
        return PRIORITIES[word]
    word = word if word in LISTS[name] else STATES.get(word, word)
    if word not in LISTS[name]:
        near = nearest(word, LISTS[name], name + ":{}")
        raise mistake(place, f"{name} cannot be {value[:60]!r}", near or f"it can be: {', '.join(LISTS[name])}")
    return word


def _numbered(name: str, value: str, place: int) -> str:
    low, high = _bounds(value.strip(), place, f"{name} takes a task's number")
    if low != high:
        raise mistake(place, f"{name} takes single numbers", f"for example {name}:{low},{high}")
    return str(low)


def _ids(word: str, at: int) -> Numbers:
    """`3,7-9,#12` as ranges."""
    pairs, place = [], at
    for part in word.split(","):
        if part:
            pairs.append(_bounds(part, place, "that is not a task's number"))
        place += len(part) + 1
    if not pairs:
        raise mistake(at, "that is not a task's number", "for example 3 or 7-9")
    return ids(pairs)


def _bounds(part: str, at: int, what: str) -> tuple[int, int]:
    if not re.fullmatch(_ID, part):
        raise mistake(at, f"{what}, not {part[:60]!r}", "for example 3 or 7-9")
    first, _, last = part.replace("#", "").partition("-")
    low, high = (min(int(digits[:20]), LARGEST + 1) for digits in (first, last or first))
    if not 1 <= low <= high <= LARGEST:
        hint = "write the smaller one first; a text is quoted" if low > high else "numbers start at 1"
        raise mistake(at, f"there are no tasks {part[:60]}", hint)
    return low, high
