"""Changes by filter, over both clients: all tasks that match at that instant, or none."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Database
from tests.support.ask import Ask, AskAs
from todo_cli.contract.codec import encode_sorted
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges, Undo
from todo_cli.contract.limits import MAX_CHANGE_BYTES
from todo_cli.contract.plans import ApplyPlan, MakePlan
from todo_cli.contract.tasks import AddTasks, Changed, CompleteTasks, EditTasks, ListTasks, NewTask, ReopenTasks
from todo_cli.contract.time_tracking import SkipTasks, StartTasks, StopTasks
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.contract.views import SaveView
from todo_cli.errors import Conflict, Invalid, NotFound

MONDAY = "2030-01-07"


def numbers(changed: Changed) -> list[int]:
    """Return the numbers of the tasks that a write changed or created."""
    return [task.number for task in changed.tasks]


@pytest.fixture
def home(ask: Ask) -> Ask:
    """Add 1, 2: #old @phone; 3: #old; 4: @phone; 5: #old @phone, deferred; 6: #old @phone, done; 7: the same, in the trash."""
    rows = [
        NewTask(title="a", project="old", tags=("phone",)),
        NewTask(title="b", project="old", tags=("phone",)),
        NewTask(title="c", project="old"),
        NewTask(title="d", tags=("phone",)),
        NewTask(title="e", project="old", tags=("phone",), defer="2099-01-01"),
        NewTask(title="f", project="old", tags=("phone",)),
        NewTask(title="g", project="old", tags=("phone",)),
    ]
    ask(AddTasks(tasks=tuple(rows)))
    ask(CompleteTasks(numbers=(6,)))
    ask(DeleteTasks(numbers=(7,)))
    return ask


def test_edit_by_filter_changes_every_match_and_undo_takes_all_back(home: Ask) -> None:
    before = [home.show(number) for number in range(1, 8)]
    changed = home(EditTasks(filter="project:old @phone", project="new"))
    assert numbers(changed) == [1, 2, 5], "open ones, those put off too"
    assert {task.project for task in changed.tasks} == {"new"}
    assert [home.show(number).project for number in (3, 6, 7)] == ["old"] * 3
    assert home(ListChanges(limit=1)).changes[0].tasks == 3
    home(Undo())
    assert [(one.title, one.project, one.status) for one in before] == [
        (one.title, one.project, one.status) for one in (home.show(number) for number in range(1, 8))
    ]


@pytest.mark.parametrize(
    ("request_", "found", "status"),
    [
        (CompleteTasks(filter="#old"), [1, 2, 3, 5], "done"),
        (DeleteTasks(filter="#old"), [1, 2, 3, 5], "deleted"),
        (ReopenTasks(filter="#old"), [6], "open"),
        (RestoreTasks(filter="#old"), [7], "open"),
        (StartTasks(filter="#old -@phone or 4"), [3, 4], "open"),
        (DeleteTasks(filter="#old is:done"), [6], "deleted"),
        (DeleteTasks(filter="1 3-4"), [1, 3, 4], "deleted"),
        (CompleteTasks(filter="title:a or title:d"), [1, 4], "done"),
    ],
)
def test_filter_of_each_operation_means_tasks_of_its_status(
    home: Ask, request_: Any, found: list[int], status: str
) -> None:
    changed = home(request_)
    assert (numbers(changed), {task.status for task in changed.tasks}) == (found, {status})


def test_stop_by_filter_leaves_other_tasks_running(home: Ask) -> None:
    home(StartTasks(filter="1-4"))
    assert numbers(home(StopTasks(filter="#old"))) == [1, 2, 3, 5]
    assert home.show(4).started_at
    assert numbers(home(StopTasks())) == [4]


