"""The round trips of each Request on a warm connection, counted by a proxy before the database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.request import Request as HttpRequest
from urllib.request import urlopen
from uuid import uuid4

import pytest

from tests.conftest import Database, Person, Server
from tests.support.connections import Line
from tests.support.limited_tokens import create_limited_token
from tests.support.request_samples import DUE, samples
from tests.support.tcp_proxy import TcpProxy, open_database_proxy
from todo_cli.contract import (
    accounts,
    attachments,
    batch,
    blame,
    change_feed,
    channels,
    claims,
    comments,
    completion,
    conversation_export,
    conversations,
    copies,
    devices,
    diff,
    edits,
    exports,
    imports,
    jobs,
    journal,
    message_search,
    model_texts,
    order,
    password_steps,
    passwords,
    plans,
    preferences,
    prompt_history,
    proposals,
    rate_limits,
    registration,
    reminders,
    search,
    server_stats,
    sessions,
    spaces,
    stats,
    tasks,
    time_tracking,
    tokens,
    trash,
    turn_events,
    turn_steps,
    usage,
    users,
    views,
)
from todo_cli.contract.base import Request, Secret
from todo_cli.contract.ids import new_id, new_space_invitation, token_hash
from todo_cli.contract.registry import REQUESTS, requests_in
from todo_cli.core.accounts import devices as devices_core
from todo_cli.errors import NotFound, NotSignedIn, Proposed, TodoError

# A write that reads rows costs two: load and store. More than three are never allowed.
TRIPS: dict[type[Request[Any]], int] = {
    batch.Batch: 1,
    tasks.AddTask: 1,
    tasks.AddTasks: 1,
    tasks.ListTasks: 1,
    tasks.ShowTask: 1,
    tasks.CompleteTasks: 2,
    tasks.ReopenTasks: 2,
    tasks.EditTasks: 2,
    trash.DeleteTasks: 2,
    trash.RestoreTasks: 2,
    search.SearchTasks: 1,
    completion.SuggestWords: 1,
    comments.AddComment: 1,
    comments.ListComments: 1,
    comments.EditComment: 1,
    comments.RemoveComment: 1,
    server_stats.ReadServerStats: 1,
    attachments.StartUpload: 1,
    attachments.StoreChunk: 1,
    attachments.ReadUpload: 1,
    # of a file whose bytes are verified; else they are read back first, a round trip for each chunk
    attachments.AddAttachment: 3,
    attachments.RemoveAttachment: 2,
    attachments.ListAttachments: 1,
    attachments.FetchAttachment: 1,
    attachments.ReadStoredFile: 1,
    attachments.ReadChunk: 1,
    time_tracking.StartTasks: 2,
    time_tracking.StopTasks: 2,
    time_tracking.SkipTasks: 2,
    copies.CopyTasks: 2,
    edits.EditEachTask: 2,
    order.MoveTasks: 2,
    order.SortTasks: 2,
    claims.ClaimTask: 2,
    claims.ReleaseTasks: 2,
    imports.ImportTasks: 2,
    imports.LinkImportedTasks: 2,
    exports.ExportTasks: 1,
    claims.TakeTask: 2,
    claims.RenewClaims: 2,
    claims.ListClaims: 1,
    journal.ListChanges: 1,
    blame.BlameTask: 1,
    diff.DiffTasks: 2,  # words of time are read by the clock and the week of the user
    change_feed.FollowChanges: 1,
    journal.Undo: 2,
    journal.Redo: 2,
    journal.UndoToken: 3,
    plans.MakePlan: 2,
    plans.ApplyPlan: 3,
    plans.RefusePlan: 1,
    plans.ListPlans: 1,
    proposals.ListProposals: 1,
    proposals.ApproveProposal: 3,
    proposals.RejectProposal: 1,
    tokens.CreateToken: 1,
    tokens.ListTokens: 1,
    tokens.RevokeToken: 1,
    usage.ReadUsage: 1,
    usage.SetBudget: 1,
    rate_limits.SetRateLimit: 1,
    message_search.SearchConversations: 1,
    conversation_export.ImportMessages: 1,
    users.WhoAmI: 1,
    accounts.ExportAccount: 1,
    spaces.ListSpaces: 1,
    spaces.CreateSpace: 1,
    spaces.DeleteSpace: 1,
    spaces.ListMembers: 1,
    users.AddUser: 1,
    users.ListUsers: 1,
    users.DisableUser: 1,
    passwords.CreateResetCode: 1,
    registration.CreateInvitation: 1,
    registration.ListInvitations: 1,
    registration.DeleteInvitation: 1,
    sessions.ListSessions: 1,
    sessions.RevokeSessions: 1,
    sessions.SignOut: 1,
    preferences.SetPreferences: 1,
    preferences.ShowPreferences: 1,
    reminders.RemindTasks: 2,
    channels.AddChannel: 1,
    channels.ListChannels: 1,
    channels.RemoveChannel: 1,
    channels.TryChannel: 1,
    jobs.ListJobs: 1,
    jobs.RetryJobs: 1,
    views.SaveView: 1,
    views.ListViews: 1,
    views.RemoveView: 1,
    views.ChooseView: 1,
    views.ListTags: 1,
    views.ListProjects: 1,
    stats.ShowStats: 1,
    prompt_history.ListPrompts: 1,
}

# those of the chat are counted in tests/agent/test_conversations.py, over one turn
ELSEWHERE = {
    request for module in (turn_steps, turn_events, model_texts, conversations) for request in requests_in(module)
}
# those that have a password are answered by a server in these steps; test_step_of_a_sign_in… counts them
SIGN_IN_STEPS = {request for module in (password_steps, devices) for request in requests_in(module)}
ELSEWHERE |= SIGN_IN_STEPS | {
    passwords.SignIn,
    passwords.ChangePassword,
    passwords.ResetPassword,
    registration.Register,
}
# only tokens with limits send it; test_token_with_limits… counts it
ELSEWHERE |= {proposals.ProposeChange}
# ends the user; tests/operations/test_own_account.py sends it, as one statement
ELSEWHERE |= {accounts.DeleteAccount}
# of a space with other members
ELSEWHERE |= {*requests_in(spaces)} - {spaces.ListSpaces, spaces.CreateSpace, spaces.DeleteSpace, spaces.ListMembers}
# only a server with an object store may send them
ELSEWHERE |= {attachments.StartStoreUpload, attachments.VerifyUpload}
COUNTED = [request for request in REQUESTS if request not in ELSEWHERE]


@pytest.fixture(scope="module")
def proxy(db: Database) -> Iterator[TcpProxy]:
    made = open_database_proxy(db.server_url)
    yield made
    made.close()


@pytest.fixture(scope="module", params=["own login", "server"])
def far(request: pytest.FixtureRequest, db: Database, proxy: TcpProxy) -> Iterator[Line]:
    """Return an administrator's warm connection through the proxy."""
    who = db.person(admin=True)
    url = who.database_url if request.param == "own login" else db.server_url
    with closing(Line(proxy.through(url), who)) as line:
        yield line


