"""What a call's result tells the model: numbers, titles and what was set, and no more of it than it can read."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract.journal import ChangePage, Undone
from todo_cli.contract.search import Hit, Hits
from todo_cli.contract.tasks import Changed, Task, TaskPage
from todo_cli.errors import TodoError

LONGEST = 8_000
"""Characters of a result."""

_NOTE = 2_000
_SHOWN = ("number", "title", "status", "due", "project", "tags", "priority", "note")


def told(answer: Any) -> str:
    """An operation's answer."""
    return _fitting(_brief(answer))


def told_error(error: TodoError) -> str:
    """The operation's own error: code, sentence and hint."""
    return _json({"error": error.code, "detail": error.detail} | ({"hint": error.hint} if error.hint else {}))


def _brief(answer: Any) -> dict[str, Any]:
    if isinstance(answer, Task):
        return {"task": _task(answer)}
    if isinstance(answer, TaskPage):
        return {"tasks": [_task(one) for one in answer.tasks], "more": answer.next}
    if isinstance(answer, Hits):
        return {"tasks": [_hit(one) for one in answer.hits]}
    if isinstance(answer, Changed):
        return {"done": True, "tasks": [_task(one) for one in answer.tasks]}
    if isinstance(answer, Undone):
        left = {"left_alone": list(answer.skipped)} if answer.skipped else {}
        return {"done": True, "differences": msgspec.to_builtins(answer.differences)} | left
    if isinstance(answer, ChangePage):
        return {"changes": [_change(one) for one in msgspec.to_builtins(answer.changes)], "more": answer.next}
    builtin = msgspec.to_builtins(answer)
    return builtin if isinstance(builtin, dict) else {"answer": builtin}


def _hit(hit: Hit) -> dict[str, Any]:
    found = [f"{one.where}: {one.text}" for one in hit.snippets if one.where != "title"]
    return _task(hit.task) | ({"found_in": found} if found else {})


def _task(task: Task) -> dict[str, Any]:
    fields = msgspec.to_builtins(task)
    kept = {name: fields[name] for name in _SHOWN if fields.get(name) not in (None, (), [], "open")}
    if len(kept.get("note") or "") > _NOTE:
        kept["note"] = kept["note"][:_NOTE] + "…"
    if task.comments:
        kept["comments"] = [f"{one.user}: {one.text[:_NOTE]}" for one in task.comments[-10:]]
    return kept


def _change(change: dict[str, Any]) -> dict[str, Any]:
    return {name: change[name] for name in ("seq", "at", "verb", "undone", "differences")}


def _fitting(brief: dict[str, Any]) -> str:
    """As JSON, with lists cut where it is too long: the model is told how many are left out."""
    text = _json(brief)
    lists = [name for name, value in brief.items() if isinstance(value, list)]
    while len(text) > LONGEST and lists and len(brief[lists[0]]) > 1:
        kept = brief[lists[0]][: len(brief[lists[0]]) // 2]
        left_out = brief.get("left_out", 0) + len(brief[lists[0]]) - len(kept)
        brief = brief | {lists[0]: kept, "left_out": left_out}
        text = _json(brief)
    return text if len(text) <= LONGEST * 2 else text[: LONGEST * 2] + "…"


def _json(value: Any) -> str:
    return msgspec.json.encode({name: one for name, one in value.items() if one is not None}).decode()
