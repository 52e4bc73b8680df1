"""Tasks that are assigned to a member of their space, over both clients."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import Database
from tests.support.ask import Ask, AskAs
from tests.support.limited_tokens import create_limited_token
from tests.support.shared_space import create_space, join, space_of
from todo_cli.contract.copies import CopyTasks
from todo_cli.contract.exports import ExportTasks
from todo_cli.contract.ids import new_id
from todo_cli.contract.imports import ImportTasks, TaskToImport
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.spaces import LeaveSpace, MemberRole, RemoveMember, SetMemberRole
from todo_cli.contract.tasks import (
    AddTask,
    AddTasks,
    CompleteTasks,
    EditTasks,
    ListTasks,
    NewTask,
    ReopenTasks,
    ShowTask,
)
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import NotFound


@pytest.fixture
def owner(ask: Ask, ask_as: AskAs) -> Ask:
    """Return the owner of a new space, in it."""
    return create_space(ask, ask_as)


@pytest.fixture
def bob(owner: Ask, ask_as: AskAs, db: Database) -> Ask:
    """Return an editor of the owner's space, in it."""
    return join(owner, db.person(), ask_as)


def find(ask: Ask, filter: str) -> list[int]:
    """Return the numbers of the tasks that a filter finds."""
    return [task.number for task in ask(ListTasks(filter=filter, sort="created")).tasks]


def test_assigned_task_is_shown_filtered_and_undone(owner: Ask, bob: Ask) -> None:
    name, me = bob.who.name, owner.who.name
    assert owner.add("plumber", assigned_to=name).assigned_to == name
    assert owner.add("paint", assigned_to="me").assigned_to == me
    owner(AddTasks(tasks=(NewTask(title="a", assigned_to=name), NewTask(title="b"))))
    found = {"assigned:me": [2], f"assigned:{name}": [1, 3], "assigned:none": [4], "-assigned:me": [1, 3, 4]}
    assert {filter: find(owner, filter) for filter in found} == found
    assert find(bob, "assignee:me or assigned:none") == [1, 3, 4]
    assert owner(EditTasks(numbers=(4,), assigned_to="me")).tasks[0].assigned_to == me
    assert owner(ListChanges(number=4)).changes[0].differences[0].fields == {"assigned_to": (None, me)}
    owner(Undo())
    assert owner.show(4).assigned_to is None
    owner(Redo())
    assert owner(ShowTask(number=4)).assigned_to == me
    assert owner(EditTasks(numbers=(4,), assigned_to=None)).tasks[0].assigned_to is None
    assert owner(CopyTasks(numbers=(1,))).tasks[0].assigned_to == name
    assert owner(CopyTasks(numbers=(1,), assigned_to="me")).tasks[0].assigned_to == me


@pytest.mark.parametrize("role", ["viewer", "commenter"])
def test_task_is_assigned_to_nobody_who_may_not_finish_it(
    owner: Ask, ask_as: AskAs, db: Database, role: MemberRole
) -> None:
    owner.add("x")
    reader = join(owner, db.person(), ask_as, role).who.name
    for name in (reader, db.person().name):
        for request in (EditTasks(numbers=(1,), assigned_to=name), AddTask(title="y", assigned_to=name)):
            with pytest.raises(NotFound, match=r"has no member '.*' who may finish tasks; nothing was"):
                owner(request)
    assert find(owner, "assigned:any") == []


def test_quick_add_reads_the_assignee(owner: Ask, bob: Ask) -> None:
    task = owner(AddTask(title=f"Call the plumber assign:{bob.who.name} tomorrow", parse=True))
    assert (task.title, task.assigned_to) == ("Call the plumber", bob.who.name)
    assert owner(AddTask(title="paint assign:me", parse=True)).assigned_to == owner.who.name
    assert owner(AddTask(title=r"Read \assign:me", parse=True)).title == "Read assign:me"
    with pytest.raises(NotFound):
        owner(AddTask(title="x assign:nobody-here", parse=True))


@pytest.mark.parametrize("end", ["leave", "remove", "demote"])
def test_member_who_goes_leaves_open_tasks_unassigned_by_a_change(
    owner: Ask, bob: Ask, ask_as: AskAs, end: str
) -> None:
    name = bob.who.name
    owner.add("open", assigned_to=name, tags=("t",), note="n" * 5_000, every="every day", due="tomorrow")
    owner.add("done", assigned_to=name)
    owner.add("trashed", assigned_to=name)
    owner.add("other", assigned_to="me", after=(1,))
    owner(CompleteTasks(numbers=(2,)))
    owner(DeleteTasks(numbers=(3,)))
    before = owner.show(1)
    if end == "leave":
        ask_as(bob.who)(LeaveSpace(id=space_of(owner)))
    elif end == "remove":
        owner(RemoveMember(name=name))
    else:
        owner(SetMemberRole(name=name, role="commenter"))
    assert find(owner, "assigned:any status:all") == [2, 3, 4]
    after, [change] = owner.show(1), owner(ListChanges(number=1)).changes[:1]
    assert change.verb == {"leave": "LeaveSpace", "remove": "RemoveMember", "demote": "SetMemberRole"}[end]
    assert (change.mine, change.seq, after.rev) == (end != "leave", after.rev, change.seq)
    assert [difference.fields for difference in change.differences] == [{"assigned_to": (name, None)}]
    assert after.note == before.note
    with pytest.raises(NotFound):
        owner(EditTasks(numbers=(1,), assigned_to=name))


