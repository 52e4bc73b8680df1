"""Claims over both clients: one token holds a task until its lease expires by the database's clock."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Database, Person
from tests.support.ask import Ask, AskAs
from todo_cli.contract.claims import ClaimTask, ReleaseTasks
from todo_cli.contract.ids import new_id, new_token
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.plans import ApplyPlan, MakePlan
from todo_cli.contract.tasks import AddTasks, CompleteTasks, EditTasks, ListTasks, NewTask, ReopenTasks, Task
from todo_cli.contract.tokens import CreateToken
from todo_cli.contract.trash import DeleteTasks
from todo_cli.errors import Conflict, Invalid, NotAllowed, NotFound, NotNow


def worker(ask: Ask, scopes: tuple[str, ...] = ("all",)) -> str:
    """Return another token of the same user."""
    token = new_token(ask.who.user_id)
    hash = sha256(token.reveal().encode()).hexdigest()
    ask(CreateToken(id=new_id(), hash=hash, name=uuid4().hex, scopes=scopes))
    return token.reveal()


@pytest.fixture
def other(ask: Ask, ask_as: AskAs) -> Ask:
    """Return a second worker of the same user, with a token of its own."""
    return ask_as(ask.who, worker(ask))


def expire(db: Database, ask: Ask, number: int = 1) -> None:
    """Let the lease of a claim expire."""
    db.execute(
        "UPDATE todo.tasks SET claimed_until = now() - interval '1 second' WHERE space_id = %s AND number = %s",
        ask.who.user_id,
        number,
    )


def claim(ask: Ask, number: int | None = None, key: str | None = None, **more: Any) -> Task:
    """Claim the task of this number, or the next."""
    return ask(ClaimTask(**({"number": number} if number else {}), **more), key)


def test_claim_next_takes_the_free_task_due_soonest(ask: Ask, other: Ask) -> None:
    rows = (
        NewTask(title="a"),
        NewTask(title="b", due="2030-01-02"),
        NewTask(title="c", due="2030-01-01"),
        NewTask(title="d"),
    )
    ask(AddTasks(tasks=rows))
    taken = [claim(one) for one in (ask, other, ask, other)]
    assert [task.number for task in taken] == [3, 2, 1, 4]
    assert {task.claimed_by for task in taken} == {ask.who.name}
    lease = taken[0].claimed_until - taken[0].updated_at if taken[0].claimed_until else None
    assert lease
    assert lease.total_seconds() == 900
    with pytest.raises(NotNow, match="nothing to claim"):
        claim(ask)
    assert len(ask(ListTasks(filter="claimed:me")).tasks) == 4


def test_claim_next_passes_over_tasks_that_are_not_ready(ask: Ask) -> None:
    rows = (
        NewTask(title="later", defer="2099-01-01"),
        NewTask(title="scheduled", scheduled="2099-01-01"),
        NewTask(title="first"),
        NewTask(title="waits", after=(3,)),
        NewTask(title="done"),
        NewTask(title="gone"),
        NewTask(title="other", project="p"),
    )
    ask(AddTasks(tasks=rows[:3]))
    ask(AddTasks(tasks=rows[3:]))
    ask(CompleteTasks(numbers=(5,)))
    ask(DeleteTasks(numbers=(6,)))
    assert claim(ask, filter="project:p").title == "other"
    assert claim(ask).title == "first"
    for filter in ("", "is:done", "is:deleted", "5-6", "title:later", "4"):
        with pytest.raises(NotNow):
            claim(ask, filter=filter)
    assert claim(ask, 1).title == "later", "by its number also what is put off"
    assert claim(ask, 4).title == "waits"
    ask(CompleteTasks(numbers=(3,)))
    with pytest.raises(NotNow):
        claim(ask, filter="4")


def test_claim_of_a_claimed_task_is_refused_until_it_expires(ask: Ask, other: Ask, db: Database) -> None:
    ask.add("a")
    mine = claim(ask, 1, lease=60)
    with pytest.raises(Conflict, match=f"task #1 is claimed by {ask.who.name} until"):
        claim(other, 1)
    renewed = claim(ask, 1, lease=3_600)
    assert renewed.claimed_until
    assert mine.claimed_until
    assert renewed.claimed_until > mine.claimed_until
    expire(db, ask)
    assert claim(other, 1).claimed_by == ask.who.name
    with pytest.raises(Conflict, match="is claimed by"):
        claim(ask, 1)
    expire(db, ask)
    assert claim(ask).number == 1, "the next one, too"


def test_claim_after_the_lease_expired_succeeds(ask: Ask, other: Ask) -> None:
    ask.add("a")
    first = claim(ask, lease=1)
    with pytest.raises(NotNow):
        claim(other)
    assert first.claimed_until
    time.sleep(1.1)
    second = claim(other)
    assert second.updated_at >= first.claimed_until


def test_claim_with_known_key_answers_the_same_task(ask: Ask) -> None:
    ask.add_all("a", "b")
    first = claim(ask, key="k")
    again = claim(ask, key="k")
    assert (first.new, again.new, first.number, again.number) == (True, False, 1, 1)
    assert again.claimed_until == first.claimed_until
    with pytest.raises(Conflict, match="was used for another request"):
        claim(ask, 2, key="k")
    assert claim(ask).number == 2


def test_release_of_anothers_claim_needs_force(ask: Ask, other: Ask, ask_as: AskAs) -> None:
    ask.add_all("a", "b", "c")
    claim(ask, 1)
    claim(other, 2)
    with pytest.raises(Conflict, match="task #2 is claimed by"):
        ask(ReleaseTasks(numbers=(1, 2)))
    assert ask.show(1).claimed_by, "all or none"
    released = ask(ReleaseTasks(numbers=(1, 3)))
    assert [(task.claimed_by, task.claimed_until) for task in released.tasks] == [(None, None)] * 2
    assert released.tasks[1].rev < released.seq, "what nobody holds is left alone"
    narrow = ask_as(ask.who, worker(ask, ("read", "tasks:write"))) if ask.way == "api" else None
    if narrow:
        with pytest.raises(NotAllowed, match="may not release the claims of others"):
            narrow(ReleaseTasks(numbers=(2,), force=True))
        claim(narrow, 1)
        assert narrow(ReleaseTasks(filter="claimed:me 1")).tasks[0].number == 1
    assert ask(ReleaseTasks(numbers=(2,), force=True)).tasks[0].claimed_by is None
    with pytest.raises(NotFound, match="no task matches"):
        ask(ReleaseTasks(filter="claimed:me"))


def test_complete_and_delete_end_a_claim_and_edit_keeps_it(ask: Ask, other: Ask) -> None:
    ask.add_all("a", "b")
    claim(ask, 1)
    assert other(EditTasks(numbers=(1,), title="A")).tasks[0].claimed_by == ask.who.name
    assert other(CompleteTasks(numbers=(1,))).tasks[0].claimed_by is None
    assert ask(ReopenTasks(numbers=(1,))).tasks[0].claimed_by is None
    claim(ask, 2)
    ask(DeleteTasks(numbers=(2,)))
    with pytest.raises(Conflict, match="is in the trash"):
        claim(ask, 2)
    ask(CompleteTasks(numbers=(1,)))
    with pytest.raises(Conflict, match="task #1 is done"):
        claim(ask, 1)
    with pytest.raises(NotFound, match="task #9 does not exist"):
        claim(ask, 9)


def test_complete_if_claimed_after_the_claim_was_lost_is_refused(ask: Ask, other: Ask, db: Database) -> None:
    ask.add_all("a", "b")
    done = CompleteTasks(numbers=(1,), if_claimed=True)
    with pytest.raises(Conflict, match="#1 is no longer yours: it is claimed by nobody"):
        ask(done)
    claim(ask, 1)
    expire(db, ask)
    claim(other, 1)
    with pytest.raises(Conflict, match=f"#1 is no longer yours: it is claimed by {ask.who.name} until"):
        ask(done, "k")
    assert other(done, "k2").tasks[0].status == "done"
    assert other(done, "k2").new is False
    with pytest.raises(Conflict, match="no longer yours"):
        ask(done)
    claim(ask, 2)
    expire(db, ask, 2)
    assert ask(CompleteTasks(numbers=(2,), if_claimed=True)).new, "late, but nobody has taken it"


def test_complete_if_claimed_refused_creates_no_next_occurrence(ask: Ask, other: Ask) -> None:
    ask.add("a", due="2030-01-07", every="every week")
    claim(other, 1)
    with pytest.raises(Conflict, match="no longer yours"):
        ask(CompleteTasks(numbers=(1,), if_claimed=True))
    made = other(CompleteTasks(numbers=(1,), if_claimed=True))
    assert [(task.number, task.status, task.claimed_by) for task in made.tasks] == [
        (1, "done", None),
        (2, "open", None),
    ]


def test_claims_are_logged_and_passed_over_by_undo(ask: Ask) -> None:
    ask.add("a")
    ask(EditTasks(numbers=(1,), title="b"))
    claim(ask, 1)
    claim(ask, 1)
    ask(ReleaseTasks(numbers=(1,)))
    claim(ask, 1)
    log = ask(ListChanges(number=1)).changes
    assert [change.verb for change in log] == [
        "ClaimTask",
        "ReleaseTasks",
        "ClaimTask",
        "ClaimTask",
        "EditTasks",
        "AddTask",
    ]
    assert log[0].differences[0].fields == {"claimed_by": (None, ask.who.name)}
    ask(Undo())
    assert (ask.show(1).title, ask.show(1).claimed_by) == ("a", ask.who.name), "the edit, and the claim stays"
    ask(Redo())
    assert ask.show(1).title == "b"
    with pytest.raises(NotFound, match="nothing to undo in change 3"):
        ask(Undo(id=3))


def test_plan_of_a_release_applies(ask: Ask) -> None:
    ask.add_all("a", "b")
    claim(ask, 2)
    plan = ask(MakePlan(id=new_id(), operation="ReleaseTasks", arguments={"filter": "claimed:me"}))
    assert plan.differences[0].fields == {"claimed_by": (ask.who.name, None)}
    assert ask(ApplyPlan(id=plan.id)).tasks[0].claimed_by is None
    with pytest.raises(Invalid, match="cannot be planned"):
        ask(MakePlan(id=new_id(), operation="ClaimTask", arguments={}))


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (ClaimTask(number=1, filter="p1"), "cannot be combined"),
        (ClaimTask(filter="is:opne"), "at character 4"),
        (ClaimTask(filter="x" * 10_001), "longer than 10,000"),
        (ClaimTask(lease=0), "at least 1"),
        (ClaimTask(lease=604_801), "at most 604,800"),
        (ReleaseTasks(), "numbers is empty"),
    ],
)
def test_claim_with_invalid_arguments_is_refused(ask: Ask, request_: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        ask(request_)


def test_claims_of_two_members_are_separate(ask_as: AskAs, db: Database) -> None:
    ada, bob, space = db.person(), db.person(), new_id()
    db.execute("INSERT INTO todo.spaces (id, name) VALUES (%s, 'shared')", space)
    for one in (ada, bob):
        db.execute("INSERT INTO todo.members VALUES (%s, %s, 'editor')", space, one.user_id)
    ask, other = ask_as(ada, space=space), ask_as(bob, space=space)
    ask.add_all("a", "b")
    assert (claim(ask).claimed_by, claim(other).claimed_by) == (ada.name, bob.name)
    assert [task.number for task in other(ListTasks(filter="claimed:me")).tasks] == [2]
    assert [task.number for task in other(ListTasks(filter=f"claimed:{ada.name}")).tasks] == [1]


def test_claims_concurrently_take_different_tasks(ask: Ask, ask_as: AskAs) -> None:
    ask(AddTasks(tasks=tuple(NewTask(title=f"t{n}") for n in range(10))))
    tokens = [worker(ask) for _ in range(6)] * 2
    many = [ask_as(ask.who, token) for token in tokens]

    def take(one: Ask) -> int | None:
        try:
            return claim(one).number
        except NotNow:
            return None

    with ThreadPoolExecutor(12) as pool:
        taken = list(pool.map(take, many))
    assert sorted(number for number in taken if number) == list(range(1, 11))
    assert taken.count(None) == 2


def test_claim_with_a_read_token_is_refused(ask: Ask, ask_as: AskAs, person: Person) -> None:
    ask.add("a")
    if ask.way == "api":  # a narrowed token needs a server
        with pytest.raises(NotAllowed):
            claim(ask_as(person, worker(ask, ("read",))))
