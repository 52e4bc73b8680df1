"""A write answers from rows, a read answers from SQL: both give the same task."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.support.ask import Ask
from todo_cli.contract.base import Request
from todo_cli.contract.claims import ClaimTask
from todo_cli.contract.tasks import AddTask, Changed, CompleteTasks, EditTasks, ListTasks, ShowTask, Task
from todo_cli.contract.time_tracking import StartTasks, StopTasks
from todo_cli.contract.trash import DeleteTasks

ON_TASK_2: dict[str, tuple[Request[Any], ...]] = {
    "a title alone": (),
    "every field": (
        EditTasks(
            numbers=(2,),
            title='Ä "quoted"\ttitle',
            note="a\nb",
            due="2030-01-02 09:30",
            defer="2029-12-31",
            scheduled="2030-01-01 10:00:00.123",
            project="Home.garden",
            tags=("b", "a"),
            priority=2,
            parent=1,
            after=(3, 1),
        ),
    ),
    "recurring days": (EditTasks(numbers=(2,), due="2030-01-02", every="every monday"),),
    "recurring times": (EditTasks(numbers=(2,), due="2030-01-02 09:00", every="every 2 weeks"),),
    "claimed": (ClaimTask(number=2),),
    "started": (StartTasks(numbers=(2,)),),
    "tracked": (StartTasks(numbers=(2,)), StopTasks(numbers=(2,))),
    "far dates": (EditTasks(numbers=(2,), due="9999-12-30", defer="0001-01-02"),),
}
FINISHED: dict[str, Request[Any]] = {
    "edited": EditTasks(numbers=(2,), title="Last title"),
    "done": CompleteTasks(numbers=(2,)),
    "deleted": DeleteTasks(numbers=(2,)),
}


def fields_of(task: Task) -> dict[str, Any]:
    """Return the fields that both answers have. Reads alone compute the others."""
    fields: dict[str, Any] = msgspec.to_builtins(task)
    for name in ("blocked", "urgency", "subtasks", "subtasks_done", "comments", "attachments", "links", "new"):
        fields.pop(name, None)
    return fields


@pytest.mark.parametrize("last", FINISHED)
@pytest.mark.parametrize("name", ON_TASK_2)
def test_answer_of_a_write_equals_the_task_that_show_and_list_read(ask: Ask, name: str, last: str) -> None:
    for title in ("First", "Second", "Third"):
        ask(AddTask(title=title))
    for request in ON_TASK_2[name]:
        ask(request)
    changed = ask(FINISHED[last])
    assert isinstance(changed, Changed)
    written = fields_of(next(task for task in changed.tasks if task.number == 2))
    assert fields_of(ask(ShowTask(number=2))) == written
    (listed,) = (task for task in ask(ListTasks(status="all")).tasks if task.number == 2)
    assert fields_of(listed) == {key: value for key, value in written.items() if key != "note"}
