"""Tokens that only propose, and the persons who approve or reject."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.operations.test_imports import record
from tests.operations.test_token_limits import limit
from tests.support.ask import Ask, AskAs
from todo_cli.contract.attachments import StartUpload
from todo_cli.contract.comments import AddComment
from todo_cli.contract.edits import EditEachTask, TaskEdit
from todo_cli.contract.ids import new_id
from todo_cli.contract.imports import ImportTasks
from todo_cli.contract.journal import Undo
from todo_cli.contract.proposals import ApproveProposal, ListProposals, Proposal, RejectProposal
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, EditTasks, ListTasks, NewTask
from todo_cli.errors import Conflict, NotAllowed, NotFound, Proposed

pytestmark = pytest.mark.parametrize("way", ["api"])


def propose(agent: Ask, request: Any, key: str | None = None) -> str:
    """Send a request of a proposing token and return the proposal's id."""
    with pytest.raises(Proposed) as caught:
        agent(request, key)
    assert (caught.value.exit_code, caught.value.status) == (12, 202)
    return str(caught.value.extra["proposal"])


def find(ask: Ask, proposal: str) -> Proposal:
    """Return the proposal as the asker sees it."""
    [found] = ask(ListProposals(id=proposal)).proposals
    return found


def test_proposed_changes_wait_and_an_approval_makes_exactly_them_once(ask: Ask, ask_as: AskAs) -> None:
    ask.add_all("milk", "bread")
    agent = limit(ask, ask_as, proposes=True)
    first = propose(agent, EditTasks(filter="milk or bread", project="groceries", due="tomorrow"), key="k")
    assert propose(agent, EditTasks(filter="milk or bread", project="groceries", due="tomorrow"), key="k") == first
    assert [task.project for task in ask(ListTasks()).tasks] == [None, None]
    waiting = find(ask, first)
    assert (waiting.state, waiting.verb, waiting.moved) == ("open", "EditTasks", ())
    assert sorted(waiting.arguments["numbers"]) == [1, 2]
    assert [difference.fields["project"] for difference in waiting.differences] == [(None, "groceries")] * 2
    for _ in range(2):
        assert {task.project for task in ask(ApproveProposal(id=first)).tasks} == {"groceries"}
    assert {task.project for task in ask(ListTasks()).tasks} == {"groceries"}
    assert ask.show(1).rev == 3, "the first change created the token"
    decided = find(agent, first)
    assert (decided.state, decided.decided_by, decided.change) == ("approved", ask.who.name, 3)
    assert ask(ListProposals()).proposals == ()
    with pytest.raises(Conflict, match="approved already"):
        ask(RejectProposal(id=first))


def test_rejected_proposal_changes_nothing_and_its_proposer_reads_why(ask: Ask, ask_as: AskAs) -> None:
    ask.add("milk")
    agent = limit(ask, ask_as, proposes=True)
    proposal = propose(agent, CompleteTasks(numbers=(1,)))
    assert ask(RejectProposal(id=proposal, reason="not yet")).state == "rejected"
    assert ask.show(1).status == "open"
    seen = find(agent, proposal)
    assert (seen.state, seen.reason) == ("rejected", "not yet")
    with pytest.raises(Conflict, match="rejected already"):
        ask(ApproveProposal(id=proposal))
    with pytest.raises(NotFound):
        ask(RejectProposal(id=new_id()))


def test_stale_proposal_is_refused_with_what_changed(ask: Ask, ask_as: AskAs) -> None:
    ask.add_all("milk", "bread")
    agent = limit(ask, ask_as, proposes=True)
    proposal = propose(agent, CompleteTasks(numbers=(1, 2)))
    ask(EditTasks(numbers=(2,), title="rye bread"))
    assert find(ask, proposal).moved == (2,)
    with pytest.raises(Conflict, match=rf"#2 rye bread by {ask.who.name} \(edit, change 3\)") as caught:
        ask(ApproveProposal(id=proposal))
    assert caught.value.extra["moved"] == [2]
    assert [task.status for task in ask(ListTasks(status="all")).tasks] == ["open", "open"]
    assert find(ask, proposal).state == "open"


def test_only_another_token_with_the_scope_decides(ask: Ask, ask_as: AskAs) -> None:
    ask.add("milk")
    agent = limit(ask, ask_as, proposes=True, scopes=("read", "tasks:write", "tokens:write"))
    proposal = propose(agent, CompleteTasks(numbers=(1,)))
    child = limit(agent, ask_as, scopes=("read", "tasks:write"))
    for asker in (agent, child, limit(ask, ask_as, scopes=("read", "tasks:write"))):
        for decision in (ApproveProposal(id=proposal), RejectProposal(id=proposal)):
            with pytest.raises(NotAllowed, match="lacks the scope approve"):
                asker(decision)
    with pytest.raises(NotAllowed, match="reaches further"):
        limit(agent, ask_as, scopes=("read", "approve"))
    assert propose(child, CompleteTasks(numbers=(1,)))
    assert child(ListProposals(all=True)).proposals[0].token.startswith("t")
    approver = limit(ask, ask_as, scopes=("read", "tasks:write", "approve"))
    assert approver(ApproveProposal(id=proposal)).tasks[0].status == "done"
    with pytest.raises(NotAllowed, match="lacks the scope tasks:write"):
        limit(ask, ask_as, scopes=("read", "approve"))(ApproveProposal(id=propose(agent, AddTask(title="x"))))


def test_proposed_task_keeps_the_filter_of_its_token(ask: Ask, ask_as: AskAs) -> None:
    agent = limit(ask, ask_as, proposes=True, filter="project:groceries")
    first = propose(agent, AddTask(title="milk tomorrow @shop", parse=True))
    second = propose(agent, AddTasks(tasks=(NewTask(title="bread"), NewTask(title="eggs"))))
    with pytest.raises(NotAllowed, match="outside the token's filter"):
        agent(AddTask(title="letter", project="work"))
    [milk] = ask(ApproveProposal(id=first)).tasks
    assert (milk.title, milk.project, milk.tags) == ("milk", "groceries", ("shop",))
    assert milk.due is not None
    assert {task.project for task in ask(ApproveProposal(id=second)).tasks} == {"groceries"}


def test_proposed_edits_of_each_task_keep_the_dates_of_the_day(ask: Ask, ask_as: AskAs) -> None:
    ask.add_all("milk", "bread")
    edits = (TaskEdit(number=2, title="rye"), TaskEdit(number=1, due="tomorrow"))
    proposal = propose(limit(ask, ask_as, proposes=True), EditEachTask(edits=edits))
    first, second = find(ask, proposal).arguments["edits"]
    assert (first, date.fromisoformat(second["due"]).isoformat()) == ({"number": 2, "title": "rye"}, second["due"])
    assert [task.title for task in ask(ApproveProposal(id=proposal)).tasks] == ["rye", "milk"]


def test_requests_that_cannot_be_proposed_are_refused(ask: Ask, ask_as: AskAs) -> None:
    ask.add("milk")
    agent = limit(ask, ask_as, proposes=True)
    for request, label in (
        (AddComment(id=new_id(), number=1, text="x"), "comment"),
        (ImportTasks(format="csv", name="a", file="0" * 32, group=new_id(), tasks=(record("a"),)), "import"),
        (StartUpload(number=1, id=new_id(), name="a", size=1, sha256="0" * 64), "attachment add"),
        (Undo(), "undo"),
    ):
        with pytest.raises(NotAllowed, match=f"only proposes cannot run {label}, which cannot be proposed"):
            agent(request)
