"""Find out what a command line asks for at its end: which command, and the kind of the word that is typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from todo_cli.cli.completion.kinds import FLAG, NOTHING, Offer
from todo_cli.command_table import GLOBAL_FLAGS

_ALIASES = {"ls": "list"}
_NEGATED_TERM = "@#+:('\"!"
"""What follows the minus of a negated term of a filter, as in `cli/filter_args.py`."""


class Option(NamedTuple):
    """An option: its names, the kind of its value or `!`, and its help."""

    names: tuple[str, ...]
    kind: str
    help: str


class Place(NamedTuple):
    """Where the typed word is: its kind, or `offers` where the words are known; `head` is the part that stays.

    `arguments` are those before it, `profile` the one that the command line names.
    """

    kind: str
    typed: str
    head: str = ""
    arguments: tuple[str, ...] = ()
    profile: str | None = None
    offers: tuple[Offer, ...] = ()


class UnknownCommand(Exception):
    """The table does not have the command."""


class CommandLine:
    """Reads words in their order, with the blocks of `command_words.txt` for the commands among them."""

    def __init__(self, table: str) -> None:
        self._table = "\n" + table
        self._path: tuple[str, ...] = ()
        self.profile: str | None = None
        self.arguments: list[str] = []
        self._pending: str | None = None  # the option whose value is due
        self._is_literal = False  # behind --
        self._global = self._open("todo")
        self._open("todo")

    def _open(self, words: str) -> list[Option]:
        """Read the block of a command."""
        _, header, rest = self._table.partition(f"\n{words}\t")
        if not header:
            raise UnknownCommand(words)
        block: list[list[str]] = []
        for line in rest.split("\n")[1:]:
            if line[:1] != "\t":
                break
            block.append(line.split("\t")[1:])
        self._kinds = [(kind, bool(dots)) for name, kind, dots in block if name == "argument"]
        self._options = [Option(tuple(name.split(" ")), kind, text) for name, kind, text in block if name[0] == "-"]
        return self._options

    def _subcommands(self) -> dict[str, str]:
        """Return the subcommands of the command, or the commands, with their summaries."""
        if not self._path:
            from todo_cli.command_table import COMMANDS

            return {name: summary for name, (_, _, summary) in COMMANDS.items()}
        lead, found = f"\n{' '.join(self._path)} ", {}
        for block in self._table.split(lead)[1:]:
            words, summary = block.partition("\n")[0].split("\t")
            if " " not in words:
                found[words] = summary
        return found

    def read(self, word: str) -> None:
        """Read a word that stands before the typed one."""
        if self._pending is not None:
            if self._pending == "--profile":
                self.profile = word
            self._pending = None
        elif self._is_literal or word[:1] != "-" or word == "-" or self._is_term(word):
            self._read_argument(word)
        elif word == "--":
            self._is_literal = True
        else:
            name, equals, value = word.partition("=")
            if name == "--profile" and equals:
                self.profile = value
            elif not equals and self._kind_of(name) not in (None, FLAG):
                self._pending = name

    def _read_argument(self, word: str) -> None:
        if not self._path and not self.arguments:
            word = _ALIASES.get(word, word)
            self._open(word)
            self._path = (word,)
        elif not self.arguments and (*self._path, word) and f"\n{' '.join((*self._path, word))}\t" in self._table:
            self._path = (*self._path, word)
            self._open(" ".join(self._path))
        else:
            self.arguments.append(word)

    def _is_term(self, word: str) -> bool:
        """Return whether the word is a term of a filter that begins with a minus."""
        return word[1:2] in tuple(_NEGATED_TERM) and self._argument_kind().startswith(("filter", "tasks"))

    def _kind_of(self, name: str) -> str | None:
        for option in (*self._options, *self._global):
            if name in option.names:
                return option.kind
        if GLOBAL_FLAGS.get(name):
            return NOTHING
        if name[:1] == "-" and name[:2] != "--" and len(name) > 2:  # -qc
            return self._kind_of(f"-{name[-1]}")
        return None

    def _argument_kind(self) -> str:
        if len(self.arguments) < len(self._kinds):
            return self._kinds[len(self.arguments)][0]
        return self._kinds[-1][0] if self._kinds and self._kinds[-1][1] else NOTHING

    def find_place(self, typed: str) -> Place:
        """Return the place of the word at the end."""
        arguments = tuple(self.arguments)
        if self._pending is not None:
            kind = self._kind_of(self._pending) or NOTHING
            return Place(kind, typed, "", arguments, self.profile)
        if typed[:1] == "-" and not self._is_literal and not self._is_term(typed):
            return self._find_option(typed)
        if not self.arguments and not self._kinds and (names := self._subcommands()):
            return Place(NOTHING, typed, offers=tuple(Offer(name, text) for name, text in names.items()))
        return Place(self._argument_kind(), typed, "", arguments, self.profile)

    def _find_option(self, typed: str) -> Place:
        name, equals, value = typed.partition("=")
        if equals:
            kind = self._kind_of(name) or NOTHING
            return Place(NOTHING if kind == FLAG else kind, value, f"{name}=", tuple(self.arguments), self.profile)
        options = {max(option.names, key=len): option.help for option in (*self._options, *self._global)}
        return Place(NOTHING, typed, offers=tuple(Offer(name, text) for name, text in options.items()))


def find_place(table: str, words: Sequence[str], typed: str) -> Place:
    """Return the place of `typed` behind these words, the program aside; raises UnknownCommand."""
    line = CommandLine(table)
    for word in words:
        line.read(word)
    return line.find_place(typed)
