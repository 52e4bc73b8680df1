"""Exports of conversations, as they are taken in: a form of their own, with a version, that other releases read too."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Request
from todo_cli.contract.tokens import Id
from todo_cli.contract.turn_steps import MessageCall, Position, UsageRecord

EXPORT_VERSION = 1
Instant = Annotated[datetime, Meta(tz=True)]
MAX_IMPORT_MESSAGES = 500
"""Messages of one request, at most."""


class ExportHeader(Struct, frozen=True, kw_only=True):
    """An export's first line. `head`: the last message, by which a later export of the same conversation is another."""

    kind: Literal["conversation"] = "conversation"
    version: int = EXPORT_VERSION
    id: Id
    number: int
    title: Annotated[str, Meta(min_length=1, max_length=100)]
    model: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    created_at: Instant
    head: Annotated[str, Meta(min_length=1, max_length=100)]


class ExportedMessage(Struct, frozen=True, kw_only=True):
    """A message of an export: each of its other lines, in order. `seq` is its place there, from 1.

    A tool's names the call that it answers by the place of the message that wished it, and the call's place in that.
    """

    kind: Literal["message"] = "message"
    seq: Annotated[int, Meta(ge=1, le=2**53)]
    turn: Id
    role: Literal["user", "assistant", "tool"]
    content: str
    status: Literal["whole", "interrupted"] = "whole"
    calls: Annotated[tuple[MessageCall, ...], Meta(max_length=200)] = ()
    call_seq: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    call_index: Annotated[int, Meta(ge=0, le=199)] | None = None
    model: Annotated[str, Meta(max_length=100)] | None = None
    usage: UsageRecord | None = None
    at: Instant


class ImportResult(Struct, frozen=True, kw_only=True):
    """Where the messages went; `stored`: how many of this part were not there before; `removed`: it is in the bin."""

    number: int
    id: str
    stored: int
    removed: bool = False


class ImportMessages(Request[ImportResult], frozen=True, kw_only=True):
    """Take in a part of an exported conversation, behind the `first` messages that came before. No call in it acts.

    The same export is the same conversation, however often it is sent.
    """

    verb = "ImportMessages"
    label = "chat import"
    past = "Imported"
    route = "POST /v1/conversations"
    scope = "chat"

    conversation: ExportHeader
    first: Position = 0
    messages: Annotated[tuple[ExportedMessage, ...], Meta(min_length=1, max_length=MAX_IMPORT_MESSAGES)]
