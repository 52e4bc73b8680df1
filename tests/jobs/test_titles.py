"""Conversations whose process ended before it had a title are titled by a worker with a model, once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import wait_for
from tests.jobs.conftest import Post
from tests.support.ask import settings_of
from tests.support.chat_process import model_environment
from tests.support.fake_model import FakeModel, run_fake_model
from tests.support.model_answers import call_answer, error_answer, text_answer
from tests.support.turn_driver import ScriptedModel
from todo_cli.agent.loop import run_turn
from todo_cli.contract.base import Secret
from todo_cli.contract.conversations import RenameConversation
from todo_cli.contract.ids import new_id
from todo_cli.contract.tokens import RevokeToken
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.contract.usage import ReadUsage
from todo_cli.settings.settings import Settings

JOBS = "SELECT kind, attempt, tries, dead_at FROM todo.jobs WHERE user_id = %s"
TITLE = "SELECT title FROM todo.conversations WHERE user_id = %s"


@pytest.fixture
def titler() -> Iterator[FakeModel]:
    """A model that is only asked for titles."""
    with run_fake_model() as running:
        yield running


def work_settings(post: Post, titler: FakeModel) -> Settings:
    """Return the settings of a worker that has the model."""
    return settings_of(
        post.person, "direct", model_name="m", model_base_url=titler.url, model_api_key=Secret("sk-test")
    )


def talk(post: Post, text: str = "hello there", conversation: str | None = None) -> str:
    """Run a turn to its end, in a process that does not title the conversation; return the conversation's id."""
    begin = BeginTurn(conversation=conversation or new_id(), turn=new_id(), runner=new_id(), text=text, model="m")

    async def send(request: Any) -> Any:
        return await post.line.send(request, key=new_id() if request.write else None)

    end = post.line.runner.run(run_turn(send, ScriptedModel([["Hi."]]), begin, titles=True))
    assert end.state == "done"
    return begin.conversation


def work(post: Post, titler: FakeModel) -> None:
    """Let the titles be due, and run a worker that has the model."""
    post.make_due()
    post.work(titles=work_settings(post, titler), retry_seconds=60.0)


def title(post: Post) -> str:
    return str(post.db.execute(TITLE, post.person.user_id)[0][0])


def kinds(post: Post) -> list[str]:
    return [row[0] for row in post.db.execute(JOBS, post.person.user_id)]


def test_title_of_a_conversation_without_one_is_asked_for_once(post: Post, titler: FakeModel) -> None:
    conversation = talk(post)
    assert kinds(post) == ["title"], "queued with the end of the turn"
    talk(post, "more", conversation)
    assert kinds(post) == ["title"], "only the first turn asks for one"
    titler.add(text_answer("**A greeting**"))
    work(post, titler)
    assert title(post) == "A greeting"
    assert kinds(post) == []
    (asked,) = titler.asked
    assert not asked.body.get("tools")
    assert asked.body["messages"][-1]["content"] == "user: hello there\n\nassistant: Hi."
    usage = post(ReadUsage()).total
    assert (usage.calls, usage.prompt, usage.completion) == (1, 7, 3)


def test_title_waits_for_a_worker_that_has_a_model(post: Post, titler: FakeModel) -> None:
    talk(post)
    post.make_due()
    post.work()
    post.work(titles=settings_of(post.person, "direct"))
    assert post.db.execute(JOBS, post.person.user_id) == [("title", 0, 0, None)]
    assert post.jobs().jobs == ()  # not among the messages that the user waits for
    titler.add(text_answer("A greeting"))
    work(post, titler)
    assert title(post) == "A greeting"


def test_worker_killed_while_it_asks_leaves_the_title_to_the_next(post: Post, titler: FakeModel) -> None:
    talk(post)
    post.make_due()
    titler.add([{"stall": True}])
    env = model_environment(titler) | {"TODO_TITLES": "true", "TODO_MODEL": "m"}
    process = post.start_worker(**env)
    wait_for(lambda: len(titler.asked) == 1, "the worker asks", timeout=60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    titler.add(text_answer("A greeting"))
    work(post, titler)
    assert (title(post), kinds(post)) == ("A greeting", [])
    assert post(ReadUsage()).total.calls == 1


def test_worker_that_was_overtaken_stores_nothing(post: Post, titler: FakeModel) -> None:
    talk(post)
    post.make_due()
    rows = """SELECT space_id, id, attempt FROM todo.take_jobs(9, '0 s', '{title}')"""
    (old,), (new,) = (post.db.execute(rows), post.db.execute(rows))
    store = "SELECT todo.store_title(%s, %s, %s, 'hello there', %s, 'm', '{\"prompt\": 5}')"
    post.db.execute(store, *old, "Late")
    assert title(post) == "hello there"
    post.db.execute(store, *new, "In time")
    post.db.execute(store, *new, "Twice")
    assert (title(post), post(ReadUsage()).total.calls) == ("In time", 1)


def test_title_given_by_the_user_is_kept_and_ends_the_job(post: Post, titler: FakeModel) -> None:
    conversation = talk(post)
    post.make_due()
    ((space, job, attempt),) = post.db.execute("SELECT space_id, id, attempt FROM todo.take_jobs(9, '1 s', '{title}')")
    post(RenameConversation(number=1, title="Mine"))
    assert kinds(post) == []
    post.db.execute("SELECT todo.store_title(%s, %s, %s, 'hello there', 'Theirs', 'm', NULL)", space, job, attempt)
    assert title(post) == "Mine"
    # renamed before the first turn has ended: the job finds a title that is no beginning of the message
    queue = "INSERT INTO todo.jobs (space_id, kind, user_id, ref, due) SELECT space_id, 'title', user_id, %s || ' ' || id, now() FROM todo.turns WHERE user_id = %s"
    post.db.execute(queue, conversation, post.person.user_id)
    work(post, titler)
    assert (title(post), kinds(post), titler.asked) == ("Mine", [], [])


@pytest.mark.parametrize("spent", ["budget", "token", "chat"])
def test_title_is_not_asked_for_where_the_user_may_not_chat_any_more(post: Post, titler: FakeModel, spent: str) -> None:
    talk(post)
    me = post.person.user_id
    if spent == "budget":
        post.db.execute("UPDATE todo.users SET tokens_per_day = 0 WHERE id = %s", me)
    elif spent == "token":
        post(RevokeToken(name=str(post.db.execute("SELECT name FROM todo.tokens WHERE user_id = %s", me)[0][0])))
    else:
        post.db.execute("UPDATE todo.conversations SET deleted_at = now() WHERE user_id = %s", me)
    work(post, titler)
    assert (title(post), kinds(post), titler.asked) == ("hello there", [], [])


def test_title_of_a_failing_model_is_tried_again_then_given_up_quietly(post: Post, titler: FakeModel) -> None:
    talk(post)
    titler.add({"steps": error_answer(400), "keep": True})
    work(post, titler)
    assert [row[:3] for row in post.db.execute(JOBS, post.person.user_id)] == [("title", 1, 1)]
    for _ in range(4):
        work(post, titler)
    assert (title(post), kinds(post)) == ("hello there", [])


def test_title_answer_with_a_tool_call_changes_nothing(post: Post, titler: FakeModel) -> None:
    talk(post)
    titler.add(call_answer(("add_task", {"title": "milk"})))
    work(post, titler)
    assert (title(post), kinds(post)) == ("hello there", [])
    assert post.db.execute("SELECT count(*) FROM todo.tasks WHERE space_id = %s", post.person.user_id) == [(0,)]
