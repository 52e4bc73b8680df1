"""What each preference is on this machine, and who has decided it: a flag, the environment, a setting or the user."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from todo_cli.cli.session import Session
from todo_cli.contract.preferences import DEFAULT_SORT, DEFAULT_TIMEZONE, Preferences

PREFERENCE, DEFAULT = "preference", "default"


class ShownPreference(NamedTuple):
    """A preference with its value, None where it has none, and the source of the value."""

    name: str
    value: Any
    source: str


def list_preferences(session: Session, stored: Preferences, view: str | None) -> list[ShownPreference]:
    """Return every preference as it applies to this command."""
    show_usage = None if stored.show_usage is None else _switch(stored.show_usage)
    return [
        _find_timezone(session, stored),
        _choose("week-start", stored.week_start, "monday"),
        _choose("dates", stored.dates, "relative"),
        _choose("language", stored.language, "en"),
        _find_theme(session, stored),
        _find_signs(stored),
        _find_pager(session, stored),
        _choose("hints", None if stored.hints is None else _switch(stored.hints), "on"),
        _choose("confirm", stored.confirm, "bulk"),
        _choose("view", view, None),
        _choose("sort", stored.sort, DEFAULT_SORT),
        _choose("project", stored.project, None),
        _choose("remind", stored.remind, None),
        _find_model(session, stored),
        _choose("budget", stored.budget, None),
        _choose("usage", show_usage, "on"),
    ]


def _choose(name: str, stored: Any, default: Any) -> ShownPreference:
    return ShownPreference(name, default, DEFAULT) if stored is None else ShownPreference(name, stored, PREFERENCE)


def _switch(is_on: bool) -> str:
    return "on" if is_on else "off"


def _find_timezone(session: Session, stored: Preferences) -> ShownPreference:
    if os.environ.get("TODO_TIMEZONE"):
        return ShownPreference("timezone", session.settings.timezone, "TODO_TIMEZONE")
    if session.settings.timezone:
        return ShownPreference("timezone", session.settings.timezone, f"profile {session.settings.profile}")
    return _choose("timezone", stored.timezone, DEFAULT_TIMEZONE)


def _find_theme(session: Session, stored: Preferences) -> ShownPreference:
    if not session.allow_color:
        return ShownPreference("theme", "none", "--no-color")
    if os.environ.get("NO_COLOR"):
        return ShownPreference("theme", "none", "NO_COLOR")
    if os.environ.get("TERM") == "dumb":
        return ShownPreference("theme", "none", "TERM=dumb")
    if session.settings.color == "never":
        return ShownPreference("theme", "none", "setting color")
    return _choose("theme", stored.theme, "auto")


def _find_signs(stored: Preferences) -> ShownPreference:
    from todo_cli.cli.render.signs import ASCII_SIGNS, can_show_unicode, choose_signs

    if not can_show_unicode():
        return ShownPreference("signs", "ascii", "terminal")
    return _choose("signs", stored.signs, "ascii" if choose_signs() is ASCII_SIGNS else "unicode")


def _find_pager(session: Session, stored: Preferences) -> ShownPreference:
    if not session.allow_pager:
        return ShownPreference("pager", "off", "--no-pager")
    if (command := os.environ.get("TODO_PAGER")) is not None:
        return ShownPreference("pager", "off" if command.strip() in ("", "cat") else command, "TODO_PAGER")
    if stored.pager is not None:
        return ShownPreference("pager", _switch(stored.pager), PREFERENCE)
    if (command := os.environ.get("PAGER")) is not None:
        return ShownPreference("pager", "off" if command.strip() in ("", "cat") else command, "PAGER")
    return ShownPreference("pager", "on", DEFAULT)


def _find_model(session: Session, stored: Preferences) -> ShownPreference:
    if stored.model is not None or session.settings.server:
        return _choose("model", stored.model, None)
    if os.environ.get("TODO_MODEL"):
        return ShownPreference("model", session.settings.model_name, "TODO_MODEL")
    if session.settings.model_name:
        return ShownPreference("model", session.settings.model_name, "setting model.name")
    return ShownPreference("model", None, DEFAULT)
