"""Undo what one token has changed, as one."""

from __future__ import annotations

import pytest

from tests.support.ask import Ask, AskAs
from tests.support.limited_tokens import create_limited_token
from todo_cli.contract.journal import Undo, UndoToken
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks, ListTasks
from todo_cli.errors import Conflict, Invalid, NotFound


@pytest.fixture
def agent(ask: Ask, ask_as: AskAs) -> Ask:
    """Return a function that asks with a token of its own, named agent."""
    return ask_as(ask.who, create_limited_token(ask, name="agent", scopes=("all",)))


def test_changes_of_a_token_are_undone_together_and_only_once(ask: Ask, agent: Ask) -> None:
    ask.add_all("milk", "bread")
    agent(EditTasks(numbers=(1, 2), project="shop"))
    ask.add("letter")
    agent(EditTasks(numbers=(1,), title="oat milk", project="groceries"))
    agent(CompleteTasks(numbers=(2,)))
    agent(AddTask(title="eggs"))
    planned = ask(UndoToken(token="agent", dry_run=True))
    assert (len(planned.changes), planned.seq) == (4, None)
    assert ask.show(1).title == "oat milk"
    undone = ask(UndoToken(token="agent", since="1h"), key="k")
    assert len(undone.changes) == 4
    assert [(task.title, task.project) for task in ask(ListTasks(sort="created")).tasks] == [
        ("milk", None),
        ("bread", None),
        ("letter", None),
    ]
    assert ask(UndoToken(token="agent", since="1h"), key="k").new is False
    with pytest.raises(NotFound, match="nothing of the token 'agent' to undo"):
        ask(UndoToken(token="agent"))


def test_tasks_that_others_changed_refuse_it_all_and_are_named(ask: Ask, agent: Ask) -> None:
    ask.add_all("milk", "bread")
    agent(EditTasks(numbers=(1,), project="shop"))
    agent(EditTasks(numbers=(2,), project="shop"))
    ask(EditTasks(numbers=(2,), title="rye bread"))
    with pytest.raises(Conflict, match=rf"#2 rye bread by {ask.who.name} \(edit, change 5\)") as caught:
        ask(UndoToken(token="agent"))
    assert caught.value.extra["moved"] == [2]
    assert [task.project for task in ask(ListTasks()).tasks] == ["shop", "shop"]
    assert ask(UndoToken(token="agent", partial=True)).skipped == (2,)
    assert [task.project for task in ask(ListTasks(sort="created")).tasks] == [None, "shop"]
    assert ask(Undo(id=5)).changes == (5,)


@pytest.mark.parametrize(
    ("token", "since", "error", "sentence"),
    [
        ("nobody", None, NotFound, "you have no token 'nobody'"),
        ("first", "2040-01-01", Invalid, "in the future"),
        ("first", "never ever", Invalid, "not a date"),
    ],
)
def test_undo_of_a_token_that_cannot_be_is_refused(
    ask: Ask, token: str, since: str | None, error: type[Exception], sentence: str
) -> None:
    ask.add("milk")
    with pytest.raises(error, match=sentence):
        ask(UndoToken(token=token, since=since))
    assert ask.show(1).status == "open"
