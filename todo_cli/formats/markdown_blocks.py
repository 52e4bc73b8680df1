"""The blocks of a Markdown file (CommonMark), some hundred at a time, so that memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from todo_cli.formats.records import BrokenFile, FileNotice, NotATask, ReadOptions
from todo_cli.formats.text_lines import TextLines

if TYPE_CHECKING:
    from markdown_it.token import Token

CHUNK_CHARS = 64 * 1024
MAX_BLOCK_CHARS = 16 * 1024 * 1024
"""The longest item of a list with everything in it, or block of code."""
MAX_NESTING = 120
"""Blocks in blocks: a level of a list is two. Each is a few frames of Python's stack."""


class MarkdownChunk(NamedTuple):
    """Whole blocks: their tokens, their lines, and the number of the first line, from 1."""

    tokens: list[Token]
    lines: list[str]
    first_line: int


class MarkdownChunks:
    """The chunks of a file. A line that is too long is refused and reads as a blank one."""

    def __init__(self, file: BinaryIO, options: ReadOptions) -> None:
        from markdown_it import MarkdownIt

        self._lines = TextLines(file, options)
        # Titles and notes keep their marks, so that inline marks are never parsed.
        self._parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING})
        self._parser.core.ruler.disable(["inline", "text_join"])
        self._buffer: list[str] = []
        self._first_line = 1

    def __iter__(self) -> Iterator[MarkdownChunk | NotATask]:
        chars, wanted = 0, CHUNK_CHARS
        for line in self._lines:
            if isinstance(line, NotATask):
                yield line
            text = "" if isinstance(line, NotATask) else line.text
            self._buffer.append(text)
            chars += len(text) + 1
            if chars >= wanted:
                tokens = self._parse()
                cut = _find_last_block(tokens)
                if cut:
                    yield self._take(tokens, cut)
                    chars, wanted = sum(len(text) + 1 for text in self._buffer), CHUNK_CHARS
                wanted = max(wanted, 2 * chars)
                if wanted > 2 * MAX_BLOCK_CHARS:
                    raise BrokenFile(f"line {self._first_line}", f"a block of over {MAX_BLOCK_CHARS:,} characters")
        yield self._take(self._parse(), len(self._buffer))

    def notices(self) -> Iterator[FileNotice]:
        """Return the notice about lines that were not UTF-8, if there were any."""
        return self._lines.notices()

    def _parse(self) -> list[Token]:
        return self._parser.parse("\n".join(self._buffer))

    def _take(self, tokens: list[Token], cut: int) -> MarkdownChunk:
        """Return the blocks in front of a line, and leave the rest for the next chunk."""
        end = next((place for place, token in enumerate(tokens) if token.map and token.map[0] >= cut), len(tokens))
        chunk = MarkdownChunk(tokens[:end], self._buffer[:cut], self._first_line)
        self._buffer = self._buffer[cut:]
        self._first_line += cut
        return chunk


def _find_last_block(tokens: list[Token]) -> int:
    """Return the line of the last block or item, which may go on behind the text. It is 0 if there is no other."""
    blocks = [token for token in tokens if token.level == 0 and token.map]
    if not blocks:
        return 0
    last = blocks[-1]
    start = last.map[0] if last.map else 0
    if last.type not in ("bullet_list_open", "ordered_list_open"):
        return start
    items = [token.map[0] for token in tokens if token.type == "list_item_open" and token.level == 1 and token.map]
    return max([start, *items])
