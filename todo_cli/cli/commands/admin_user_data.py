"""Export and erase everything of one user, as the database's owner: `todo admin user export|erase`."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from todo_cli.cli.prompts import ask_yes_no
from todo_cli.cli.render import text
from todo_cli.cli.session import session_of
from todo_cli.errors import TodoError

AnyUserName = Annotated[str, typer.Argument(help="The user's name.", metavar="NAME")]
SHOWN_TABLES = ("spaces", "tasks", "changes", "comments", "attachments", "conversations", "messages", "tokens")


class _CountedOnly(TodoError):
    """Ends the transaction of an erasure that is only counted."""


def export(ctx: typer.Context, name: AnyUserName) -> None:
    """Print every row of a user as JSON Lines, as the database's owner: `{"table": …, "row": {…}}`.

    No secret is exported. Files in an object store are listed, not exported.

    todo admin user export ada > ada.jsonl

    todo admin user export ada | gzip > ada.jsonl.gz
    """
    from todo_cli.cli.commands.db import owner_url
    from todo_cli.cli.render import json
    from todo_cli.db.user_export import export_user

    with export_user(owner_url(session_of(ctx)), name) as rows:
        json.write_lines({"table": table, "row": row} for table, row in rows)


def erase(
    ctx: typer.Context,
    name: AnyUserName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count the rows, and erase nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a user with everything that is theirs, as the database's owner. This cannot be undone.

    In spaces that others use, tasks and files stay; comments and the journal
    lose the user's words and name. Backups keep both until you delete them.

    todo admin user erase ada --dry-run

    todo admin user erase ada --yes
    """
    from todo_cli.cli.commands.db import owner_url
    from todo_cli.db.urls import describe_database
    from todo_cli.db.user_erasure import erase_user

    session = session_of(ctx)
    url = owner_url(session)
    counts: Counter[str] = Counter()
    try:
        with erase_user(url, name) as counts:
            raise _CountedOnly("nothing was erased")
    except _CountedOnly:
        text.note(f"{name} in {describe_database(url)}: {_format_counts(counts)}")
    if dry_run:
        return
    if not ask_yes_no(session, f"Erase {name} with all of this? This cannot be undone.", yes=yes, flag="--yes"):
        text.write("Nothing was erased.")
        return
    with erase_user(url, name) as counts:
        pass
    text.write(f"Erased {name}: {_format_counts(counts)}.")


def _format_counts(counts: Counter[str]) -> str:
    shown = {table: counts[table] for table in SHOWN_TABLES}
    shown["other rows"] = counts.total() - sum(shown.values())
    return ", ".join(f"{count:,} {table}" for table, count in shown.items() if count) or "nothing"