def counted(proxy: TcpProxy, line: Line, request: Request[Any], **caller: Any) -> int:
    proxy.reset()
    line(request, **caller)
    return proxy.round_trips


def test_table_names_every_request() -> None:
    assert set(TRIPS) == set(COUNTED)
    assert max(TRIPS.values()) <= 3
    assert {TRIPS[request] for request in (tasks.AddTask, tasks.ListTasks, tasks.ShowTask)} == {1}


@pytest.mark.parametrize("kind", COUNTED, ids=lambda kind: kind.__name__)
def test_request_costs_the_round_trips_of_the_table(
    proxy: TcpProxy, far: Line, db: Database, kind: type[Request[Any]]
) -> None:
    make = samples(far, db.server_url)[kind]
    trips = dict(TRIPS)[kind]
    far(make())  # warm: prepared
    assert [counted(proxy, far, make()) for _ in range(2)] == [trips] * 2
    assert b"BEGIN" not in proxy.sent or trips > 1


def test_change_of_members_costs_one_round_trip(db: Database, proxy: TcpProxy) -> None:
    owner, guest, space = db.person(), db.person(), new_id()
    with (
        closing(Line(proxy.through(db.server_url), owner)) as line,
        closing(Line(proxy.through(db.server_url), guest)) as other,
    ):
        line(spaces.CreateSpace(id=space, name="team"))

        def invite() -> tuple[Secret, str]:
            secret = new_space_invitation(space)
            request = spaces.InviteMember(id=new_id(), invitation_hash=token_hash(secret), expires=DUE)
            return secret, line(request, space=space).id

        for _ in range(2):  # the first requests of a kind prepare their statements
            trips = [
                counted(proxy, line, spaces.RenameSpace(name="crew"), space=space),
                counted(proxy, other, spaces.JoinSpace(invitation=invite()[0])),
                counted(proxy, line, spaces.SetMemberRole(name=guest.name, role="viewer"), space=space),
                counted(proxy, other, spaces.LeaveSpace(id=space)),
                counted(proxy, line, spaces.DeleteSpaceInvitation(id=invite()[1]), space=space),
                counted(proxy, line, spaces.ListSpaceInvitations(), space=space),
            ]
            other(spaces.JoinSpace(invitation=invite()[0]))
            trips.append(counted(proxy, line, spaces.RemoveMember(name=guest.name), space=space))
        assert trips == [1] * 7


