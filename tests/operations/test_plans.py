"""Plans, on both backends: what is shown is what is done, or nothing is."""

from __future__ import annotations

import pytest

from tests.conftest import Database, Person
from tests.support.ask import Ask, AskAs
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.plans import ApplyPlan, ListPlans, MakePlan, Plan, RefusePlan
from todo_cli.contract.tasks import EditTasks
from todo_cli.contract.trash import DeleteTasks
from todo_cli.errors import Conflict, Invalid, NotFound


def plan(ask: Ask, verb: str, **arguments: object) -> Plan:
    return ask(MakePlan(id=new_id(), operation=verb, arguments=arguments))


def test_plan_shows_the_exact_rows_and_changes_nothing(ask: Ask) -> None:
    ask.add_all("a", "b")
    made = plan(ask, "EditTasks", numbers=[1, 2], project="new")
    assert [(target.number, target.rev, target.title) for target in made.targets] == [(1, 1, "a"), (2, 1, "b")]
    assert [one.fields for one in made.differences] == [{"project": (None, "new")}] * 2
    assert (ask.show(1).project, ask.show(1).rev) == (None, 1)
    assert len(ask(ListChanges()).changes) == 1
    assert [one.id for one in ask(ListPlans()).plans] == [made.id]


def test_applying_does_precisely_that_and_only_once(ask: Ask) -> None:
    ask.add_all("a", "b", "c")
    made = plan(ask, "CompleteTasks", numbers=[1, 3])
    first, again = ask(ApplyPlan(id=made.id)), ask(ApplyPlan(id=made.id))
    assert (first.new, again.new) == (True, False)
    assert first.tasks == again.tasks
    assert [ask.show(number).status for number in (1, 2, 3)] == ["done", "open", "done"]
    assert len(ask(ListChanges()).changes) == 2
    assert ask(ListPlans()).plans == ()


def test_plan_with_a_task_that_has_moved_on_is_refused(ask: Ask) -> None:
    ask.add_all("a", "b")
    made = plan(ask, "DeleteTasks", numbers=[1, 2])
    ask(EditTasks(numbers=(2,), title="B"))
    with pytest.raises(Conflict, match="#2 has moved on"):
        ask(ApplyPlan(id=made.id))
    assert ask.show(1).status == "open"


def test_refused_expired_and_foreign_plans_cannot_be_applied(ask: Ask, ask_as: AskAs, db: Database) -> None:
    ask.add("a")
    refused, expired = plan(ask, "DeleteTasks", numbers=[1]), plan(ask, "DeleteTasks", numbers=[1])
    assert ask(RefusePlan(id=refused.id)).state == "refused"
    db.execute("UPDATE todo.plans SET expires_at = now() - interval '1 second' WHERE id = %s", expired.id)
    for one, word in ((refused, "refused"), (expired, "expired")):
        with pytest.raises(Conflict, match=word):
            ask(ApplyPlan(id=one.id))
    with pytest.raises(NotFound):
        ask(RefusePlan(id=refused.id))
    other = ask_as(db.person())
    for request in (ApplyPlan(id=refused.id), RefusePlan(id=expired.id)):
        with pytest.raises(NotFound):
            other(request)
    assert ask.show(1).status == "open"


def test_another_members_plan_in_a_shared_space_is_not_found(ask_as: AskAs, db: Database) -> None:
    ada, bob, space = db.person(), db.person(), new_id()
    db.execute("INSERT INTO todo.spaces (id, name) VALUES (%s, 'shared')", space)
    for one in (ada, bob):
        db.execute("INSERT INTO todo.members VALUES (%s, %s, 'editor')", space, one.user_id)
    ask, other = ask_as(ada, space=space), ask_as(bob, space=space)
    ask.add("a")
    made = plan(ask, "DeleteTasks", numbers=[1])
    with pytest.raises(NotFound):
        other(ApplyPlan(id=made.id))
    assert other(ListPlans()).plans == ()
    assert ask(ApplyPlan(id=made.id)).tasks[0].status == "deleted"


def test_plan_of_a_refused_change_is_refused(ask: Ask, person: Person) -> None:
    with pytest.raises(NotFound, match="#1"):
        plan(ask, "CompleteTasks", numbers=[1])
    with pytest.raises(Invalid, match="cannot be planned"):
        plan(ask, "RevokeToken", name="first")
    with pytest.raises(Invalid):
        plan(ask, "EditTasks", numbers=[1], wat=1)
    assert ask(DeleteTasks(numbers=(ask.add("a").number,))).tasks[0].number == 1


def test_plan_made_twice_is_one_plan(ask: Ask) -> None:
    ask.add("a")
    request = MakePlan(id=new_id(), operation="CompleteTasks", arguments={"numbers": [1]})
    assert ask(request) == ask(request)


def test_plan_of_an_addition_is_applied(ask: Ask) -> None:
    made = plan(ask, "AddTask", title="later")
    assert made.targets == ()
    assert made.differences[0].title == "later"
    assert ask(ApplyPlan(id=made.id)).tasks[0].title == "later"
