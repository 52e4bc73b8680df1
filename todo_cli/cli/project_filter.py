"""The filter for the tasks of the checkout in which a command runs."""

from __future__ import annotations

from todo_cli.cli.session import Session


def filter_project(session: Session) -> str | None:
    """Return the filter for the project that `.todo.toml` names, as it is or below it; None without one."""
    project = session.settings.project
    if not project:
        return None
    from todo_cli.parsing.filter_ast import FieldTerm
    from todo_cli.parsing.filter_parser import format_filter

    return format_filter(FieldTerm("project", ":", project))