def test_step_of_a_sign_in_or_of_a_device_costs_one_round_trip(db: Database, proxy: TcpProxy) -> None:
    who, email, secret = db.person(), f"{uuid4().hex}@example.org", passwords.SessionSecret("s" * 43)
    secret_hash = sha256(secret.reveal().encode()).hexdigest()
    with closing(Line(proxy.through(db.server_url), who)) as server:

        def count(request: Request[Any]) -> int:
            """Send a request twice, since the first one prepares its statement; count the second."""
            for _ in range(2):
                proxy.reset()
                try:
                    server(request, address="192.0.2.1")
                except (devices_core.NotApproved, NotSignedIn):
                    assert isinstance(request, devices.PollDevice | password_steps.StoreReset)
            return proxy.round_trips

        code = server(devices.StartDevice(secret_hash=secret_hash, name="pi"), address="192.0.2.1").user_code
        steps: list[Request[Any]] = [
            password_steps.BeginRegistration(email=email),
            password_steps.StoreRegistration(id=new_id(), email=email, name="x", password_hash="$a$"),
            password_steps.ReadSignInSalt(email=email),
            password_steps.OpenSession(email=email, password_hash="$a$", secret=secret, name="x"),
            password_steps.RenewHash(email=email, password_hash="$a$", new_hash="$a$"),
            password_steps.StoreReset(email=email, code_hash="0" * 64, new_hash="$b$", repeated_hash="$b$"),
            password_steps.ReadOwnSalt(),
            password_steps.StorePassword(new_hash="$a$", email=f"new-{email}"),
            devices.StartDevice(secret_hash=secret_hash, name="pi"),
            devices.PollDevice(secret=secret),
            devices.ShowDevice(code=code),
        ]
        assert {type(step) for step in steps} == SIGN_IN_STEPS - {devices.DecideDevice}
        assert {type(step).__name__: trips for step in steps if (trips := count(step)) != 1} == {}


def test_date_in_words_without_a_zone_costs_one_round_trip_more(proxy: TcpProxy, far: Line) -> None:
    words = tasks.AddTask(title="x", due="tomorrow 9am")
    far(words, zone=None)
    assert counted(proxy, far, words, zone=None) == 2
    assert counted(proxy, far, words) == 1
    assert counted(proxy, far, tasks.AddTask(title="x"), zone=None) == 1


def test_filter_costs_no_round_trip_and_view_costs_one(proxy: TcpProxy, far: Line) -> None:
    far(views.SaveView(name="work", filter="#work or p1"))
    for filter, trips in (
        ("#home @phone due<fri p1 -@work milk", 1),
        ("3 7-9", 1),
        (":work", 2),
        ("a :work or :work", 2),
    ):
        far(tasks.ListTasks(filter=filter))
        assert counted(proxy, far, tasks.ListTasks(filter=filter)) == trips, filter
    far(views.ChooseView())
    far(tasks.ListTasks(home=True))
    assert counted(proxy, far, tasks.ListTasks(home=True)) == 1
    far(views.ChooseView(name="work"))
    far(tasks.ListTasks(home=True))
    assert counted(proxy, far, tasks.ListTasks(home=True)) == 2


def test_change_by_filter_costs_as_many_round_trips_as_by_numbers(proxy: TcpProxy, far: Line) -> None:
    def name() -> str:
        made = uuid4().hex
        far(tasks.AddTasks(tasks=tuple(tasks.NewTask(title="x", project=made, tags=("a",)) for _ in range(20))))
        return made

    def recurring() -> str:
        made = name()
        far(tasks.EditTasks(filter=f"#{made}", due=DUE, every="every week"))
        return made

    for _ in range(2):  # warm, then counted
        cost = [
            counted(proxy, far, tasks.EditTasks(filter=f"#{name()} @a", due=DUE, add_tags=("c",), remove_tags=("a",))),
            counted(proxy, far, tasks.CompleteTasks(filter=f"#{name()} due<fri or #{name()}")),
            counted(proxy, far, trash.DeleteTasks(filter=f"#{name()} x")),
            counted(proxy, far, tasks.CompleteTasks(filter=f"#{name()}", with_subtasks=True)),
            counted(proxy, far, tasks.CompleteTasks(filter=f"#{recurring()}")),
        ]
    assert cost == [2, 2, 2, 2, 2]
    plan = plans.MakePlan(id=new_id(), operation="DeleteTasks", arguments={"filter": f"#{name()}"})
    assert counted(proxy, far, plan) == 2
    assert counted(proxy, far, plans.ApplyPlan(id=plan.id)) == 3


