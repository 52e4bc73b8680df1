"""Deliveries: each message once to each channel, through failures, kills and several workers."""

from __future__ import annotations

import json
import os
import time
from uuid import uuid4

import pytest

from tests.conftest import wait_for
from tests.jobs.conftest import SIGNING_SECRET, Post
from tests.support.connections import raw
from tests.support.due_reminders import DUE, remind
from tests.support.receivers import HANG_UP
from todo_cli.contract.channels import AddChannel, TryChannel
from todo_cli.contract.jobs import RetryJobs
from todo_cli.contract.tasks import CompleteTasks, EditTasks
from todo_cli.errors import NotFound
from todo_cli.jobs.signature import is_signed


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
