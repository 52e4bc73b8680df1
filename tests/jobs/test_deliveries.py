"""Deliveries: each message once to each channel, through failures, kills and several workers."""

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
from tests.support.receivers import HANG_UP
from todo_cli.contract.channels import AddChannel, ListChannels, RemoveChannel, TryChannel
from todo_cli.contract.comments import AddComment
from todo_cli.contract.jobs import RetryJobs
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks
from todo_cli.errors import Invalid, NotFound
from todo_cli.jobs.signature import is_signed

DUE = "2030-06-03T09:00:00Z"


def remind(post: Post, title: str = "Zahnarzt – um 9") -> int:
    """Add a task whose reminder is due now, and three hours late."""
    number: int = post(AddTask(title=title, due=DUE, remind=("1h",), priority=1)).number
    post.make_due()
    return number


def add_mail(post: Post) -> None:
    """Add a channel to the mail receiver."""
    post(AddChannel(name="mail", kind="email", target="ana@example.org"))


def test_reminder_goes_once_to_every_channel_signed_and_says_that_it_is_late(post: Post) -> None:
    post.add_webhook()
    add_mail(post)
    post(
        AddChannel(
            name="phone", kind="push", target=f"http://127.0.0.1:{post.hook.port}/t0pic", secret="tk_" + "x" * 20
        )
    )
    number = remind(post)
    assert post.work() >= 1
    assert post.work() == 0
    webhook, push = sorted(post.hook.posts, key=lambda each: each.path, reverse=True)
    assert is_signed(SIGNING_SECRET, webhook.headers["todo-signature"], webhook.body, time.time())
    assert not is_signed(SIGNING_SECRET, webhook.headers["todo-signature"], webhook.body + b" ", time.time())
    assert not is_signed(SIGNING_SECRET, webhook.headers["todo-signature"], webhook.body, time.time() + 400)
    body = json.loads(webhook.body)
    assert (body["event"], body["task"]["number"], body["late"]) == ("reminder", number, True)
    assert body["id"] == webhook.headers["todo-delivery"]
    assert (push.path, push.headers["authorization"]) == ("/", "Bearer tk_" + "x" * 20)
    message = json.loads(push.body)
    assert (message["topic"], message["priority"]) == ("t0pic", 5)
    (mail,) = post.mail.mails
    assert mail["Subject"] == f"#{number} Zahnarzt – um 9"
    assert "3 hours late" in str(mail.get_payload(decode=True), "utf-8")
    assert sorted(each.state for each in post.jobs().deliveries) == ["sent"] * 4
    assert {each.channel for each in post.jobs().deliveries} == {"hook", "mail", "phone", ""}


def test_task_that_is_done_or_moved_before_the_reminder_sends_nothing(post: Post) -> None:
    post.add_webhook()
    done, moved = remind(post), remind(post)
    post(CompleteTasks(numbers=(done,)))
    post(EditTasks(numbers=(moved,), due="2030-07-01T09:00:00Z"))
    post.work()
    assert post.hook.posts == []
    # the same moment is not reminded of twice, however the task comes back to it
    post.db.execute("UPDATE todo.jobs SET due = now() WHERE user_id = %s", post.person.user_id)
    post.work()
    post(EditTasks(numbers=(moved,), due=DUE))
    post(EditTasks(numbers=(moved,), due="2030-07-01T09:00:00Z"))
    assert len(post.hook.posts) == 1
    assert post.jobs(moved).jobs == ()


@pytest.mark.parametrize("answer", [500, 302, 404, HANG_UP])
def test_webhook_that_fails_is_tried_again_with_the_same_id(post: Post, answer: int) -> None:
    post.add_webhook()
    post.hook.answers[:] = [answer, answer]
    remind(post)
    wait_for(lambda: post.work() == 0 and post.states() == ["sent"], "the third try")
    assert len({each.headers["todo-delivery"] for each in post.hook.posts}) == 1
    assert [each.path for each in post.hook.posts] == ["/hook"] * 3, "a redirect is not followed"


