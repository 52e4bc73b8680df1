"""The texts that a model writes about a conversation: summaries of older turns, and titles."""

from todo_cli.contract.base import Name, Request
from todo_cli.contract.tokens import Id
from todo_cli.contract.turn_steps import MessageText, Position, Step, StepStored, UsageRecord


class StoreSummary(Step, frozen=True, kw_only=True):
    """Store a summary of the messages up to `reaches` (0 for the ones that a fork inherited); the messages stay."""

    verb = "StoreSummary"

    conversation: Id
    reaches: Position
    text: MessageText
    model: Name | None = None
    usage: UsageRecord | None = None


class StoreTitle(Request[StepStored], frozen=True, kw_only=True):
    """Title a conversation after its first turn, unless a person has titled it."""

    verb = "StoreTitle"
    scope = "chat"
    write = False

    conversation: Id
    turn: Id
    first_message: str
    title: Name | None = None
    model: Name | None = None
    usage: UsageRecord | None = None
