"""Complete the word at the end of a command line for a shell. It is silent: a person who types wants no messages."""

from __future__ import annotations

import _thread
import os
import sys
import time

from todo_cli.cli.completion.kinds import (
    FILE,
    LIVE_KINDS,
    Offer,
    WordPart,
    find_next_words,
    offer_constants,
    quote_name,
    split_list,
    split_numbers,
)
from todo_cli.cli.completion.place import Place, UnknownCommand, find_place
from todo_cli.cli.completion.shells import TypedLine, format_offers, read_line
from todo_cli.command_table import read_command_words

_is_answered = _thread.allocate_lock()


def print_completions() -> None:
    """Print the words that may follow, one a line, each with a tab and a line about it; nothing where any step fails.

    A line without a word says what the shell does besides: `files` completes the name of a file.
    """
    try:
        line = read_line(os.environ["_TODO_COMPLETE"], sys.argv[1:])
        text = format_offers(line, complete_line(line))
    except Exception:
        # The person is still typing. The command itself reports what is wrong.
        return
    sys.stdout.write(text)


def complete_line(line: TypedLine) -> list[Offer] | None:
    """Return the words that may stand in place of the typed one; None for names of files."""
    if line.is_redirected:
        return None
    try:
        place = find_place(read_command_words(), line.words, line.typed)
    except UnknownCommand:
        from todo_cli.cli.shell_completion import find_completions

        return [Offer(*found) for found in find_completions(list(line.words), line.typed)]
    if place.kind == FILE:
        return None
    if place.offers:
        return [offer for offer in place.offers if offer.value.startswith(place.typed)]
    part = split_word(place)
    offers = _ask_in_time(part, place) if part.kind in LIVE_KINDS else offer_constants(part)
    if part.is_quotable:
        offers = [offer._replace(value=quote_name(offer.value)) for offer in offers]
    return [offer._replace(value=place.head + part.head + offer.value) for offer in offers]


def split_word(place: Place) -> WordPart:
    """Return the part of the typed word that is completed."""
    kind = place.kind.partition(":")[0]
    if kind == "task":
        return split_numbers(place.kind, place.typed)
    if kind[:1] == "=" and " " in kind:
        return WordPart(find_next_words(kind, place.arguments), "", place.typed)
    if kind[:1] == ",":
        return split_list(place.kind, place.typed)
    if kind in ("tasks", "filter", "title"):
        from todo_cli.cli.completion.query_words import split_filter, split_title

        return split_title(place.typed) if kind == "title" else split_filter(place.kind, place.typed)
    return WordPart(place.kind, "", place.typed)


def _ask_in_time(part: WordPart, place: Place) -> list[Offer]:
    """Ask for the words of the part; end the process without a word where no answer comes in time.

    A thread of its own ends it: the look-up of a host's address cannot be interrupted.
    """
    from todo_cli.settings.settings import load_settings

    settings = load_settings(place.profile)
    _thread.start_new_thread(_exit_unless_answered, (settings.completion_timeout,))
    from todo_cli.cli.completion.live import ask

    offers = ask(settings, part.kind, part.typed, place.arguments)
    _is_answered.acquire()
    return offers


def _exit_unless_answered(seconds: float) -> None:
    time.sleep(seconds)
    if _is_answered.acquire(blocking=False):
        os._exit(0)
