"""Words of one stem name the same thing; stop words name nothing beside other words."""

from __future__ import annotations

import pytest

from todo_cli.parsing.stems import meaningful_stems


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("the ironing", "Iron shirts"),
        ("mowing", "Mow lawn"),
        ("my meeting", "Meet accountant"),
        ("I paid the ELECTRICITY", "Pay electricity bill"),
        ("the slides are ready", "Prepare slides for Anna"),
        ("parties", "Plan the party"),
        ("crème", "Creme kaufen"),
        ("хлеб", "Купить ХЛЕБ"),
    ],
)
def test_stems_of_a_word_and_its_other_forms_are_equal(words: str, title: str) -> None:
    assert meaningful_stems(words) & meaningful_stems(title)


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("the one that is on there", "What is on the list of the week"),
        ("paste the labels", "Party"),
        ("Rechnungen", "Rechnung bezahlen"),
    ],
)
def test_stems_of_stop_words_and_of_other_languages_match_nothing_more(words: str, title: str) -> None:
    assert not meaningful_stems(words) & meaningful_stems(title)


def test_stems_of_stop_words_alone_are_the_words() -> None:
    assert meaningful_stems("to be") == {"to", "be"}
