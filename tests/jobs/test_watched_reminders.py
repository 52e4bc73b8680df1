"""A reminder is a line of every `todo watch` of its user, once."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.cli.test_watch import watch
from tests.conftest import Server, Todo
from tests.jobs.conftest import Post
from tests.support.terminal import Terminal
from todo_cli.contract.change_feed import FollowChanges
from todo_cli.contract.tasks import AddTask


def test_reminder_is_a_line_of_each_watch_of_its_user_once(
    post: Post, as_person: Callable[..., Todo], make_server: Callable[..., Server]
) -> None:
    direct = as_person(post.person, "direct")
    served = as_person(post.person, "api", url=make_server(post.db).url)
    other = as_person(post.db.person(), "direct")
    post(AddTask(title="Other", due="2030-06-03"))
    with (
        watch(direct, "--after", "0") as lines,
        watch(served, "--jsonl", "--after", "0", "rent") as objects,
        watch(other, "--jsonl") as others,
    ):
        assert lines.read(1)[0].endswith("add #1 Other: due 3 Jun 2030")
        screen = Terminal(served, "watch")
        screen.until("Ctrl-C ends")
        task = post(AddTask(title="Pay rent", due="2030-06-03T09:00:00Z", remind=("1h before",)))
        assert "add #2 Pay rent" in lines.read(1)[0]
        assert json.loads(objects.read(1)[0])["cursor"] == task.rev
        post.make_due()
        post.work()
        assert lines.read(1)[0].endswith("reminder #2 Pay rent: due 3 Jun 2030")
        reminder = json.loads(objects.read(1)[0])
        assert (reminder["type"], reminder["number"], reminder["cursor"]) == ("reminder", 2, task.rev)
        screen.until("reminder #2 Pay rent")
        post(AddTask(title="Milk, not rent"))
        assert lines.read(1)[0].endswith("add #3 Milk, not rent"), "the reminder comes once"
        assert json.loads(objects.read(1)[0])["type"] == "change"
        screen.child.sendintr()
        screen.ended(130)
        assert others.end()[0] == ""


def test_follow_without_a_time_returns_no_reminders(post: Post) -> None:
    post(AddTask(title="Pay rent", due="2030-06-03T09:00:00Z", remind=("1h before",)))
    post.make_due()
    post.work()
    assert post(FollowChanges(after=0)).reminders == ()
