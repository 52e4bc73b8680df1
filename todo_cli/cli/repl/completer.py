"""Complete commands, their options, task numbers, projects and tags at the prompt."""

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
POLL_INTERVAL_SECONDS = 0.02


class PromptCompleter(Completer):
    """Completes the word before the cursor."""

    def __init__(self, cache: ListCache) -> None:
        self._cache = cache

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Yield the completions from the names that have been read."""
        before = document.text_before_cursor
        line = before.rpartition("\n")[2]
        word = re.split(r"\s", line)[-1]
        if before.startswith("/") and not re.search(r"\s", before):
            yield from _complete_commands(before[1:])
        elif word[:1] in ("#", "@"):
            yield from self._complete_names(word)
        elif before.startswith("/"):
            yield from _complete_arguments(before[1:], word)
            if _takes_tasks(before) and (word.isdigit() or not word):
                yield from self._complete_numbers(word, "", word)

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """Yield the completions once the list has been read, or without it after a second."""
        if _needs_list(document.text_before_cursor):
            waited = 0.0
            while not self._cache.is_ready and waited < MAX_WAIT_SECONDS:
                await asyncio.sleep(POLL_INTERVAL_SECONDS)
                waited += POLL_INTERVAL_SECONDS
        for completion in self.get_completions(document, complete_event):
            yield completion

    def _complete_names(self, word: str) -> Iterator[Completion]:
        sign, typed = word[0], word[1:].lower()
        if sign == "@":
            tags = (tag for tag in self._cache.tags if tag.lower().startswith(typed))
            yield from (_completion(f"@{tag}", word) for tag in tags)
            return
        projects = (project for project in self._cache.projects if project.lower().startswith(typed))
        yield from (_completion(f"#{project}", word, "project") for project in projects)
        yield from self._complete_numbers(typed, "#", word)

    def _complete_numbers(self, typed: str, sign: str, word: str) -> Iterator[Completion]:
        """Yield tasks by the beginning of their number or, after #, by a part of their title."""
        for task in self._cache.tasks:
            if str(task.number).startswith(typed) or (sign and typed and typed in task.title.lower()):
                yield _completion(f"{sign}{task.number}", word, escape(task.title))


def _needs_list(before: str) -> bool:
    word = re.split(r"\s", before)[-1]
    return word[:1] in ("#", "@") or (before.startswith("/") and " " in before and _takes_tasks(before))


def _takes_tasks(line: str) -> bool:
    """Return whether the command of `/done 3` takes task numbers."""
    from todo_cli.cli.shell_completion import takes_tasks

    name = line[1:].split()[0]
    return name in COMMANDS and takes_tasks(name)


def _completion(text: str, word: str, help: str = "") -> Completion:
    return Completion(text, start_position=-len(word), display_meta=help)


def _complete_commands(typed: str) -> Iterator[Completion]:
    helps = {name: line for name, (_, _, line) in COMMANDS.items() if name not in CHAT_COMMANDS}
    helps = {name: command.help for name, command in CHAT_COMMANDS.items()} | helps
    for name, help in helps.items():
        if name.startswith(typed):
            yield _completion(f"/{name}", f"/{typed}", help)


def _complete_arguments(line: str, word: str) -> Iterator[Completion]:
    """Yield the options, subcommands and choices of the command."""
    from todo_cli.cli.shell_completion import find_completions

    try:
        words = shlex.split(line[: len(line) - len(word)])
    except ValueError:
        return
    if not words or words[0] in CHAT_COMMANDS or words[0] not in COMMANDS:
        return
    for value, help in find_completions(words, word):
        yield _completion(value, word, help)
