"""What undo and redo share."""

from __future__ import annotations

from typing import Any

from todo_cli.cli.render.changes import format_difference
from todo_cli.cli.session import session_of
from todo_cli.contract.conversations import RedoTurn, UndoTurn
from todo_cli.contract.journal import Redo, Undo

MAX_SHOWN_DIFFERENCES = 20


def show_undo(
    ctx: Any, request: Undo | Redo | UndoTurn | RedoTurn, word: str, key: str | None, *, as_json: bool
) -> None:
    """Send it; list what was taken back, and what was left alone."""
    result = session_of(ctx).send(request, key)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(result)
        return
    from todo_cli.cli.render import text

    named = ", ".join(str(seq) for seq in result.changes[:5]) + (", …" if len(result.changes) > 5 else "")
    verb = f"Would {word.lower().replace('did', 'do')}" if request.dry_run else word
    text.write(f"{verb} change {named}:" if named else f"{verb} before, with the same key:")
    for difference in result.differences[:MAX_SHOWN_DIFFERENCES]:
        text.write(f"  {format_difference(difference)}")
    if len(result.differences) > MAX_SHOWN_DIFFERENCES:
        text.write(f"  … and {len(result.differences) - MAX_SHOWN_DIFFERENCES} more")
    if result.skipped:
        text.note("left alone, changed since: " + ", ".join(f"#{number}" for number in result.skipped))
