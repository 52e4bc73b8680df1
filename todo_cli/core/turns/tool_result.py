"""Format the result of a tool call for the model: numbers, titles and the fields that were set, within a size limit."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract.journal import ChangePage, Undone
from todo_cli.contract.search import TaskHit, TaskHits
from todo_cli.contract.tasks import Changed, Task, TaskPage
from todo_cli.errors import TodoError

MAX_RESULT_CHARS = 8_000
_MAX_NOTE_CHARS = 2_000
_MAX_COMMENTS = 10
_TASK_FIELDS = ("number", "title", "status", "due", "project", "tags", "priority", "note")
_CHANGE_FIELDS = ("seq", "at", "verb", "undone", "differences")


def result_json(answer: Any) -> str:
    """Return the answer of a Request as JSON for the model."""
    return _truncate(_summarize(answer))


def error_json(error: TodoError) -> str:
    """Return an error as JSON for the model: its code, sentence and hint."""
    return _encode({"error": error.code, "detail": error.detail} | ({"hint": error.hint} if error.hint else {}))


def _summarize(answer: Any) -> dict[str, Any]:
    if isinstance(answer, Task):
        return {"task": _task_fields(answer)}
    if isinstance(answer, TaskPage):
        return {"tasks": [_task_fields(task) for task in answer.tasks], "more": answer.next}
    if isinstance(answer, TaskHits):
        return {"tasks": [_match_fields(hit) for hit in answer.hits]}
    if isinstance(answer, Changed):
        return {"done": True, "tasks": [_task_fields(task) for task in answer.tasks]}
    if isinstance(answer, Undone):
        skipped = {"left_alone": list(answer.skipped)} if answer.skipped else {}
        return {"done": True, "differences": msgspec.to_builtins(answer.differences)} | skipped
    if isinstance(answer, ChangePage):
        changes = msgspec.to_builtins(answer.changes)
        return {"changes": [_change_fields(change) for change in changes], "more": answer.next}
    builtin = msgspec.to_builtins(answer)
    return builtin if isinstance(builtin, dict) else {"answer": builtin}


def _match_fields(hit: TaskHit) -> dict[str, Any]:
    snippets = [f"{snippet.where}: {snippet.text}" for snippet in hit.snippets if snippet.where != "title"]
    return _task_fields(hit.task) | ({"found_in": snippets} if snippets else {})


def _task_fields(task: Task) -> dict[str, Any]:
    values = msgspec.to_builtins(task)
    fields = {name: values[name] for name in _TASK_FIELDS if values.get(name) not in (None, (), [], "open")}
    if len(fields.get("note") or "") > _MAX_NOTE_CHARS:
        fields["note"] = fields["note"][:_MAX_NOTE_CHARS] + "…"
    if task.comments:
        comments = task.comments[-_MAX_COMMENTS:]
        fields["comments"] = [f"{comment.user}: {comment.text[:_MAX_NOTE_CHARS]}" for comment in comments]
    return fields


def _change_fields(change: dict[str, Any]) -> dict[str, Any]:
    return {name: change[name] for name in _CHANGE_FIELDS}


def _truncate(summary: dict[str, Any]) -> str:
    """Encode a summary, with its list halved until it fits; `left_out` counts what is missing."""
    text = _encode(summary)
    lists = [name for name, value in summary.items() if isinstance(value, list)]
    while len(text) > MAX_RESULT_CHARS and lists and len(summary[lists[0]]) > 1:
        shortened = summary[lists[0]][: len(summary[lists[0]]) // 2]
        left_out = summary.get("left_out", 0) + len(summary[lists[0]]) - len(shortened)
        summary = summary | {lists[0]: shortened, "left_out": left_out}
        text = _encode(summary)
    return text if len(text) <= MAX_RESULT_CHARS * 2 else text[: MAX_RESULT_CHARS * 2] + "…"


def _encode(fields: dict[str, Any]) -> str:
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not None}).decode()
