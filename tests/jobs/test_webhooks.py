"""Webhooks and the desktop: order, filters and secrets."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from uuid import uuid4

import pytest

from tests.conftest import wait_for
from tests.jobs.conftest import SIGNING_SECRET, Post
from tests.support.connections import raw
from tests.support.due_reminders import remind
from todo_cli.contract.channels import AddChannel, ListChannels, RemoveChannel, TryChannel
from todo_cli.contract.comments import AddComment
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks
from todo_cli.errors import Invalid


def test_changes_of_a_space_go_to_the_webhook_in_order_and_filtered(post: Post) -> None:
    post.add_webhook(space=post.person.user_id, commands=("add", "done", "comment"))
    post.hook.answers[:] = [500]
    number = post(AddTask(title="first")).number
    post(EditTasks(numbers=(number,), note="not sent"))
    post(AddComment(number=number, id=str(uuid4()), text="hello"))
    post(CompleteTasks(numbers=(number,)))
    post.work()
    post(AddTask(title="last"))
    wait_for(lambda: post.work() == 0 and len(post.hook.posts) == 5, "every change")
    bodies = [json.loads(each.body) for each in post.hook.posts]
    assert [body["command"] for body in bodies] == ["add", "add", "comment", "done", "add"], (
        "a failed one holds up others"
    )
    assert bodies[0]["id"] == bodies[1]["id"]
    assert bodies[3]["tasks"][0]["status"] == "done"
    assert bodies[3]["seq"] < bodies[4]["seq"]
    post.db.execute("DELETE FROM todo.members WHERE user_id = %s", post.person.user_id)
    with post_owner(post) as connection:
        connection.execute(
            "INSERT INTO todo.jobs (space_id, kind, user_id, ref, due) VALUES (%s, 'changes', %s, 'hook', now())",
            [post.person.user_id, post.person.user_id],
        )
    post.work()
    assert len(post.hook.posts) == 5


def post_owner(post: Post):  # type: ignore[no-untyped-def]
    """Return the owner's connection."""
    return raw(post.db.owner_url)


def test_channel_shows_no_secret_anywhere(post: Post) -> None:
    secret_url = f"http://127.0.0.1:{post.hook.port}/s3cret-topic"
    post(AddChannel(name="phone", kind="push", target=secret_url, secret="tk_s3cret-s3cret-s3cret"))
    seen = f"{post(ListChannels())}{post(ListChanges())}{post.jobs()}"
    seen += str(post.db.execute("SELECT request, answer FROM todo.changes WHERE space_id = %s", post.person.user_id))
    assert "phone" in seen
    assert "s3cret" not in seen
    own = raw(post.person.database_url, token=post.person.token, user=post.person.user_id, space=post.person.user_id)
    with own as connection:
        assert connection.execute("SELECT name FROM todo.channels").fetchall() == [("phone",)]
        for column in ("target", "secret", "*"):
            with pytest.raises(Exception, match="permission denied"):
                connection.execute(f"SELECT {column} FROM todo.channels")
        for call in ("take_jobs(1, '1 s')", "sweep('1 s', 1)", "next_job_due()"):
            with pytest.raises(Exception, match="permission denied"):
                connection.execute(f"SELECT todo.{call}")
    post(RemoveChannel(name="phone"))
    assert post(ListChannels()).channels == ()


@pytest.mark.parametrize(
    ("kind", "target", "match"),
    [
        ("webhook", "ftp://x/y", "a URL"),
        ("webhook", "https://user:pass@example.org/", "a URL"),
        ("push", "https://ntfy.sh/", "topic"),
        ("email", "not an address", "e-mail"),
        ("email", "a@b, c@d", "e-mail"),
        ("desktop", "x", "no address"),
    ],
)
def test_channel_with_an_address_of_the_wrong_form_is_refused(post: Post, kind: str, target: str, match: str) -> None:
    with pytest.raises(Invalid, match=match):
        post(AddChannel(name="c", kind=kind, target=target, secret=SIGNING_SECRET))  # type: ignore[arg-type]


def test_sweep_deletes_what_is_old_and_nothing_else(post: Post) -> None:
    post.add_webhook()
    remind(post)
    post.work()
    me = post.person.user_id
    kept = len(post.jobs().deliveries)
    post.db.execute(
        "UPDATE todo.deliveries SET updated_at = now() - interval '91 days' WHERE user_id = %s AND channel = ''", me
    )
    post.db.execute(
        "INSERT INTO todo.tokens (user_id, id, name, hash, scopes, kind, expires_at, parent)"
        " VALUES (%s, gen_random_uuid(), 'old', sha256('old'), '{all}', 'session', now() - interval '100 days', NULL)",
        me,
    )
    post.db.execute("INSERT INTO todo.failures VALUES (%s, '192.0.2.1', 1, 1)", me)
    post.db.execute("UPDATE todo.jobs SET due = now() WHERE kind = 'sweep'")
    post.work()
    assert len(post.jobs().deliveries) == kept - 1
    assert post.db.execute("SELECT name FROM todo.tokens WHERE user_id = %s", me) == [("first",)]
    assert post.db.execute("SELECT FROM todo.failures WHERE user_id = %s", me) == []


def test_worker_process_wakes_at_once_and_ends_cleanly(post: Post) -> None:
    post.add_webhook()
    process = post.start_worker()
    post(TryChannel(name="hook"))
    wait_for(lambda: post.states() == ["sent"], "the test message")
    remind(post)
    post.db.execute("NOTIFY todo_jobs")
    wait_for(lambda: len(post.hook.posts) == 2, "the reminder")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


@pytest.mark.long
def test_reminders_survive_kills_of_two_workers_once_each(post: Post) -> None:
    seed = int(os.environ.get("TODO_TEST_SEED", "0")) or random.randrange(10**6)
    print(f"TODO_TEST_SEED={seed}")
    chance = random.Random(seed)
    post.add_webhook()
    numbers = [remind(post, f"task {place}") for place in range(200)]
    post.hook.delay_seconds = 0.4  # so that kills come between a message and its answer
    for _ in range(15):
        workers = [post.start_worker(), post.start_worker()]
        time.sleep(chance.uniform(1.0, 3.0))
        for worker in workers:
            worker.kill()
            worker.wait()
    post.hook.delay_seconds = 0
    post.start_worker()
    wait_for(lambda: not [job for job in post.jobs().jobs if job.kind == "reminder"], "the last reminder", timeout=300)
    sent = [json.loads(each.body) for each in post.hook.posts]
    assert sorted({body["task"]["number"] for body in sent}) == numbers, "none is lost"
    assert len({body["id"] for body in sent}) == len(numbers), "what was sent twice has one id"
    repeated = len(sent) - len(numbers)
    print(f"{len(numbers)} reminders, {repeated} sent again with the same id after a kill")
    assert repeated <= 15 * 2 * 8