def test_edit_by_filter_with_known_key_acts_once(home: Ask) -> None:
    request = EditTasks(filter="@phone", priority=1)
    first = home(request, "k")
    home.add("late", tags=("phone",))
    again = home(request, "k")
    assert (first.new, again.new, again.tasks) == (True, False, first.tasks)
    with pytest.raises(Conflict, match="was used for another request"):
        home(EditTasks(filter="#old", priority=1), "k")


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (DeleteTasks(filter=""), "the filter is empty"),
        (DeleteTasks(filter="  \t "), "the filter is empty"),
        (DeleteTasks(), "numbers is empty"),
        (DeleteTasks(numbers=(1,), filter="#old"), "cannot be combined"),
        (DeleteTasks(filter="()"), "at character"),
        (DeleteTasks(filter="is:opne"), "at character 4"),
        (DeleteTasks(filter="colour:red"), "at character 1"),
        (DeleteTasks(filter="not"), "at character"),
        (DeleteTasks(filter="x " * 5_001), "longer than 10,000"),
        (DeleteTasks(filter=" or ".join(["p1"] * 1_000)), "200 terms"),
        (DeleteTasks(filter="a\0b"), "NUL"),
        (EditTasks(filter="#old", title=" "), "blank"),
        (EditTasks(filter="#old"), "no change was given"),
        (CompleteTasks(filter="#old", with_subtasks=True, if_claimed=True), "cannot be used together"),
    ],
)
def test_edit_without_valid_targets_is_refused(home: Ask, request_: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        home(request_)
    assert len(home(ListChanges()).changes) == 3


def test_filter_without_matches_is_not_found(home: Ask) -> None:
    for request in (CompleteTasks(filter="#nowhere"), ReopenTasks(filter="1"), DeleteTasks(filter="99")):
        with pytest.raises(NotFound, match="no task matches"):
            home(request)
    with pytest.raises(NotFound, match="no view"):
        home(DeleteTasks(filter=":nowhere"))


@pytest.mark.parametrize(
    "text", ["%", "_", "a%", "' OR true --", "\\", ".*", "(?i)", "%s", "%(space)s", "$1", "'); --", '";', "{}"]
)
def test_filter_with_sql_syntax_is_plain_text(ask: Ask, text: str) -> None:
    """In a title, in a project and in a filter: no other task is touched."""
    ask.add_all("untouched", "a", "ab")
    made = ask.add(f"x {text} y", project=text)
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert numbers(ask(EditTasks(filter=f"project:{quoted}", note="seen"))) == [made.number]
    try:
        assert numbers(ask(DeleteTasks(filter=f"title:{quoted}"))) == [made.number]
    except NotFound:
        raise AssertionError("it stands in the title") from None
    assert [ask.show(number).status for number in (1, 2, 3)] == ["open"] * 3


def test_edit_by_filter_with_a_refused_task_changes_none(home: Ask) -> None:
    tags = tuple(f"t{place}" for place in range(99))
    home(EditTasks(numbers=(2,), add_tags=tags))
    with pytest.raises(Conflict, match="#2 would have more than 100 tags"):
        home(EditTasks(filter="#old", add_tags=("one", "two")))
    assert "one" not in home.show(1).tags
    with pytest.raises(Conflict, match="#6 is done"):
        home(StartTasks(filter="1 or 6 is:done or 1-2 is:open"))
    with pytest.raises(Conflict, match="is in the trash"):
        home(EditTasks(filter="#old status:all", priority=1))
    with pytest.raises(Conflict, match="has moved on"):
        home(EditTasks(filter="#old", priority=1, if_rev=1))
    assert home.show(1).priority is None


def test_edit_by_view_changes_its_tasks(home: Ask) -> None:
    home(SaveView(name="calls", filter="@phone"))
    assert numbers(home(CompleteTasks(filter=":calls #old"))) == [1, 2, 5]


def ten_thousand_and_one(who: str, db: Database) -> None:
    """Store 10,001 open tasks of one word."""
    db.execute(
        """INSERT INTO todo.tasks (space_id, number, id, title, created_at, updated_at, rev)
           SELECT %s, n, gen_random_uuid(), 'many', now(), now(), 0 FROM generate_series(1, 10001) AS n""",
        who,
    )
    db.execute("UPDATE todo.spaces SET next_number = 10002 WHERE id = %s", who)


def test_edit_of_more_than_ten_thousand_tasks_is_refused(ask: Ask, db: Database) -> None:
    ten_thousand_and_one(ask.who.user_id, db)
    for filter, says in (
        ("is:open", "matches 10,001 tasks; at most 10,000"),
        ("many -p1", "occur in 10,000 tasks or more"),
        ("-many", "occur in 10,000 tasks or more"),
    ):
        with pytest.raises(Invalid, match=says):
            ask(EditTasks(filter=filter, priority=2))


def test_change_of_too_many_bytes_is_refused(ask: Ask, db: Database) -> None:
    ask.add_all("large", "small")
    # in the values of the series, which are not indexed for search
    db.execute(
        """UPDATE todo.tasks SET repeat = jsonb_build_object('rule', 'FREQ=DAILY', 'from_done', false, 'zone', 'UTC',
             'anchor', '2030-01-07', 'slot', '2030-01-07', 'template', jsonb_build_object('note', repeat('x', %s)))
           WHERE space_id = %s AND number = 1""",
        MAX_CHANGE_BYTES,
        ask.who.user_id,
    )
    for request in (
        EditTasks(filter="is:open", priority=1),
        EditTasks(numbers=(1,), priority=1),
        DeleteTasks(numbers=(1, 2)),
    ):
        with pytest.raises(Invalid, match="larger than 64 MB together; nothing was changed"):
            ask(request)
    assert ask(EditTasks(numbers=(2,), priority=1)).tasks[0].priority == 1


@pytest.mark.long
def test_edit_of_ten_thousand_tasks_changes_all(ask: Ask, db: Database) -> None:
    ten_thousand_and_one(ask.who.user_id, db)
    assert len(ask(EditTasks(filter="1-10000", priority=1)).tasks) == 10_000
    assert ask.show(10_001).priority is None


def test_complete_by_filter_creates_next_occurrences(ask: Ask) -> None:
    ask.add("once", project="p")
    ask.add("weekly", project="p", due=MONDAY, every="every week")
    ask.add("daily", project="p", due=MONDAY, every="every day")
    done = ask(CompleteTasks(filter="#p"), "k")
    assert [(task.number, task.status, task.due) for task in done.tasks] == [
        (1, "done", None),
        (2, "done", MONDAY),
        (3, "done", MONDAY),
        (4, "open", "2030-01-14"),
        (5, "open", "2030-01-08"),
    ]
    assert ask(CompleteTasks(filter="#p"), "k").tasks == done.tasks
    ask(Undo())
    assert [ask.show(number).status for number in range(1, 6)] == ["open"] * 3 + ["deleted"] * 2
    again = ask(CompleteTasks(filter="#p"))
    assert sorted(numbers(again)) == [1, 2, 3, 4, 5], "the next ones come back"
    assert [ask.show(number).status for number in range(1, 6)] == ["done"] * 3 + ["open"] * 2
    assert [task.due for task in ask(SkipTasks(filter="is:recurring")).tasks] == ["2030-01-21", "2030-01-09"]


def test_complete_by_filter_concurrently_creates_each_next_once(ask: Ask, ask_as: AskAs) -> None:
    """Each client completes all ten by number, several times: no occurrence is created twice or left out."""
    for _ in range(10):
        ask.add("daily", due=MONDAY, every="every day")
    many = [ask_as(ask.who) for _ in range(4)]

    def finish(one: Ask) -> None:
        for _ in range(5):
            numbers = tuple(task.number for task in one(ListTasks(limit=100)).tasks)
            try:
                one(CompleteTasks(numbers=numbers) if numbers[0] % 2 else CompleteTasks(filter="is:recurring"))
            except Conflict as error:
                if "at this moment" not in error.detail:
                    raise

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(finish, many))
    found = ask(ListTasks(status="all", limit=1_000)).tasks
    places = [(task.repeat.series, task.repeat.occurrence) for task in found if task.repeat]
    assert len(set(places)) == len(places)
    still = [task.repeat for task in found if task.status == "open" and task.repeat]
    assert len({one.series for one in still}) == len(still) == 10


