"""Where a task was found: the link from a task to the one during which it was discovered, over both clients."""

from __future__ import annotations

import pytest

from tests.support.ask import Ask
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.tasks import AddTasks, EditTasks, ListTasks, NewTask, ShowTask
from todo_cli.contract.trash import DeleteTasks
from todo_cli.errors import Conflict, Invalid, NotFound


def test_discovered_task_is_shown_filtered_and_undone(ask: Ask) -> None:
    ask.add("paint")
    found = ask.add("buy a brush", discovered_from=1)
    assert found.discovered_from == 1
    ask(AddTasks(tasks=(NewTask(title="clean up", discovered_from=1), NewTask(title="other"))))
    links = ask(ShowTask(number=1)).links
    assert links
    assert [task.number for task in links.discovered] == [2, 3]
    source = ask(ShowTask(number=2)).links
    assert source
    assert source.source
    assert source.source.title == "paint"
    for filter, numbers in (("discovered:1", [2, 3]), ("discovered-from:1", [2, 3]), ("discovered:none", [1, 4])):
        assert [task.number for task in ask(ListTasks(filter=filter, sort="created")).tasks] == numbers
    assert ask(EditTasks(numbers=(2,), discovered_from=None)).tasks[0].discovered_from is None
    assert ask(ListChanges(number=2)).changes[0].differences[0].fields == {"discovered_from": (1, None)}
    ask(Undo())
    assert ask.show(2).discovered_from == 1
    ask(Redo())
    assert ask.show(2).discovered_from is None
    ask(EditTasks(numbers=(4,), discovered_from=3))
    ask(Undo())
    assert ask.show(4).discovered_from is None


def test_discovered_from_an_unusable_task_is_refused(ask: Ask) -> None:
    ask.add_all("a", "b")
    with pytest.raises(NotFound, match="task #9 does not exist"):
        ask.add("c", discovered_from=9)
    with pytest.raises(Invalid, match="discovered from itself"):
        ask(EditTasks(numbers=(1, 2), discovered_from=2))
    ask(DeleteTasks(numbers=(2,)))
    with pytest.raises(Conflict, match="is in the trash"):
        ask(EditTasks(numbers=(1,), discovered_from=2))
