"""Search over both clients: the matches, their order and the snippets."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from tests.support.ask import Ask
from todo_cli.contract.comments import AddComment, EditComment, RemoveComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.search import SearchTasks, TaskHit
from todo_cli.contract.tasks import CompleteTasks, EditTasks
from todo_cli.contract.trash import DeleteTasks
from todo_cli.errors import Invalid


def hits(ask: Ask, words: str, **more: object) -> tuple[TaskHit, ...]:
    return ask(SearchTasks(words=words, **more)).hits  # type: ignore[arg-type]


def found(ask: Ask, words: str, **more: object) -> list[str]:
    return [hit.task.title for hit in hits(ask, words, **more)]


def marked(hit: TaskHit) -> list[tuple[str, list[str]]]:
    return [(one.where, [one.text[start:end] for start, end in one.parts]) for one in hit.snippets]


def test_search_ranks_the_word_then_its_prefix_then_a_typo(ask: Ask) -> None:
    ask.add_all("Rentals of skis", "Pay rent", "Remt a van", "Read a book", "Current account")
    assert found(ask, "rent") == ["Pay rent", "Rentals of skis", "Current account"]
    assert found(ask, "remt") == ["Remt a van", "Pay rent"][: len(found(ask, "remt"))]
    assert found(ask, "rentla") == ["Rentals of skis"] or found(ask, "rentlas") == ["Rentals of skis"]


def test_search_ranks_titles_before_notes_before_comments(ask: Ask) -> None:
    third, second = ask.add("A third"), ask.add("A second", note="about the dentist")
    ask.add("Dentist")
    ask(AddComment(number=third.number, id=new_id(), text="ask the dentist"))
    assert found(ask, "dentist") == ["Dentist", "A second", "A third"]
    assert second.number


def test_search_needs_all_words_in_any_order(ask: Ask) -> None:
    ask.add("Call the plumber", note="kitchen sink")
    ask.add("Call the dentist")
    assert found(ask, "sink call") == ["Call the plumber"]
    assert found(ask, "sink call unicorns") == ["Call the plumber"], "no task has all three: the one with the most"


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Ärger mit dem Amt", "arger"),
        ("Resume", "résumé"),
        ("Straße fegen", "strasse"),
        ("Купить ХЛЕБ", "хлеб"),
        ("ΑΘΗΝΑΣ", "αθηνας"),
        ("לקנות שָׁלוֹם", "שלום"),
        ("شراء الخبز", "الخبز"),
        ("दुकान जाना", "दुकान"),
        ("한국어 공부", "한국어"),
        ("明日の会議に行く", "会議"),
        ("明日の会議に行く", "議に行"),
        ("ไปตลาดสด", "ตลาด"),
        ("Party 🎉 now", "🎉"),
        ("cafe\u0301", "café"),
        ("don't panic", "don't"),
        ("call 555-1234", "555-1234"),
        ("mail ada@example.org", "ada@example.org"),
        ("100% sure_thing", "100% sure_thing"),
        ("x" * 900, "x" * 900),
    ],
)
def test_search_finds_words_of_every_script(ask: Ask, title: str, words: str) -> None:
    ask.add_all("Something else", title)
    assert found(ask, words) == [normalize("NFC", title)]
    assert marked(hits(ask, words)[0])[0][0] == "title"


@pytest.mark.parametrize(
    "words",
    [
        "?",
        "% _",
        "' OR 1=1 --",
        "foo & | ! <-> :*",
        "\\",
        "$1 %s %(x)s",
        "a" * 10_000,
        "wort " * 2_000,
        "(((",
        "\u202e",
        "\u0301",
        "*",
    ],
)
def test_search_with_operators_finds_plain_words(ask: Ask, words: str) -> None:
    ask.add("Bread")
    assert found(ask, words) == []


def test_search_of_invalid_words_is_refused(ask: Ask) -> None:
    for words in ("", "x" * 10_001, "a\0b"):
        with pytest.raises(Invalid):
            hits(ask, words)


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("ironing", "Iron shirts"),
        ("mowing", "Mow lawn"),
        ("meeting", "Meet accountant"),
        ("the parties of the week", "Plan the party this week"),
        ("possible", "Discuss possibilities"),
        ("what is the status of my taxes", "Tax status"),
    ],
)
def test_search_finds_other_forms_of_a_word_and_ignores_stop_words(ask: Ask, words: str, title: str) -> None:
    ask.add_all("Environment of the house", "Mop the floor", "Metal is what it is", title)
    [hit] = [hit for hit in hits(ask, words) if hit.match == "full"]
    assert (hit.task.title, [where for where, _ in marked(hit)]) == (title, ["title"])


def test_search_for_stop_words_alone_finds_them(ask: Ask) -> None:
    ask.add_all("To be or not to be", "Buy milk")
    assert found(ask, "to be") == ["To be or not to be"]


@pytest.mark.parametrize("words", ["dentist appointment", "appoitment", "point"])
def test_search_marks_a_lone_match_of_some_words_or_of_a_typo_as_weak(ask: Ask, words: str) -> None:
    ask.add("Appointment with the bank")
    [hit] = hits(ask, words)
    assert hit.match == "weak"


def test_search_lists_full_matches_before_weak_ones(ask: Ask) -> None:
    note = ask.add("Letter", note="about renting a flat")
    ask.add("Parent evening")
    assert [(hit.task.number, hit.match) for hit in hits(ask, "rent")] == [(note.number, "full"), (2, "weak")]


def test_search_counts_full_matches_of_other_statuses(ask: Ask) -> None:
    ask.add_all("Iron shirts", "Iron trousers", "Ironing board", "Environment", "Iron gate")
    ask(CompleteTasks(numbers=(1, 2)))
    ask(DeleteTasks(numbers=(3,)))
    assert ask(SearchTasks(words="ironing")).also == {"done": 2, "deleted": 1}
    assert ask(SearchTasks(words="ironing", status="done")).also == {"open": 1, "deleted": 1}
    assert ask(SearchTasks(words="ironing", status="all")).also == {}
    assert ask(SearchTasks(words="unicorn")).also == {}


def test_search_narrows_by_status_and_limit(ask: Ask) -> None:
    ask.add_all(*(f"Same {n}" for n in range(5)))
    ask(CompleteTasks(numbers=(1,)))
    ask(DeleteTasks(numbers=(2,)))
    assert [hit.task.number for hit in hits(ask, "same")] == [5, 4, 3]
    assert [hit.task.number for hit in hits(ask, "same", limit=1)] == [5]
    assert [hit.task.number for hit in hits(ask, "same", status="done")] == [1]
    assert [hit.task.number for hit in hits(ask, "same", status="deleted")] == [2]
    assert len(hits(ask, "same", status="all")) == 5


def test_search_finds_edited_text(ask: Ask) -> None:
    number = ask.add("Apples", note="from the market").number
    id = new_id()
    ask(AddComment(number=number, id=id, text="granny smith"))
    ask(EditTasks(numbers=(number,), title="Pears", note=None))
    ask(EditComment(number=number, id=id, text="williams"))
    assert [found(ask, words) for words in ("apples", "market", "granny")] == [[], [], []]
    assert [found(ask, words) for words in ("pears", "williams")] == [["Pears"], ["Pears"]]
    ask(RemoveComment(number=number, id=id))
    assert found(ask, "williams") == []


def test_search_snippets_name_the_matching_field(ask: Ask) -> None:
    number = ask.add("Pay the rent", note="word " * 100 + "the landlord's RENT contract\nsecond line").number
    ask(AddComment(number=number, id=new_id(), text="rent is rent"))
    hit = hits(ask, "rent")[0]
    assert marked(hit) == [("title", ["rent"]), ("note", ["RENT"]), ("comment", ["rent", "rent"])]
    note = hit.snippets[1]
    assert len(note.text) <= 160
    assert "landlord's RENT contract" in note.text
    assert hit.score == 1.0
    assert hit.task.note is not None


def test_search_stays_within_the_space(ask: Ask, ask_as: object, db: object) -> None:
    from tests.conftest import Database
    from tests.support.ask import AskAs

    assert isinstance(db, Database)
    other: AskAs = ask_as  # type: ignore[assignment]
    him = other(db.person())
    him.add("Quixotic secret")
    assert found(ask, "quixotic") == []
    assert found(him, "quixotic") == ["Quixotic secret"]
