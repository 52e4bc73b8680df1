"""What the sweep deletes only where the operator has set a limit: removed tasks and chats, and texts of the journal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.jobs.conftest import Post
from tests.support.limited_tokens import propose_completion
from todo_cli.contract.comments import AddComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges, Undo
from todo_cli.contract.proposals import ListProposals
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks, ListTasks, ShowTask
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import Conflict, NotFound
from todo_cli.jobs.options import Retention

MONTH = timedelta(days=30)
FOREVER = Retention(usual=timedelta(days=90))


def sweep(post: Post, keep: Retention) -> None:
    """Run the sweep with another retention."""
    post.db.execute("UPDATE todo.jobs SET due = now() WHERE kind = 'sweep'")
    post.work(keep=keep)


def remove(post: Post, *numbers: int, days: int) -> int:
    """Remove tasks that many days ago; return the seq of the change."""
    seq: int = post(DeleteTasks(numbers=numbers)).seq
    post.db.execute(
        "UPDATE todo.tasks SET deleted_at = now() - %s * interval '1 day' WHERE space_id = %s AND number = ANY (%s)",
        days,
        post.person.user_id,
        list(numbers),
    )
    return seq


def numbers_in(post: Post) -> list[int]:
    """Return the numbers of all tasks, removed ones too."""
    rows = post.db.execute("SELECT number FROM todo.tasks WHERE space_id = %s ORDER BY 1", post.person.user_id)
    return [number for (number,) in rows]


def test_removed_tasks_go_after_the_retention_and_the_others_stay(post: Post) -> None:
    kept, old, new, parent = (post(AddTask(title=title, tags=("x",))).number for title in ("kept", "old", "new", "p"))
    child = post(AddTask(title="child", parent=parent)).number
    waiting = post(AddTask(title="waits", after=(old,))).number
    post(AddComment(number=old, id=new_id(), text="of the old one"))
    change = remove(post, old, days=31)
    remove(post, new, days=29)
    remove(post, child, parent, days=31)
    sweep(post, FOREVER)
    assert numbers_in(post) == [kept, old, new, parent, child, waiting]
    sweep(post, Retention(usual=FOREVER.usual, trash=MONTH))
    assert numbers_in(post) == [kept, new, parent, waiting]  # a parent goes after its subtasks
    sweep(post, Retention(usual=FOREVER.usual, trash=MONTH))
    assert numbers_in(post) == [kept, new, waiting]
    assert post.db.execute("SELECT FROM todo.comments WHERE space_id = %s", post.person.user_id) == []
    for request in (RestoreTasks(numbers=(old,)), ShowTask(number=old), Undo(id=change)):
        with pytest.raises((NotFound, Conflict), match=r"does not exist|removed for good"):
            post(request)
    assert post(AddTask(title="next")).number == waiting + 1, "a number is given once"
    assert post(CompleteTasks(numbers=(waiting,))).tasks[0].status == "done"
    assert {"old"} <= {row.title for change in post(ListChanges()).changes for row in change.differences}


def test_removed_conversation_goes_after_the_retention_unless_another_one_continues_it(post: Post) -> None:
    me = post.person.user_id
    ids = [f"01a00000-0000-7000-8000-00000000000{n}" for n in range(3)]
    for id_, days in zip(ids, (31, 31, 29), strict=True):
        post.db.execute(
            "INSERT INTO todo.conversations (space_id, user_id, id, number, title, deleted_at)"
            " VALUES (%s, %s, %s, 0, 'old', now() - %s * interval '1 day')",
            me,
            me,
            id_,
            days,
        )
        post.db.execute(
            "INSERT INTO todo.messages (space_id, user_id, conversation_id, seq, turn_id, attempt, role, content, tokens)"
            " VALUES (%s, %s, %s, 1, gen_random_uuid(), 1, 'user', 'hello', 1)",
            me,
            me,
            id_,
        )
    post.db.execute(
        "INSERT INTO todo.conversations (space_id, user_id, id, number, title, head, head_of)"
        " VALUES (%s, %s, gen_random_uuid(), 0, 'fork', 1, %s)",
        me,
        me,
        ids[1],
    )
    sweep(post, FOREVER)
    sweep(post, Retention(usual=FOREVER.usual, trash=MONTH))
    left = post.db.execute(
        "SELECT DISTINCT conversation_id::text FROM todo.messages WHERE space_id = %s ORDER BY 1", me
    )
    assert [id_ for (id_,) in left] == ids[1:]


def test_long_texts_of_old_changes_go_and_such_a_change_is_not_undone(post: Post) -> None:
    number = post(AddTask(title="long", note="first " * 200)).number
    edit = post(EditTasks(numbers=(number,), note="second " * 200)).seq
    other = post(EditTasks(numbers=(number,), title="longer")).seq
    post.db.execute("UPDATE todo.changes SET at = at - interval '31 days' WHERE space_id = %s", post.person.user_id)
    sweep(post, FOREVER)
    assert post(Undo(id=other)).changes == (other,)
    sweep(post, Retention(usual=FOREVER.usual, texts=MONTH))
    with pytest.raises(Conflict, match="its old texts are no longer kept"):
        post(Undo(id=edit))
    (task,) = post(ListTasks()).tasks
    assert post(ShowTask(number=task.number)).note == "second " * 200
    assert post(ListChanges(number=number)).changes


def test_expired_acting_tokens_go(post: Post) -> None:
    for name, hours in (("old", 2), ("new", -1)):
        post.db.execute(
            "INSERT INTO todo.tokens (user_id, id, name, hash, scopes, kind, expires_at, parent)"
            " SELECT user_id, gen_random_uuid(), %s, sha256(%s::text::bytea), '{all}', 'acting',"
            " now() - %s * interval '1 hour', id FROM todo.tokens WHERE user_id = %s AND name = 'first'",
            name,
            name,
            hours,
            post.person.user_id,
        )
    sweep(post, FOREVER)
    rows = post.db.execute("SELECT name FROM todo.tokens WHERE user_id = %s ORDER BY 1", post.person.user_id)
    assert rows == [("first",), ("new",)]


def test_expired_proposals_go_after_the_retention(post: Post) -> None:
    number = post(AddTask(title="milk")).number
    old, new = (propose_completion(post.line, post.db.server_url, number) for _ in range(2))
    post.db.execute("UPDATE todo.proposals SET expires_at = now() - interval '91 days' WHERE id = %s", old)
    sweep(post, FOREVER)
    assert [proposal.id for proposal in post(ListProposals(all=True)).proposals] == [new]
