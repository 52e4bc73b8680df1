"""A turn as it is shown: on a terminal while it comes; in a pipe its last words; for programs its events."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import Any

import msgspec

from todo_cli.backends.talk import Outcome
from todo_cli.cli.render import json, text
from todo_cli.cli.render.changes import difference_line
from todo_cli.cli.render.safe import safe, safe_block, safe_piece
from todo_cli.contract.chat import Held, Message

WIDEST = 200


class Screen:
    """Give it every event as it comes, then the outcome."""

    def __init__(self, form: str, *, live: bool) -> None:
        self.form, self._live = form, live and form == "text"
        self._said = ""

    def tell(self, event: dict[str, Any]) -> None:
        """Show what can be shown of it at once."""
        if self.form == "jsonl":
            json.lines([event])
            sys.stdout.flush()
        kind = event["kind"]
        if kind == "words":
            self._words(event["text"])
        elif kind == "call":
            self._note(call_line(event["verb"], event["arguments"]))
        elif kind == "reset":
            self._note("(the answer broke off, and begins again)")
        elif kind == "end":
            self._rest(event["text"], event["state"])

    def close(self, outcome: Outcome) -> None:
        """The turn rests: what is still to be said."""
        if self.form == "json":
            json.document(document(outcome))
        elif self.form == "jsonl":
            json.lines([{"kind": "turn"} | document(outcome)])
        elif self._live:
            self._line_end()
        elif self._said or outcome.state == "done":
            text.write(safe_block(self._said or outcome.text))
        self._said = ""

    def _words(self, words: str) -> None:
        self._said += words
        if self._live:
            sys.stdout.write(safe_piece(words))
            sys.stdout.flush()

    def _rest(self, whole: str, state: str) -> None:
        """The last words, as far as they did not come as a stream."""
        said = self._said.strip()
        if whole.strip().startswith(said):
            rest = whole.strip()[len(said) :]
            if state != "failed" or said:
                self._words(rest)

    def _note(self, line: str) -> None:
        self._line_end()
        self._said = ""
        if self._live:
            text.note(f"  {line}")

    def _line_end(self) -> None:
        if self._live and self._said:
            sys.stdout.write("\n")
            sys.stdout.flush()


def document(outcome: Outcome) -> dict[str, Any]:
    """For programs."""
    return {
        "conversation": outcome.number, "turn": outcome.turn, "state": outcome.state, "text": outcome.text,
        "held": msgspec.to_builtins(outcome.held),
        "error": outcome.error.as_problem() if outcome.error else None, "usage": outcome.usage,
    }  # fmt: skip


def call_line(verb: str, arguments: Any) -> str:
    """A call in one line: `· add title="Buy milk" due="tomorrow"`."""
    fields = arguments.items() if isinstance(arguments, dict) else [("", arguments)]
    said = " ".join(f"{name}={msgspec.json.encode(value).decode()}".lstrip("=") for name, value in fields)
    line = safe(f"· {text.VERBS.get(verb, verb) or 'a call'} {said}".rstrip())
    return line if len(line) <= WIDEST else line[: WIDEST - 1] + "…"


def held_lines(held: tuple[Held, ...]) -> list[str]:
    """Every row that a yes would change."""
    lines: list[str] = []
    for kind, same in groupby(held, key=lambda one: one.plan.verb):
        rows = [f"  {difference_line(row)}" for one in same for row in one.plan.differences]
        lines += [f"{text.VERBS.get(kind, kind)}:", *(rows or ["  nothing would change"])]
    return lines


def message_lines(message: Message) -> list[str]:
    """A message of a conversation; results of calls are the model's to tell."""
    if message.role in ("tool", "summary"):
        return []
    who = "you" if message.role == "user" else "todo"
    mark = "" if message.status == "whole" else " (interrupted)"
    body = safe_block(message.content).replace("\n", "\n    ")
    lines = [f"{message.seq:>4} {who}{mark}: {body}"] if message.content or not message.calls else []
    lines += [f"     {call_line(call.name, call.arguments)}" for call in message.calls]
    return [*lines, *_cost(message.usage)]


def _cost(usage: dict[str, Any] | None) -> list[str]:
    """What an answer has cost, where that was known when it came."""
    if not usage or "cost" not in usage:
        return []
    tokens = f"{usage.get('prompt', 0):,} + {usage.get('completion', 0):,} tokens"
    return [safe(f"     ({usage['cost']} {usage.get('currency', '')}, {tokens})")]
