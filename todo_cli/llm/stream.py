"""Assemble one answer of a model from its chunks, in every dialect: chunks in, events out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from todo_cli.llm.errors import ModelServerError, error_from_chunk
from todo_cli.llm.storable_text import SurrogateJoiner, content_text
from todo_cli.llm.text_calls import ToolFields, may_become_text_call, parse_text_calls
from todo_cli.llm.think_tags import ThinkTagSplitter
from todo_cli.llm.tool_calls import CallAssembler, ToolCall

_MAX_HELD_CHARS = 20_000
"""A longer text that might still become a call is shown after all."""


class TextDelta(Struct):
    """A part of the model's answer."""

    text: str


class ReasoningDelta(Struct):
    """A part of the model's reasoning, which is never sent back to it."""

    text: str


class TokenUsage(Struct):
    """Tokens as the provider counts them. `cached` is part of `prompt`, `reasoning` of `completion`.

    `cost` is a decimal number as text.
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    reasoning: int = 0
    cost: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET


class Finished(Struct):
    """The end of an answer.

    `reason` is "stop", "calls", "length", "filter" or "interrupted" (cut off, or ended without a reason).
    """

    reason: str
    usage: TokenUsage | None = None
    detail: str | None = None


Event = TextDelta | ReasoningDelta | ToolCall | Finished

_REASONS = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "filter",
    "safety": "filter",
    "recitation": "filter",
}
_DETAILS = {
    "length": "the model's length limit cut the answer",
    "filter": "the provider's content filter cut the answer",
}


class AnswerAssembler:
    """One answer while it arrives. `fields` are the tools that a call written as text may name."""

    def __init__(self, fields: ToolFields, max_chars: int) -> None:
        self.progress = 0
        """A number that grows with everything that belongs to the answer itself."""
        self.ended = False
        """True once the model has given its reason to end."""
        self.overflowed = False
        """True once the answer is too long: the rest is dropped."""
        self._fields = fields
        self._max_chars = self._room = max_chars
        self._finish_reason = ""
        self._usage: TokenUsage | None = None
        self._calls = CallAssembler()
        self._content, self._reasoning = SurrogateJoiner(), SurrogateJoiner()
        self._think_tags = ThinkTagSplitter()
        self._held = ""
        self._holds_text = bool(fields)

    def add(self, chunk: dict[str, Any]) -> list[Event]:
        """Return the events of a chunk that can be shown at once; raise ModelServerError for an error object."""
        choices = chunk.get("choices")
        if chunk.get("error") or (chunk.get("object") == "error" and not choices):
            raise error_from_chunk(chunk)
        self._usage = _parse_usage(chunk.get("usage")) or self._usage
        events: list[Event] = []
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and choice.get("index") in (None, 0):
                events += self._add_choice(choice)
        return events

    def finish(self, failure: str | None, *, done: bool) -> list[Event]:
        """Return the rest: held text, calls and the end. `failure` says what cut the answer; `done`: [DONE] came."""
        calls = self._calls.finish()
        if self.overflowed:
            failure = f"the answer was longer than {self._max_chars} characters"
        if failure is None and not self.ended and not (done and calls):
            failure = "the answer ended without a reason"
        if failure is not None and not (self.ended and not self.overflowed):
            return [*self._flush_text(), Finished("interrupted", self._usage, failure)]
        events = self._flush_text()
        if self._finish_reason in _REASONS:  # a call of an answer that was cut may be incomplete
            return [*events, self._make_finished_event(has_calls=False)]
        if not calls and len(events) == 1 and isinstance(events[0], TextDelta) and self._holds_text:
            calls = parse_text_calls(events[0].text, self._fields)
            events = [] if calls else events
        return [*events, *calls, self._make_finished_event(has_calls=bool(calls))]

    def _make_finished_event(self, *, has_calls: bool) -> Finished:
        reason = _REASONS.get(self._finish_reason, "stop")
        detail = _DETAILS.get(reason)
        if self._finish_reason == "tool_calls" and not has_calls:
            detail = "the model announced a tool call but made none"
        return Finished("calls" if has_calls else reason, self._usage, detail)

    def _add_choice(self, choice: dict[str, Any]) -> Iterator[Event]:
        finish_reason = choice.get("finish_reason")
        if finish_reason == "error":
            raise ModelServerError("broken", "reported an error in the middle of the answer")
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            yield from self._add_delta(delta)
        if isinstance(finish_reason, str) and finish_reason:
            self.ended, self._finish_reason = True, finish_reason.lower()
            self.progress += 1

    def _add_delta(self, delta: dict[str, Any]) -> Iterator[Event]:
        reasoning = self._take(content_text(delta.get("reasoning_content")) or content_text(delta.get("reasoning")))
        if reasoning := self._reasoning.add(reasoning):
            yield ReasoningDelta(reasoning)
        refusal = content_text(delta.get("refusal"))
        self._holds_text = self._holds_text and not refusal
        content = self._content.add(self._take(content_text(delta.get("content")) + refusal))
        yield from self._content_events(*self._think_tags.add(content))
        brought = self._calls.add(delta.get("tool_calls")) if not self.overflowed else 0
        self.progress += brought
        self._room -= brought
        self.overflowed = self.overflowed or self._room < 0

    def _content_events(self, reasoning: str, answer: str) -> Iterator[Event]:
        if reasoning:
            yield ReasoningDelta(reasoning)
        if answer := self._hold_or_release(answer):
            yield TextDelta(answer)

    def _take(self, text: str) -> str:
        """Return as much of the text as there is room for."""
        text = "" if self.overflowed else text
        self.overflowed = self.overflowed or len(text) > self._room
        text = text[: max(0, self._room)]
        self._room -= len(text)
        self.progress += len(text)
        return text

    def _hold_or_release(self, text: str) -> str:
        """Hold text that may still become a call; return all text once it cannot."""
        if self._holds_text:
            self._held += text
            self._holds_text = len(self._held) <= _MAX_HELD_CHARS and may_become_text_call(self._held)
            text = ""
        if not self._holds_text and self._held:
            text, self._held = self._held + text, ""
        return text

    def _flush_text(self) -> list[Event]:
        reasoning, answer = self._think_tags.add(self._content.flush())
        more_reasoning, more_answer = self._think_tags.flush()
        reasoning = self._reasoning.flush() + reasoning + more_reasoning
        answer, self._held = self._held + answer + more_answer, ""
        events: list[Event] = [ReasoningDelta(reasoning)] if reasoning else []
        return [*events, TextDelta(answer)] if answer else events


def _parse_usage(value: object) -> TokenUsage | None:
    if not isinstance(value, dict) or not (value.keys() & {"prompt_tokens", "completion_tokens"}):
        return None
    prompt, completion = value.get("prompt_tokens_details"), value.get("completion_tokens_details")
    return TokenUsage(
        _parse_count(value, "prompt_tokens"),
        _parse_count(value, "completion_tokens"),
        _parse_count(prompt, "cached_tokens"),
        _parse_count(completion, "reasoning_tokens"),
    )


def _parse_count(value: object, name: str) -> int:
    number = value.get(name) if isinstance(value, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**31 else 0
