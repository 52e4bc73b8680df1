"""Print names in use with their number of open tasks: shared by tags and projects."""

from __future__ import annotations

from todo_cli.cli.session import Session
from todo_cli.contract.views import ListProjects, ListTags


def print_name_counts(
    session: Session, request: ListTags | ListProjects, heading: str, *, nothing: str, as_json: bool
) -> None:
    """Print the answer as a table on a terminal, as tab-separated lines in a pipe, or as JSON."""
    page = session.send(request)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    cells = [(name.name, str(name.tasks)) for name in page.used]
    print_rows(session, (heading, "Open tasks"), cells, nothing=nothing)
