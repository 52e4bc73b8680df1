"""Format the calls of a turn and their results, each on one line."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.signs import Signs
from todo_cli.contract.registry import BY_VERB, label_of, past_of
from todo_cli.contract.search import SearchTasks
from todo_cli.contract.tasks import ListTasks

MAX_LINE_CHARS = 200
MAX_NAMED_TASKS = 3
GREEN, RED = 32, 31


def mark_result(ok: bool, signs: Signs, *, colored: bool) -> str:
    """Return the sign of a call that was done, or of one that was not."""
    mark = signs.done if ok else signs.deleted
    return f"\x1b[{GREEN if ok else RED}m{mark}\x1b[0m" if colored else mark


def format_call(verb: str, arguments: Any, signs: Signs) -> str:
    """Return a call on one line: `· add title="Buy milk" due="tomorrow"`."""
    fields = arguments.items() if isinstance(arguments, dict) else [("", arguments)]
    values = " ".join(f"{name}={msgspec.json.encode(value).decode()}".lstrip("=") for name, value in fields)
    return _shorten(f"{signs.dot} {label_of(verb) or 'a call'} {values}".rstrip(), signs)


def format_result(verb: str, arguments: Any, content: str, signs: Signs) -> tuple[bool, str]:
    """Return whether the call succeeded, and `Done #2 Buy milk`, `Found 12 tasks (due<fri)` or `rm 7: <error>`."""
    result = _decode_object(content)
    if "error" in result:
        call = format_call(verb, arguments, signs).removeprefix(f"{signs.dot} ") if verb else ""
        if result["error"] == "refused":
            named = _name_tasks(result.get("refused"), signs)
            call = f"{label_of(verb)} {named}" if verb and named else call
            return False, _shorten(f"not done: {call}".removesuffix(": "), signs)
        return False, _shorten(f"{call}: {result.get('detail', result['error'])}".lstrip(": "), signs)
    if verb in (ListTasks.verb, SearchTasks.verb):
        return True, _shorten(_format_found(result, arguments), signs)
    tasks = result.get("tasks", result.get("differences"))
    if isinstance(result.get("task"), dict):
        tasks = [result["task"]]
    named = _name_tasks(tasks, signs)
    if not named:
        return True, format_call(verb, arguments, signs).removeprefix(f"{signs.dot} ")
    refused = _name_tasks(result.get("refused"), signs)
    return True, _shorten(f"{past_of(verb)} {named}" + (f"; not done: {refused}" if refused else ""), signs)


def _name_tasks(tasks: Any, signs: Signs) -> str:
    names = [f"#{task.get('number')} {task.get('title', '')}" for task in tasks or () if isinstance(task, dict)]
    more = f" {signs.ellipsis} {len(names):,} tasks" if len(names) > MAX_NAMED_TASKS else ""
    return f"{', '.join(names[:MAX_NAMED_TASKS])}{more}"


def changed_numbers(verb: str, content: str) -> list[int]:
    """Return the numbers of the tasks that a call has changed, by its result."""
    if verb not in BY_VERB or not BY_VERB[verb].write:
        return []
    result = _decode_object(content)
    task = result.get("task")
    tasks = [task] if task else result.get("tasks") or result.get("differences") or []
    return [row["number"] for row in tasks if isinstance(row, dict) and isinstance(row.get("number"), int)]


def error_detail(content: str) -> str | None:
    """Return the error in a call's result, or None for a success."""
    result = _decode_object(content)
    return str(result.get("detail", result["error"])) if "error" in result else None


def _decode_object(content: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(content.encode())
    except (msgspec.DecodeError, UnicodeError):
        return {}
    return value if isinstance(value, dict) else {}


def _format_found(result: dict[str, Any], arguments: Any) -> str:
    count = len(result.get("tasks") or ()) + result.get("left_out", 0)
    fields = arguments if isinstance(arguments, dict) else {}
    query = " ".join(str(fields[name]) for name in ("filter", "words") if fields.get(name))
    tasks = f"{count:,}{'+' if result.get('more') else ''} task{'' if count == 1 else 's'}"
    return f"Found {tasks}" + (f" ({query})" if query else "")


def _shorten(line: str, signs: Signs) -> str:
    line = escape(line)
    return line if len(line) <= MAX_LINE_CHARS else line[: MAX_LINE_CHARS - len(signs.ellipsis)] + signs.ellipsis
