"""Channels: where a user's reminders go, and where the changes of a space are sent."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Name, Request
from todo_cli.contract.jobs import Delivery
from todo_cli.contract.limits import MAX_CHANNEL_TARGET_CHARS, MAX_NAME_CHARS
from todo_cli.contract.tokens import Id

ChannelKind = Literal["webhook", "email", "push", "desktop"]
ChannelName = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_NAME_CHARS, pattern=r"^[\w.-]+$", description="letters, digits, _ - and ."),
]
Verbs = Annotated[tuple[Name, ...], Meta(max_length=50)]


class Channel(Struct, frozen=True, kw_only=True):
    """A channel without its secrets. With `space` it gets the changes of that space, of these `verbs` or of all."""

    name: str
    kind: ChannelKind
    target: str
    space: str | None = None
    verbs: tuple[str, ...] | None = None
    created_at: datetime


class ChannelPage(Struct, frozen=True, kw_only=True):
    """The caller's channels, sorted by name."""

    channels: tuple[Channel, ...]


class AddChannel(Request[Channel], frozen=True, kw_only=True):
    """Add a channel, to which my reminders go from now on.

    `target` is the URL of a webhook or of a topic of a push server, or an e-mail address; a desktop needs none.
    `secret` signs the posts of a webhook, or is the token of the push server. A webhook with `space` gets the changes
    of that space instead of reminders, in their order; `commands` names the commands whose changes it gets: done.
    """

    verb = "AddChannel"
    label = "channel add"
    past = "Added"
    route = "POST /v1/channels"
    scope = "prefs:write"
    personal = True
    unjournaled = ("target", "secret")

    name: ChannelName
    kind: ChannelKind
    target: Annotated[str, Meta(max_length=MAX_CHANNEL_TARGET_CHARS)] = ""
    secret: Annotated[str, Meta(min_length=16, max_length=MAX_NAME_CHARS)] | None = None
    space: Id | None = None
    commands: Verbs = ()


class ListChannels(Request[ChannelPage], frozen=True, kw_only=True):
    """List my channels."""

    verb = "ListChannels"
    label = "channel list"
    route = "GET /v1/channels"
    write = False
    personal = True


class RemoveChannel(Request[Channel], frozen=True, kw_only=True):
    """Remove a channel; nothing more is sent to it."""

    verb = "RemoveChannel"
    label = "channel rm"
    past = "Removed"
    route = "DELETE /v1/channels/{name}"
    scope = "prefs:write"
    personal = True

    name: ChannelName


class TryChannel(Request[Delivery], frozen=True, kw_only=True):
    """Send a test message to a channel; a worker does so in a moment."""

    verb = "TryChannel"
    label = "channel test"
    past = "Tested"
    route = "POST /v1/channels/test"
    scope = "prefs:write"
    personal = True

    name: ChannelName
