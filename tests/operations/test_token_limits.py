"""Tokens with limits: what they see, what they change, and what they hand on."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.conftest import Database
from tests.operations.test_imports import import_records, link, record
from tests.support.ask import Ask, AskAs
from tests.support.limited_tokens import create_limited_token
from todo_cli.contract.attachments import StartUpload
from todo_cli.contract.claims import ClaimTask
from todo_cli.contract.comments import AddComment, ListComments
from todo_cli.contract.ids import new_id
from todo_cli.contract.imports import SourceReferences
from todo_cli.contract.jobs import RetryJobs
from todo_cli.contract.journal import ListChanges, Undo
from todo_cli.contract.search import SearchTasks
from todo_cli.contract.sessions import RevokeSessions
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, EditTasks, ListTasks, NewTask, ShowTask
from todo_cli.contract.tokens import ListTokens, RevokeToken
from todo_cli.contract.trash import DeleteTasks
from todo_cli.contract.users import WhoAmI
from todo_cli.contract.views import ChooseView, ListProjects, ListTags, RemoveView, SaveView
from todo_cli.errors import Invalid, NotAllowed, NotFound, TooMany

through_a_server = pytest.mark.parametrize("way", ["api"])


def limit(ask: Ask, ask_as: AskAs, **limits: Any) -> Ask:
    """Return a function that asks with a new token of these limits."""
    return ask_as(ask.who, create_limited_token(ask, **limits))


@through_a_server
@pytest.mark.parametrize(
    "request_", [SaveView(name="x", filter="@x"), RemoveView(name="x"), ChooseView(), RetryJobs(), RevokeSessions()]
)
def test_request_beyond_tasks_is_refused_to_a_token_with_limits(ask: Ask, ask_as: AskAs, request_: Any) -> None:
    agent = limit(ask, ask_as, filter="@x", scopes=("read", "tasks:write", "tokens:write"))
    with pytest.raises(NotAllowed, match=f"a token with limits cannot run {request_.label}, which acts on more"):
        agent(request_)
    with pytest.raises(Invalid, match="not a Request that a token with limits can run"):
        create_limited_token(ask, verbs=(request_.verb,))


@through_a_server
def test_filter_of_a_token_hides_all_other_tasks_from_reads(ask: Ask, ask_as: AskAs) -> None:
    ask.add("visible milk", project="groceries", tags=("shop",))
    ask.add("secret letter", project="secretproject", tags=("secrettag",), note="secretnote")
    ask(AddComment(id=new_id(), number=2, text="secretcomment"))
    ask(EditTasks(numbers=(1, 2), priority=1))
    agent = limit(ask, ask_as, filter="project:groceries")
    reads = [
        ListTasks(),
        ListTasks(status="all", count_all=True),
        ListTasks(filter="secret"),
        SearchTasks(words="secret"),
        SearchTasks(words="visible"),
        ListChanges(),
        ListProjects(),
        ListTags(),
        ShowTask(number=1),
        ListTokens(all=True),
    ]
    for request in reads:
        text = msgspec.json.encode(agent(request)).decode()
        assert "letter" not in text, request
        assert "secret" not in text.replace('"filter":"secret', ""), request
    assert [task.number for task in agent(ListTasks()).tasks] == [1]
    assert [hit.task.number for hit in agent(SearchTasks(words="milk")).hits] == [1]
    assert [project.name for project in agent(ListProjects()).used] == ["groceries"]
    for request in (ShowTask(number=2), ListComments(number=2), ListChanges(number=2)):
        with pytest.raises(NotFound) as missing:
            agent(request)
        assert missing.value.hint == "list tasks with: todo list", "not how many tasks there are"


@through_a_server
def test_filter_of_a_token_refuses_changes_that_leave_it(ask: Ask, ask_as: AskAs) -> None:
    ask.add("milk", project="groceries", tags=("shop",))
    ask.add("letter", project="work")
    agent = limit(ask, ask_as, filter="project:groceries and @shop")
    for numbers, fields in (((1,), {"project": "work"}), ((1,), {"remove_tags": ("shop",)}), ((1,), {"tags": ()})):
        with pytest.raises(NotAllowed, match="outside the token's filter") as caught:
            agent(EditTasks(numbers=numbers, **fields))
        assert "project:groceries and @shop" in caught.value.hint
    for request in (
        EditTasks(numbers=(2,), title="mine"),
        CompleteTasks(numbers=(1, 2)),
        DeleteTasks(numbers=(2,)),
        AddComment(id=new_id(), number=2, text="x"),
        ClaimTask(number=2),
        StartUpload(number=2, id=new_id(), name="a", size=1, sha256="0" * 64),
    ):
        with pytest.raises(NotFound):
            agent(request)
    agent(EditTasks(numbers=(1,), title="oat milk", priority=1, add_tags=("urgent",)))
    agent(AddComment(id=new_id(), number=1, text="bought"))
    agent(CompleteTasks(numbers=(1,)))
    shown = ask.show(1)
    assert (shown.title, shown.status, shown.project, shown.tags) == (
        "oat milk",
        "done",
        "groceries",
        ("shop", "urgent"),
    )
    assert ask.show(2).rev == 2


@through_a_server
def test_added_tasks_get_the_fields_that_the_filter_demands(ask: Ask, ask_as: AskAs) -> None:
    agent = limit(ask, ask_as, filter="project:groceries @shop p2")
    added = agent(AddTask(title="milk"))
    assert (added.project, added.tags, added.priority) == ("groceries", ("shop",), 2)
    assert agent(AddTask(title="milk"), key="again").number == 2
    assert agent(AddTask(title="milk"), key="again").new is False
    bread, eggs = agent(AddTasks(tasks=(NewTask(title="bread"), NewTask(title="eggs", tags=("soon",))))).tasks
    assert (bread.project, eggs.tags) == ("groceries", ("shop", "soon"))
    with pytest.raises(NotAllowed, match="outside"):
        agent(AddTask(title="letter", project="work"))
    either = limit(ask, ask_as, filter="project:work or @shop")
    with pytest.raises(NotAllowed, match="outside"):
        either(AddTask(title="what for"))
    assert either(AddTask(title="letter", project="work")).project == "work"
    assert either(EditTasks(numbers=(1,), project=None)).tasks[0].project is None
    moved = either(EditTasks(numbers=(5,), project=None, add_tags=("shop",))).tasks[0]
    assert (moved.project, moved.tags) == (None, ("shop",))


@through_a_server
def test_token_of_verbs_runs_no_other_change(ask: Ask, ask_as: AskAs) -> None:
    ask.add("a")
    agent = limit(ask, ask_as, verbs=("CompleteTasks", "AddComment"))
    assert agent(ListTasks()).tasks[0].title == "a"
    for request in (AddTask(title="b"), EditTasks(numbers=(1,), title="b"), Undo()):
        with pytest.raises(NotAllowed, match="may not run") as caught:
            agent(request)
        assert caught.value.hint == "it may run: comment, done"
    agent(AddComment(id=new_id(), number=1, text="soon"))
    agent(CompleteTasks(numbers=(1,)))
    assert agent(WhoAmI()).verbs == ("AddComment", "CompleteTasks")


@through_a_server
def test_token_with_a_rate_is_refused_beyond_it_with_its_children(ask: Ask, ask_as: AskAs) -> None:
    agent = limit(ask, ask_as, per_minute=5, scopes=("read", "tokens:write"))
    child = limit(agent, ask_as, per_minute=60, scopes=("read",))
    assert child(WhoAmI()).per_minute == 5
    for _ in range(2):
        child(ListTasks())
    for _ in range(2):
        agent(ListTasks())
    for asker in (child, agent):
        with pytest.raises(TooMany, match="more than 5 requests in a minute with this token") as caught:
            asker(ListTasks())
        assert 1 <= caught.value.extra["retry_after"] <= 60
    ask(ListTasks())


@through_a_server
def test_child_of_a_limited_token_is_never_wider(ask: Ask, ask_as: AskAs) -> None:
    ask.add("milk", project="groceries", tags=("shop",))
    ask.add("soap", project="groceries")
    ask.add("letter", project="work", tags=("shop",))
    scopes = ("read", "tasks:write", "tokens:write")
    parent = limit(ask, ask_as, filter="project:groceries", verbs=("CompleteTasks", "CreateToken"), scopes=scopes)
    child = limit(parent, ask_as, filter="@shop or project:work")
    assert [task.number for task in child(ListTasks()).tasks] == [1]
    assert child(WhoAmI()).filter == "(project:groceries) and (@shop or project:work)"
    assert child(WhoAmI()).verbs == ("CompleteTasks", "CreateToken")
    assert [task.number for task in limit(parent, ask_as)(ListTasks()).tasks] == [1, 2]
    with pytest.raises(NotAllowed, match="may do more than itself"):
        limit(parent, ask_as, verbs=("EditTasks",))
    with pytest.raises(NotAllowed, match="reaches further"):
        limit(parent, ask_as, scopes=("all",))
    with pytest.raises(NotAllowed, match="may not run token revoke"):
        parent(RevokeToken(name="first"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"filter": "due:today"}, "cannot depend on due:today"),
        ({"filter": "milk"}, "cannot search for words"),
        ({"filter": "is:open"}, "cannot depend on status|cannot depend on is:open"),
        ({"filter": "project:"}, "filter"),
        ({"filter": ":nowhere"}, "there is no view"),
        ({"filter": "@a", "scopes": ("all",)}, "cannot have the scope all"),
        ({"verbs": ("CompleteTasks",), "scopes": ("read", "chat")}, "cannot have the scope chat"),
        ({"verbs": ("ListTasks",)}, "not a Request that a token with limits can run"),
        ({"verbs": ("Nonsense",)}, "not a Request that a token with limits can run"),
        ({"per_minute": 5, "scopes": ("all",)}, "a token with a rate cannot have the scope all"),
        ({"per_minute": 0}, "per_minute"),
    ],
)
def test_limits_that_cannot_be_are_refused(ask: Ask, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises((Invalid, NotFound), match=sentence):
        create_limited_token(ask, **fields)


def test_direct_login_refuses_a_limited_token(ask: Ask, ask_as: AskAs, db: Database) -> None:
    agent = limit(ask, ask_as, filter="@a")
    if ask.way == "direct":
        with pytest.raises(NotAllowed, match="cannot be used directly on the database"):
            agent(ListTasks())
    else:
        assert agent(ListTasks()).tasks == ()


@through_a_server
def test_import_of_a_token_keeps_its_filter_and_leaves_other_sources_alone(ask: Ask, ask_as: AskAs) -> None:
    import_records(ask, record("secret", project="work"))
    agent = limit(ask, ask_as, filter="project:groceries", verbs=("ImportTasks",))
    inside = (record("a", project="groceries"), record("b", project="groceries", links=SourceReferences(parent="c")))
    answer = import_records(agent, *inside)
    assert answer.added == 2
    import_records(agent, record("c", project="groceries"), group=answer.group)
    assert link(agent, answer.group) == 1
    assert import_records(agent, *inside).known == 2, "a second import adds only what is new"
    for outside in (record("x", project="work"), record("secret", project="groceries")):
        with pytest.raises(NotAllowed):
            import_records(agent, outside)
    assert [task.title for task in ask(ListTasks()).tasks] == ["secret", "a", "b", "c"]
    assert ask.show(1).project == "work"
