"""Fences over both clients: no write of a worker lands after its claim of the task was lost."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from tests.conftest import Database
from tests.operations.test_claims import claim, expire, worker
from tests.support.ask import Ask, AskAs
from todo_cli.contract.base import Request
from todo_cli.contract.claims import ListClaims, ReleaseTasks, RenewClaims, TakeTask
from todo_cli.contract.comments import AddComment, EditComment, RemoveComment
from todo_cli.contract.ids import new_id, new_token
from todo_cli.contract.journal import ListChanges, Undo
from todo_cli.contract.reminders import RemindTasks
from todo_cli.contract.tasks import CompleteTasks, EditTasks, ReopenTasks
from todo_cli.contract.time_tracking import StartTasks
from todo_cli.contract.tokens import CreateToken
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import Conflict, Invalid, NotAllowed

Write = Callable[[str], Request[Any]]

WRITES: dict[str, Write] = {
    "edit": lambda comment: EditTasks(numbers=(1,), title="late"),
    "done": lambda comment: CompleteTasks(numbers=(1,)),
    "start": lambda comment: StartTasks(numbers=(1,)),
    "remind": lambda comment: RemindTasks(numbers=(1,), remind=("2099-01-01",)),
    "rm": lambda comment: DeleteTasks(numbers=(1,)),
    "release": lambda comment: ReleaseTasks(numbers=(1,), force=True),
    "heartbeat": lambda comment: RenewClaims(numbers=(1,)),
    "undo": lambda comment: Undo(),
    "unchanged": lambda comment: ReopenTasks(numbers=(1,)),
    "with another": lambda comment: EditTasks(numbers=(2, 1), title="late"),
    "comment": lambda comment: AddComment(number=1, id=new_id(), text="late"),
    "comment --edit": lambda comment: EditComment(number=1, id=comment, text="late"),
    "comment --rm": lambda comment: RemoveComment(number=1, id=comment),
}


@pytest.fixture
def other(ask: Ask, ask_as: AskAs) -> Ask:
    """Return a second worker of the same user, with a token of its own."""
    return ask_as(ask.who, worker(ask))


def commented(ask: Ask) -> str:
    """Add two tasks and a comment on the first; return its id."""
    ask.add_all("one", "two")
    return ask(AddComment(number=1, id=new_id(), text="mine")).id


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_write_of_a_token_whose_claim_was_taken_over_is_refused(
    ask: Ask, other: Ask, db: Database, write: Write
) -> None:
    comment = commented(ask)
    claim(ask, 1)
    expire(db, ask)
    claim(other, 1)
    seen = ask.show(1), ask(ListChanges()).changes
    with pytest.raises(Conflict, match="#1"):
        ask(write(comment))
    assert (ask.show(1), ask(ListChanges()).changes) == seen


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_write_with_an_old_fence_is_refused_also_with_the_token_of_the_new_claim(
    ask: Ask, ask_as: AskAs, db: Database, write: Write
) -> None:
    comment = commented(ask)
    first = claim(ask, 1).fence
    expire(db, ask)
    assert (claim(ask, 1).fence or 0) > (first or 0)
    late = ask_as(ask.who, fences=(first,))
    seen = ask.show(1), ask(ListChanges()).changes
    with pytest.raises(Conflict, match="your claim of task #1 was lost"):
        late(write(comment))
    assert (ask.show(1), ask(ListChanges()).changes) == seen


@pytest.mark.parametrize("write", [name for name in WRITES if name != "undo"])
def test_write_with_the_fence_of_the_claim_lands(ask: Ask, ask_as: AskAs, write: str) -> None:
    comment = commented(ask)
    fence = claim(ask, 1).fence
    before = ask(ListChanges(limit=1)).changes[0].seq
    ask_as(ask.who, fences=(fence,))(WRITES[write](comment))
    assert ask(ListChanges(limit=1)).changes[0].seq > before


def test_renewed_claim_keeps_its_fence(ask: Ask) -> None:
    ask.add("a")
    first = claim(ask, 1)
    assert first.fence == first.rev
    assert claim(ask, 1).fence == first.fence
    assert ask(RenewClaims(numbers=(1,), lease=3_600)).tasks[0].fence == first.fence
    assert ask(ReleaseTasks(numbers=(1,))).tasks[0].fence == first.fence, "nobody has taken it yet"
    assert (claim(ask, 1).fence or 0) > (first.fence or 0)


def test_fences_of_several_claims_are_named_together(ask: Ask, ask_as: AskAs) -> None:
    ask.add_all("a", "b", "never claimed", "of another")
    fences = claim(ask, 1).fence, claim(ask, 2).fence
    claim(ask_as(ask.who, worker(ask)), 4)
    mine = ask_as(ask.who, fences=fences)
    assert len(mine(EditTasks(numbers=(1, 2, 3), project="p")).tasks) == 3
    with pytest.raises(Conflict, match="#2 was lost"):
        ask_as(ask.who, fences=fences[:1])(EditTasks(numbers=(1, 2), project="q"))
    with pytest.raises(Conflict, match="#4 was lost"):
        mine(EditTasks(numbers=(4,), project="q"))
    assert ask(EditTasks(numbers=(4,), project="q")).new, "a user who has never claimed it may write"


def test_forced_release_ends_the_claim_for_its_worker(ask: Ask, other: Ask) -> None:
    ask.add("a")
    claim(ask, 1)
    other(ReleaseTasks(numbers=(1,), force=True))
    with pytest.raises(Conflict, match="claimed by nobody"):
        ask(EditTasks(numbers=(1,), title="late"))
    claim(ask, 1)
    ask(EditTasks(numbers=(1,), title="in time"))


def test_task_that_another_finishes_refuses_the_old_fence_alone(ask: Ask, other: Ask, ask_as: AskAs) -> None:
    ask.add("a")
    fence = claim(ask, 1).fence
    other(CompleteTasks(numbers=(1,)))
    with pytest.raises(Conflict, match="was lost"):
        ask_as(ask.who, fences=(fence,))(EditTasks(numbers=(1,), title="late"))
    assert ask(ReopenTasks(numbers=(1,))).tasks[0].status == "open"


def test_write_that_names_the_present_fence_is_accepted_from_then_on(
    ask: Ask, other: Ask, ask_as: AskAs, db: Database
) -> None:
    ask.add("a")
    claim(ask, 1)
    expire(db, ask)
    fence = claim(other, 1).fence
    ask_as(ask.who, fences=(fence,))(EditTasks(numbers=(1,), title="b"))
    assert ask(EditTasks(numbers=(1,), title="c")).new


def test_known_key_answers_after_the_claim_was_lost(ask: Ask, other: Ask, db: Database) -> None:
    ask.add("a")
    claim(ask, 1)
    comment = AddComment(number=1, id=new_id(), text="mine")
    ask(EditTasks(numbers=(1,), title="b"), "k1")
    ask(comment, "k2")
    expire(db, ask)
    claim(other, 1)
    assert ask(EditTasks(numbers=(1,), title="b"), "k1").new is False
    assert ask(comment, "k2").text == "mine"


def test_fence_outlives_trash_undo_and_completion(ask: Ask, other: Ask, db: Database) -> None:
    ask.add("a", due="2030-01-07", every="every week")
    claim(ask, 1)
    expire(db, ask)
    fence = claim(other, 1).fence
    other(CompleteTasks(numbers=(1,)))
    assert ask.show(2).fence is None, "the next occurrence is another task"
    other(Undo())
    other(DeleteTasks(numbers=(1,)))
    other(RestoreTasks(numbers=(1,)))
    assert other.show(1).fence == fence
    with pytest.raises(Conflict, match="was lost"):
        ask(EditTasks(numbers=(1,), title="late"))


def test_take_gives_the_claim_and_keeps_the_reason(ask: Ask, other: Ask, ask_as: AskAs) -> None:
    ask.add("a")
    first = claim(other, 1)
    taken = ask(TakeTask(number=1, reason="it hangs"), "k")
    assert ((taken.fence or 0) > (first.fence or 0), taken.claimed_by) == (True, ask.who.name)
    assert ask(TakeTask(number=1, reason="it hangs"), "k").new is False
    change = ask(ListChanges(number=1)).changes[0]
    assert (change.verb, change.about) == ("TakeTask", "it hangs")
    with pytest.raises(Conflict):
        other(CompleteTasks(numbers=(1,)))
    with pytest.raises(Invalid, match="blank"):
        ask(TakeTask(number=1, reason=" "))
    if ask.way == "api":  # a narrowed token needs a server
        with pytest.raises(NotAllowed, match="may not take over claims"):
            ask_as(ask.who, worker(ask, ("read", "tasks:write")))(TakeTask(number=1, reason="mine"))


def test_heartbeat_prolongs_a_claim_and_claims_nothing(ask: Ask, other: Ask, db: Database) -> None:
    ask.add_all("a", "b")
    before = claim(ask, 1, lease=60).claimed_until
    after = ask(RenewClaims(numbers=(1,))).tasks[0].claimed_until
    assert before
    assert after
    assert after > before
    for one, number in ((ask, 2), (other, 1)):
        with pytest.raises(Conflict, match="not claimed by this token"):
            one(RenewClaims(numbers=(number,)))
    expire(db, ask)
    with pytest.raises(Conflict, match="not claimed by this token"):
        ask(RenewClaims(numbers=(1,)))
    assert claim(other, 1).claimed_by


def test_list_claims_names_workers_times_and_reasons(ask: Ask, other: Ask, db: Database) -> None:
    ask.add_all("a", "b", "c")
    claim(ask, 3, lease=60)
    first = claim(other, 1)
    taken = ask(TakeTask(number=1, reason="it hangs"))
    claim(ask, 2)
    expire(db, ask, 2)
    listed = ask(ListClaims()).claims
    assert [(row.number, row.title, row.user, row.mine, row.reason) for row in listed] == [
        (3, "c", ask.who.name, True, None),
        (1, "a", ask.who.name, True, "it hangs"),
    ]
    assert (listed[1].fence, listed[1].until) == (taken.fence, taken.claimed_until)
    assert listed[1].since
    assert listed[1].since > first.updated_at
    assert other(ListClaims(mine=True)).claims == ()
    assert ask(ListClaims(limit=1)).cut


def test_token_with_limits_that_lost_its_claim_is_refused(ask: Ask, ask_as: AskAs) -> None:
    if ask.way != "api":
        return  # a token with limits needs a server
    ask.add("a", project="p")
    token = new_token(ask.who.user_id)
    hash = sha256(token.reveal().encode()).hexdigest()
    ask(CreateToken(id=new_id(), hash=hash, name="narrow", scopes=("read", "tasks:write"), filter="project:p"))
    narrow = ask_as(ask.who, token.reveal())
    fence = claim(narrow, 1).fence
    assert ask_as(ask.who, token.reveal(), fences=(fence,))(AddComment(number=1, id=new_id(), text="in time")).id
    ask(TakeTask(number=1, reason="it hangs"))
    for request in (EditTasks(numbers=(1,), title="late"), AddComment(number=1, id=new_id(), text="late")):
        with pytest.raises(Conflict, match="was lost"):
            narrow(request)
    assert [row.mine for row in narrow(ListClaims()).claims] == [False]
