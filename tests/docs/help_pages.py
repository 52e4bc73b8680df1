"""The topics of `todo help`: parts of docs/, without what a terminal cannot follow, in `todo_cli/help/`."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.support.doc_pages import ROOT

HELP = ROOT / "todo_cli" / "help"


class HelpSource(NamedTuple):
    """Where the text of a topic is: a page of docs/, or a section of it."""

    page: str
    section: str | None = None


TOPICS = {
    "agents": HelpSource("agents.md"),
    "chat": HelpSource("chat.md"),
    "configuration": HelpSource("configuration.md"),
    "dates": HelpSource("dates.md"),
    "exit-codes": HelpSource("commands.md", "Exit codes"),
    "filters": HelpSource("filters.md"),
    "formats": HelpSource("import-export.md"),
    "limits": HelpSource("commands.md", "Limits"),
    "output": HelpSource("commands.md", "Output"),
    "reminders": HelpSource("reminders.md"),
    "scripts": HelpSource("commands.md", "Scripts"),
}


def make_help_page(source: HelpSource) -> str:
    """Return the text of a topic: the page or its section, with plain words for links and without pictures."""
    text = (ROOT / "docs" / source.page).read_text()
    if source.section:
        text = _cut_section(text, source.section)
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)\n*", "", text)
    text = re.sub(r"(?<!`)\[([^\]`]+)\]\((?!https?:)[^)]*\)", r"\1", text)
    return text.strip() + "\n"


def _cut_section(text: str, heading: str) -> str:
    begin = text.index(f"\n## {heading}\n") + 1
    end = text.find("\n## ", begin)
    return "#" + text[begin : end if end > 0 else None].lstrip("#")


def write_help_pages() -> None:
    """Write every topic, and remove those that are no longer one."""
    HELP.mkdir(exist_ok=True)
    for file in HELP.glob("*.md"):
        if file.stem not in TOPICS:
            file.unlink()
    for name, source in TOPICS.items():
        (HELP / f"{name}.md").write_text(make_help_page(source))
