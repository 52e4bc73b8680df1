"""The finder in the database: mistakes are forgiven, the index of words is what the texts say, nothing leaks."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors

from tests.conftest import Database, Person
from tests.db.test_plans import stored
from tests.support.connections import Line, Raw, raw, share, signed, token_for
from tests.support.many_users import touched
from todo_cli.contract.comments import AddComment, EditComment, RemoveComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.search import SearchTasks
from todo_cli.contract.tasks import AddTask, AddTasks, EditTasks, NewTask
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.parsing.highlight import find_matches
from todo_cli.parsing.spelling import is_one_letter_apart
from todo_cli.parsing.stems import STOP_WORDS, stem_word

WORD = st.text(string.ascii_lowercase, min_size=3, max_size=10) | st.text("абвгдежз", min_size=3, max_size=8)
TITLE = st.lists(WORD, min_size=1, max_size=5).map(" ".join)


class Space(NamedTuple):
    """Somebody's, with a line to it, emptied between examples."""

    db: Database
    line: Line

    def empty(self) -> None:
        self.db.execute("DELETE FROM todo.comments WHERE space_id = %s", self.line.who.user_id)
        self.db.execute("DELETE FROM todo.task_tags WHERE space_id = %s", self.line.who.user_id)
        self.db.execute("DELETE FROM todo.tasks WHERE space_id = %s", self.line.who.user_id)

    def words(self) -> set[tuple[int, str, int]]:
        rows = self.db.execute("SELECT number, word, place FROM todo.words WHERE space_id = %s", self.line.who.user_id)
        return set(rows)

    def told(self) -> set[tuple[int, str, int]]:
        """What the texts themselves say."""
        texts = """SELECT number, w, 0 FROM todo.tasks, todo.search_words(title) w WHERE space_id = %(s)s
          UNION SELECT number, w, 1 FROM todo.tasks, todo.search_words(note) w WHERE space_id = %(s)s
          UNION SELECT number, w, 2 FROM todo.comments, todo.search_words(text) w WHERE space_id = %(s)s"""
        return set(self.db.execute(texts.replace("%(s)s", f"'{self.line.who.user_id}'")))


@pytest.fixture(scope="module")
def space(db: Database) -> Iterator[Space]:
    who = db.person()
    with closing(Line(db.server_url, who)) as line:
        yield Space(db, line)


def typo(draw: st.DrawFn, word: str) -> str:
    at = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from(string.ascii_lowercase))
    ways = [word[:at] + word[at + 1 :], word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :]]
    if at + 1 < len(word):
        ways.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    return draw(st.sampled_from(ways))


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[str], int, str]:
    """Titles, the place of one of them, and a word of it, with one mistake if it is long enough."""
    titles = draw(st.lists(TITLE, min_size=1, max_size=8))
    place = draw(st.integers(0, len(titles) - 1))
    word = draw(st.sampled_from(titles[place].split()))
    return titles, place, typo(draw, word) if len(word) >= 5 and draw(st.booleans()) else word


def finds_it(space: Space, titles: list[str], place: int, word: str) -> None:
    space.empty()
    numbers = [
        task.number for task in space.line(AddTasks(tasks=tuple(NewTask(title=title) for title in titles))).tasks
    ]
    hits = space.line(SearchTasks(words=word)).hits
    assert numbers[place] in [hit.task.number for hit in hits]
    assert all(hit.snippets for hit in hits), "what is found is also shown"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_word_of_a_title_with_or_without_a_typo_finds_it(space: Space, case: tuple[list[str], int, str]) -> None:
    finds_it(space, *case)


@pytest.mark.long
@settings(max_examples=3_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_word_of_a_title_among_three_thousand_finds_it(space: Space, case: tuple[list[str], int, str]) -> None:
    finds_it(space, *case)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=WORD, other=st.data())
