"""Run undo and redo, and print the result."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from todo_cli.cli.render.changes import format_difference
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.conversations import RedoTurn, UndoTurn
from todo_cli.contract.journal import Redo, Undo, Undone, UndoToken
from todo_cli.errors import TodoError

MAX_SHOWN_DIFFERENCES = 20

UndoRequest = Undo | UndoToken | Redo | UndoTurn | RedoTurn


def show_undo(ctx: Any, request: UndoRequest, key: str | None, *, as_json: bool) -> None:
    """Send the request; print the changed tasks and the skipped ones."""
    session = session_of(ctx)
    result = _send_parts(session, request, key)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(result)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.list_view import open_view

    if result.seq is None and not result.changes:
        _report_no_changes(request)
        return
    view = open_view(session)
    ellipsis = view.signs.ellipsis
    names = ", ".join(str(seq) for seq in result.changes[:5]) + (f", {ellipsis}" if len(result.changes) > 5 else "")
    word = f"Would {request.label.removeprefix('chat ')}" if request.dry_run else request.past
    text.write(f"{word} change {names}:" if names else f"{request.past} before, with the same key:")
    for difference in result.differences[:MAX_SHOWN_DIFFERENCES]:
        text.write_wrapped(f"  {format_difference(difference, view)}")
    if len(result.differences) > MAX_SHOWN_DIFFERENCES:
        text.write(f"  {ellipsis} and {len(result.differences) - MAX_SHOWN_DIFFERENCES} more")
    if result.skipped:
        text.note("skipped, changed since: " + ", ".join(f"#{number}" for number in result.skipped))


def _send_parts(session: Session, request: UndoRequest, key: str | None) -> Undone:
    """Send the request, and again for each further part of a large import; return the answers as one."""
    result = session.send(request, key)
    if result.next_part is None or not isinstance(request, Undo | Redo):
        return result
    from todo_cli.cli.render.progress import Progress

    parts, progress = [result], Progress("tasks")
    try:
        while (next_part := parts[-1].next_part) is not None:
            progress.update_count(sum(len(part.differences) for part in parts))
            part_key = f"{key} {len(parts)}" if key else None
            parts.append(session.send(replace(request, id=next_part), part_key))
    except TodoError as error:
        progress.end()
        error.detail += f"; {len(parts)} earlier parts of the import were undone" if not request.dry_run else ""
        raise
    progress.end()
    return Undone(
        changes=tuple(seq for part in parts for seq in part.changes),
        differences=tuple(difference for part in parts for difference in part.differences),
        skipped=tuple(number for part in parts for number in part.skipped),
        seq=parts[-1].seq,
        new=any(part.new for part in parts),
    )


def _report_no_changes(request: UndoRequest) -> None:
    """Print that the answer changed nothing; its words are undone or redone all the same."""
    from todo_cli.cli.render import text

    text.write("The last answer changed no task.")
    if isinstance(request, UndoTurn) and not request.dry_run:
        text.note(text.wrap("(the conversation continues from before it; to undo an earlier change: todo undo)"))
