"""The words that a shell offers: those in use first, by a prefix, and only what the token may see."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.conftest import Database
from tests.support.ask import Ask
from tests.support.connections import Line
from tests.support.limited_tokens import create_limited_token
from todo_cli.contract.completion import MAX_SUGGESTIONS, SuggestWords
from todo_cli.contract.tasks import CompleteTasks, EditTasks
from todo_cli.contract.trash import DeleteTasks
from todo_cli.core.completion.suggestions import list_ranges
from todo_cli.errors import Invalid


def suggest(ask: Ask, kind: str, prefix: str = "", status: str = "open") -> list[str]:
    found = ask(SuggestWords(kind=kind, prefix=prefix, status=status))  # type: ignore[arg-type]
    return [suggestion.value for suggestion in found.suggestions]


def test_numbers_are_suggested_by_last_change_and_by_their_first_digits(ask: Ask) -> None:
    ask.add_all(*(f"task {number}" for number in range(1, 31)))
    ask(EditTasks(numbers=(2,), title="changed last"))
    ask(CompleteTasks(numbers=(12,)))
    ask(DeleteTasks(numbers=(13,)))
    numbers = suggest(ask, "task")
    assert (numbers[:2], len(numbers)) == (["2", "30"], MAX_SUGGESTIONS)
    assert suggest(ask, "task", "2")[0] == "2"
    assert sorted(suggest(ask, "task", "2")) == ["2", *(str(number) for number in range(20, 30))]
    assert suggest(ask, "task", "12") == suggest(ask, "task", "x") == suggest(ask, "task", "0") == []
    assert suggest(ask, "task", "", "done") == ["12"]
    assert suggest(ask, "task", "1", "all")[-2:] == ["12", "13"]
    first = ask(SuggestWords(kind="task")).suggestions[0]
    assert first.about == "changed last"


@pytest.mark.parametrize(("kind", "field"), [("project", "project"), ("tag", "tags")])
def test_names_are_suggested_by_use_and_then_by_name(ask: Ask, kind: str, field: str) -> None:
    for name in ("zeal", "Home", "Home", "hotel", "unused"):
        ask.add("x", **{field: (name,) if kind == "tag" else name})
    ask(CompleteTasks(numbers=(1,)))
    ask(DeleteTasks(numbers=(5,)))
    assert suggest(ask, kind) == ["Home", "zeal", "hotel", "unused"], "zeal was completed last"
    assert suggest(ask, kind, "ho") == ["Home", "hotel"]
    assert suggest(ask, kind, "un") == ["unused"], "found by the walk of the index"
    assert suggest(ask, kind, "x'%_") == []
    with pytest.raises(Invalid, match="NUL"):
        suggest(ask, kind, "\0")


def test_token_with_a_filter_is_suggested_its_own_tasks_and_names(ask: Ask, db: Database) -> None:
    ask.add("mine", project="shop", tags=("cheap",))
    ask.add("secret", project="shed", tags=("chest",))
    token = create_limited_token(ask, scopes=("read",), filter="project:shop")
    with closing(Line(db.server_url, ask.who)) as agent:

        def values(kind: str, prefix: str) -> list[str]:
            request = SuggestWords(kind=kind, prefix=prefix, status="all")  # type: ignore[arg-type]
            return [suggestion.value for suggestion in agent(request, token=token).suggestions]

        assert [values("project", "sh"), values("tag", "ch"), values("task", "")] == [["shop"], ["cheap"], ["1"]]
        assert [values("task", "2"), values("project", "she"), values("tag", "che")] == [[], [], ["cheap"]]


def test_ranges_are_the_numbers_that_begin_with_the_digits() -> None:
    assert list_ranges("12")[:3] == [(12, 12), (120, 129), (1200, 1299)]
    assert list_ranges("9" * 18) == [(10**18 - 1, 10**18 - 1)]
    assert list_ranges("9" * 19) == list_ranges("") == list_ranges("²") == []
