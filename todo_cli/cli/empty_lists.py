"""Explain an empty list: one sentence, then one way on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from todo_cli.cli.list_output import Explain
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session
from todo_cli.contract.tasks import ListTasks, TaskPage

if TYPE_CHECKING:
    from todo_cli.parsing.filter_ast import FieldTerm

MAX_QUOTED_CHARS = 60
SIGNS = {"project": "#", "tag": "@"}


def explain_with(sentence: str) -> Explain:
    """Return the explanation that is always the same sentence."""
    return lambda _session, _request: sentence


def explain_no_match(filter: str | None) -> Explain:
    """Return the explanation for a filter: `Nothing matches '#hmoe'. Did you mean #home (13)?`."""
    return lambda session, _request: _describe_no_match(session, filter) if filter else "No task matches."


def _describe_no_match(session: Session, filter: str) -> str:
    quoted = filter if len(filter) <= MAX_QUOTED_CHARS else f"{filter[:MAX_QUOTED_CHARS]}…"
    suggestion = _suggest(session, filter)
    return escape(f"Nothing matches {quoted!r}.{f' Did you mean {suggestion}?' if suggestion else ''}")


def explain_none_today(session: Session, request: ListTasks) -> str:
    """Return `Nothing is due today. Next: #40 tomorrow 09:00 · todo upcoming`."""
    page = session.send(ListTasks(filter="due>today", sort="due", limit=1))
    if not page.tasks or not page.tasks[0].due:
        return "Nothing is due today."
    from todo_cli.cli.render.list_view import open_view
    from todo_cli.cli.render.text import format_due

    view, task = open_view(session), page.tasks[0]
    words = format_due(task.due or "", view.zone, view.now, absolute=view.absolute)
    return f"Nothing is due today. Next: #{task.number} {words} {view.signs.dot} todo upcoming"


def explain_none_ready(session: Session, request: ListTasks) -> str:
    """Return `Nothing can be done now: 4 wait for others (is:blocked), 5 are put off (is:deferred)`."""
    filters = {"wait for others": "is:blocked", "are put off": "is:deferred"}
    pages = session.send_all(*(ListTasks(filter=filter, limit=1, count_all=True) for filter in filters.values()))
    counts = [
        f"{_count(page):,} {words} ({filter})"
        for (words, filter), page in zip(filters.items(), pages, strict=True)
        if page.tasks
    ]
    return f"Nothing can be done now: {', '.join(counts)}" if counts else "Nothing is open."


def _count(page: TaskPage) -> int:
    return page.total or len(page.tasks)


def _suggest(session: Session, filter: str) -> str:
    """Return the names that the filter may mean: a command, a view, a project or a tag in use."""
    from todo_cli.command_table import COMMANDS
    from todo_cli.contract.views import ListProjects, ListTags, ListViews
    from todo_cli.parsing.filter_ast import FieldTerm, TextTerm, walk_terms
    from todo_cli.parsing.filter_parser import parse_filter

    terms = list(walk_terms(parse_filter(filter)))
    if filter in COMMANDS:
        return f"todo {filter}"
    projects, tags, views = session.send_all(ListProjects(), ListTags(), ListViews())
    names = {
        "project": {count.name: count.tasks for count in projects.used},
        "tag": {count.name: count.tasks for count in tags.used},
    }
    words = [term.text for term in terms if isinstance(term, TextTerm)]
    similar = [
        *(f":{view.name}" for view in views.views if view.name.lower() in (word.lower() for word in words)),
        *_suggest_names((term for term in terms if isinstance(term, FieldTerm)), names),
        *_suggest_signs(words, names),
    ]
    return " or ".join(dict.fromkeys(similar))


def _suggest_names(terms: Iterable[FieldTerm], names: dict[str, dict[str, int]]) -> Iterator[str]:
    """Yield names in use that are similar to a project or a tag that is not in use, or that the other kind has."""
    from difflib import get_close_matches

    for term in terms:
        if term.field not in names or term.value in names[term.field]:
            continue
        other = "tag" if term.field == "project" else "project"
        if term.value in names[other]:
            yield _format_name(other, term.value, names)
            continue
        known = {name.lower(): name for name in names[term.field]}
        close = get_close_matches(term.value.lower(), known, n=2, cutoff=0.6)
        yield from (_format_name(term.field, known[name], names) for name in close)


def _suggest_signs(words: Sequence[str], names: dict[str, dict[str, int]]) -> Iterator[str]:
    """Yield `#home (13)` for a word that is the name of a project or a tag."""
    for word in words:
        for field, counts in names.items():
            yield from (_format_name(field, name, names) for name in counts if name.lower() == word.lower())


def _format_name(field: str, name: str, names: dict[str, dict[str, int]]) -> str:
    return f"{SIGNS[field]}{name} ({names[field][name]:,})"
