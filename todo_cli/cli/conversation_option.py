"""The option --conversation, whose number may be left out, and the search for the conversation that it names."""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from todo_cli.cli.session import Session
from todo_cli.errors import Invalid, NotFound

NEW, LAST = "new", "last"

ConversationOption = Annotated[
    str,
    typer.Option("--conversation", "-c", help="Continue this conversation; without N the last one.", metavar="[N|new]"),
]

_FLAG = re.compile("--conversation|-[a-z]*c")


class ConversationCommand(TyperCommand):
    """A command with `ConversationOption`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give the option its value where it stands without a number."""
        return super().parse_args(ctx, complete_option(args))


class ConversationGroup(TyperGroup):
    """A group of commands with `ConversationOption` before the name of the command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give the option its value where it stands without a number."""
        end = next((index for index, arg in enumerate(args) if arg in self.commands), len(args))
        return super().parse_args(ctx, complete_option(args[:end]) + args[end:])


def complete_option(args: list[str]) -> list[str]:
    """Return the arguments with the value `last` behind a --conversation that no number and no `new` follows.

    Any other word belongs to the message: `ask -c what is due` continues the last conversation with three words.
    """
    completed: list[str] = []
    for index, arg in enumerate(args):
        if arg == "--":
            return completed + args[index:]
        completed.append(arg)
        if _FLAG.fullmatch(arg) and not _is_value(args[index + 1 : index + 2]):
            completed.append(LAST)
    return completed


def _is_value(following: list[str]) -> bool:
    return any(not arg or arg == NEW or (arg.isascii() and arg.isdigit()) for arg in following)


class ConversationChoice(NamedTuple):
    """The conversation that an option names. A new one has no number yet."""

    id: str
    number: int | None


def find_conversation(session: Session, named: str) -> ConversationChoice:
    """Return the conversation with this number, the last one, or a new id; raises NotFound, Invalid."""
    if named == NEW:
        from todo_cli.contract.ids import new_id

        return ConversationChoice(new_id(), None)
    if named == LAST:
        return find_last_conversation(session)
    from todo_cli.contract.conversations import ShowConversation
    from todo_cli.contract.limits import MAX_INTEGER

    if not (named.isascii() and named.isdigit()) or not 1 <= int(named[:30]) <= MAX_INTEGER:
        raise Invalid(f"{named[:40]!r} is not a conversation number", hint="see: todo chat list")
    conversation = session.send(ShowConversation(number=int(named), limit=1)).conversation
    return ConversationChoice(conversation.id, conversation.number)


def find_last_conversation(session: Session) -> ConversationChoice:
    """Return the conversation used last; raises NotFound."""
    from todo_cli.contract.conversations import ListConversations

    conversations = session.send(ListConversations(limit=1)).conversations
    if not conversations:
        raise NotFound("you have no conversations yet", hint="start one with: todo ask 'What is due today?'")
    return ConversationChoice(conversations[0].id, conversations[0].number)
