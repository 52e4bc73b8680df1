"""A turn as it is shown: on a terminal while it comes; in a pipe its last words; for programs its events."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from todo_cli.cli.render import json, text
from todo_cli.cli.render.changes import format_difference
from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.contract.registry import label_of, past_of
from todo_cli.contract.search import SearchTasks
from todo_cli.contract.tasks import ListTasks
from todo_cli.contract.turn_steps import Message, PendingCall
from todo_cli.turn_client.run import TurnOutcome

if TYPE_CHECKING:
    from todo_cli.cli.render.stream import AnswerWriter

MAX_LINE_CHARS = 200
EVENTS_VERSION = 1
"""The version of --jsonl."""
MAX_NAMED_TASKS = 3
"""Tasks that a call's line names."""


class Screen:
    """Give it every event as it comes, then the outcome. `colored`: the terminal's colours may be used."""

    def __init__(self, form: str, *, live: bool, colored: bool = True) -> None:
        self.form, self._live = form, live and form == "text"
        self._colored = colored and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._said, self._started = "", False
        self._call: dict[str, Any] = {}

    @cached_property
    def _face(self) -> AnswerWriter:
        from todo_cli.cli.render.stream import open_writer

        return open_writer(colored=self._colored)

    def tell(self, event: dict[str, Any]) -> None:
        """Show what can be shown of it at once."""
        if self.form == "jsonl":
            self.line(event)
        kind = event["kind"]
        if kind == "words":
            self._words(event["text"])
        elif kind == "call":
            self._call = event
            self._end_words()
        elif kind == "result":
            self.done(self._call.get("verb", ""), self._call.get("arguments", {}), event["content"])
            self._call = {}
        elif kind == "reset":
            self._note("(the answer broke off, and begins again)")
        elif kind == "end":
            self._rest(event["text"], event["state"])

    def line(self, event: dict[str, Any]) -> None:
        """One for programs; the first says which version of them it is. Versions only add kinds and fields."""
        json.write_lines([event] if self._started else [{"kind": "start", "version": EVENTS_VERSION}, event])
        self._started = True
        sys.stdout.flush()

    def done(self, verb: str, arguments: Any, content: str) -> None:
        """A call and what became of it, as one line."""
        well, line = format_result(verb, arguments, content)
        mark = "✓" if well else "✗"
        if self._colored:
            mark = f"\x1b[{32 if well else 31}m{mark}\x1b[0m"
        self._note(f"{mark} {line}")

    def close(self, outcome: TurnOutcome) -> None:
        """The turn rests: what is still to be said."""
        if self.form == "json":
            json.write_document(outcome_document(outcome))
        elif self.form == "jsonl":
            self.line({"kind": "turn"} | outcome_document(outcome))
        elif not self._live and (self._said or outcome.state == "done"):
            text.write(escape_block(self._said or outcome.text))
        self._end_words()

    def pause(self) -> None:
        """A person is asked something now."""
        if self._live:
            self._end_words()

    @property
    def live(self) -> bool:
        """Somebody sees it while it comes."""
        return self._live

    def _words(self, words: str) -> None:
        self._said += words
        if self._live:
            self._face.words(words)

    def _rest(self, whole: str, state: str) -> None:
        """The last words, as far as they did not come as a stream."""
        said = self._said.strip()
        if whole.strip().startswith(said):
            rest = whole.strip()[len(said) :]
            if state != "failed" or said:
                self._words(rest)

    def _note(self, line: str) -> None:
        self._end_words()
        if self._live:
            text.note(text.wrap(f"  {line}", "    "))

    def _end_words(self) -> None:
        if self._live and self._said:
            self._face.end()
        self._said = ""


def outcome_document(outcome: TurnOutcome) -> dict[str, Any]:
    """For programs."""
    return {
        "conversation": outcome.number, "turn": outcome.turn, "state": outcome.state, "text": outcome.text,
        "held": msgspec.to_builtins(outcome.held),
        "error": outcome.error.as_problem() if outcome.error else None, "usage": outcome.usage,
    }  # fmt: skip


