"""Read an exported conversation line by line. The first wrong line is refused, by its number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from todo_cli.agent.messages import protocol_errors
from todo_cli.contract.codec import decode_request
from todo_cli.contract.conversation_export import EXPORT_VERSION, ExportedMessage, ExportHeader
from todo_cli.errors import Invalid

MAX_LINE_BYTES = 8 * 1024 * 1024
_NOTHING_IMPORTED = "nothing was imported"
_NumberedMessage = tuple[int, ExportedMessage]


class ExportReader:
    """The lines of an export: `header` from the first line, then `messages`, turn by turn."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
        self.header = self._read_header()

    def _read_header(self) -> ExportHeader:
        number, line = next(self._lines, (1, b""))
        _check_length(number, line)
        try:
            if b'"kind"' in line:
                return _check_version(decode_request(line, ExportHeader))
        except Invalid as error:
            if error.extra.get("reason") == "version":
                raise
        hint = "make one with: todo chat export N --format jsonl"
        raise Invalid(f"line {number} is not the beginning of an export", hint=hint)

    def messages(self) -> Iterator[ExportedMessage]:
        """Yield each message once its turn is known to be complete and valid; raise Invalid."""
        turn: list[_NumberedMessage] = []
        ended: set[str] = set()
        for place, (number, line) in enumerate(self._lines, 1):
            message = _parse_message(number, line)
            if message.seq != place:
                hint = f"a line is missing or repeated; {_NOTHING_IMPORTED}"
                raise Invalid(f"line {number}: message {message.seq} is in place {place}", hint=hint)
            if turn and message.turn != turn[-1][1].turn:
                yield from _check_turn(turn)
                ended.add(turn[-1][1].turn)
                turn = []
            if message.turn in ended:
                raise Invalid(f"line {number}: its turn has ended before", hint="the lines are not in order")
            turn.append((number, message))
        yield from _check_turn(turn)


def _check_version(header: ExportHeader) -> ExportHeader:
    if header.version > EXPORT_VERSION:
        detail = f"the export has version {header.version}, but this todo reads up to version {EXPORT_VERSION}"
        raise Invalid(detail, hint="upgrade todo", reason="version")
    return header


def _check_length(number: int, line: bytes) -> None:
    if len(line) > MAX_LINE_BYTES:
        raise Invalid(f"line {number} is longer than {MAX_LINE_BYTES // 2**20} MiB")


def _parse_message(number: int, line: bytes) -> ExportedMessage:
    _check_length(number, line)
    try:
        return decode_request(line, ExportedMessage)
    except Invalid as error:
        raise Invalid(f"line {number}: {error.detail}", hint=_NOTHING_IMPORTED) from None


def _check_turn(turn: list[_NumberedMessage]) -> Iterator[ExportedMessage]:
    """Return the messages of a turn that has ended and that a model's API would accept; raise Invalid."""
    _check_results(turn)
    api_messages, lines = _to_api_messages(turn)
    errors = protocol_errors([*api_messages, {"role": "user", "content": "-"}])
    errors = [error for error in errors if not error.startswith("the end")]
    if turn and turn[0][1].role != "user":
        errors = [f"1: {turn[0][1].role} begins a turn"]
    if errors:
        index, _, problem = errors[0].partition(": ")
        raise Invalid(f"line {lines[min(int(index), len(lines) - 1)]}: {problem}", hint=_NOTHING_IMPORTED)
    return (message for _, message in turn)


def _check_results(turn: list[_NumberedMessage]) -> None:
    """Check that every result answers a call of an earlier message of its turn, and that no call has two."""
    calls: dict[int | None, int] = {}
    answered: set[tuple[int | None, int | None]] = set()
    for number, message in turn:
        if message.role == "tool":
            place = (message.call_seq, message.call_index)
            if place in answered or (message.call_index or 0) >= calls.get(message.call_seq, 0):
                raise Invalid(f"line {number}: a result without its call", hint=_NOTHING_IMPORTED)
            answered.add(place)
        calls[message.seq] = len(message.calls)


def _to_api_messages(turn: list[_NumberedMessage]) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the turn as it would be sent to a model, and the line of each message."""
    api_messages: list[dict[str, Any]] = [{"role": "system", "content": "-"}]
    lines = [turn[0][0] if turn else 1]
    for number, message in sorted(turn, key=_call_order):
        content = message.content if message.content.strip() or message.calls else "-"
        fields: dict[str, Any] = {"role": message.role, "content": content}
        if message.calls:
            fields["tool_calls"] = [{"id": f"{message.seq} {index}"} for index in range(len(message.calls))]
        if message.role == "tool":
            fields["tool_call_id"] = f"{message.call_seq} {message.call_index}"
        api_messages.append(fields)
        lines.append(number)
    return api_messages, lines


def _call_order(entry: _NumberedMessage) -> tuple[int, int]:
    """Sort the results of a message's calls behind it, in the order of the calls."""
    message = entry[1]
    return (message.call_seq or 0, 1 + (message.call_index or 0)) if message.role == "tool" else (message.seq, 0)


def split_into_parts(
    messages: Iterable[ExportedMessage], max_messages: int, max_bytes: int
) -> Iterator[tuple[ExportedMessage, ...]]:
    """Yield parts that one request may carry, by number and by bytes."""
    part: list[ExportedMessage] = []
    part_bytes = 0
    for message in messages:
        size = len(msgspec.json.encode(message))
        if part and (len(part) == max_messages or part_bytes + size > max_bytes):
            yield tuple(part)
            part, part_bytes = [], 0
        part.append(message)
        part_bytes += size
    if part:
        yield tuple(part)
