"""The log by filter, person, token, way and period, and of one change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Database
from tests.operations.test_idempotency import shared_space
from tests.support.ask import Ask, AskAs
from tests.support.limited_tokens import create_limited_token
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.tasks import AddTasks, CompleteTasks, EditTasks, NewTask
from todo_cli.errors import Invalid, NotFound


def seqs(ask: Ask, **options: Any) -> list[int]:
    """Return the changes that the log has, newest first."""
    return [change.seq for change in ask(ListChanges(**options)).changes]


def test_log_by_filter_has_the_changes_of_tasks_that_match_now(ask: Ask) -> None:
    ask(AddTasks(tasks=(NewTask(title="rent", project="home"), NewTask(title="offer", project="work"))))
    ask(EditTasks(numbers=(1,), title="Rent"))
    ask(EditTasks(numbers=(2,), project="home"))
    ask(CompleteTasks(numbers=(1,)))
    assert seqs(ask, filter="#home") == [4, 3, 2, 1]
    assert seqs(ask, filter="#work") == []
    assert seqs(ask, filter="is:done") == [4, 2, 1]
    assert seqs(ask, filter="#home offer", limit=1) == [3]
    assert seqs(ask, number=1, via="mcp") == []
    with pytest.raises(Invalid):
        seqs(ask, filter="prioriy:1")


def test_log_by_person_and_token_in_a_shared_space(db: Database, ask_as: AskAs) -> None:
    ada, grace = db.person(), db.person()
    space = shared_space(db, ada, grace)
    owner, member = ask_as(ada, space=space), ask_as(grace, space=space)
    owner.add("of the owner")
    member.add("of the member")
    assert seqs(owner, by=grace.name) == seqs(member, by="me") == [2]
    assert seqs(owner, by=ada.name.upper(), token="first") == [1]
    token = create_limited_token(ask_as(ada), name="cron", scopes=("all",))
    ask_as(ada, token, space=space).add("of cron")
    assert seqs(owner, token="cron") == [3]
    for unknown in ({"by": "nobody"}, {"token": "none"}):
        with pytest.raises(NotFound):
            seqs(owner, **unknown)


def test_log_by_way_and_period(ask: Ask) -> None:
    ask.add("first")
    between = datetime.now(UTC).isoformat()
    ask.add("second")
    way = "direct" if ask.way == "direct" else "api"
    assert seqs(ask, via=way) == [2, 1]
    assert seqs(ask, via="chat") == []
    assert (seqs(ask, since=between), seqs(ask, until=between)) == ([2], [1])
    assert seqs(ask, since="1h", until="now") == [2, 1]
    assert ask(ListChanges(since=between)).next is None
    with pytest.raises(Invalid):
        seqs(ask, since="tomorrow")


def test_log_of_one_change_has_all_its_tasks(ask: Ask) -> None:
    ask(AddTasks(tasks=tuple(NewTask(title=str(number), note="n" * 600) for number in range(15))))
    ask.add("other")
    assert len(ask(ListChanges()).changes[1].differences) == 10
    [change] = ask(ListChanges(seq=1)).changes
    assert [difference.number for difference in change.differences] == list(range(1, 16))
    assert change.differences[0].fields["note"] == (None, "n" * 600)
    with pytest.raises(NotFound, match="there is no change 99"):
        seqs(ask, seq=99)
    with pytest.raises(Invalid):
        seqs(ask, seq=1, via="chat")