def test_typo_means_the_same_in_the_database_and_in_python(space: Space, word: str, other: st.DataObject) -> None:
    if len(word) < 4:
        word += "xx"
    wrong = other.draw(st.just(word) | WORD | st.builds(str) | st.composite(typo)(word))
    [(matches,)] = space.db.execute("SELECT %s::text ~ todo.typo_pattern(%s)", wrong, word)
    if wrong != word and len(wrong) >= 3:
        assert matches == is_one_letter_apart(wrong, word), (wrong, word)


def test_stem_is_the_same_in_the_database_and_in_python(db: Database) -> None:
    """Over every English word of the documentation."""
    pages = Path(__file__).parents[2].glob("**/*.md")
    words = sorted({word for page in pages for word in re.findall("[a-z]{2,}", page.read_text(encoding="utf-8"))})
    stems = dict(db.execute("SELECT w, ts_lexize('pg_catalog.english_stem', w) FROM unnest(%s::text[]) AS w", words))
    assert len(words) > 1_000
    assert {word for word, stem in stems.items() if not stem} == STOP_WORDS.intersection(words)
    # Postgres has a newer rule for words such as "add", which the Python package lacks
    other = {word for word, stem in stems.items() if stem and stem != [stem_word(word)]}
    assert other <= {"added", "adding", "adds", "erring"}


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).filter(
    lambda text: text.strip() and len(text.splitlines()) == 1
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=TEXT, words=TEXT)
def test_any_text_is_stored_and_searched_for(space: Space, title: str, words: str) -> None:
    space.empty()
    space.line(AddTask(title=title))
    space.line(SearchTasks(words=words))
    for start, end in find_matches(title, words):
        assert 0 <= start < end <= len(title)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXT, min_size=6, max_size=6))
def test_index_has_the_words_of_the_texts(space: Space, texts: list[str]) -> None:
    space.empty()
    line, ids = space.line, [new_id(), new_id()]
    number = line(AddTask(title=texts[0], note=texts[1])).number
    for id, text in zip(ids, texts[2:4], strict=True):
        line(AddComment(number=number, id=id, text=text))
    assert space.words() == space.told()
    line(EditTasks(numbers=(number,), title=texts[4], note=None))
    line(EditComment(number=number, id=ids[0], text=texts[5]))
    assert space.words() == space.told()
    line(RemoveComment(number=number, id=ids[0]))
    assert space.words() == space.told()
    space.empty()
    assert space.words() == set()


def find(connection: Raw, words: str) -> list[int]:
    return [row[0] for row in connection.execute("SELECT number FROM todo.search_tasks(%s, 10, 'all', true)", [words])]


def test_search_with_psql_finds_own_tasks_only(db: Database, person: Person) -> None:
    bob = db.person()
    with closing(Line(bob.database_url, bob)) as line:
        line(AddTask(title="bobtitle", note="bobnote"))
    with closing(signed(bob)) as his:
        assert find(his, "bobtitel") == [1]
    disguises = ({}, {"space": bob.user_id}, {"user": bob.user_id, "space": bob.user_id}, {"token": bob.token})
    for disguise in disguises:
        with closing(signed(person, **disguise)) as hers:
            assert [find(hers, words) for words in ("bobtitle", "bobnote", "b")] == [[], [], []], disguise
            for closed in (
                "SELECT * FROM todo.words",
                "SELECT * FROM todo.search_words('x')",
                f"SELECT * FROM todo.match_words('{bob.user_id}', ARRAY['bobtitle'], true)",
            ):
                with pytest.raises(errors.InsufficientPrivilege):
                    hers.execute(closed)
            hers.execute("SELECT * FROM todo.delete_comment(1, gen_random_uuid())")


