"""Markdown of a model for a terminal: whole blocks as lines, formatted with the terminal's own colours alone.

`Blocks` cuts a text that is still coming into blocks, each of which is rendered once it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from rich.color import ColorSystem
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, HorizontalRule, Markdown
from rich.rule import Rule
from rich.segment import Segment
from rich.text import Text
from rich.theme import Theme

# none names a colour beyond the sixteen, and none a background: it must be read on any
STYLES = {
    "markdown.code": "cyan", "markdown.code_block": "cyan", "markdown.h1": "bold underline", "markdown.h2": "bold",
    "markdown.h3": "bold", "markdown.h4": "bold", "markdown.h5": "bold", "markdown.h6": "bold dim",
    "markdown.block_quote": "dim", "markdown.hr": "dim", "markdown.item.bullet": "bold", "markdown.item.number": "bold",
    "markdown.list": "none", "markdown.link": "underline", "markdown.link_url": "dim", "markdown.table.border": "dim",
    "markdown.table.header": "bold", "markdown.em": "italic", "markdown.strong": "bold", "markdown.s": "strike",
}  # fmt: skip

PARSER = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").enable("table")
MIN_COLUMNS = 20
MAX_INDENT = 24
_FENCE = re.compile(r"^(?P<indent> *)(?P<marks>`{3,}(?=[^`]*$)|~{3,})")
_ITEM = re.compile(r"^(?P<indent> *)(?:[-*+]|\d{1,9}[.)])(?: +(?=\S)|$)")
_HEADING = re.compile(r"^ {0,3}#{1,6}(?: |$)")
_RULER = re.compile(r"^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$")
_DELIMITER = re.compile(r"^ *\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?$")
_UNCLOSED_MARK = re.compile(r"[*_`~\[]+$")


class _Heading(Heading):
    """At the left, without a frame."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _Code(CodeBlock):
    """As it stands, indented; colours for its words would need a background."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in str(self.text).rstrip("\n").split("\n"):
            yield from _wrap_code(line, options.max_width, console)


class _Ruler(HorizontalRule):
    """A short line."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Rule(style="markdown.hr", characters="─")


class _Document(Markdown):
    """A block; a line's end is kept, and what looks like HTML is text."""

    elements = Markdown.elements | {
        "heading_open": _Heading, "fence": _Code, "code_block": _Code, "hr": _Ruler,
    }  # fmt: skip

    def __init__(self, source: str) -> None:
        super().__init__("", hyperlinks=False)
        self.parsed = PARSER.parse(source)
        for one in (child for token in self.parsed for child in token.children or ()):
            if one.type == "softbreak":
                one.type = "hardbreak"


def _wrap_code(line: str, width: int, console: Console) -> Iterator[Text]:
    text = Text(line.expandtabs(4), style="markdown.code_block", no_wrap=False, overflow="fold")
    for part in text.divide(range(width - 2, len(text), max(width - 2, 1))):
        yield Text("  ").append_text(part)


class MarkdownRenderer:
    """Blocks of Markdown as lines with the terminal's escapes, at most `width` wide."""

    def __init__(self, *, colored: bool) -> None:
        self._console = Console(no_color=not colored, force_terminal=True, color_system="standard", theme=Theme(STYLES),
                                width=80, markup=False, highlight=False, emoji=False, legacy_windows=False)  # fmt: skip

    def lines(self, block: Block, width: int) -> list[str]:
        """One block; it has been made harmless."""
        width = max(width - block.indent, MIN_COLUMNS)
        if block.kind == "code":
            found: Iterable[Text | Markdown] = _wrap_code(block.source, width, self._console)
        else:
            found = [_Document(block.source)]
        options = self._console.options.update(width=width)
        rows = [row for one in found for row in self._rows(one, options)]
        while rows and not rows[0]:
            rows.pop(0)
        while rows and not rows[-1]:
            rows.pop()
        return [" " * block.indent + row if row else "" for row in rows]

    def _rows(self, one: Text | Markdown, options: ConsoleOptions) -> Iterator[str]:
        segments = self._console.render(one, options)
        for line in Segment.split_and_crop_lines(segments, options.max_width, pad=False, include_new_lines=False):
            yield self._row(line)

    def _row(self, line: list[Segment]) -> str:
        """Without the blanks that fill it up."""
        while line and not line[-1].text.strip(" "):
            line = line[:-1]
        if line:
            line = [*line[:-1], line[-1]._replace(text=line[-1].text.rstrip(" "))]
        if self._console.no_color:
            line = list(Segment.remove_color(line))
        render = ColorSystem.STANDARD
        return "".join(one.style.render(one.text, color_system=render) if one.style else one.text for one in line)


