"""What done, reopen, rm, restore and edit share: send, then say what is so now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from todo_cli.cli.options import one_of
from todo_cli.cli.session import session_of
from todo_cli.contract.tasks import OnTasks


def change(ctx: Any, request: OnTasks, word: str, key: str | None, *, as_json: bool, as_lines: bool) -> None:
    """Send the write and print every task it named."""
    session, form = session_of(ctx), one_of(as_json, as_lines)
    result = session.send(request, key)
    if form == "text":
        from todo_cli.cli.render import text

        text.changed(word, result, text.local_zone(session.settings.timezone), datetime.now(UTC))
    else:
        from todo_cli.cli.render import json

        json.document(result) if form == "json" else json.lines(result.tasks)
