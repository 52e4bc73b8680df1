"""Every Request gives the same answers, errors and exit codes over both clients.

A user of each client sends the same Requests in the same order. Ids, times and names, which must differ, are masked.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.conftest import Database, Server
from tests.support.ask import Ask, settings_of
from todo_cli.clients.open import open_client
from todo_cli.contract import (
    accounts,
    attachments,
    conversations,
    devices,
    model_texts,
    password_steps,
    proposals,
    spaces,
    turn_events,
    turn_steps,
)
from todo_cli.contract.base import Request
from todo_cli.contract.batch import Batch, BatchRead, make_batch
from todo_cli.contract.blame import BlameTask
from todo_cli.contract.change_feed import FollowChanges
from todo_cli.contract.channels import AddChannel, ListChannels, RemoveChannel, TryChannel
from todo_cli.contract.claims import ClaimTask, ListClaims, ReleaseTasks, RenewClaims, TakeTask
from todo_cli.contract.codec import encode
from todo_cli.contract.comments import AddComment, EditComment, ListComments, RemoveComment
from todo_cli.contract.completion import SuggestWords
from todo_cli.contract.conversation_export import ExportedMessage, ExportHeader, ImportMessages
from todo_cli.contract.copies import CopyTasks
from todo_cli.contract.diff import DiffTasks
from todo_cli.contract.edits import EditEachTask, TaskEdit
from todo_cli.contract.exports import ExportTasks
from todo_cli.contract.imports import ImportTasks, LinkImportedTasks, TaskToImport
from todo_cli.contract.jobs import ListJobs, RetryJobs
from todo_cli.contract.journal import ListChanges, Redo, Undo, UndoToken
from todo_cli.contract.message_search import SearchConversations
from todo_cli.contract.order import MoveTasks, SortTasks
from todo_cli.contract.passwords import ChangePassword, CreateResetCode, ResetPassword, SignIn
from todo_cli.contract.plans import ApplyPlan, ListPlans, MakePlan, RefusePlan
from todo_cli.contract.preferences import SetPreferences, ShowPreferences
from todo_cli.contract.prompt_history import ListPrompts
from todo_cli.contract.rate_limits import SetRateLimit
from todo_cli.contract.registration import CreateInvitation, DeleteInvitation, ListInvitations, Register
from todo_cli.contract.registry import REQUESTS, requests_in
from todo_cli.contract.reminders import RemindTasks
from todo_cli.contract.search import SearchTasks
from todo_cli.contract.server_stats import ReadServerStats
from todo_cli.contract.sessions import ListSessions, RevokeSessions, SignOut
from todo_cli.contract.stats import ShowStats
from todo_cli.contract.tasks import (
    AddTask,
    AddTasks,
    CompleteTasks,
    EditTasks,
    ListTasks,
    NewTask,
    ReopenTasks,
    ShowTask,
)  # fmt: skip  # a table, one Request per line
from todo_cli.contract.time_tracking import SkipTasks, StartTasks, StopTasks
from todo_cli.contract.tokens import CreateToken, ListTokens, RevokeToken
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.contract.usage import ReadUsage, SetBudget
from todo_cli.contract.users import (
    AddUser,
    DisableUser,
    ListUsers,
    WhoAmI,
)  # fmt: skip  # a table, one Request per line
from todo_cli.contract.views import ChooseView, ListProjects, ListTags, ListViews, RemoveView, SaveView
from todo_cli.errors import TodoError

ASKED = (
    {*REQUESTS}
    - {
        *requests_in(turn_steps),
        *requests_in(model_texts),
        *requests_in(turn_events),
        *requests_in(conversations),
        *requests_in(password_steps),
        *requests_in(devices),
        *requests_in(accounts),
        *requests_in(attachments),
        *requests_in(proposals),
        *requests_in(spaces),
        ReadServerStats,
        SignIn,
        ChangePassword,
        ResetPassword,
        Register,
    }
)  # those: tests/agent/test_conversations.py; test_sessions.py, test_devices.py, test_attachments.py, test_proposals.py and
# test_spaces.py beside this file
NEW = "someone-new"  # replaced by a name for each client
IDS = [str(UUID(int=0x7 << 76 | 0x2 << 62 | number)) for number in range(9)]

TALK = ExportHeader(id=IDS[0], number=7, title="The rent", created_at=datetime(2030, 1, 1, tzinfo=UTC), head="x 2")
SAID = tuple(
    ExportedMessage(seq=n, turn=IDS[0], role=role, content=f"rent {n}", at=TALK.created_at)
    for n, role in ((1, "user"), (2, "assistant"))
)

RECORD = TaskToImport(source_id="row:2", title="Imported", digest="0" * 32, created_at="2020-01-01", kept='{"cost": 1}')

# in this order, each with a key of its own: valid Requests and invalid ones
STORY: tuple[Request[Any], ...] = (
    AddTask(title="Pay rent", due="2030-01-02 09:00", project="#home", tags=("@b", "a"), priority=1, note="n"),
    AddTask(title=" "), AddTask(title="x", due="never"), AddTask(title="x" * 1_001), AddTask(title="x", priority=9),
    AddTasks(tasks=(NewTask(title="b", due="2030-01-01"), NewTask(title="c", tags=("t",)))),
    AddTasks(tasks=(NewTask(title="b"), NewTask(title="\0"))), AddTasks(tasks=()),
    UndoToken(token="first", since="2001-01-01", dry_run=True),
    ListTasks(), ListTasks(limit=1), ListTasks(status="all", sort="-priority", tag="t"), ListTasks(cursor="x"), ListTasks(limit=0),
    ListTasks(as_of="now"), ListTasks(as_of="tomorrow"), ListTasks(as_of="2001-01-01"), ShowTask(number=1, as_of="now"), ShowTask(number=1, as_of="2001-01-01"),
    ShowTask(number=1), ShowTask(number=99), ShowTask(number=0), ShowTask(number=2**63),
    CompleteTasks(numbers=(1, 2)), CompleteTasks(numbers=(1, 99)), CompleteTasks(numbers=()), CompleteTasks(numbers=(3,), if_rev=7),
    ReopenTasks(numbers=(2,)), ReopenTasks(numbers=(99,)),
    EditTasks(numbers=(1, 3), title="T", due=None, add_tags=("n",), remove_tags=("a",)), EditTasks(numbers=(1,)),
    EditTasks(numbers=(1,), title=""), EditTasks(numbers=(1,), title="x", if_rev=1), EditTasks(numbers=(1,), tags=("a b",)),
    DeleteTasks(numbers=(3,)), DeleteTasks(numbers=(99,)), CompleteTasks(numbers=(3,)),
    RestoreTasks(numbers=(3, 1)), RestoreTasks(numbers=(98, 99)),
    AddTask(title="deep tomorrow", due="2030-01-07", parent=1, after=(1, 2), defer="2030-01-01", every="every week", parse=True),
    AddTask(title="x", parent=99), AddTask(title="x", every="never"), EditTasks(numbers=(1,), parent=4), EditTasks(numbers=(1,), add_after=(4,)),
    StartTasks(numbers=(4,)), StartTasks(numbers=(99,)), StopTasks(numbers=(4,)), StopTasks(numbers=(99,)), StopTasks(),
    SkipTasks(numbers=(4,)), SkipTasks(numbers=(1,)), CompleteTasks(numbers=(4,), with_subtasks=True), Undo(), ShowTask(number=4),
    CopyTasks(numbers=(4, 1), with_subtasks=True, due="2030-02-01", add_tags=("copy",)), CopyTasks(numbers=(99,)), CopyTasks(numbers=()), Undo(),
    EditEachTask(edits=(TaskEdit(number=4, due="2030-03-01"), TaskEdit(number=2, add_tags=("each",)))), Undo(), EditEachTask(edits=()),
    EditEachTask(edits=(TaskEdit(number=4, title="x"), TaskEdit(number=99, title="x"))), EditEachTask(edits=(TaskEdit(number=2, title="x", if_rev=1),)),
    MoveTasks(numbers=(4, 2), before=1), MoveTasks(numbers=(1,), last=True), MoveTasks(numbers=(1,)), MoveTasks(numbers=(1,), behind=99),
    SortTasks(numbers=(1, 2, 4), by="-title"), SortTasks(filter="status:open", by="rank"), ListTasks(sort="position", limit=2), Undo(),
    ClaimTask(number=2), ClaimTask(number=2, lease=60), ClaimTask(number=99), ClaimTask(number=1, filter="p1"), ClaimTask(filter="#nowhere"),
    ClaimTask(filter="1-3", lease=0), RenewClaims(numbers=(2,)), RenewClaims(numbers=(99,)), TakeTask(number=2, reason="r"),
    TakeTask(number=99, reason="r"), TakeTask(number=2, reason=""), ListClaims(), ListClaims(mine=True), ReleaseTasks(numbers=(2,)), ReleaseTasks(filter="is:claimed"), ReleaseTasks(numbers=(99,)),
    EditTasks(filter="1-2", priority=2), EditTasks(filter="", priority=2), EditTasks(numbers=(1,), filter="p1", priority=2),
    DeleteTasks(filter="is:opne"), CompleteTasks(filter="#nowhere"), CompleteTasks(numbers=(1,), if_claimed=True),
    DeleteTasks(numbers=(4, 5)),
    Undo(dry_run=True), Undo(), Undo(id=99), Undo(id=1), Undo(id=4), Undo(id=4, partial=True), Undo(id=0),
    UndoToken(token="nobody"), UndoToken(token="first", since="2040-01-01"),
    Redo(dry_run=True), Redo(), Redo(id=99), Redo(), Redo(),
    AddComment(number=1, id=IDS[5], text="a word"), AddComment(number=1, id=IDS[5], text="again"), AddComment(number=99, id=IDS[6], text="x"),
    AddComment(number=1, id=IDS[6], text=" "), AddComment(number=1, id=IDS[6], text="two"), AddComment(number=1, id=IDS[4], text="\0"),
    EditComment(number=1, id=IDS[5], text="another"), EditComment(number=1, id=IDS[3], text="x"), ListComments(number=1, limit=1),
    SearchTasks(words="anothr", status="all"), SearchTasks(words="paid T", status="all"), SearchTasks(words="?!"), SearchTasks(words=""),
    SearchTasks(words="x", limit=0), RemoveComment(number=1, id=IDS[6]), RemoveComment(number=1, id=IDS[6]), ListComments(number=1),
    ListComments(number=99), ShowTask(number=1),
    MakePlan(id=IDS[7], operation="EditTasks", arguments={"numbers": [1, 2], "title": "planned"}),
    MakePlan(id=IDS[8], operation="DeleteTasks", arguments={"filter": "1 status:all"}), MakePlan(id=IDS[2], operation="RevokeToken", arguments={"name": "first"}),
    MakePlan(id=IDS[2], operation="EditTasks", arguments={"numbers": [99], "title": "x"}), ListPlans(), ApplyPlan(id=IDS[7]), ApplyPlan(id=IDS[8]),
    ApplyPlan(id=IDS[2]), RefusePlan(id=IDS[8]), RefusePlan(id=IDS[7]), RefusePlan(id=IDS[2]), ListPlans(),
    CreateToken(id=IDS[1], hash="a" * 64, name="cron", scopes=("all",), expires="2040-01-01"),
    CreateToken(id=IDS[1], hash="b" * 64, name="x", scopes=("all",)), CreateToken(id=IDS[2], hash="b" * 64, name="cron", scopes=("all",)),
    CreateToken(id=IDS[2], hash="b" * 64, name="x", scopes=("none",)), CreateToken(id=IDS[2], hash="b", name="x", scopes=("all",)),
    CreateToken(id=IDS[2], hash="b" * 64, name="x", scopes=("all",), expires="2001-01-01"),
    ListTokens(), RevokeToken(name="cron"), RevokeToken(name="cron"), ListTokens(all=True),
    make_batch(ListTasks(), ShowTask(number=99), WhoAmI()), Batch(reads=()), Batch(reads=(BatchRead(verb="AddTask"),)),
    WhoAmI(), SetPreferences(timezone="Asia/Tokyo"), SetPreferences(timezone="Mars"), WhoAmI(),
    SetPreferences(week_start="sunday", dates="absolute", theme="dark", signs="ascii", sort="-priority", remind="30m"), SetPreferences(sort="x"),
    SetPreferences(sort="rank"), SetPreferences(remind="soon"), SetPreferences(project=" "), SetPreferences(theme="pink"), ShowPreferences(), ListTasks(),
    SetPreferences(sort=None, theme=None),
    AddUser(id=IDS[3], name=NEW, token_id=IDS[4], token_hash="c" * 64), AddUser(id=IDS[5], name=NEW, token_id=IDS[6], token_hash="c" * 64),
    AddUser(id=IDS[5], name=" ", token_id=IDS[6], token_hash="c" * 64), ListUsers(),
    DisableUser(name=NEW), DisableUser(name=NEW, disabled=False), DisableUser(name="nobody at all"),
    CreateResetCode(name=NEW, code_hash="d" * 64), CreateResetCode(name=NEW, code_hash="d" * 64, email=f"{NEW}@example.org"),
    CreateInvitation(id=IDS[7], invitation_hash="e" * 64), CreateInvitation(id=IDS[8], invitation_hash="f" * 64, expires="2001-01-01"),
    ListInvitations(), DeleteInvitation(id=IDS[7]), DeleteInvitation(id=IDS[7]), ListInvitations(all=True),
    ListSessions(all=True), RevokeSessions(), RevokeSessions(name="laptop"), SignOut(),
    SaveView(name="soon", filter="due<fri or p1"), SaveView(name="soon", filter=":soon"), SaveView(name="a b", filter="p1"), SaveView(name="x", filter=" "),
    SaveView(name="all", filter=":soon or #home", sort="-priority,title"), SaveView(name="all", filter="x", sort="nothing"), ListViews(),
    ListTasks(filter=":all"), ListTasks(filter=":none"), ListTasks(filter="is:xyz"), ListTasks(filter="1-3", sort="urgency", status="all"),
    ChooseView(name="soon"), ChooseView(name="nowhere"), ListTasks(home=True), ChooseView(), RemoveView(name="soon"), RemoveView(name="soon"),
    ListTasks(filter=":all"), ListTags(), ListProjects(), ListTags(progress=True), ListProjects(progress=True), ShowStats(), ShowStats(days=3),
    SearchConversations(words="rent"), SearchConversations(words=""), ReadUsage(), ReadUsage(number=99), SetBudget(name=NEW, tokens_per_day=9),
    SetBudget(name="nobody at all"), SetRateLimit(name=NEW, requests_per_minute=200), SetRateLimit(name="nobody at all", turns_per_minute=None), ImportMessages(conversation=TALK, messages=SAID), ImportMessages(conversation=TALK, messages=SAID),
    ImportMessages(conversation=TALK, messages=SAID, first=7), SearchConversations(words="rent", role="user"), ReadUsage(by="conversation", number=1),
    RemindTasks(numbers=(1,), remind=("2031-01-01",)), RemindTasks(numbers=(2,), remind=("1h before",)), RemindTasks(numbers=(99,), replace=True),
    ImportTasks(format="csv", name="f", file="0" * 32, group=IDS[0], tasks=(RECORD,)), ImportTasks(format="csv", name="f", file="0" * 32, group=IDS[0], tasks=()),
    LinkImportedTasks(format="csv", name="f", group=IDS[0]), LinkImportedTasks(format="csv", name=" ", group=IDS[0]),
    ExportTasks(format="csv", filter="#nowhere"), ExportTasks(format="csv", filter="("),
    AddChannel(name="mail", kind="email", target="ana@example.org"), AddChannel(name="mail", kind="desktop"),
    AddChannel(name="c", kind="push", target="x"), ListChannels(), TryChannel(name="mail"), TryChannel(name="none"),
    ListJobs(), ListJobs(limit=0), ListJobs(number=1), RetryJobs(), RetryJobs(id=IDS[0]), RemoveChannel(name="mail"), RemoveChannel(name="mail"),
    ListPrompts(), ListPrompts(limit=0), ListChanges(), ListChanges(number=1, limit=2), ListChanges(number=99), ListChanges(before=3), ListChanges(limit=0),
    ListChanges(filter="1", by="me", since="1h"), ListChanges(by="nobody"), ListChanges(seq=1), ListChanges(seq=2**40),
    BlameTask(number=1), BlameTask(number=99), DiffTasks(), DiffTasks(since="1h", until="now", filter="1"), DiffTasks(since="tomorrow"),
    SuggestWords(kind="task", prefix="1"), SuggestWords(kind="tag"), SuggestWords(kind="project", prefix="x" * 101),
    FollowChanges(), FollowChanges(after=0, filter="1", limit=3), FollowChanges(after=2**40),
)  # fmt: skip  # a table, one Request per line

MASKS = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"), "<time>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), "<minute>"),
    (re.compile(r"todo_[0-9a-f]{32}"), "<login>"),
    (re.compile('"way":"(direct|api)"'), '"way":"<way>"'),
    (re.compile(r'"request_id":"[^"]*"'), '"request_id":""'),
)


def _own(request: Request[Any], way: str) -> Request[Any]:
    """Return the Request with a name and ids that the other client's user has not used."""
    if isinstance(request, AddUser):
        request = msgspec.structs.replace(request, id=request.id[:-1] + ("a" if way == "api" else "d"))
    if isinstance(request, CreateResetCode) and request.email:
        request = msgspec.structs.replace(request, email=f"{NEW}-{way}@example.org")
    return msgspec.structs.replace(request, name=f"{NEW}-{way}") if getattr(request, "name", None) == NEW else request