def test_channel_that_never_answers_leaves_a_dead_letter_that_can_be_retried(post: Post) -> None:
    post.add_webhook()
    add_mail(post)
    post.hook.answers[:] = [500] * 10
    remind(post)
    wait_for(lambda: post.work() == 0 and post.states() == ["dead"], "ten tries")
    (job,) = post.jobs().jobs
    assert (job.state, job.tries, job.error) == ("dead", 10, "127.0.0.1 answered 500")
    assert post(RetryJobs(id=job.id)).retried == 1
    post.work()
    assert (post.states(), post.jobs().jobs) == (["sent"], ())
    assert len(post.mail.mails) == 1, "what had been sent is not sent again"
    with pytest.raises(NotFound):
        post(RetryJobs(id=str(uuid4())))


@pytest.mark.parametrize(("code", "state", "mails"), [(451, "sent", 1), (550, "dead", 0), (HANG_UP, "sent", 2)])
def test_mail_is_tried_again_unless_it_was_refused_for_good(post: Post, code: int, state: str, mails: int) -> None:
    add_mail(post)
    post.mail.answers[:] = [code]
    remind(post)
    wait_for(lambda: post.work() == 0 and post.states("mail") == [state], "the last try")
    assert len(post.mail.mails) == mails
    assert len({mail["Message-ID"] for mail in post.mail.mails}) <= 1, "a receiver can tell the repetition"


def test_private_address_is_refused_unless_the_operator_allows_it(post: Post) -> None:
    post.add_webhook()
    remind(post)
    post.work(allow_private=False)
    assert post.hook.posts == []
    assert post.states() == ["dead"]
    assert "private network" in (post.jobs().jobs[0].error or "")


def test_desktop_shows_the_reminder_by_notify_send(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = post.home / "shown"
    script = post.home / "notify-send"
    script.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >> {shown}\nexit ${{SHOWN_CODE:-0}}\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{post.home}:{os.environ['PATH']}")
    post(AddChannel(name="desk", kind="desktop"))
    remind(post, "--urgency=low")
    post.work()
    assert "|--|#1 --urgency=low|" in shown.read_text()
    assert post.states("desk") == ["sent"]
    monkeypatch.setenv("SHOWN_CODE", "1")
    post(TryChannel(name="desk"))
    post.work()
    assert post.states("desk")[0] == "dead"


def test_delivery_of_a_dead_worker_is_sent_again_only_where_the_channel_can_tell(post: Post) -> None:
    post.add_webhook()
    post(AddChannel(name="desk", kind="desktop"))
    remind(post)
    with raw(post.worker_url) as connection:
        taken = connection.execute(
            "SELECT space_id, id, attempt FROM todo.take_jobs(10, '0 s') WHERE kind = 'reminder'"
        )
        space, job, attempt = taken.fetchall()[0]
        opened = connection.execute("SELECT todo.open_reminder(%s, %s, %s)", [space, job, attempt]).fetchone()
        assert opened
        for each in opened[0]["deliveries"]:  # as a worker that dies while it sends
            connection.execute("SELECT todo.begin_delivery(%s, %s, %s, %s)", [space, job, attempt, each["id"]])
        ids = {each["channel"]: each["id"] for each in opened[0]["deliveries"]}
        post.work()
        (sent,) = post.hook.posts
        assert sent.headers["todo-delivery"] == ids["hook"]
        assert (post.states("hook"), post.states("desk")) == (["sent"], ["unknown"])
        # the dead worker comes back: it was overtaken, so it changes nothing
        late = [space, post.person.user_id, attempt, ids["hook"]]
        connection.execute("SELECT todo.end_delivery(%s, %s, %s, %s, 'failed', 'late')", late)
        again = connection.execute("SELECT todo.begin_delivery(%s, %s, %s, %s)", [space, job, attempt, ids["hook"]])
        assert again.fetchone() == (None,)
    assert post.states("hook") == ["sent"]


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
