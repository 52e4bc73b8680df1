"""The plain text of HTML, as editors of tasks write it: paragraphs, lists, check boxes and links."""

from __future__ import annotations

import re
from html.parser import HTMLParser

BLOCKS = ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "table", "tr", "hr")
SKIPPED = ("script", "style", "head")
MAX_INDENTS = 20
_TAG = re.compile(r"<[a-zA-Z/!][^>]*>")
_BLANKS = re.compile(r"[ \t\r\n\f]+")


def read_html(html: str) -> str:
    """Return the text. A block ends a line, an item begins with `- ` or `- [ ] `, a link is `text (url)`.

    A text without any tag is no HTML and stays as it is.
    """
    if not _TAG.search(html) and "&" not in html:
        return html.strip()
    parser = _TextParser()
    parser.feed(html)
    parser.close()
    return "\n".join(line.rstrip() for line in parser.lines if line.strip())


class _TextParser(HTMLParser):
    """Gathers lines. A prefix such as `- ` waits for the first text of its item."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines = [""]
        self._prefix = ""
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []
        self._skipped = 0
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in SKIPPED:
            self._skipped += 1
        if tag in BLOCKS or tag == "br":
            self._end_line()
        if tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._begin_item(values)
        elif tag == "pre":
            self._verbatim += 1
        elif tag == "a":
            self._links.append((values.get("href") or "", len(self.lines[-1])))

    def handle_endtag(self, tag: str) -> None:
        if tag in SKIPPED:
            self._skipped = max(self._skipped - 1, 0)
        if tag in BLOCKS:
            self._end_line()
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "pre":
            self._verbatim = max(self._verbatim - 1, 0)
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        lines = data.split("\n") if self._verbatim else [_BLANKS.sub(" ", data)]
        for place, text in enumerate(lines):
            if place:
                self.lines.append("")
            self._add(text)

    def _add(self, text: str) -> None:
        if not self.lines[-1] and not self._verbatim:
            text = text.lstrip()
        if text:
            self.lines[-1] += self._prefix + text
            self._prefix = ""

    def _end_line(self) -> None:
        if self.lines[-1]:
            self.lines.append("")

    def _begin_item(self, values: dict[str, str | None]) -> None:
        indent = "  " * min(len(self._lists) - 1, MAX_INDENTS)
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        mark = "- " if number is None else f"{number + 1}. "
        if values.get("data-type") == "taskItem" or "data-checked" in values:
            mark = f"- [{'x' if values.get('data-checked') == 'true' else ' '}] "
        self._prefix = indent + mark

    def _end_link(self, url: str, start: int) -> None:
        """Write the address behind the text of a link that is not the address itself."""
        if url and self.lines[-1][start:].strip() != url:
            self._add(f" ({url})" if self.lines[-1] else url)