def test_complete_by_filter_with_subtasks_completes_them(ask: Ask) -> None:
    ask.add("a", project="p")
    ask.add("b", parent=1)
    ask.add("c", parent=2, due=MONDAY, every="every week")
    ask.add("d")
    done = ask(CompleteTasks(filter="#p", with_subtasks=True))
    assert [(task.number, task.status) for task in done.tasks] == [(1, "done"), (2, "done"), (3, "done"), (5, "open")]
    assert ask.show(4).status == "open"


def test_plan_by_filter_stores_the_exact_numbers(home: Ask) -> None:
    plan = home(MakePlan(id=new_id(), operation="EditTasks", arguments={"filter": "#old @phone", "project": "new"}))
    assert plan.arguments == {"numbers": [1, 2, 5], "project": "new"}
    home.add("late", project="old", tags=("phone",))
    applied = home(ApplyPlan(id=plan.id))
    assert numbers(applied) == [1, 2, 5], "and not the late one"
    plan = home(MakePlan(id=new_id(), operation="DeleteTasks", arguments={"filter": "#new"}))
    home(EditTasks(numbers=(5,), project="other"))
    with pytest.raises(Conflict, match="#5 has moved on"):
        home(ApplyPlan(id=plan.id))
    assert home.show(1).status == "open"
    for verb in ("DeleteTasks", "CompleteTasks", "ReleaseTasks"):
        with pytest.raises(NotFound, match="no task matches"):
            home(MakePlan(id=new_id(), operation=verb, arguments={"filter": "#nowhere"}))
    with pytest.raises(Invalid, match="the filter is empty"):
        home(MakePlan(id=new_id(), operation="DeleteTasks", arguments={"filter": " "}))


