"""One answer out of its pieces, whatever the dialect. Pure: pieces in, events out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from todo_cli.llm.errors import ModelServerError, from_piece
from todo_cli.llm.tool_calls import Call, OpenCalls, lone_call, may_be_lone_call
from todo_cli.llm.unicode import Joined, plain

_LONGEST_HELD = 20_000
"""A text that might still become a call is shown after all when it is longer."""


class TextDelta(Struct):
    """A part of what the model says."""

    text: str


class ReasoningDelta(Struct):
    """A part of what it thinks aloud; never sent back."""

    text: str


class Usage(Struct):
    """Tokens, as the provider counted them; cached and reasoning are parts of the other two. `cost` as a decimal."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    reasoning: int = 0
    cost: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET


class Finished(Struct):
    """The end: "stop", "calls", "length", "filter" or "interrupted" (cut, or ended without a reason)."""

    reason: str
    usage: Usage | None = None
    detail: str | None = None


Event = TextDelta | ReasoningDelta | Call | Finished

_REASONS = {
    "length": "length", "max_tokens": "length", "model_length": "length",
    "content_filter": "filter", "safety": "filter", "recitation": "filter",
}  # fmt: skip
_DETAILS = {
    "length": "the model's limit of length cut it",
    "filter": "the provider's content filter cut it",
}


class Assembler:
    """Give it every piece, then `end` it once. `names` are the tools that a call written as text may name."""

    def __init__(self, names: Collection[str], longest: int) -> None:
        self.moved = 0  # grows with everything that came of the answer itself
        self.ended = False  # the model gave its reason
        self.full = False  # a flood: nothing more is taken
        self._names = names
        self._room = longest
        self._longest = longest
        self._finish = ""
        self._usage: Usage | None = None
        self._calls = OpenCalls()
        self._words = Joined()
        self._thoughts = Joined()
        self._held = ""
        self._holding = bool(names)

    def take(self, piece: dict[str, Any]) -> list[Event]:
        """What can be shown of this piece at once; raises Trouble for an error object."""
        choices = piece.get("choices")
        if piece.get("error") or (piece.get("object") == "error" and not choices):
            raise from_piece(piece)
        self._usage = _usage(piece.get("usage")) or self._usage
        events: list[Event] = []
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and choice.get("index") in (None, 0):
                events += self._choice(choice)
        return events

    def end(self, cut: str | None, *, whole: bool) -> list[Event]:
        """The rest: held words, calls, and how it ended. `cut`: what broke it off; `whole`: [DONE] was seen."""
        calls = self._calls.whole()
        if self.full:
            cut = f"it was longer than {self._longest} characters"
        if cut is None and not self.ended and not (whole and calls):
            cut = "the answer ended without a reason"
        if cut is not None and not (self.ended and not self.full):
            return [*self._rest(), Finished("interrupted", self._usage, cut)]
        salvaged = None if calls else lone_call(self._held, self._names)
        events = [] if salvaged else [*self._rest()]
        calls = [salvaged] if salvaged else calls
        return [*events, *calls, self._finished(bool(calls))]

    def _finished(self, calls: bool) -> Finished:
        reason = _REASONS.get(self._finish, "stop")
        detail = _DETAILS.get(reason)
        if self._finish == "tool_calls" and not calls:
            detail = "the model announced a call and made none"
        return Finished("calls" if calls else reason, self._usage, detail)

    def _choice(self, choice: dict[str, Any]) -> Iterator[Event]:
        finish = choice.get("finish_reason")
        if finish == "error":
            raise ModelServerError("broken", "broke off with an error of its own")
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            yield from self._delta(delta)
        if isinstance(finish, str) and finish:
            self.ended, self._finish = True, finish.lower()
            self.moved += 1

    def _delta(self, delta: dict[str, Any]) -> Iterator[Event]:
        thought = self._taken(plain(delta.get("reasoning_content")) or plain(delta.get("reasoning")))
        if thought := self._thoughts.add(thought):
            yield ReasoningDelta(thought)
        refusal = plain(delta.get("refusal"))
        self._holding = self._holding and not refusal
        words = self._taken(plain(delta.get("content")) + refusal)
        if words := self._shown(self._words.add(words)):
            yield TextDelta(words)
        brought = self._calls.take(delta.get("tool_calls")) if not self.full else 0
        self.moved += brought
        self._room -= brought
        self.full = self.full or self._room < 0

    def _taken(self, text: str) -> str:
        """As much of it as there is room for."""
        text = "" if self.full else text
        self.full = self.full or len(text) > self._room
        text = text[: max(0, self._room)]
        self._room -= len(text)
        self.moved += len(text)
        return text

    def _shown(self, text: str) -> str:
        if self._holding:
            self._held += text
            self._holding = len(self._held) <= _LONGEST_HELD and may_be_lone_call(self._held)
            text = ""
        if not self._holding and self._held:
            text, self._held = self._held + text, ""
        return text

    def _rest(self) -> Iterator[Event]:
        if thought := self._thoughts.rest():
            yield ReasoningDelta(thought)
        if words := self._held + self._words.rest():
            yield TextDelta(words)
        self._held = ""


def _usage(value: object) -> Usage | None:
    if not isinstance(value, dict) or not (value.keys() & {"prompt_tokens", "completion_tokens"}):
        return None
    prompt, completion = value.get("prompt_tokens_details"), value.get("completion_tokens_details")
    return Usage(
        _count(value, "prompt_tokens"),
        _count(value, "completion_tokens"),
        _count(prompt, "cached_tokens"),
        _count(completion, "reasoning_tokens"),
    )


def _count(value: object, name: str) -> int:
    number = value.get(name) if isinstance(value, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**31 else 0
