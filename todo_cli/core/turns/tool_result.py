"""Format the result of a tool call for the model: numbers, titles and the fields that were set, within a size limit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from todo_cli.contract.journal import ChangePage, Undone
from todo_cli.contract.plans import Plan, PlanTarget
from todo_cli.contract.search import TaskHit, TaskHits
from todo_cli.contract.tasks import Changed, Repeat, Task, TaskPage
from todo_cli.errors import TodoError
from todo_cli.parsing.dates import zone_of
from todo_cli.parsing.recurrence_format import describe_recurrence

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

INTERRUPTED_RESULT = (
    '{"error":"interrupted","detail":"the turn was interrupted before this was done; nothing was changed"}'
)
"""The result of a call that was not run."""

MAX_RESULT_CHARS = 8_000
_MAX_NOTE_CHARS = 2_000
_MAX_COMMENTS = 10
_MAX_REFUSED_TASKS = 10
_TASK_FIELDS = (
    "number",
    "title",
    "status",
    "due",
    "scheduled",
    "defer",
    "every",
    "parent",
    "after",
    "project",
    "tags",
    "priority",
)
_DETAIL_FIELDS = (
    *_TASK_FIELDS,
    "note",
    "blocked",
    "subtasks",
    "started_at",
    "tracked",
    "claimed_by",
    "claimed_until",
    "created_at",
    "completed_at",
    "deleted_at",
)
_DATE_FIELDS = {
    "due",
    "scheduled",
    "defer",
    "started_at",
    "claimed_until",
    "created_at",
    "completed_at",
    "deleted_at",
    "at",
}
"""The fields that may have an instant; in a difference it is a pair of them."""
_CHANGE_FIELDS = ("seq", "at", "verb", "undone", "differences")


def result_json(answer: Any, zone: str, *, with_details: bool = False, refused: Sequence[PlanTarget] = ()) -> str:
    """Return the answer of a Request as JSON for the model, with instants in the user's time zone.

    With `with_details` a task has its note and comments too, as ShowTask shows it. `refused` are the tasks of the call
    to which the person did not agree.
    """
    has_details = with_details and isinstance(answer, Task)
    summary = {"task": _detail_fields(answer)} if has_details else _summarize(answer)
    summary |= _refused_fields(refused) if refused else {}
    return _truncate(_localize(summary, zone_of(zone)))


def _localize(value: Any, zone: ZoneInfo, name: str = "") -> Any:
    """Return a value with its instants in the zone: `2026-11-30T09:00+01:00`; a recurrence names another zone."""
    if isinstance(value, Repeat):
        named_zone = None if value.zone == zone.key else value.zone
        return describe_recurrence(value.rule, value.from_done, zone=named_zone)
    if isinstance(value, dict):
        return {name: _localize(item, zone, name) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_localize(item, zone, name) for item in value]
    if name in _DATE_FIELDS and isinstance(value, str) and value.endswith("Z"):
        instant = datetime.fromisoformat(value).astimezone(zone)
        return instant.isoformat(timespec="seconds" if instant.second else "minutes")
    return value


def error_json(error: TodoError) -> str:
    """Return an error as JSON for the model: its code, sentence and hint."""
    return _encode({"error": error.code, "detail": error.detail} | ({"hint": error.hint} if error.hint else {}))


def _summarize(answer: Any) -> dict[str, Any]:
    if isinstance(answer, Task):
        return _one_task_fields(answer)
    if isinstance(answer, TaskPage):
        hidden = answer.deferred or None
        return {
            "tasks": [_listed_fields(task) for task in answer.tasks],
            "more": answer.next,
            "cut": answer.cut or None,
            "hidden_deferred": hidden,
        }
    if isinstance(answer, TaskHits):
        return _hits_fields(answer)
    if isinstance(answer, Changed):
        return _changed_fields(answer)
    if isinstance(answer, Undone):
        return _undone_fields(answer)
    if isinstance(answer, ChangePage):
        changes = msgspec.to_builtins(answer.changes)
        return {"changes": [_change_fields(change) for change in changes], "more": answer.next}
    builtin = msgspec.to_builtins(answer)
    return builtin if isinstance(builtin, dict) else {"answer": builtin}


def _one_task_fields(task: Task) -> dict[str, Any]:
    """Return a task, whether its key was used before, and the task that is like it."""
    fields: dict[str, Any] = {"task": _task_fields(task)}
    if task.new is False:
        fields["new"] = False
    if task.similar:
        fields["similar"] = msgspec.to_builtins(task.similar)
    return fields


def _hits_fields(answer: TaskHits) -> dict[str, Any]:
    """Return the matches, the number of matches of other statuses, and a hint where none is found."""
    fields: dict[str, Any] = {"tasks": [_match_fields(hit) for hit in answer.hits], "also": answer.also or None}
    return fields if answer.hits else fields | {"hint": "no task matches these words: look with list_tasks"}


def _changed_fields(answer: Changed) -> dict[str, Any]:
    """Return the changed tasks, and apart from them next occurrences that completion created or reopening took back."""
    places = {(task.repeat.series, task.repeat.occurrence): task.status for task in answer.tasks if task.repeat}
    followers = [(task, places.get(_previous_occurrence(task))) for task in answer.tasks if task.repeat]
    following = [task for task, before in followers if (before, task.status) == ("done", "open")]
    taken_back = [task for task, before in followers if (before, task.status) == ("open", "deleted")]
    changed = [task for task in answer.tasks if task not in following + taken_back]
    fields: dict[str, Any] = {"ok": True, "changed": len(changed), "tasks": [_task_fields(task) for task in changed]}
    if not answer.new:
        fields["new"] = False
    if following:
        fields["next"] = [_task_fields(task) for task in following]
    if taken_back:
        fields["taken_back"] = [_task_fields(task) for task in taken_back]
    if answer.open_next:
        fields["open_next"] = list(answer.open_next)
    if answer.open_subtasks:
        fields["open_subtasks"] = answer.open_subtasks
    if answer.ended:
        fields["series_ended"] = list(answer.ended)
    return fields


def _refused_fields(refused: Sequence[PlanTarget]) -> dict[str, Any]:
    tasks = [{"number": target.number, "title": target.title} for target in refused]
    return {"refused": tasks, "hint": "the user did not agree to the refused tasks; do not ask again"}


def refused_json(plan: Plan) -> str:
    """Return the result of a call to which the person did not agree, with the first tasks that it would have changed."""
    fields: dict[str, Any] = {"error": "refused", "detail": "the user did not agree; nothing was changed"}
    fields |= _refused_fields(plan.targets[:_MAX_REFUSED_TASKS]) if plan.targets else {}
    return _encode(fields | {"hint": "do not ask again"})


def _undone_fields(answer: Undone) -> dict[str, Any]:
    """Return the differences; a dry run, which has no change in the journal, says what it would change."""
    differences = msgspec.to_builtins(answer.differences)
    count = {"would_change": len(differences)} if answer.seq is None else {"ok": True, "changed": len(differences)}
    return count | {"differences": differences} | ({"left_alone": list(answer.skipped)} if answer.skipped else {})


def _previous_occurrence(task: Task) -> tuple[str, int]:
    return (task.repeat.series, task.repeat.occurrence - 1) if task.repeat else ("", 0)


def _match_fields(hit: TaskHit) -> dict[str, Any]:
    snippets = [f"{snippet.where}: {snippet.text}" for snippet in hit.snippets if snippet.where != "title"]
    weak = {"match": "weak"} if hit.match == "weak" else {}
    return _listed_fields(hit.task) | weak | ({"found_in": snippets} if snippets else {})


def _listed_fields(task: Task) -> dict[str, Any]:
    """Return the fields of a task in a list, where it is open unless its status says otherwise."""
    return {name: value for name, value in _task_fields(task).items() if (name, value) != ("status", "open")}


def _task_fields(task: Task, names: tuple[str, ...] = _TASK_FIELDS) -> dict[str, Any]:
    """Return the fields that are set."""
    values = msgspec.to_builtins(task)
    if task.repeat:
        values["every"] = task.repeat  # put in words in the user's time zone
    return {name: values[name] for name in names if values.get(name)}


def _detail_fields(task: Task) -> dict[str, Any]:
    fields = _task_fields(task, _DETAIL_FIELDS)
    if len(fields.get("note") or "") > _MAX_NOTE_CHARS:
        fields["note"] = fields["note"][:_MAX_NOTE_CHARS] + "…"
    if task.comments:
        comments = task.comments[-_MAX_COMMENTS:]
        fields["comments"] = [f"{comment.user}: {comment.text[:_MAX_NOTE_CHARS]}" for comment in comments]
    return fields


def _change_fields(change: dict[str, Any]) -> dict[str, Any]:
    return {name: change[name] for name in _CHANGE_FIELDS}


def _truncate(summary: dict[str, Any]) -> str:
    """Encode a summary, with its longest list halved until it fits; `left_out` counts what is missing."""
    text = _encode(summary)
    lists = [name for name, value in summary.items() if isinstance(value, list)]
    while len(text) > MAX_RESULT_CHARS and lists:
        name = max(lists, key=lambda name: len(summary[name]))
        items = summary[name]
        if len(items) < 2:
            break
        kept = items[: len(items) // 2]
        summary = summary | {name: kept, "left_out": summary.get("left_out", 0) + len(items) - len(kept)}
        text = _encode(summary)
    return text if len(text) <= MAX_RESULT_CHARS * 2 else text[: MAX_RESULT_CHARS * 2] + "…"


def _encode(fields: dict[str, Any]) -> str:
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not None}).decode()
