"""Show a turn: live on a terminal, its answer in a pipe, its events as JSON Lines."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from todo_cli.cli.render import json, text
from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.contract.registry import label_of, past_of
from todo_cli.contract.search import SearchTasks
from todo_cli.contract.tasks import ListTasks
from todo_cli.contract.turn_steps import Message
from todo_cli.turn_client.outcome import TurnOutcome

if TYPE_CHECKING:
    from todo_cli.cli.render.stream import AnswerWriter

MAX_LINE_CHARS = 200
MAX_NAMED_TASKS = 3
EVENTS_VERSION = 1
"""The version of the events of --jsonl. A new version only adds kinds and fields."""
GREEN, RED = 32, 31


class Screen:
    """Shows every event of a turn as it arrives, then its outcome."""

    def __init__(self, form: str, *, live: bool, colored: bool = True) -> None:
        self.form, self.live = form, live and form == "text"
        self._colored = colored and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._answer, self._has_started = "", False
        self._call: dict[str, Any] = {}

    @cached_property
    def _writer(self) -> AnswerWriter:
        from todo_cli.cli.render.stream import open_writer

        return open_writer(colored=self._colored)

    def show_event(self, event: dict[str, Any]) -> None:
        """Show an event as far as it can be shown at once."""
        if self.form == "jsonl":
            self.write_event(event)
        kind = event["kind"]
        if kind == "words":
            self._add_text(event["text"])
        elif kind == "call":
            self._call = event
            self._end_text()
        elif kind == "result":
            self.show_result(self._call.get("verb", ""), self._call.get("arguments", {}), event["content"])
            self._call = {}
        elif kind == "reset":
            self._note("(the answer was interrupted and starts again)")
        elif kind == "end":
            self._add_rest(event["text"], event["state"])

    def write_event(self, event: dict[str, Any]) -> None:
        """Print an event as JSON; before the first one, print the version."""
        json.write_lines([event] if self._has_started else [{"kind": "start", "version": EVENTS_VERSION}, event])
        self._has_started = True
        sys.stdout.flush()

    def show_result(self, verb: str, arguments: Any, content: str) -> None:
        """Show a call and its result on one line."""
        ok, line = format_result(verb, arguments, content)
        mark = "✓" if ok else "✗"
        if self._colored:
            mark = f"\x1b[{GREEN if ok else RED}m{mark}\x1b[0m"
        self._note(f"{mark} {line}")

    def close(self, outcome: TurnOutcome) -> None:
        """Print what has not been shown yet. The turn has ended or waits for approval."""
        if self.form == "json":
            json.write_document(outcome_document(outcome))
        elif self.form == "jsonl":
            self.write_event({"kind": "turn"} | outcome_document(outcome))
        elif not self.live and (self._answer or outcome.state == "done"):
            text.write(escape_block(self._answer or outcome.text))
        self._end_text()

    def pause(self) -> None:
        """End the line, before the person is asked a question."""
        if self.live:
            self._end_text()

    def _add_text(self, words: str) -> None:
        self._answer += words
        if self.live:
            self._writer.add_text(words)

    def _add_rest(self, whole: str, state: str) -> None:
        """Show the part of the final text that was not streamed."""
        streamed = self._answer.strip()
        if whole.strip().startswith(streamed):
            rest = whole.strip()[len(streamed) :]
            if state != "failed" or streamed:
                self._add_text(rest)

    def _note(self, line: str) -> None:
        self._end_text()
        if self.live:
            text.note(text.wrap(f"  {line}", "    "))

    def _end_text(self) -> None:
        if self.live and self._answer:
            self._writer.finish()
        self._answer = ""


def outcome_document(outcome: TurnOutcome) -> dict[str, Any]:
    """Return the outcome for --json."""
    return {
        "conversation": outcome.number,
        "turn": outcome.turn,
        "state": outcome.state,
        "text": outcome.text,
        "held": msgspec.to_builtins(outcome.held),
        "error": outcome.error.as_problem() if outcome.error else None,
        "usage": outcome.usage,
    }


def format_call(verb: str, arguments: Any) -> str:
    """Return a call on one line: `· add title="Buy milk" due="tomorrow"`."""
    fields = arguments.items() if isinstance(arguments, dict) else [("", arguments)]
    values = " ".join(f"{name}={msgspec.json.encode(value).decode()}".lstrip("=") for name, value in fields)
    return _shorten(f"· {label_of(verb) or 'a call'} {values}".rstrip())


def format_result(verb: str, arguments: Any, content: str) -> tuple[bool, str]:
    """Return whether the call succeeded, and `Done #2 Buy milk`, `Found 12 tasks (due<fri)` or `rm 7: <error>`."""
    result = _decode_object(content)
    if "error" in result:
        call = format_call(verb, arguments).removeprefix("· ") if verb else ""
        return False, _shorten(f"{call}: {result.get('detail', result['error'])}".lstrip(": "))
    if verb in (ListTasks.verb, SearchTasks.verb):
        return True, _shorten(_format_found(result, arguments))
    tasks = result.get("tasks", result.get("differences"))
    if isinstance(result.get("task"), dict):
        tasks = [result["task"]]
    named = _name_tasks(tasks)
    if not named:
        return True, format_call(verb, arguments).removeprefix("· ")
    refused = _name_tasks(result.get("refused"))
    return True, _shorten(f"{past_of(verb)} {named}" + (f"; not done: {refused}" if refused else ""))


def _name_tasks(tasks: Any) -> str:
    names = [f"#{task.get('number')} {task.get('title', '')}" for task in tasks or () if isinstance(task, dict)]
    more = f" … {len(names):,} tasks" if len(names) > MAX_NAMED_TASKS else ""
    return f"{', '.join(names[:MAX_NAMED_TASKS])}{more}"


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


def _shorten(line: str) -> str:
    line = escape(line)
    return line if len(line) <= MAX_LINE_CHARS else line[: MAX_LINE_CHARS - 1] + "…"


def format_message(message: Message) -> list[str]:
    """Return the lines of a conversation's message; none for results of calls and summaries."""
    if message.role in ("tool", "summary"):
        return []
    author = "you" if message.role == "user" else "todo"
    mark = "" if message.status == "whole" else " (interrupted)"
    body = escape_block(message.content).replace("\n", "\n    ")
    lines = [f"{message.seq:>4} {author}{mark}: {body}"] if message.content or not message.calls else []
    lines += [f"     {format_call(call.name, call.arguments)}" for call in message.calls]
    return [*lines, *_format_cost(message.usage)]


def _format_cost(usage: dict[str, Any] | None) -> list[str]:
    if not usage or "cost" not in usage:
        return []
    tokens = f"{usage.get('prompt', 0):,} + {usage.get('completion', 0):,} tokens"
    return [escape(f"     ({usage['cost']} {usage.get('currency', '')}, {tokens})")]