def test_former_member_does_not_come_back_with_a_task(owner: Ask, bob: Ask, ask_as: AskAs) -> None:
    name = bob.who.name
    owner.add("done", assigned_to=name)
    owner.add("trashed", assigned_to=name)
    owner.add("edited", assigned_to=name)
    owner(CompleteTasks(numbers=(1,)))
    owner(DeleteTasks(numbers=(2,)))
    owner(EditTasks(numbers=(3,), title="again", assigned_to="me"))
    edit = owner(ListChanges(number=3)).changes[0].seq
    owner(RemoveMember(name=name))
    owner(ReopenTasks(numbers=(1,)))
    owner(RestoreTasks(numbers=(2,)))
    owner(Undo(id=edit))
    assert [owner.show(number).assigned_to for number in (1, 2, 3)] == [None, None, None]
    assert owner.show(3).title == "edited"
    owner(Undo())
    assert owner(ListChanges()).changes[0].undoes == owner(ListChanges(number=2)).changes[1].seq, "no removal is undone"


def test_next_occurrence_has_the_assignee_of_the_series(owner: Ask, bob: Ask) -> None:
    name, me = bob.who.name, owner.who.name
    owner.add("dishes", assigned_to=name, every="every day", due="tomorrow")
    owner(EditTasks(numbers=(1,), assigned_to="me", occurrences="this"))
    owner(CompleteTasks(numbers=(1,)))
    assert (owner.show(1).assigned_to, owner.show(2).assigned_to) == (me, name)
    owner(EditTasks(numbers=(2,), assigned_to="me", occurrences="this"))
    owner(RemoveMember(name=name))
    owner(CompleteTasks(numbers=(2,)))
    assert owner.show(3).assigned_to is None
    owner(EditTasks(numbers=(3,), assigned_to="me"))
    owner(CompleteTasks(numbers=(3,)))
    assert owner.show(4).assigned_to == me


def test_member_with_many_tasks_leaves_them_in_changes_of_200(owner: Ask, bob: Ask, db: Database) -> None:
    owner(AddTasks(tasks=tuple(NewTask(title=f"t{n}", assigned_to=bob.who.name) for n in range(450))))
    seq = owner(ListChanges(limit=1)).changes[0].seq
    owner(RemoveMember(name=bob.who.name))
    changes = owner(ListChanges(limit=4)).changes
    assert [(change.seq - seq, change.tasks) for change in changes] == [(4, 50), (3, 200), (2, 200), (1, 0)]
    assert len({change.group for change in changes[:3]}) == 1
    assert find(owner, "assigned:any") == []


def test_snapshot_of_the_database_is_the_row_that_python_writes(owner: Ask, bob: Ask, db: Database) -> None:
    owner.add("blocker")
    owner.add("parent")
    owner.add(
        "all", assigned_to=bob.who.name, note="n", due="tomorrow 9am", defer="today", scheduled="tomorrow", priority=1,
        tags=("b", "a"), parent=2, after=(1,), every="every day", remind=("1h before",), project="p", discovered_from=1,
    )  # fmt: skip  # one field after the other
    with psycopg.connect(db.owner_url) as connection:
        query = """SELECT c.after -> 0, todo.task_snapshot(t) FROM todo.tasks t
          JOIN todo.changes c ON c.space_id = t.space_id AND c.seq = t.rev
          WHERE t.space_id = %s AND t.number = 3"""
        connection.execute("SET TimeZone = 'UTC'")
        [(python, database)] = connection.execute(query, [space_of(owner)]).fetchall()
    instants = {name for name in python if name.endswith("_at")}
    assert {**database, **dict.fromkeys(instants)} == {**python, **dict.fromkeys(instants)}


def test_import_assigns_open_tasks_to_members_alone(owner: Ask, bob: Ask) -> None:
    name = bob.who.name
    given = {"a": (name, "open"), "b": ("stranger", "open"), "c": ("stranger", "done")}
    records = tuple(
        TaskToImport(source_id=id, title=id, digest=id * 32, assigned_to=assignee, status=status)  # type: ignore[arg-type]  # a status
        for id, (assignee, status) in given.items()
    )
    request = ImportTasks(format="jsonl", name="list", file="0" * 32, group=new_id(), tasks=records)
    imported = owner(request)
    assert (imported.added, imported.unassigned) == (3, 1)
    tasks = owner(ExportTasks(format="jsonl")).tasks
    assert [task.assigned_to for task in tasks] == [name, None, "stranger"]
    assert owner(ImportTasks(format="jsonl", name="list", file="1" * 32, group=new_id(), tasks=records)).unassigned == 0


@pytest.mark.parametrize("way", ["api"])
def test_assignment_by_a_token_with_limits_and_of_the_past(owner: Ask, bob: Ask, ask: Ask, ask_as: AskAs) -> None:
    name, space = bob.who.name, space_of(owner)
    owner.add("milk", project="shop", assigned_to="me")
    token = create_limited_token(ask, scopes=("read", "tasks:write"), filter="#shop")
    narrow = ask_as(ask.who, token=token, space=space)
    assert narrow(EditTasks(numbers=(1,), assigned_to=name)).tasks[0].assigned_to == name
    before = owner(ListChanges(number=1)).changes[0].at
    owner(RemoveMember(name=name))
    assert [task.number for task in owner(ListTasks(filter=f"assigned:{name}", as_of=before.isoformat())).tasks] == [1]
    assert find(owner, f"assigned:{name}") == []
