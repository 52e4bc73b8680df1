"""An export that is to be taken in: read line by line, and refused at the first that is wrong, by its number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from todo_cli.agent.messages import faults
from todo_cli.contract.codec import decode_request
from todo_cli.contract.conversation_export import EXPORT_VERSION, ExportedMessage, ExportHeader
from todo_cli.errors import Invalid

MOST = 8 * 1024 * 1024
"""Bytes of a line."""


class Reading:
    """The lines of an export: `header` once the first was read, then `messages`, turn by turn."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
        self.header = self._header()

    def _header(self) -> ExportHeader:
        number, line = next(self._lines, (1, b""))
        _bounded(number, line)
        try:
            if b'"kind"' in line:
                return _known(decode_request(line, ExportHeader))
        except Invalid as error:
            if error.extra.get("reason") == "version":
                raise
        hint = "make one with: todo chat export N --format jsonl"
        raise Invalid(f"line {number} is not the beginning of an export", hint=hint)

    def messages(self) -> Iterator[ExportedMessage]:
        """Each as soon as its turn is known to be whole and such as a model's API accepts; raises Invalid."""
        turn: list[tuple[int, ExportedMessage]] = []
        ended: set[str] = set()
        for place, (number, line) in enumerate(self._lines, 1):
            one = _message(number, line)
            if one.seq != place:
                hint = "a line is missing, or there twice; nothing was imported"
                raise Invalid(f"line {number}: message {one.seq} stands in place {place}", hint=hint)
            if turn and one.turn != turn[-1][1].turn:
                yield from _checked(turn)
                ended.add(turn[-1][1].turn)
                turn = []
            if one.turn in ended:
                hint = "the lines are not in their order"
                raise Invalid(f"line {number}: its turn has ended before", hint=hint)
            turn.append((number, one))
        yield from _checked(turn)


def _known(header: ExportHeader) -> ExportHeader:
    if header.version > EXPORT_VERSION:
        said = f"the export has version {header.version}, this todo knows {EXPORT_VERSION}"
        raise Invalid(said, hint="upgrade todo", reason="version")
    return header


def _bounded(number: int, line: bytes) -> None:
    if len(line) > MOST:
        raise Invalid(f"line {number} is longer than {MOST // 2**20} MiB")


def _message(number: int, line: bytes) -> ExportedMessage:
    _bounded(number, line)
    try:
        return decode_request(line, ExportedMessage)
    except Invalid as error:
        raise Invalid(f"line {number}: {error.detail}", hint="nothing was imported") from None


def _checked(turn: list[tuple[int, ExportedMessage]]) -> Iterator[ExportedMessage]:
    """A turn, if a model's API would accept it, and it has ended."""
    _answers(turn)
    said, lines = _wire(turn)
    found = faults([*said, {"role": "user", "content": "-"}])
    wrong = [one for one in found if not one.startswith("the end")]
    if turn and turn[0][1].role != "user":
        wrong = [f"1: {turn[0][1].role} begins a turn"]
    if wrong:
        at, _, what = wrong[0].partition(": ")
        raise Invalid(f"line {lines[min(int(at), len(lines) - 1)]}: {what}", hint="nothing was imported")
    return (one for _, one in turn)


def _answers(turn: list[tuple[int, ExportedMessage]]) -> None:
    """Every result answers a call of an earlier message of its turn, each a call of its own."""
    calls: dict[int | None, int] = {}
    done: set[tuple[int | None, int | None]] = set()
    for number, one in turn:
        if one.role == "tool":
            place = (one.call_seq, one.call_index)
            if place in done or (one.call_index or 0) >= calls.get(one.call_seq, 0):
                raise Invalid(f"line {number}: a result without its call", hint="nothing was imported")
            done.add(place)
        calls[one.seq] = len(one.calls)


def _wire(turn: list[tuple[int, ExportedMessage]]) -> tuple[list[dict[str, Any]], list[int]]:
    """As it would be sent, with the line of each; the results of a message's calls in the order of the calls."""
    said: list[dict[str, Any]] = [{"role": "system", "content": "-"}]
    lines = [turn[0][0] if turn else 1]
    for number, one in _sorted(turn):
        content = one.content if one.content.strip() or one.calls else "-"
        fields: dict[str, Any] = {"role": one.role, "content": content}
        if one.calls:
            fields["tool_calls"] = [{"id": f"{one.seq} {index}"} for index in range(len(one.calls))]
        if one.role == "tool":
            fields["tool_call_id"] = f"{one.call_seq} {one.call_index}"
        said.append(fields)
        lines.append(number)
    return said, lines


def _sorted(turn: list[tuple[int, ExportedMessage]]) -> list[tuple[int, ExportedMessage]]:
    def place(entry: tuple[int, ExportedMessage]) -> tuple[int, int]:
        one = entry[1]
        return (one.call_seq or 0, 1 + (one.call_index or 0)) if one.role == "tool" else (one.seq, 0)

    return sorted(turn, key=place)


def parts(messages: Iterable[ExportedMessage], most: int, size: int) -> Iterator[tuple[ExportedMessage, ...]]:
    """As many together as one request may have, in number and in bytes."""
    part: list[ExportedMessage] = []
    held = 0
    for one in messages:
        weight = len(msgspec.json.encode(one))
        if part and (len(part) == most or held + weight > size):
            yield tuple(part)
            part, held = [], 0
        part.append(one)
        held += weight
    if part:
        yield tuple(part)