def test_write_with_subtasks_and_recurrence_costs_two_round_trips(proxy: TcpProxy, far: Line) -> None:
    def numbers() -> tuple[int, ...]:
        rows = tuple(tasks.NewTask(title="x", due=DUE, every="every week", tags=("a",)) for _ in range(50))
        return tuple(task.number for task in far(tasks.AddTasks(tasks=rows)).tasks)

    def costs(request: Request[Any]) -> int:
        return counted(proxy, far, request)

    for _ in range(2):  # warm, then counted
        one, *more = numbers()
        first = [
            costs(tasks.AddTask(title="x tomorrow #p", parent=one, after=(one,), every="every week", parse=True)),
            costs(tasks.EditTasks(numbers=(one,), parent=more[0], add_after=(more[1],), every="every month")),
            costs(time_tracking.StopTasks()) if far(time_tracking.StartTasks(numbers=(one,))) else 0,
            costs(tasks.CompleteTasks(numbers=(one, *more))),
            costs(tasks.CompleteTasks(numbers=numbers()[:1], with_subtasks=True)),
        ]
    assert first == [2, 2, 2, 2, 2]


def test_known_key_costs_no_round_trip_more(proxy: TcpProxy, far: Line) -> None:
    key = uuid4().hex
    assert counted(proxy, far, tasks.AddTask(title="x"), key=key) == 1
    number = far(tasks.AddTask(title="x"), key=key).number
    assert counted(proxy, far, tasks.AddTask(title="x"), key=key) == 1
    done = tasks.CompleteTasks(numbers=(number,))
    far(done, key=f"{key} done")
    assert counted(proxy, far, done, key=f"{key} done") == 2


def test_refusal_costs_one_round_trip_and_of_a_write_two(proxy: TcpProxy, far: Line) -> None:
    cases: tuple[tuple[Request[Any], type[TodoError], dict[str, str]], ...] = (
        (tasks.ShowTask(number=10**9), NotFound, {}),
        (tasks.CompleteTasks(numbers=(10**9,)), NotFound, {}),
        (tasks.AddTask(title="x"), NotSignedIn, {"token": far.who.token + "x"}),
        (tasks.CompleteTasks(numbers=(1,)), NotSignedIn, {"token": far.who.token + "x"}),
    )
    trips = [min(_refused(proxy, far, *case) for _ in range(5)) for case in cases]
    assert trips == [1, 2, 1, 2], "a refused write loads, then rolls back"


def _refused(
    proxy: TcpProxy, far: Line, request: Request[Any], refusal: type[TodoError], caller: dict[str, str]
) -> int:
    # Postgres sends an error at once, possibly before the rest of the pipeline has arrived
    proxy.reset()
    with pytest.raises(refusal):
        far(request, **caller)
    return proxy.round_trips


def http(server: Server, who: Person, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    request = HttpRequest(
        server.url + path,
        None if body is None else json.dumps(body).encode(),
        method=method,
        headers={
            "Authorization": f"Bearer {who.token}",
            "Time-Zone": "Europe/Berlin",
            "Content-Type": "application/json",
        },
    )
    with urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_server_adds_no_round_trip(db: Database, make_server: Callable[..., Server], person: Person) -> None:
    """A server does not test a connection before use, and sends nothing when the connection returns to the pool."""
    with closing(open_database_proxy(db.server_url)) as proxy:
        server = make_server(replace(db, server_url=proxy.through(db.server_url)), env={"TODO_POOL_SIZE": "1"})
        connections = proxy.connections
        requests = (
            ("POST", "/v1/tasks", {"title": "x", "due": DUE}),
            ("GET", "/v1/tasks?limit=20", None),
            ("GET", "/v1/tasks/1", None),
            ("PATCH", "/v1/tasks", {"numbers": [1], "title": "y"}),
            ("POST", "/v1/tasks/completion", {"numbers": [1]}),
        )
        for round in range(4):
            proxy.reset()
            for method, path, body in requests:
                http(server, person, method, path, body)
            # the first round prepares; the edit and the completion load and store
            assert proxy.round_trips == len(requests) + 2 or round == 0, proxy.sent
            assert proxy.sent.count(b"BEGIN") <= 2
        assert proxy.connections == connections
        server.stop()


def test_token_with_limits_costs_more_round_trips_only_once_in_a_process(proxy: TcpProxy, db: Database) -> None:
    who = db.person()
    with closing(Line(proxy.through(db.server_url), who)) as line:
        token = create_limited_token(line, filter="project:p")
        assert counted(proxy, line, tasks.ListTasks(), token=token) == 1
        assert [counted(proxy, line, tasks.AddTask(title="x"), token=token) for _ in range(2)] == [3, 2]
        assert counted(proxy, line, tasks.CompleteTasks(numbers=(1,)), token=token) == 2
        proposing = create_limited_token(line, proposes=True)
        line(tasks.AddTask(title="x"))
        trips = []
        for _ in range(2):
            proxy.reset()
            with pytest.raises(Proposed):
                line(tasks.CompleteTasks(numbers=(3,)), token=proposing)
            trips.append(proxy.round_trips)
        assert trips == [4, 2]
