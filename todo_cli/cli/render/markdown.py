"""Render Markdown blocks for a terminal, in the terminal's own colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from rich.color import ColorSystem
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import BlockQuote, CodeBlock, Heading, HorizontalRule, ListItem, Markdown
from rich.rule import Rule
from rich.segment import Segment
from rich.text import Text
from rich.theme import Theme

from todo_cli.cli.render.markdown_blocks import Block, BlockSplitter
from todo_cli.cli.render.signs import ASCII_SIGNS, UNICODE_SIGNS, Signs

# Only the sixteen standard colours and no background, so that the text is readable on any background.
STYLES = {
    "markdown.code": "cyan",
    "markdown.code_block": "cyan",
    "markdown.h1": "bold underline",
    "markdown.h2": "bold",
    "markdown.h3": "bold",
    "markdown.h4": "bold",
    "markdown.h5": "bold",
    "markdown.h6": "bold dim",
    "markdown.block_quote": "dim",
    "markdown.hr": "dim",
    "markdown.item.bullet": "bold",
    "markdown.item.number": "bold",
    "markdown.list": "none",
    "markdown.link": "underline",
    "markdown.link_url": "dim",
    "markdown.table.border": "dim",
    "markdown.table.header": "bold",
    "markdown.em": "italic",
    "markdown.strong": "bold",
    "markdown.s": "strike",
}

PARSER = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").enable("table")
MIN_COLUMNS = 20


class _Heading(Heading):
    """A heading at the left, without a frame."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _Code(CodeBlock):
    """Code, indented and unhighlighted: highlighting would need a background."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in str(self.text).rstrip("\n").split("\n"):
            yield from _wrap_code(line, options.max_width, console)


class _Ruler(HorizontalRule):
    """A horizontal line."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Rule(style="markdown.hr", characters="-" if options.ascii_only else "─")


class _QuoteBar(BlockQuote):
    """A quotation behind a bar."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from _replace_sign(super().__rich_console__(console, options), "▌ ", "| ", options)


class _BulletItem(ListItem):
    """An item behind a bullet, or behind its number."""

    def render_bullet(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from _replace_sign(super().render_bullet(console, options), " • ", " * ", options)


def _replace_sign(parts: RenderResult, sign: str, plain: str, options: ConsoleOptions) -> RenderResult:
    """Yield the parts with a plain sign where the terminal has ASCII only."""
    for part in parts:
        is_sign = options.ascii_only and isinstance(part, Segment) and part.text == sign
        yield Segment(plain, part.style) if is_sign and isinstance(part, Segment) else part


class _Document(Markdown):
    """A block. Line ends are kept; HTML is shown as text."""

    elements = Markdown.elements | {
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
        "hr": _Ruler,
        "blockquote_open": _QuoteBar,
        "list_item_open": _BulletItem,
    }

    def __init__(self, source: str) -> None:
        super().__init__("", hyperlinks=False)
        self.parsed = PARSER.parse(source)
        for child in (child for token in self.parsed for child in token.children or ()):
            if child.type == "softbreak":
                child.type = "hardbreak"


def _wrap_code(line: str, width: int, console: Console) -> Iterator[Text]:
    text = Text(line.expandtabs(4), style="markdown.code_block", no_wrap=False, overflow="fold")
    for part in text.divide(range(width - 2, len(text), max(width - 2, 1))):
        yield Text("  ").append_text(part)


class MarkdownRenderer:
    """Renders blocks as lines with escape sequences."""

    def __init__(self, *, colored: bool, signs: Signs = UNICODE_SIGNS) -> None:
        self._is_ascii = signs is ASCII_SIGNS
        self._console = Console(
            no_color=not colored,
            force_terminal=True,
            color_system="standard",
            theme=Theme(STYLES),
            width=80,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
        )

    def render(self, block: Block, width: int) -> list[str]:
        """Return an escaped block's lines, at most `width` wide."""
        width = max(width - block.indent, MIN_COLUMNS)
        if block.kind == "code":
            renderables: Iterable[Text | Markdown] = _wrap_code(block.source, width, self._console)
        else:
            renderables = [_Document(block.source)]
        options = self._console.options.update(width=width)
        if self._is_ascii:
            options.encoding = "ascii"
        rows = [row for renderable in renderables for row in self._render_rows(renderable, options)]
        while rows and not rows[0]:
            rows.pop(0)
        while rows and not rows[-1]:
            rows.pop()
        return [" " * block.indent + row if row else "" for row in rows]

    def render_text(self, text: str, width: int) -> list[str]:
        """Return the lines of a whole escaped text."""
        splitter = BlockSplitter()
        blocks = [*splitter.feed(text.strip("\n")), *splitter.end()]
        return [line for block in blocks for line in [""] * block.gap + self.render(block, width)]

    def _render_rows(self, renderable: Text | Markdown, options: ConsoleOptions) -> Iterator[str]:
        segments = self._console.render(renderable, options)
        for line in Segment.split_and_crop_lines(segments, options.max_width, pad=False, include_new_lines=False):
            yield self._render_row(line)

    def _render_row(self, line: list[Segment]) -> str:
        """Return the line without the blanks that pad it."""
        while line and not line[-1].text.strip(" "):
            line = line[:-1]
        if line:
            line = [*line[:-1], line[-1]._replace(text=line[-1].text.rstrip(" "))]
        if self._console.no_color:
            line = list(Segment.remove_color(line))
        colors = ColorSystem.STANDARD
        return "".join(part.style.render(part.text, color_system=colors) if part.style else part.text for part in line)
