"""Several reads in one request: at one moment, in one round trip, each with its own scope and its own error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.conftest import Database, Person, Server
from tests.support.ask import Ask, AskAs, settings_of
from tests.support.connections import Line, share, token_for
from tests.support.tcp_proxy import open_database_proxy
from todo_cli.clients.open import open_client
from todo_cli.contract.base import Request
from todo_cli.contract.batch import Batch, BatchRead, make_batch, read_answer, read_answers
from todo_cli.contract.conversations import ListConversations
from todo_cli.contract.limits import MAX_BATCH_READS
from todo_cli.contract.preferences import SetPreferences, ShowPreferences
from todo_cli.contract.spaces import ListSpaces
from todo_cli.contract.tasks import AddTask, ListTasks, ShowTask
from todo_cli.contract.tokens import ListTokens
from todo_cli.contract.users import WhoAmI
from todo_cli.contract.views import ListProjects, ListTags, ListViews, SaveView
from todo_cli.errors import Invalid, NotAllowed, NotFound, NotSignedIn, TodoError, TooMany


def send_batch(send: Callable[[Request[Any]], Any], *requests: Request[Any]) -> list[Any]:
    """Return the answers of a batch; of a refused read its error."""
    answers = send(make_batch(*requests)).answers
    found: list[Any] = []
    for request, part in zip(requests, answers, strict=True):
        try:
            found.append(read_answer(request, part))
        except TodoError as error:
            found.append(error)
    return found


def test_batch_answers_each_read_as_it_is_answered_alone(ask: Ask) -> None:
    ask.add(title="Pay rent", project="home", tags=("bank",), due="tomorrow")
    reads = (ListTasks(), ShowTask(number=1), ListProjects(), ListTags(), WhoAmI(), ShowPreferences(), ListSpaces())
    alone = [ask(read) for read in reads]
    together = send_batch(ask, *reads)
    assert together[0] == alone[0]
    assert together[2:] == alone[2:]
    assert together[1].title == "Pay rent"


def test_batch_of_a_failing_read_returns_its_error_in_its_place(ask: Ask, ask_as: AskAs) -> None:
    ask.add(title="Pay rent")
    found = send_batch(ask, ShowTask(number=99), ListTasks(), ListTasks(filter="due<never"), ListTasks(filter=":none"))
    assert [type(answer) for answer in found] == [NotFound, type(ask(ListTasks())), Invalid, NotFound]
    answers = ask(Batch(reads=tuple(BatchRead(verb=verb) for verb in ("AddTask", "ListTask", "ShowTask", "ListTags"))))
    errors = [part.error and part.error["detail"] for part in answers.answers]
    assert errors[0] == "AddTask cannot be part of a batch"
    assert errors[1] == "there is no operation 'ListTask'"
    assert "number" in str(errors[2])
    assert errors[3] is None
    with pytest.raises(Invalid, match=f"longer than {MAX_BATCH_READS} entries"):
        ask(make_batch(*[ListTags()] * (MAX_BATCH_READS + 1)))
    with pytest.raises(NotSignedIn):
        ask_as(ask.who, token=ask.who.token + "x")(make_batch(ListTags()))


def test_batch_checks_the_scope_of_each_read(db: Database, person: Person, line: Callable[..., Line]) -> None:
    send = line(person, served=True)
    send(AddTask(title="x"))
    token = token_for(db, person, "read")
    found = send_batch(
        lambda batch: send(batch, token=token), ListTasks(), ListConversations(), WhoAmI(), ListTokens(), ListTags()
    )
    assert [isinstance(answer, NotAllowed) for answer in found] == [False, True, False, False, False]
    assert len(found[0].tasks) == 1


def test_batch_reads_what_is_personal_from_the_callers_own_space(
    db: Database, person: Person, line: Callable[..., Line]
) -> None:
    owner = db.person()
    share(db, owner.user_id, person, "editor")
    send = line(person, served=True)
    send(AddTask(title="mine"))
    send(AddTask(title="ours"), space=owner.user_id)
    found = send_batch(
        lambda batch: send(batch, space=owner.user_id), ListTasks(), ListSpaces(), ListTokens(), ListTasks()
    )
    assert [task.title for task in (*found[0].tasks, *found[3].tasks)] == ["ours", "ours"]
    assert len(found[1].spaces) == 2
    stranger = db.person()
    with pytest.raises(NotAllowed):
        send_batch(lambda batch: send(batch, space=stranger.user_id), ListTasks())


def test_batch_costs_one_round_trip(db: Database, person: Person) -> None:
    with (
        closing(open_database_proxy(db.server_url)) as proxy,
        closing(Line(proxy.through(db.server_url), person)) as far,
    ):

        def count(*reads: Request[Any]) -> int:
            for _ in range(2):  # warm, then counted
                proxy.reset()
                read_answers(reads, far(make_batch(*reads)))
            return proxy.round_trips

        far(AddTask(title="x"))
        assert count(ListTasks()) == 1
        assert count(ListTasks(count_all=True), ListProjects(), ListTags(), ListViews(), ShowPreferences()) == 1
        assert count(WhoAmI(), ShowTask(number=1), ListTasks(filter="due<=today")) == 1
        far(SaveView(name="soon", filter="p1"))
        assert count(ListTasks(filter=":soon"), ListTags()) == 4, "one in vain, the views, the tasks, the end"
        far(SetPreferences(sort="-created"))
        assert count(ListTasks(), ListTags()) == 3, "one in vain, all in the preferred order, the end"


def test_batch_counts_once_in_the_rate_limit(db: Database, server: Server) -> None:
    who = db.person()
    db.execute("UPDATE todo.users SET per_minute = 3 WHERE id = %s", who.user_id)
    send = open_client(settings_of(who, "api", server=server.url)).send_now
    reads = (ListTasks(), WhoAmI(), ListTags(), ListConversations(), ListTasks(filter=":none"))
    for _ in range(3):
        send_batch(send, *reads)
    with pytest.raises(TooMany):
        send_batch(send, *reads)


def test_batch_shows_one_moment_while_tasks_are_added(person: Person, line: Callable[..., Line]) -> None:
    send, other = line(person, served=True), line(person, served=True)
    other(SaveView(name="all", filter="status:open"))
    ended = threading.Event()

    def add() -> None:
        for _ in range(60):
            other(AddTask(title="x", project="p", tags=("t",)))
        ended.set()

    thread = threading.Thread(target=add)
    thread.start()
    seen = set()
    try:
        while not ended.is_set():
            for filter in (None, ":all"):  # in one round trip, and in several
                page, projects, tags = send_batch(
                    send, ListTasks(filter=filter, limit=1_000), ListProjects(), ListTags()
                )
                counts = {len(page.tasks), *(used.tasks for used in (*projects.used, *tags.used))}
                assert len(counts) == 1
                seen |= counts
    finally:
        thread.join()
    assert len(seen) > 1


def test_batch_reads_dates_and_order_by_the_preferences(ask: Ask, ask_as: AskAs) -> None:
    ask(SetPreferences(timezone="Pacific/Kiritimati", sort="-created"))
    send = ask_as(ask.who, timezone=None)
    send.add(due="today")
    send.add(due="today")
    found = send_batch(send, ListTasks(filter="due:today"), ListTasks())
    assert [[task.number for task in page.tasks] for page in found] == [[2, 1], [2, 1]]
    assert send.backend.clock
    assert send.backend.clock.zone == "Pacific/Kiritimati"