def test_search_by_members_finds_and_by_others_does_not(db: Database, person: Person) -> None:
    owner = db.person()
    with closing(Line(owner.database_url, owner)) as line:
        line(AddTask(title="shared secret"))
    with closing(signed(person, space=owner.user_id)) as connection:
        assert find(connection, "secret") == []
        share(db, owner.user_id, person, "viewer")
        assert find(connection, "secret") == [1]
    narrow = token_for(db, owner, "tokens:write")
    with closing(raw(db.server_url, token=narrow, user=owner.user_id, space=owner.user_id)) as served:
        assert find(served, "secret") == [1], "every scope may look"


def work(connection: Raw, words: str) -> int:
    """Pages that a search touches."""
    row = connection.execute(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM todo.search_tasks(%s, 10, 'all', true)", [words]
    ).fetchone()
    assert row is not None
    return int(row[0][0]["Plan"]["Shared Hit Blocks"] + row[0][0]["Plan"]["Shared Read Blocks"])


def test_explain_reveals_no_words_of_other_users(fresh_db: Database) -> None:
    """The same work whether somebody else has written the word or not: even EXPLAIN cannot be asked for it."""
    alice, bob = fresh_db.person(), fresh_db.person()
    with closing(Line(bob.database_url, bob)) as line:
        line(AddTasks(tasks=tuple(NewTask(title=f"zebra{n} quagga walking") for n in range(300))))
    with closing(signed(alice)) as connection:
        for _ in range(8):
            work(connection, "nowordx")  # a session's first runs are planned one by one, later ones use one plan
        # the least of several runs: after an invalidation by another session a run reads the catalogue again
        words = ("quagga", "zebra7", "quaxga", "nowordx", "zzzzzz")
        pages = [min(work(connection, word) for _ in range(6)) for word in words]
        stemmed = [min(work(connection, word) for _ in range(6)) for word in ("walked", "zalked")]
        assert len(set(pages)) == 1, pages
        assert len(set(stemmed)) == 1, stemmed


@pytest.mark.long
def test_search_among_a_hundred_thousand_tasks_is_bounded(postgres: LocalPostgres, template: str) -> None:
    """Twenty hits out of 1,000 tasks or 100,000: of a word that very many hold the newest 1,000 count, each looked up."""
    pages: dict[str, list[int]] = {}
    for each in (1_000, 100_000):
        with stored(postgres, template, 1, each) as where:
            for words in ("usual", "usaul", "usual length title", "777", "nowhere", "of with a usual title of length"):
                pages.setdefault(words, []).append(touched(where.line, SearchTasks(words=words)).pages)
    # A status and a score each need a look into one index more or two, each a page higher in the larger tree. 777 begins
    # 111 words of 100,000, and each of them is looked up.
    assert {words: after for words, (before, after) in pages.items() if after > 3 * before + 1_200} == {}, pages


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Հայաստան ՀԱՆՐԱՊԵՏՈՒԹՅՈՒՆ", "հայաստան հանրապետություն"),
        ("ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ", "საქართველო"),
        ("ΆΝΘΡΩΠΟΣ", "ανθρωπος"),
        ("ЁЛКА Ґанок", "елка ганок"),
        ("CRÈME Brûlée", "creme brulee"),
        ("Straße ØRESUND Łódź", "strasse oresund lodz"),
        ("Đường phố", "duong pho"),
        ("𐐔𐐯𐑅𐐨𐑉𐐯𐐻", "𐐼𐐯𐑅𐐨𐑉𐐯𐐻"),
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد", "محمد"),
        ("हिन्दी समाचार", "हिन्दी"),
        ("東京タワー", "東京"),
        ("ประเทศไทย", "ไทย"),
        ("한국어 문서", "한국어"),
    ],
)
def test_search_in_any_language_ignores_case_and_accents(space: Space, title: str, words: str) -> None:
    space.empty()
    number = space.line(AddTask(title=title)).number
    assert [hit.task.number for hit in space.line(SearchTasks(words=words)).hits] == [number]
    assert [hit.task.number for hit in space.line(SearchTasks(words=words.upper())).hits] == [number]
