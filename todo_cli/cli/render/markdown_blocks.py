"""Split Markdown that is still arriving into blocks, each of which is rendered when it is complete."""

from __future__ import annotations

import re

MAX_INDENT = 24  # spaces
_FENCE = re.compile(r"^(?P<indent> *)(?P<marks>`{3,}(?=[^`]*$)|~{3,})")
_ITEM = re.compile(r"^(?P<indent> *)(?:[-*+]|\d{1,9}[.)])(?: +(?=\S)|$)")
_HEADING = re.compile(r"^ {0,3}#{1,6}(?: |$)")
_RULER = re.compile(r"^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$")
_DELIMITER = re.compile(r"^ *\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?$")
_UNCLOSED_MARK = re.compile(r"[*_`~\[]+$")


class Block:
    """A part of the text. `kind` is "code" for one line of a fenced block. `gap`: an empty line precedes it."""

    __slots__ = ("gap", "indent", "kind", "source")

    def __init__(self, source: str, kind: str = "text", indent: int = 0, *, gap: bool = False) -> None:
        self.source, self.kind, self.indent, self.gap = source, kind, indent, gap


class BlockSplitter:
    """Splits arriving text into complete blocks; `open` is the block that is still arriving."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._rest = ""
        self._fence: re.Match[str] | None = None
        self._gap = False
        self._has_blocks = False

    def feed(self, text: str) -> list[Block]:
        """Add text and return the blocks that it completes."""
        *lines, self._rest = (self._rest + text).split("\n")
        return [block for line in lines for block in self._add_line(line)]

    def end(self) -> list[Block]:
        """Return the remaining blocks at the end of the text."""
        last, self._rest = self._rest, ""
        blocks = self._add_line(last) if last else []
        return blocks + self._close()

    @property
    def open(self) -> Block | None:
        """The block that is still arriving, with its open marks closed."""
        if self._fence:
            if not self._rest or self._ends_fence(self._rest):
                return None
            return self._code_block(self._rest)
        lines = [*self._lines, self._rest] if self._rest else self._lines
        if not "".join(lines).strip():
            return None
        return Block(_close_marks("\n".join(_dedent(lines))), indent=_indent(lines), gap=self._gap)

    @property
    def size(self) -> int:
        """The number of characters of the block that is still arriving."""
        return sum(map(len, self._lines)) + len(self._rest)

    def discard(self) -> bool:
        """Discard the open block, which is printed already. Return whether it ends in the middle of a word."""
        is_in_word = bool(self._rest) and not self._rest[-1].isspace()
        self._lines, self._rest, self._gap = [], "", False
        return is_in_word

    def _add_line(self, line: str) -> list[Block]:
        if self._fence:
            return self._add_code_line(line)
        if fence := _FENCE.match(line):
            blocks = self._close()
            self._fence = fence
            return blocks
        if not line.strip():
            blocks = self._close()
            self._gap = self._has_blocks
            return blocks
        blocks = self._close() if self._begins_block(line) else []
        self._lines.append(line)
        if _HEADING.match(line) or (len(self._lines) == 1 and _RULER.match(line)):
            blocks += self._close()
        return blocks

    def _add_code_line(self, line: str) -> list[Block]:
        if self._ends_fence(line):
            self._fence, self._gap = None, False
            return []
        blocks = [self._code_block(line)]
        self._gap, self._has_blocks = False, True
        return blocks

    def _ends_fence(self, line: str) -> bool:
        marks = self._fence["marks"] if self._fence else "```"
        bare = line.strip()
        return len(bare) >= len(marks) and not bare.strip(marks[0])

    def _code_block(self, line: str) -> Block:
        indent = len(self._fence["indent"]) if self._fence else 0
        code = line[indent:] if not line[:indent].strip() else line.lstrip()
        return Block(code, "code", indent, gap=self._gap)

    def _begins_block(self, line: str) -> bool:
        """Whether the line begins a new block without an empty line before it."""
        if not self._lines:
            return False
        if _ITEM.match(line) or _HEADING.match(line):
            return True
        was_quote, is_quote = self._lines[0].lstrip().startswith(">"), line.lstrip().startswith(">")
        return was_quote != is_quote and (is_quote or not self._lines[0].strip(" >"))

    def _close(self) -> list[Block]:
        lines, self._lines = self._lines, []
        if not lines:
            return []
        block = Block("\n".join(_dedent(lines)), indent=_indent(lines), gap=self._gap)
        self._gap, self._has_blocks = False, True
        return [block]


def _indent(lines: list[str]) -> int:
    return min(len(lines[0]) - len(lines[0].lstrip(" ")), MAX_INDENT)


def _dedent(lines: list[str]) -> list[str]:
    first = len(lines[0]) - len(lines[0].lstrip(" "))
    return [line[first:] if not line[:first].strip() else line.lstrip(" ") for line in lines]


def _close_marks(source: str) -> str:
    """Close the marks that are still open, so that they are not shown for a moment."""
    source = _UNCLOSED_MARK.sub("", source) if not _DELIMITER.match(source.rpartition("\n")[2]) else source
    for mark in ("`", "**"):
        if source.count(mark) % 2 and not source.rstrip().endswith(mark):
            source = source.rstrip() + mark
            break
    return source
