"""What a text must be before it is stored."""

from __future__ import annotations

from datetime import UTC, date, datetime

from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

ZONE = Sql("SELECT coalesce((SELECT timezone FROM todo.preferences WHERE user_id = %(me)s::uuid), 'UTC')")


def line(field: str, text: str) -> str:
    """One line that is not blank, without white space around it; raises Invalid. Escapes stay: they are data."""
    text = text.strip()
    if not text:
        raise Invalid(f"the {field} is blank", hint="write what is to be done" if field == "title" else "")
    if len(text.splitlines()) > 1:
        raise Invalid(f"the {field} has more than one line", hint="several tasks, a line each: todo add -")
    return storable(field, text)


def first_words(text: str) -> str:
    """What a conversation is called until it has a title: at most 60 characters."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "") or "(blank)"
    return first if len(first) <= 60 else first[:59] + "…"


def unblank(field: str, text: str) -> str:
    """Text of any number of lines that says something; raises Invalid."""
    if not text.strip():
        raise Invalid(f"the {field} is blank", hint="write something")
    return text


def storable(field: str, text: str) -> str:
    """Text that Postgres can hold; raises Invalid for NUL and for halves of characters."""
    if "\0" in text:
        raise Invalid(f"the {field} has a NUL character, which cannot be stored", hint="remove it")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid(f"the {field} is not valid UTF-8", hint="convert it first, for example with iconv")
    return text


def tag(text: str) -> str:
    """A tag without its sign: one word."""
    text = line("tag", text.removeprefix("@"))
    if any(character.isspace() or character == "," for character in text):
        raise Invalid(f"the tag {text!r} is more than one word", hint="give each tag its own --tag")
    return text


def project(text: str) -> str:
    """A project without its sign."""
    return line("project", text.removeprefix("#"))


async def resolved(tx: Transaction, words: str) -> date | datetime:
    """The user's words in the caller's zone; asks the database for the zone where the caller named none."""
    from todo_cli.parsing.dates import parse_date

    return parse_date(words, zone=await zone(tx), now=datetime.now(UTC))


async def zone(tx: Transaction) -> str:
    """The caller's time zone: the request's, else the preference, else UTC."""
    if not tx.caller.zone:
        tx.set_default_zone(await tx.finish(ZONE) or "UTC")
    return tx.caller.zone or "UTC"
