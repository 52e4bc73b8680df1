"""The documents that `--json` prints where a command composes them; elsewhere they are the answers of Requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from todo_cli.contract.change_feed import SentReminder
from todo_cli.contract.channels import Channel
from todo_cli.contract.journal import Change
from todo_cli.contract.registration import Invitation
from todo_cli.contract.spaces import SpaceInvitation
from todo_cli.contract.task_types import Task
from todo_cli.contract.tokens import Token


class ShownTasks(Struct, kw_only=True):
    """The tasks of a calendar."""

    tasks: tuple[Task, ...]


class CreatedToken(Token, frozen=True, kw_only=True):
    """A new token, with its secret: it is shown only once."""

    token: str


class CreatedInvitation(Invitation, frozen=True, kw_only=True):
    """A new invitation, with its secret: it is shown only once."""

    invitation: str


class CreatedSpaceInvitation(SpaceInvitation, frozen=True, kw_only=True):
    """A new invitation to a space, with its secret: it is shown only once."""

    invitation: str


class CreatedResetCode(Struct, kw_only=True):
    """A code with which a user sets a new password: it is shown only once."""

    user: str
    email: str | None
    code: str


class CreatedUser(Struct, kw_only=True):
    """A new user with a token. `login` is that of the database, for direct access."""

    id: str
    name: str
    admin: bool
    login: str | UnsetType | None = UNSET
    token: str


class CreatedChannel(Channel, frozen=True, kw_only=True):
    """A channel, with the key of a webhook's signatures: it is shown only once."""

    secret: str | UnsetType = UNSET


class ChatOutcome(Struct, kw_only=True):
    """How a turn of the chat ended; `held` are the changes that wait for an approval."""

    conversation: int | None
    turn: str | None
    state: str
    text: str
    held: list[dict[str, Any]]
    error: dict[str, Any] | None
    usage: dict[str, Any] | None


class MessageUsage(Struct, kw_only=True):
    """What one answer of a model has cost."""

    seq: int
    at: datetime
    model: str | None
    usage: dict[str, Any]


class MessageUsagePage(Struct, kw_only=True):
    """What the answers of one conversation have cost."""

    messages: tuple[MessageUsage, ...]


class ImportedConversation(Struct, kw_only=True):
    """An imported conversation: how many messages its file has, and how many of them are new."""

    number: int
    id: str
    messages: int
    stored: int
    removed: bool


class ShownSettings(Struct, kw_only=True):
    """The settings by section, without secrets, and the path of their file."""

    path: str
    profile: str
    color: str
    timeout: float
    profiles: dict[str, dict[str, Any]]
    server: dict[str, Any]
    worker: dict[str, Any]
    store: dict[str, Any]
    model: dict[str, Any]


class ShownPreferences(Struct, kw_only=True):
    """The values of the preferences by name, and where each comes from."""

    sources: dict[str, str]


class DoctorCheck(Struct, kw_only=True):
    """One check. `unchecked` names the checks that could not run after it."""

    name: str
    state: str
    detail: str
    hint: str
    unchecked: tuple[str, ...]
    ok: bool


class DoctorReport(Struct, kw_only=True):
    """All checks; `ok` without a fault."""

    ok: bool
    checks: tuple[DoctorCheck, ...]


class CreatedList(Struct, kw_only=True):
    """Where the local Postgres and the settings are."""

    home: str
    config: str


class SchemaState(Struct, kw_only=True):
    """The revision and version of the database's schema; `wanted` is that of this release."""

    revision: str | None
    head: str
    version: int | None
    oldest: int | None
    wanted: int | UnsetType = UNSET
    current: bool | UnsetType = UNSET


class SweptFiles(Struct, kw_only=True):
    """How many files were removed."""

    removed: int


class WatchedChange(Change, frozen=True, kw_only=True, tag_field="type", tag="change"):
    """A line of `todo watch --jsonl`: a change of the journal. `cursor` is what --after takes to continue behind it."""

    cursor: int


class WatchedReminder(SentReminder, frozen=True, kw_only=True, tag_field="type", tag="reminder"):
    """A line of `todo watch --jsonl`: a reminder of the caller that was sent. `cursor` as in a change."""

    cursor: int
