"""What Tab offers: commands and their options, numbers of tasks, projects and tags."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import AsyncGenerator, Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from todo_cli.cli.render.escape import escape
from todo_cli.cli.repl.slash_commands import CHAT_COMMANDS
from todo_cli.cli.repl.state import ListCache
from todo_cli.command_table import COMMANDS

MAX_WAIT_SECONDS = 1.0
"""Seconds that the list is waited for."""
POLL_INTERVAL_SECONDS = 0.02


class PromptCompleter(Completer):
    """Completes the word before the cursor."""

    def __init__(self, known: ListCache) -> None:
        self._known = known

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What is known now."""
        before = document.text_before_cursor
        line = before.rpartition("\n")[2]
        word = re.split(r"\s", line)[-1]
        if before.startswith("/") and not re.search(r"\s", before):
            yield from _complete_commands(before[1:])
        elif word[:1] in ("#", "@"):
            yield from self._named(word)
        elif before.startswith("/"):
            yield from _complete_arguments(before[1:], word)
            if _takes_tasks(before) and (word.isdigit() or not word):
                yield from self._numbers(word, "")

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """As `get_completions`, once the list has been read; without it where that takes too long."""
        if _needs_list(document.text_before_cursor):
            waited = 0.0
            while not self._known.ready and waited < MAX_WAIT_SECONDS:
                await asyncio.sleep(POLL_INTERVAL_SECONDS)
                waited += POLL_INTERVAL_SECONDS
        for one in self.get_completions(document, complete_event):
            yield one

    def _named(self, word: str) -> Iterator[Completion]:
        sign, typed = word[0], word[1:].lower()
        if sign == "@":
            yield from (_completion(f"@{tag}", word) for tag in self._known.tags if tag.lower().startswith(typed))
            return
        yield from (
            _completion(f"#{name}", word, "project") for name in self._known.projects if name.lower().startswith(typed)
        )
        yield from self._numbers(typed, "#", word)

    def _numbers(self, typed: str, sign: str, word: str | None = None) -> Iterator[Completion]:
        for task in self._known.tasks:
            if str(task.number).startswith(typed) or (sign and typed and typed in task.title.lower()):
                yield _completion(f"{sign}{task.number}", typed if word is None else word, escape(task.title))


def _needs_list(before: str) -> bool:
    word = re.split(r"\s", before)[-1]
    return word[:1] in ("#", "@") or (before.startswith("/") and " " in before and _takes_tasks(before))


def _takes_tasks(line: str) -> bool:
    """Return whether the command of `/done 3` takes numbers of tasks."""
    from todo_cli.cli.shell_completion import takes_tasks

    name = line[1:].split()[0]
    return name in COMMANDS and takes_tasks(name)


def _completion(text: str, word: str, about: str = "") -> Completion:
    return Completion(text, start_position=-len(word), display_meta=about)


def _complete_commands(typed: str) -> Iterator[Completion]:
    known = {name: about for name, (_, about) in CHAT_COMMANDS.items()} | {
        name: line for name, (_, _, line) in COMMANDS.items() if name not in CHAT_COMMANDS
    }
    return (Completion(f"/{name}", start_position=-len(typed) - 1, display_meta=about)
            for name, about in known.items() if name.startswith(typed))  # fmt: skip


def _complete_arguments(line: str, word: str) -> Iterator[Completion]:
    """The words that a command itself knows: options, subcommands, choices."""
    from todo_cli.cli.shell_completion import find_completions

    try:
        words = shlex.split(line[: len(line) - len(word)])
    except ValueError:
        return
    if not words or words[0] in CHAT_COMMANDS or words[0] not in COMMANDS:
        return
    for value, about in find_completions(words, word):
        yield _completion(value, word, about)
