"""Comments over both clients."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Database, Person
from tests.support.ask import Ask, AskAs
from tests.support.connections import share, token_for
from todo_cli.contract.comments import AddComment, EditComment, ListComments, RemoveComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges, Undo
from todo_cli.contract.tasks import ListTasks, ShowTask, Task
from todo_cli.errors import Conflict, Invalid, NotAllowed, NotFound


def said(ask: Ask, number: int, text: str) -> str:
    return ask(AddComment(number=number, id=new_id(), text=text)).id


def shown(ask: Ask, number: int) -> Task:
    """Return the task with its comments."""
    return ask(ShowTask(number=number))


def test_comment_is_added_shown_and_listed(ask: Ask) -> None:
    task = ask.add("x")
    first, second = said(ask, task.number, "one\nmore"), said(ask, task.number, "two")
    task_shown = shown(ask, task.number)
    assert [(one.id, one.user, one.text) for one in task_shown.comments or ()] == [
        (first, ask.who.name, "one\nmore"),
        (second, ask.who.name, "two"),
    ]
    assert task_shown.rev == task.rev
    page = ask(ListComments(number=task.number, limit=1))
    assert [one.id for one in page.comments] == [first]
    rest = ask(ListComments(number=task.number, limit=1, after=page.next))
    assert ([one.id for one in rest.comments], rest.next) == ([second], None)
    assert not ask(ListTasks()).tasks[0].comments


def test_own_comment_is_edited_and_removed(ask: Ask) -> None:
    number = ask.add("x").number
    id = said(ask, number, "one")
    changed = ask(EditComment(number=number, id=id, text="other"))
    assert (changed.text, changed.edited_at is None) == ("other", False)
    assert ask(RemoveComment(number=number, id=id)).removed
    assert shown(ask, number).comments == ()
    for request in (EditComment(number=number, id=id, text="x"), RemoveComment(number=number, id=id)):
        with pytest.raises(NotFound):
            ask(request)


def test_comment_with_known_key_is_added_once(ask: Ask) -> None:
    number = ask.add("x").number
    request = AddComment(number=number, id=new_id(), text="once")
    assert ask(request, "k") == ask(request, "k")
    assert len(shown(ask, number).comments or ()) == 1
    removal = RemoveComment(number=number, id=request.id)
    assert ask(removal, "r") == ask(removal, "r")
    with pytest.raises(Conflict):
        ask(AddComment(number=number, id=new_id(), text="other"), "k")


def test_comment_with_a_used_id_is_refused(ask: Ask) -> None:
    number = ask.add("x").number
    id = said(ask, number, "one")
    with pytest.raises(Conflict, match="comment"):
        ask(AddComment(number=number, id=id, text="two"))


@pytest.mark.parametrize("text", ["", " \n", "a\0b", "x" * 20_001])
def test_invalid_comment_is_refused(ask: Ask, text: str) -> None:
    number = ask.add("x").number
    with pytest.raises(Invalid):
        said(ask, number, text)


def test_comment_on_a_missing_task_is_not_found(ask: Ask) -> None:
    for request in (AddComment(number=9, id=new_id(), text="x"), ListComments(number=9)):
        with pytest.raises(NotFound, match="#9"):
            ask(request)


def test_comment_is_journaled_and_passed_over_by_undo(ask: Ask) -> None:
    number = ask.add("x").number
    said(ask, number, "one")
    newest = ask(ListChanges()).changes[0]
    assert (newest.verb, newest.about) == ("AddComment", f"#{number}")
    assert ask(Undo()).differences[0].number == number
    assert shown(ask, number).status == "deleted"


@pytest.fixture
def shared(db: Database, ask_as: AskAs) -> Callable[[str], tuple[Ask, Ask]]:
    """Return two members of one space: its owner, and one with this role."""

    def make(role: str) -> tuple[Ask, Ask]:
        owner, other = db.person(), db.person()
        share(db, owner.user_id, other, role)
        return ask_as(owner), ask_as(other, space=owner.user_id)

    return make


def test_comment_of_another_member_is_read_only(shared: Callable[[str], tuple[Ask, Ask]]) -> None:
    ours, theirs = shared("editor")
    number = ours.add("x").number
    mine, his = said(ours, number, "mine"), said(theirs, number, "his")
    assert [one.user for one in shown(ours, number).comments or ()] == [ours.who.name, theirs.who.name]
    for ask, id in ((theirs, mine), (ours, his)):
        for request in (EditComment(number=number, id=id, text="x"), RemoveComment(number=number, id=id)):
            with pytest.raises(NotFound):
                ask(request)
    assert [one.text for one in shown(ours, number).comments or ()] == ["mine", "his"]


def test_comment_with_a_read_token_is_refused(
    shared: Callable[[str], tuple[Ask, Ask]], db: Database, person: Person, ask_as: AskAs, way: str
) -> None:
    ours, viewer = shared("viewer")
    number = ours.add("x").number
    said(ours, number, "mine")
    assert len(shown(viewer, number).comments or ()) == 1
    with pytest.raises(NotAllowed):
        said(viewer, number, "his")
    if way == "api":
        with pytest.raises(NotAllowed, match="scope"):
            said(ask_as(person, token=token_for(db, person, "read")), 1, "x")