def test_plan_with_subtasks_stores_the_exact_numbers(ask: Ask) -> None:
    ask.add("a", project="p", due=MONDAY, every="every week")
    ask.add("b", parent=1)
    ask(CompleteTasks(numbers=(1,)))
    ask(Undo())
    deep = {"filter": "#p", "with_subtasks": True}
    plan = ask(MakePlan(id=new_id(), operation="CompleteTasks", arguments=deep))
    assert plan.arguments == {"numbers": [1, 2]}, "without the next occurrence, which is in the trash"
    late = ask.add("late", parent=1)
    assert sorted(numbers(ask(ApplyPlan(id=plan.id)))) == [1, 2, 3]
    assert (ask.show(late.number).status, ask.show(3).status) == ("open", "open")
    ask(StartTasks(numbers=(3,)))
    plan = ask(MakePlan(id=new_id(), operation="StopTasks", arguments={}))
    ask(StartTasks(numbers=(late.number,)))
    assert numbers(ask(ApplyPlan(id=plan.id))) == [3]


def test_edits_by_filter_concurrently_take_each_task_once(ask_as: AskAs, ask: Ask) -> None:
    """Eight clients complete the tasks, some of which recur: each task and each next occurrence once."""
    ask(AddTasks(tasks=tuple(NewTask(title=f"t{n}", project="p") for n in range(20))))
    for _ in range(3):
        ask.add("daily", project="p", due=MONDAY, every="every day")
    many = [ask_as(ask.who) for _ in range(8)]

    def done(one: Ask) -> list[int]:
        try:
            return numbers(one(CompleteTasks(filter="#p due<2030-01-08 or #p -has:due")))
        except (NotFound, Conflict):
            return []

    with ThreadPoolExecutor(8) as pool:
        ended = [found for found in pool.map(done, many) if found]
    assert sorted(number for found in ended for number in found if number <= 23) == list(range(1, 24))
    assert [task.number for task in ask(ListTasks(filter="#p")).tasks] == [24, 25, 26]


@pytest.mark.parametrize("seed", range(3))
def test_edit_by_any_filter_changes_the_listed_tasks(ask: Ask, seed: int) -> None:
    """A change by a filter touches the tasks that a list with the same filter shows."""
    chance = random.Random(seed)
    rows = [
        NewTask(
            title=chance.choice(["milk", "bread", "call home"]),
            project=chance.choice([None, "a", "b"]),
            tags=tuple(chance.sample(["x", "y"], chance.randrange(3))),
            priority=chance.choice([None, 1, 2]),
            due=chance.choice([None, "2020-01-01", "2030-01-01"]),
        )
        for _ in range(40)
    ]
    ask(AddTasks(tasks=tuple(rows)))
    terms = ["#a", "@x", "-@y", "p1", "is:overdue", "has:due", "milk", "1-20", "project:none", "due<2025-01-01"]
    for _ in range(12):
        filter = f" {chance.choice(['', 'or '])}".join(chance.sample(terms, chance.randrange(1, 4)))
        listed = {task.number for task in ask(ListTasks(filter=filter, limit=100)).tasks}
        try:
            touched = set(numbers(ask(EditTasks(filter=filter, note=new_id()))))
        except NotFound:
            touched = set()
        assert touched == listed, filter


def test_request_without_filter_encodes_without_it() -> None:
    """The encoding and its hash omit the field, so that a known key stays known."""
    assert encode_sorted(CompleteTasks(numbers=(1,))) == b'{"if_rev":null,"numbers":[1]}'