class Block:
    """A part of a text: `kind` is "code" for one line of a fence. `gap`: a line is free before it."""

    __slots__ = ("gap", "indent", "kind", "source")

    def __init__(self, source: str, kind: str = "text", indent: int = 0, *, gap: bool = False) -> None:
        self.source, self.kind, self.indent, self.gap = source, kind, indent, gap


class BlockSplitter:
    """Cuts what comes, line by line, into blocks; what is not whole yet is `open`."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._rest = ""
        self._fence: re.Match[str] | None = None
        self._gap = False
        self._any = False

    def feed(self, text: str) -> list[Block]:
        """The blocks that are whole now."""
        *lines, self._rest = (self._rest + text).split("\n")
        return [block for line in lines for block in self._line(line)]

    def end(self) -> list[Block]:
        """What is left is all there is."""
        last, self._rest = self._rest, ""
        found = self._line(last) if last else []
        return found + self._closed()

    @property
    def open(self) -> Block | None:
        """The block that is still coming, as it would be if it ended here."""
        if self._fence:
            return None if self._ends(self._rest) else self._code(self._rest) if self._rest else None
        lines = [*self._lines, self._rest] if self._rest else self._lines
        if not "".join(lines).strip():
            return None
        return Block(_close_marks("\n".join(_dedent(lines))), indent=_indent(lines), gap=self._gap)

    @property
    def size(self) -> int:
        """Characters of the block that is still coming."""
        return sum(map(len, self._lines)) + len(self._rest)

    def forget(self) -> bool:
        """What has come of the open block is dealt with; whether it ended in the middle of a word."""
        within = bool(self._rest) and not self._rest[-1].isspace()
        self._lines, self._rest, self._gap = [], "", False
        return within

    def _line(self, line: str) -> list[Block]:
        if self._fence:
            return self._within(line)
        if fence := _FENCE.match(line):
            found = self._closed()
            self._fence = fence
            return found
        if not line.strip():
            found = self._closed()
            self._gap = self._any
            return found
        found = self._closed() if self._begins(line) else []
        self._lines.append(line)
        if _HEADING.match(line) or (len(self._lines) == 1 and _RULER.match(line)):
            found += self._closed()
        return found

    def _within(self, line: str) -> list[Block]:
        if self._ends(line):
            self._fence, self._gap = None, False
            return []
        found = [self._code(line)]
        self._gap, self._any = False, True
        return found

    def _ends(self, line: str) -> bool:
        marks = self._fence["marks"] if self._fence else "```"
        bare = line.strip()
        return len(bare) >= len(marks) and not bare.strip(marks[0])

    def _code(self, line: str) -> Block:
        indent = len(self._fence["indent"]) if self._fence else 0
        kept = line[indent:] if not line[:indent].strip() else line.lstrip()
        return Block(kept, "code", indent, gap=self._gap)

    def _begins(self, line: str) -> bool:
        """Whether a new block begins with it, though no line is free before it."""
        if not self._lines:
            return False
        if _ITEM.match(line) or _HEADING.match(line):
            return True
        was_quote, is_quote = self._lines[0].lstrip().startswith(">"), line.lstrip().startswith(">")
        return was_quote != is_quote and (is_quote or not self._lines[0].strip(" >"))

    def _closed(self) -> list[Block]:
        lines, self._lines = self._lines, []
        if not lines:
            return []
        block = Block("\n".join(_dedent(lines)), indent=_indent(lines), gap=self._gap)
        self._gap, self._any = False, True
        return [block]


def _indent(lines: list[str]) -> int:
    return min(len(lines[0]) - len(lines[0].lstrip(" ")), MAX_INDENT)


def _dedent(lines: list[str]) -> list[str]:
    first = len(lines[0]) - len(lines[0].lstrip(" "))
    return [line[first:] if not line[:first].strip() else line.lstrip(" ") for line in lines]


def _close_marks(source: str) -> str:
    """With the marks that are still open closed, so that they do not show for a moment."""
    source = _UNCLOSED_MARK.sub("", source) if not _DELIMITER.match(source.rpartition("\n")[2]) else source
    for mark in ("`", "**"):
        if source.count(mark) % 2 and not source.rstrip().endswith(mark):
            source = source.rstrip() + mark
            break
    return source
