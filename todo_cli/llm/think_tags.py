"""Separate reasoning in <think>…</think> from a model's answer, while the text arrives in parts."""

from __future__ import annotations

OPENING_TAG, CLOSING_TAG = "<think>", "</think>"


class ThinkTagSplitter:
    """A splitter for text that may be cut anywhere, also within a tag."""

    def __init__(self) -> None:
        self._is_reasoning = False
        self._pending = ""
        self._skips_space = False

    def add(self, text: str) -> tuple[str, str]:
        """Return the reasoning and the answer that are complete now; hold back the beginning of a tag."""
        reasoning, answer = [], []
        text, self._pending = self._pending + text, ""
        while text:
            tag = CLOSING_TAG if self._is_reasoning else OPENING_TAG
            before, found_tag, text = text.partition(tag)
            if not found_tag:
                held = _tag_start_length(before, tag)
                before, self._pending = before[: len(before) - held], before[len(before) - held :]
            if self._is_reasoning:
                reasoning.append(before)
            else:
                answer.append(self._without_space_behind_tag(before))
            if found_tag:
                self._is_reasoning = not self._is_reasoning
                self._skips_space = True
        return "".join(reasoning), "".join(answer)

    def _without_space_behind_tag(self, text: str) -> str:
        text = text.lstrip() if self._skips_space else text
        self._skips_space = self._skips_space and not text
        return text

    def flush(self) -> tuple[str, str]:
        """Return what was held back, at the end of the text."""
        text, self._pending = self._pending, ""
        return (text, "") if self._is_reasoning else ("", text)


def _tag_start_length(text: str, tag: str) -> int:
    """Return the length of the longest end of the text that may be the start of the tag."""
    return next((length for length in range(len(tag) - 1, 0, -1) if text.endswith(tag[:length])), 0)