def format_call(verb: str, arguments: Any) -> str:
    """A call in one line: `· add title="Buy milk" due="tomorrow"`."""
    fields = arguments.items() if isinstance(arguments, dict) else [("", arguments)]
    said = " ".join(f"{name}={msgspec.json.encode(value).decode()}".lstrip("=") for name, value in fields)
    return _shorten(f"· {label_of(verb) or 'a call'} {said}".rstrip())


def format_result(verb: str, arguments: Any, content: str) -> tuple[bool, str]:
    """Whether it was done, and `Done #2 Buy milk`, `Found 12 tasks (due<fri)`, `rm 7: there is no task #7`."""
    try:
        found = msgspec.json.decode(content.encode())
    except (msgspec.DecodeError, UnicodeError):
        found = {}
    found = found if isinstance(found, dict) else {}
    if "error" in found:
        said = format_call(verb, arguments).removeprefix("· ") if verb else ""
        return False, _shorten(f"{said}: {found.get('detail', found['error'])}".lstrip(": "))
    if verb in (ListTasks.verb, SearchTasks.verb):
        return True, _shorten(_format_found(found, arguments))
    tasks = [found["task"]] if isinstance(found.get("task"), dict) else found.get("tasks", found.get("differences"))
    titles = [f"#{one.get('number')} {one.get('title', '')}" for one in tasks or () if isinstance(one, dict)]
    if not titles:
        return True, format_call(verb, arguments).removeprefix("· ")
    more = f" … {len(titles):,} tasks" if len(titles) > MAX_NAMED_TASKS else ""
    return True, _shorten(f"{past_of(verb)} {', '.join(titles[:MAX_NAMED_TASKS])}{more}")


def _format_found(found: dict[str, Any], arguments: Any) -> str:
    count = len(found.get("tasks") or ()) + found.get("left_out", 0)
    asked = arguments if isinstance(arguments, dict) else {}
    about = " ".join(str(asked[name]) for name in ("filter", "words") if asked.get(name))
    some = f"{count:,}{'+' if found.get('more') else ''} task{'' if count == 1 else 's'}"
    return f"Found {some}" + (f" ({about})" if about else "")


def _shorten(line: str) -> str:
    line = escape(line)
    return line if len(line) <= MAX_LINE_CHARS else line[: MAX_LINE_CHARS - 1] + "…"


def format_held_calls(held: tuple[PendingCall, ...]) -> list[str]:
    """Every row that a yes would change; with the number of the call, where one may be chosen among several."""
    lines: list[str] = []
    for place, one in enumerate(held, 1):
        verb = label_of(one.plan.verb)
        head = f"{place:>4}  {verb:<8}" if len(held) > 1 else f"  {verb:<8}"
        rows = [format_difference(row) for row in one.plan.differences] or ["nothing would change"]
        lines += [(head if first == 0 else " " * len(head)) + row for first, row in enumerate(rows)]
    return lines


def format_message(message: Message) -> list[str]:
    """A message of a conversation; results of calls are the model's to tell."""
    if message.role in ("tool", "summary"):
        return []
    who = "you" if message.role == "user" else "todo"
    mark = "" if message.status == "whole" else " (interrupted)"
    body = escape_block(message.content).replace("\n", "\n    ")
    lines = [f"{message.seq:>4} {who}{mark}: {body}"] if message.content or not message.calls else []
    lines += [f"     {format_call(call.name, call.arguments)}" for call in message.calls]
    return [*lines, *_format_cost(message.usage)]


def _format_cost(usage: dict[str, Any] | None) -> list[str]:
    """What an answer has cost, where that was known when it came."""
    if not usage or "cost" not in usage:
        return []
    tokens = f"{usage.get('prompt', 0):,} + {usage.get('completion', 0):,} tokens"
    return [escape(f"     ({usage['cost']} {usage.get('currency', '')}, {tokens})")]
