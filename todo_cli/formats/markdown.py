"""Check lists in Markdown: `- [ ] Buy milk` (GitHub Flavored Markdown section 5.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from todo_cli.formats.markdown_blocks import MAX_NESTING, MarkdownChunk, MarkdownChunks
from todo_cli.formats.markdown_writer import GROUPED_BY_PROJECT, unescape_heading, unescape_note, write_tasks
from todo_cli.formats.names import clean_line, join_project
from todo_cli.formats.records import (
    IMPOSSIBLE,
    LIKELY,
    POSSIBLE,
    FileLoss,
    FileRecord,
    ImportedTask,
    NotATask,
    ReadOptions,
    ReadTask,
)

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["EXTENSIONS", "GROUPED_BY_PROJECT", "NAME", "looks_like", "read_tasks", "write_tasks"]

NAME = "markdown"
EXTENSIONS = (".md", ".markdown")
_BOX_LINE = re.compile(r"^[ \t>]*(?:[-+*]|\d{1,9}[.)])[ \t]+\[[ xX]\][ \t]+\S", re.MULTILINE)
_BOX = re.compile(r"\[([ xX])\](?:\s+(.*))?", re.DOTALL)
_NEAR_BOX = re.compile(r"\[[^\]\n]?\](?![(\[:])")
_LINE_END = re.compile(r"[ \t]*\n[ \t]*")
_CODE_LINE = re.compile(r"^(?=.)", re.MULTILINE)


def looks_like(head: str, name: str) -> int:
    """Return how sure the text is a check list: one of its lines begins with a check box."""
    if _BOX_LINE.search(head):
        return LIKELY + 10
    return POSSIBLE if name.lower().endswith(EXTENSIONS) else IMPOSSIBLE


def read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
    """Yield the items with a check box, each parent before its subtasks."""
    chunks = MarkdownChunks(file, options)
    reader = _ListReader()
    for chunk in chunks:
        if isinstance(chunk, NotATask):
            yield chunk
        else:
            yield from reader.read(chunk)
    if reader.is_too_deep:
        yield FileLoss(word="lists nested too deeply")
    yield from chunks.notices()


class _Item(Struct):
    """An item of a list. `title` is null for an item without a check box, `note` has the texts in it."""

    line: int
    is_empty: bool = True
    title: str | None = None
    is_done: bool = False
    parent: int | None = None
    note: str = ""


class _ListReader:
    """Reads tokens into tasks. A chunk ends between two items of the outermost list, or between two blocks."""

    def __init__(self) -> None:
        self.is_too_deep = False
        self._headings: list[tuple[int, str]] = []
        self._open: list[_Item] = []
        self._tasks: list[_Item] = []

    def read(self, chunk: MarkdownChunk) -> Iterator[FileRecord]:
        """Yield the tasks of a chunk, and its items with something that only resembles a check box."""
        for place, token in enumerate(chunk.tokens):
            self.is_too_deep |= token.level >= MAX_NESTING - 2
            if token.type == "list_item_open":
                self._open.append(_Item(_find_line(token, chunk)))
            elif token.type == "list_item_close":
                self._open.pop()
                if not self._open:
                    yield from self._release()
            elif self._open and token.map:
                yield from self._read_block(token, chunk, _format_block(token, chunk.tokens[place - 1]))
            elif token.type == "heading_open" and token.level == 0:
                self._begin_section(int(token.tag[1:]), chunk.tokens[place + 1].content)
        self._open.clear()
        yield from self._release()

    def _begin_section(self, depth: int, text: str) -> None:
        self._headings = [heading for heading in self._headings if heading[0] < depth]
        self._headings.append((depth, unescape_heading(clean_line(text))))

    def _release(self) -> Iterator[ReadTask]:
        project = join_project(name for _, name in self._headings)
        for item in self._tasks:
            task = ImportedTask(
                source_id=f"line:{item.line}",
                title=item.title or "",
                note=item.note.strip("\n") or None,
                status="done" if item.is_done else "open",
                project=project,
                parent=f"line:{item.parent}" if item.parent else None,
            )
            yield ReadTask(task=task, place=f"line {item.line}")
        self._tasks.clear()

    def _read_block(self, token: Token, chunk: MarkdownChunk, text: str | None) -> Iterator[NotATask]:
        """Read a block inside of an item: its title, or a part of a note."""
        item = self._open[-1]
        if text is None:
            return
        is_first, item.is_empty = item.is_empty, False
        if is_first and token.type == "inline":
            if reason := self._begin_task(item, token.content):
                yield NotATask(place=f"line:{item.line}", reason=reason)
            if reason or item.title is not None:
                return
        owner = next((each for each in reversed(self._open) if each.title is not None), None)
        if owner:
            owner.note += _separate(token, chunk) * bool(owner.note) + text

    def _begin_task(self, item: _Item, text: str) -> str | None:
        """Make the item a task if its paragraph begins with a check box. Return the reason if only nearly so."""
        match = _BOX.fullmatch(text)
        if not match:
            return "no box" if _NEAR_BOX.match(text) else None
        title = _LINE_END.sub(" ", (match[2] or "").strip())
        if not title:
            return "empty"
        item.title, item.is_done = title, match[1] in "xX"
        item.parent = next((each.line for each in reversed(self._open[:-1]) if each.title is not None), None)
        self._tasks.append(item)
        return None


def _find_line(token: Token, chunk: MarkdownChunk) -> int:
    return chunk.first_line + (token.map[0] if token.map else 0)


def _separate(token: Token, chunk: MarkdownChunk) -> str:
    """Return the line ends between a block and the one before: as many blank lines as in the file."""
    start = token.map[0] if token.map else 0
    blanks = 0
    while blanks < start and not chunk.lines[start - blanks - 1].strip(" \t>"):
        blanks += 1
    return "\n" * (blanks + 1)


def _format_block(token: Token, before: Token) -> str | None:
    """Return a block without other blocks as it was written, None for the frame of one with blocks in it."""
    match token.type:
        case "inline" if before.type == "heading_open":
            return f"{'#' * int(before.tag[1:])} {token.content}"
        case "inline":
            return unescape_note(token.content)
        case "code_block":
            return _CODE_LINE.sub("    ", token.content.rstrip("\n"))
        case "fence":
            return f"{token.markup}{token.info}\n{token.content}{token.markup}"
        case "html_block":
            return token.content.rstrip("\n")
        case "hr":
            return token.markup
        case _:
            return None
