"""Check what users write before it is stored, and read dates by the database's clock in their time zone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from todo_cli.contract.attached_text import choose_own_words
from todo_cli.contract.clock import Clock
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid
from todo_cli.parsing.filter_vocabulary import NONE

# `re` compiles these at the first use, which a task without a date never reaches
_ISO_DATE = r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+ ?(?:Z|[-+][0-9:]+)?)?\s*"
# dates whose meaning may depend on the day on which the user's weeks begin
_WEEK_WORDS = (
    r"(?i:\A\s*week\s*\Z|\b(?:this|next|last|the|of)\s+week\b|\b(?:next|other)\s+(?:mon|tue|wed|thu|fri|sat|sun)"
    r"|\b[se]o[np]?w\b|(?:weeks?|weekly|wks?|w|fortnight(?:s|ly)?)\s+on\b)"
)
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def check_line(field: str, text: str) -> str:
    """Return the text without white space around it; raises Invalid unless it is one line that is not blank."""
    text = text.strip()
    if not text:
        raise Invalid(f"the {field} is blank", hint="give a title" if field == "title" else "")
    if len(text.splitlines()) > 1:
        raise Invalid(f"the {field} has more than one line", hint="add several tasks, one per line, with: todo add -")
    return check_text(field, text)


def shorten_title(text: str) -> str:
    """Return the first line of a person's message, at most 60 characters of it."""
    first = next((line.strip() for line in choose_own_words(text).splitlines() if line.strip()), "") or "(blank)"
    return first if len(first) <= 60 else first[:59] + "…"


def check_not_blank(field: str, text: str) -> str:
    """Return the text; raises Invalid where it is blank."""
    if not text.strip():
        raise Invalid(f"the {field} is blank", hint=f"give the text of the {field}")
    return text


def check_text(field: str, text: str) -> str:
    """Return the text; raises Invalid for characters that Postgres cannot store: NUL and lone surrogates."""
    if "\0" in text:
        raise Invalid(f"the {field} has a NUL character, which cannot be stored", hint="remove it")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid(f"the {field} is not valid UTF-8", hint="convert it first, for example with iconv")
    return text


def read_tag(text: str) -> str:
    """Return a tag without its sign; raises Invalid unless it is one word."""
    text = check_line("tag", text.removeprefix("@"))
    if any(character.isspace() or character == "," for character in text):
        raise Invalid(f"the tag {text!r} is more than one word", hint="give each tag with its own --tag")
    return text


def read_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return each tag once, in order."""
    return tuple(sorted({read_tag(tag) for tag in tags}))


def read_project(text: str) -> str | None:
    """Return a project without its sign, null for `none`; raises Invalid unless it is one line."""
    name = check_line("project", text.removeprefix("#"))
    return None if name.lower() == NONE else name


async def read_date(tx: Transaction, words: str) -> date | datetime:
    """Return the day or instant that the words mean in the caller's time zone; raises Invalid."""
    return parse_date_at(words, await read_clock_for(tx, [words]))


def parse_date_at(words: str, clock: Clock) -> date | datetime:
    """Return the day or instant that the words mean at a time, in a zone; raises Invalid."""
    from todo_cli.parsing.dates import parse_date

    return parse_date(words, zone=clock.zone, now=clock.now, week_start=clock.week_start)


async def read_zone(tx: Transaction) -> str:
    """Return the caller's time zone."""
    return (await read_clock_for(tx, ())).zone


async def read_clock_for(tx: Transaction, dates: Iterable[str]) -> Clock:
    """Return the clock by which the dates are read.

    Dates in ISO form mean the same at any time: they cost no round trip where the caller has named the zone.
    """
    dates = list(dates)
    if tx.clock is None and tx.caller.zone and all(re.fullmatch(_ISO_DATE, words) for words in dates):
        return Clock(_ANY_TIME, tx.caller.zone)
    return await tx.read_clock(with_week=any(re.search(_WEEK_WORDS, words) for words in dates))


async def read_expiry(tx: Transaction, expires: str) -> datetime:
    """Return the instant when a token or an invitation expires; a day without a time counts to its end."""
    from todo_cli.parsing.dates import day_bounds

    clock = await read_clock_for(tx, [expires])
    when = parse_date_at(expires, clock)
    if not isinstance(when, datetime):
        # the end of the day in the caller's time zone
        when = day_bounds(when, clock.zone)[1] - timedelta(seconds=1)
    return when
