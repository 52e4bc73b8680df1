"""Who set each field of a task."""

from typing import Any

from msgspec import Struct

from todo_cli.contract.base import Number, Request
from todo_cli.contract.journal import Change


class BlamedField(Struct, frozen=True, kw_only=True):
    """A field of a task, its value, and the change that set it, without that change's differences."""

    name: str
    value: Any
    change: Change


class TaskBlame(Struct, frozen=True, kw_only=True):
    """The fields of a task that were ever set, each with the change that set its value.

    With `cut` the history is longer than the 1,000 changes that are looked through, and older fields are missing.
    """

    number: int
    title: str
    fields: tuple[BlamedField, ...]
    cut: bool = False


class BlameTask(Request[TaskBlame], frozen=True, kw_only=True):
    """Show who set each field of a task, when, and by which change."""

    verb = "BlameTask"
    label = "blame"
    past = "Read"
    route = "GET /v1/tasks/{number}/blame"
    write = False

    number: Number
