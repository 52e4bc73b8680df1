"""Show a turn: live on a terminal, its answer in a pipe, its events as JSON Lines."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from todo_cli.cli.render import json, text
from todo_cli.cli.render.signs import Signs
from todo_cli.cli.render.spinner import Spinner, has_motion
from todo_cli.cli.render.turn_calls import changed_numbers, format_result, mark_result
from todo_cli.cli.render.turn_summary import summary_lines
from todo_cli.contract.registry import label_of
from todo_cli.turn_client.outcome import TurnOutcome

if TYPE_CHECKING:
    from todo_cli.cli.render.stream import AnswerWriter
    from todo_cli.cli.render.thoughts import ThoughtWriter

EVENTS_VERSION = 1
"""The version of the events of --jsonl. A new version only adds kinds and fields."""
THINKING = "thinking"


class Screen:
    """Shows every event of a turn as it arrives, then its outcome.

    `changed` has the numbers of the tasks that the turn has changed so far, `seconds` how long it ran here.
    """

    def __init__(
        self,
        form: str,
        *,
        live: bool,
        colored: bool = True,
        quiet: bool = False,
        signs: Signs,
        shows_usage: bool = False,
    ) -> None:
        self.form, self.live, self.signs, self.shows_usage = form, live and form == "text", signs, shows_usage
        self._colored = colored and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._answer, self._has_started = "", False
        self._call: dict[str, Any] = {}
        self.is_empty = True  # nothing of the turn has been shown
        self.changed: set[int] = set()
        self.seconds = 0.0
        self._output_error: OSError | None = None
        self._spinner = Spinner(signs, moving=has_motion()) if self.live and not quiet and sys.stderr.isatty() else None

    @cached_property
    def _writer(self) -> AnswerWriter:
        from todo_cli.cli.render.stream import open_writer

        return open_writer(live=self.live, colored=self._colored, signs=self.signs)

    @cached_property
    def _thoughts(self) -> ThoughtWriter:
        from todo_cli.cli.render.thoughts import ThoughtWriter

        return ThoughtWriter()

    async def animate(self) -> None:
        """Draw the spinner while nothing can be printed, until this is cancelled."""
        if self._spinner:
            self._spinner.wait_for(THINKING)
            with suppress(OSError):  # the terminal may be gone
                await self._spinner.run()

    def show_stopping(self) -> None:
        """Name in the spinner that the turn is about to stop."""
        if self._spinner:
            self._spinner.rename("stopping")

    def show_event(self, event: dict[str, Any]) -> None:
        """Show an event as far as it can be shown at once. The turn goes on where the output cannot be written."""
        if self._output_error is None:
            try:
                self._show(event)
            except OSError as error:
                self._output_error = error

    def _show(self, event: dict[str, Any]) -> None:
        if self.form == "jsonl":
            self.write_event(event)
        kind = event["kind"]
        if kind == "thought":
            self._add_thought(event["text"])
        elif kind == "words":
            self._add_text(event["text"])
        elif kind == "call":
            self._call = event
            self._end_text()
            self._wait_for(label_of(event.get("verb", "")))
        elif kind == "result":
            self.show_result(self._call.get("verb", ""), self._call.get("arguments", {}), event["content"])
            self._call = {}
            self._wait_for(THINKING)
        elif kind == "reset":
            self._end_text()
            text.note("(the answer was interrupted and starts again)")
            self._wait_for(THINKING)
        elif kind == "end":
            self._add_rest(event["text"], event["state"])

    def write_event(self, event: dict[str, Any]) -> None:
        """Print an event as JSON; before the first one, print the version."""
        json.write_lines([event] if self._has_started else [{"kind": "start", "version": EVENTS_VERSION}, event])
        self._has_started = True
        sys.stdout.flush()

    def show_result(self, verb: str, arguments: Any, content: str) -> None:
        """Show a call and its result on one line."""
        ok, line = format_result(verb, arguments, content, self.signs)
        self.changed.update(changed_numbers(verb, content))
        self._end_text()
        self.is_empty = False
        if self.live:
            text.note(text.wrap(f"  {mark_result(ok, self.signs, colored=self._colored)} {line}", "    "))

    def close(self, outcome: TurnOutcome) -> None:
        """Print what has not been shown yet. The turn has ended or waits for approval. Raises OSError."""
        self.pause()
        if self._output_error:
            raise self._output_error
        if self.form == "json":
            json.write_document(outcome_document(outcome))
        elif self.form == "jsonl":
            self.write_event({"kind": "turn"} | outcome_document(outcome))

    def show_summary(self, undo: str, usage: dict[str, Any] | None) -> None:
        """Print the line below an answer on a terminal; `undo` is the command that takes the changes back."""
        for line in summary_lines(len(self.changed), undo, usage, self.seconds, self.signs):
            # as wide as the terminal, so it is not for `note`, which breaks lines
            sys.stderr.write((f"\x1b[2m{line}\x1b[0m" if self._colored else line) + "\n")

    def pause(self) -> None:
        """End the line, before something else is printed."""
        with suppress(OSError):
            self._end_text()

    def _wait_for(self, label: str) -> None:
        if self._spinner:
            self._spinner.wait_for(label)

    def _add_thought(self, words: str) -> None:
        """Show reasoning that comes before the answer, where colour tells the two apart."""
        if self._spinner and self._colored and not self._answer:
            self._spinner.clear()
            self._thoughts.add_text(words)

    def _add_text(self, words: str) -> None:
        if self._spinner and words:
            self._spinner.clear()
            self._thoughts.finish()
        self._answer += words
        self.is_empty = self.is_empty and not words.strip()
        if self.form == "text":
            self._writer.add_text(words)

    def _add_rest(self, whole: str, state: str) -> None:
        """Show the part of the final text that was not streamed."""
        streamed = self._answer.strip()
        if whole.strip().startswith(streamed):
            rest = whole.strip()[len(streamed) :]
            if state != "failed" or streamed:
                self._add_text(rest)

    def _end_text(self) -> None:
        if self._spinner:
            self._spinner.clear()
            self._thoughts.finish()
        if self.form == "text" and self._answer:
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
