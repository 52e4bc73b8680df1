"""Views: saved, used by name in any filter, chosen as what a list shows by itself; one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Database, Person, Todo
from tests.support.ask import Ask, AskAs
from tests.support.connections import share
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.tasks import ListTasks
from todo_cli.contract.views import ChooseView, ListProjects, ListTags, ListViews, NameCount, RemoveView, SaveView
from todo_cli.errors import Conflict, Invalid, NotFound, TodoError


def titles(ask: Ask, **fields: Any) -> str:
    return "".join(task.title for task in ask(ListTasks(**fields)).tasks)


@pytest.fixture
def mine(ask: Ask) -> Ask:
    """a to d: at home and at work, urgent or not."""
    ask.add("a", project="home", priority=1)
    ask.add("b", project="home", tags=("phone",))
    ask.add("c", project="work", priority=1)
    ask.add("d", project="work", tags=("phone", "desk"))
    return ask


def test_view_lists_the_tasks_of_its_filter(mine: Ask) -> None:
    mine(SaveView(name="home", filter="#home"))
    mine(SaveView(name="loud", filter="p1 or @phone", sort="-created"))
    assert titles(mine, filter=":home", sort="created") == "ab"
    assert titles(mine, filter=":home and @phone") == "b"
    assert titles(mine, filter="not :home p1") == "c"
    assert titles(mine, filter=":loud -:home", sort="created") == "cd", "its `or` stays its own"
    assert titles(mine, filter=":loud") == "dcba", "alone it has its own order"
    assert titles(mine, filter=":loud", sort="priority") == "acbd"
    mine(SaveView(name="home", filter="#home p1"))
    assert titles(mine, filter=":home") == "a"
    assert [view.name for view in mine(ListViews()).views] == ["home", "loud"]
    assert mine(RemoveView(name=":home")).filter == "#home p1"
    with pytest.raises(NotFound, match="no view :home"):
        titles(mine, filter=":home")
    assert len(titles(mine)) == 4


def test_list_without_a_filter_shows_the_default_view(mine: Ask) -> None:
    assert titles(mine, home=True, sort="created") == "abcd"
    mine(SaveView(name="work", filter="#work", sort="-created"))
    assert [view.default for view in mine(ChooseView(name="work")).views] == [True]
    assert titles(mine, home=True) == "dc"
    assert titles(mine, home=True, filter="p1") == "ac"
    assert len(titles(mine)) == 4, "who does not ask for it does not get it"
    mine(SaveView(name="home", filter="#home"))
    mine(ChooseView(name="home"))
    assert titles(mine, home=True, sort="created") == "ab"
    assert {view.name: view.default for view in mine(ListViews()).views} == {"home": True, "work": False}
    page = mine(ListTasks(home=True, limit=1))
    assert [task.title for task in mine(ListTasks(home=True, limit=1, cursor=page.next)).tasks] == ["b"]
    with pytest.raises(NotFound):
        mine(ChooseView(name="nowhere"))
    assert titles(mine, home=True, sort="created") == "ab"
    mine(RemoveView(name="home"))
    assert len(titles(mine, home=True)) == 4
    mine(ChooseView())
    assert not any(view.default for view in mine(ListViews()).views)


def test_views_of_views_never_go_round(mine: Ask) -> None:
    mine(SaveView(name="a", filter="#home"))
    mine(SaveView(name="b", filter=":a or p1"))
    assert titles(mine, filter=":b", sort="created") == "abc"
    for name, filter in (("a", ":b"), ("a", ":a"), ("a", "p1 or not (:b @x)")):
        with pytest.raises(Conflict, match="cycle: :a names"):
            mine(SaveView(name=name, filter=filter))
    assert titles(mine, filter=":a", sort="created") == "ab"


def test_views_of_views_are_bounded(mine: Ask) -> None:
    """Each doubles the one before: without a bound ten of them would be of any size."""
    mine(SaveView(name="v0", filter=" ".join(["@x"] * 60)))
    mine(SaveView(name="v1", filter=":v0 or not :v0"))
    with pytest.raises(Invalid, match="more than 200 terms"):
        mine(SaveView(name="v2", filter=":v1 or not :v1"))
    mine(SaveView(name="n0", filter="p1"))
    for level in range(1, 10):
        mine(SaveView(name=f"n{level}", filter=f"@x or not (p2 :n{level - 1})"))
    with pytest.raises(Invalid, match="too deep"):
        mine(SaveView(name="n10", filter=":n9"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "two words"}, "is not a name"),
        ({"name": "none"}, "is not a name"),
        ({"name": "x" * 101}, "longer"),
        ({"filter": "  "}, "empty"),
        ({"filter": "prioject:x"}, "project:"),
        ({"filter": "due<neverday"}, "character 5"),
        ({"filter": "x" * 10_001}, "longer"),
        ({"sort": "nothing"}, "unknown sort"),
        ({"filter": ":nowhere"}, "no view"),
    ],
)
def test_invalid_view_is_refused(mine: Ask, fields: dict[str, str], said: str) -> None:
    with pytest.raises(TodoError) as refused:
        mine(SaveView(**({"name": "soon", "filter": "p1"} | fields)))
    assert said in refused.value.detail + refused.value.hint
    assert mine(ListViews()).views == ()


def test_save_view_with_a_repeated_key_saves_once(mine: Ask) -> None:
    first = mine(SaveView(name="x", filter="p1"), key="k")
    mine(SaveView(name="x", filter="p2"))
    assert mine(SaveView(name="x", filter="p1"), key="k") == first
    assert mine(ListViews()).views[0].filter == "p2"
    with pytest.raises(Conflict, match="another request"):
        mine(SaveView(name="x", filter="p3"), key="k")
    for _ in range(2):
        mine(ChooseView(name="x"), key="c")
    for _ in range(2):
        assert mine(RemoveView(name="x"), key="r").name == "x"
    assert [change.verb for change in mine(ListChanges(limit=4)).changes] == [
        "RemoveView",
        "ChooseView",
        "SaveView",
        "SaveView",
    ]


def test_views_are_one_s_own(db: Database, ask_as: AskAs, ask: Ask) -> None:
    ask.add("a")
    ask(SaveView(name="x", filter="status:open"))
    ask(ChooseView(name="x"))
    other = db.person()
    share(db, ask.who.user_id, other, "editor")
    guest = ask_as(other, space=ask.who.user_id)
    assert guest(ListViews()).views == ()
    assert titles(guest, home=True) == "a"
    with pytest.raises(NotFound):
        titles(guest, filter=":x")
    with pytest.raises(NotFound):
        guest(RemoveView(name="x"))
    guest(SaveView(name="x", filter="p1"))
    assert ask(ListViews()).views[0].filter == "status:open"


def test_tags_and_projects_in_use(mine: Ask) -> None:
    assert mine(ListTags()).used == (NameCount(name="desk", tasks=1), NameCount(name="phone", tasks=2))
    assert mine(ListProjects()).used == (NameCount(name="home", tasks=2), NameCount(name="work", tasks=2))


def test_view_commands_save_list_choose_and_remove(person: Person, as_person: Callable[..., Todo]) -> None:
    todo = as_person(person, "api")
    todo("add", "-", stdin="milk\nbread\n")
    todo("add", "Call", "--project", "work", "--tag", "phone", "--due", "yesterday", "--raw")

    def numbers(*words: str) -> list[str]:
        return [line.split("\t")[0] for line in todo(*words).lines]

    assert numbers("list", "-@phone", "or", "#work", "--sort", "-created") == ["3", "2", "1"]
    assert numbers("list", "-@phone", "-n", "1") == ["1"]
    assert todo("view", "save", "calls", "@phone", "-due:today").out == "Saved :calls: @phone !due:today\n"
    assert todo("view", "default", "calls").out == "The default view is :calls.\n"
    assert numbers() == numbers("list", ":calls") == ["3"]
    assert numbers("list", "--tag", "nowhere") == []
    assert todo("view", "list").out == "*\tcalls\t@phone !due:today\t\n"
    assert todo("view", "rm", "calls").out == "Removed :calls: @phone !due:today\n"
    assert numbers("overdue") == numbers("today") == ["3"]
    assert numbers("upcoming", "-#work") == []
    assert todo("next", "1", "--json").json["tasks"][0]["urgency"] > 5
    assert todo("tags").out.startswith("phone\t1\t0\t1\t")
    assert [(used["name"], used["tasks"]) for used in todo("projects", "--json").json["used"]] == [("work", 1)]
    wrong = todo("list", "is:ovredue")
    assert (wrong.code, wrong.err) == (
        2,
        "todo: the filter, at character 4: is cannot be 'ovredue' (did you mean is:overdue?)\n",
    )
    assert todo("list", "--nosuch").code == 2
