"""The rule of adding tasks that refer to others, without a database."""

from __future__ import annotations

import pytest

from tests.support.task_rows import NOW, make_loaded, make_row
from todo_cli.contract.tasks import AddTasks
from todo_cli.core.tasks.add import AddWanted, number_rows
from todo_cli.errors import Conflict, NotFound

REQUEST = AddTasks(tasks=())


def test_new_tasks_are_numbered_in_their_order() -> None:
    wanted = AddWanted(rows=[make_row(0, title="a"), make_row(0, title="b")], group="group")
    edits = number_rows(make_loaded(), wanted, REQUEST)
    assert [(row.number, row.title, row.rev, row.created_at) for row in edits.rows] == [
        (100, "a", 10, NOW),
        (101, "b", 10, NOW),
    ]
    assert edits.group == "group"


def test_new_task_of_a_missing_or_trashed_parent_is_refused() -> None:
    wanted = AddWanted(rows=[make_row(0, parent=7)], parents=(7,))
    with pytest.raises(NotFound, match="task #7 does not exist; nothing was added"):
        number_rows(make_loaded(), wanted, REQUEST)
    with pytest.raises(Conflict, match="task #7 is in the trash; nothing was added"):
        number_rows(make_loaded(statuses=[(7, "deleted")]), wanted, REQUEST)
    [row] = number_rows(make_loaded(statuses=[(7, "open")], ancestors=[(7, None)]), wanted, REQUEST).rows
    assert row.parent == 7
