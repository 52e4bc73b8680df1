"""The commands as a user types them, and a worker inside a server."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.conftest import Server, Todo, wait_for
from tests.jobs.conftest import WORKER_PASSWORD, Post
from todo_cli.jobs.signature import is_signed


@pytest.fixture
def todo(post: Post, as_person: Callable[..., Todo]) -> Todo:
    """The command as the user of the receivers."""
    return as_person(post.person, "direct")


def test_server_with_a_worker_sends_what_commands_set_up(
    post: Post, as_person: Callable[..., Todo], make_server: Callable[..., Server]
) -> None:
    env = {"TODO_SERVE_WORKER": "1", "TODO_WORKER_DATABASE_URL": post.worker_url, "TODO_PRIVATE_TARGETS": "1"}
    todo = as_person(post.person, "api", url=make_server(post.db, env=env).url)
    added = todo("channel", "add", "hook", "webhook", post.hook_url)
    secret = added.lines[-1]
    assert (added.code, secret[:6]) == (0, "whsec_")
    assert "will not be shown again" in added.err
    tested = todo("channel", "test", "hook")
    assert tested.out == "Sent a test message to hook.\n", tested.err
    (sent,) = post.hook.posts
    assert is_signed(secret, sent.headers["todo-signature"], sent.body, int(sent.headers["todo-signature"][2:12]))
    # the reminder's time has passed already, so that it goes out at once, and late
    assert todo("add", "Soon", "--due", "in 20 minutes", "--remind", "1h before").code == 0
    wait_for(lambda: len(post.hook.posts) == 2, "the reminder")
    assert json.loads(post.hook.posts[1].body)["late"] is True
    listed = todo("jobs", "list", "--json").json
    assert {each["channel"] for each in listed["deliveries"] if each["kind"] == "reminder"} == {"", "hook"}


def test_remind_sets_lists_and_clears(todo: Todo) -> None:
    todo("add", "Pay rent", "--due", "2030-06-03 9:00", "--remind", "1h", "--remind", "2030-06-01 10:00")
    assert todo("remind", "1", "at", "due").out.startswith("Set the reminders of #1 Pay rent")
    listed = todo("remind", "--list")
    assert [line.split("\t")[:3] for line in listed.lines] == [
        ["2030-06-01T08:00:00Z", "#1", "Pay rent"],
        ["2030-06-03T06:00:00Z", "#1", "Pay rent"],
        ["2030-06-03T07:00:00Z", "#1", "Pay rent"],
    ]
    assert "reminds" in todo("show", "1").out
    assert todo("edit", "1", "--remind", "2h").code == 0
    assert [line[:20] for line in todo("remind", "1", "--list").lines] == ["2030-06-03T05:00:00Z"]
    assert todo("remind", "1", "--clear").code == 0
    assert todo("remind").out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("remind", "1"), "name a time, or --clear"),
        (("remind", "1", "1h", "--clear"), "name a time, or --clear"),
        (("remind", "99", "tomorrow"), "does not exist"),
        (("channel", "add", "p", "push", "https://ntfy.sh/topic"), "process list"),
        (("channel", "rm", "nothing"), "no channel 'nothing'"),
        (("channel", "add", "w", "webhook", "https://example.org", "--changes", "cook"), "no change of tasks"),
        (("channel", "add", "m", "email", "ana@example.org", "--changes", "all"), "only a webhook"),
        (("jobs", "retry", "01a205ca-e90e-7c80-b103-79a08eee1cd4"), "no dead job"),
    ],
)
def test_wrong_commands_say_what_to_do(todo: Todo, arguments: tuple[str, ...], message: str) -> None:
    ended = todo(*arguments)
    assert ended.code in (2, 3)
    assert message in ended.err
    assert "(" in ended.err, "a hint"


def test_worker_without_a_database_or_as_its_owner_is_refused(bare: Todo, post: Post) -> None:
    assert "TODO_WORKER_DATABASE_URL" in bare("worker", "--once").err
    refused = bare("worker", "--once", env={"TODO_WORKER_DATABASE_URL": post.db.owner_url})
    assert "owner" in refused.err
    own = {"TODO_WORKER_DATABASE_URL": post.worker_url}
    assert WORKER_PASSWORD in post.worker_url
    assert bare("worker", "--once", env=own).out.startswith("Ran ")
