"""Exported conversations in a versioned form that other releases can import."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Request
from todo_cli.contract.limits import MAX_CALLS_PER_MESSAGE, MAX_IMPORT_MESSAGES, MAX_NAME_CHARS
from todo_cli.contract.tokens import Id
from todo_cli.contract.turn_steps import MessageCall, Position, UsageRecord

EXPORT_VERSION = 1
Instant = Annotated[datetime, Meta(tz=True)]


class ExportHeader(Struct, frozen=True, kw_only=True):
    """The first line of an export. `head` is its last message: a later export of the same conversation has another."""

    kind: Literal["conversation"] = "conversation"
    version: int = EXPORT_VERSION
    id: Id
    number: int
    title: Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]
    model: Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)] | None = None
    created_at: Instant
    head: Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]


class ExportedMessage(Struct, frozen=True, kw_only=True):
    """A message of an export: one of its other lines, in order. `seq` is its position, from 1.

    A tool's message names its call: the message `call_seq` and the position `call_index` in its calls.
    """

    kind: Literal["message"] = "message"
    seq: Annotated[int, Meta(ge=1, le=2**53)]
    turn: Id
    role: Literal["user", "assistant", "tool"]
    content: str
    status: Literal["whole", "interrupted"] = "whole"
    calls: Annotated[tuple[MessageCall, ...], Meta(max_length=MAX_CALLS_PER_MESSAGE)] = ()
    call_seq: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    call_index: Annotated[int, Meta(ge=0, le=MAX_CALLS_PER_MESSAGE - 1)] | None = None
    model: Annotated[str, Meta(max_length=MAX_NAME_CHARS)] | None = None
    usage: UsageRecord | None = None
    at: Instant


class ImportResult(Struct, frozen=True, kw_only=True):
    """The conversation of the messages; `stored` counts the new ones, and `removed` says that it is in the trash."""

    number: int
    id: str
    stored: int
    removed: bool = False


class ImportMessages(Request[ImportResult], frozen=True, kw_only=True):
    """Import a part of an exported conversation after its first `first` messages; its tool calls do not run.

    The same export becomes one conversation, however often it is sent.
    """

    verb = "ImportMessages"
    label = "chat import"
    past = "Imported"
    route = "POST /v1/conversations"
    scope = "chat"

    conversation: ExportHeader
    first: Position = 0
    messages: Annotated[tuple[ExportedMessage, ...], Meta(min_length=1, max_length=MAX_IMPORT_MESSAGES)]
