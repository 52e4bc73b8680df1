"""Check what users write before it is stored, and read dates in their time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime

from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

SELECT_ZONE = Sql("SELECT coalesce((SELECT timezone FROM todo.preferences WHERE user_id = %(me)s::uuid), 'UTC')")


def check_line(field: str, text: str) -> str:
    """Return the text without white space around it; raises Invalid unless it is one line that is not blank."""
    text = text.strip()
    if not text:
        raise Invalid(f"the {field} is blank", hint="give a title" if field == "title" else "")
    if len(text.splitlines()) > 1:
        raise Invalid(f"the {field} has more than one line", hint="add several tasks, one per line, with: todo add -")
    return check_text(field, text)


def shorten_title(text: str) -> str:
    """Return the first line of the text, at most 60 characters of it."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "") or "(blank)"
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


def read_project(text: str) -> str:
    """Return a project without its sign; raises Invalid unless it is one line."""
    return check_line("project", text.removeprefix("#"))


async def read_date(tx: Transaction, words: str) -> date | datetime:
    """Return the day or instant that the words mean in the caller's time zone; raises Invalid.

    The zone costs a round trip where the caller has named none.
    """
    from todo_cli.parsing.dates import parse_date

    return parse_date(words, zone=await read_zone(tx), now=datetime.now(UTC))


async def read_zone(tx: Transaction) -> str:
    """Return the caller's time zone: that of the request, else of the preferences, else UTC."""
    if not tx.caller.zone:
        tx.set_default_zone(await tx.finish(SELECT_ZONE) or "UTC")
    return tx.caller.zone or "UTC"