def _told(ask: Ask, request: Request[Any], key: str) -> tuple[type[Request[Any]], int, str]:
    """Return the kind of the Request, its exit code, and the masked answer or error."""
    try:
        code, answer = 0, msgspec.json.decode(encode(ask(_own(request, ask.way), key if request.write else None)))
    except TodoError as error:
        error.extra.pop("request_id", None)
        code, answer = error.exit_code, msgspec.to_builtins(error.as_problem(), enc_hook=str)
    if isinstance(answer, dict) and "users" in answer:  # all users of the test database: only ours
        answer["users"] = [one for one in answer["users"] if one["name"] in (ask.who.name, f"{NEW}-{ask.way}")]
    if isinstance(answer, dict) and "invitations" in answer:
        answer["invitations"] = [each for each in answer["invitations"] if each["inviter"] == ask.who.name]
    text = msgspec.json.encode(answer).decode().replace(ask.who.name, "<me>").replace(f"{NEW}-{ask.way}", NEW)
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return type(request), code, text


@pytest.fixture
def told(fresh_db: Database, make_server: Any) -> dict[str, list[tuple[type[Request[Any]], int, str]]]:
    """Return the outcomes of each client. Both use one database, so that the second needs other names and ids."""
    server: Server = make_server(fresh_db)
    found = {}
    for way in ("direct", "api"):
        who = fresh_db.person(f"boss-{way}", admin=True)
        ask = Ask(open_client(settings_of(who, way, server=server.url)), who, way)
        try:
            found[way] = [_told(ask, request, f"k{place}") for place, request in enumerate(STORY)]
        finally:
            ask.backend.close()
    return found


def test_every_request_answers_the_same_from_both_clients(
    told: dict[str, list[tuple[type[Request[Any]], int, str]]],
) -> None:
    for request, direct, api in zip(STORY, told["direct"], told["api"], strict=True):
        assert direct == api, request
    answered = {kind for kind, code, _ in told["direct"] if code == 0}
    assert answered == ASKED, "every Request is answered"
    refused = {kind for kind, code, _ in told["direct"] if code}
    nothing_to_refuse = {
        ListViews,
        ListClaims,
        ListChannels,
        ListTags,
        ListProjects,
        ShowStats,
        WhoAmI,
        ListTokens,
        ListUsers,
        ListPlans,
        ShowPreferences,
        ListInvitations,
        ListSessions,
        SignOut,
    }
    assert refused == ASKED - nothing_to_refuse, "and refused"
    assert {code for _, code, _ in told["direct"]} == {0, 2, 3, 6, 11}
