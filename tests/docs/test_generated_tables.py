"""The tables of the documentation are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.command_words import COMMAND_NAMES, COMMAND_WORDS, format_command_names, format_command_words
from tests.docs.generate import fill_tables
from tests.docs.help_pages import HELP, TOPICS, make_help_page
from tests.support.doc_pages import PAGES, ROOT
from todo_cli.errors import ERRORS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_tables_match_the_program(page: Path) -> None:
    assert page.read_text() == fill_tables(page), "write them with: python -m tests.docs.generate"


@pytest.mark.parametrize("name", TOPICS)
def test_topic_of_help_is_the_text_of_the_documentation(name: str) -> None:
    made = make_help_page(TOPICS[name])
    assert (HELP / f"{name}.md").read_text() == made, "write it with: python -m tests.docs.generate"
    assert not re.search(r"\]\((?!https?:)", made), "a terminal cannot follow links to other pages"
    assert {file.stem for file in HELP.glob("*.md")} == set(TOPICS)


def test_words_to_complete_are_those_of_the_commands() -> None:
    for path, text in ((COMMAND_NAMES, format_command_names()), (COMMAND_WORDS, format_command_words())):
        assert path.read_text() == text, "write it with: python -m tests.docs.generate"


def test_exit_codes_page_names_every_code() -> None:
    table = {int(code) for code in re.findall(r"^\| (\d+) \|", (ROOT / "docs/commands.md").read_text(), re.MULTILINE)}
    assert table == {0, 130} | {kind.exit_code for kind in ERRORS.values()}
