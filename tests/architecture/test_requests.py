"""Every Request is registered, answered and named, and its verb never changes: journals and plans store it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import Parameter, signature
from typing import Any

import pytest

from todo_cli.command_table import COMMANDS
from todo_cli.contract.base import Request
from todo_cli.contract.batch import Batch
from todo_cli.contract.registry import BY_VERB, REQUESTS
from todo_cli.core.dispatch import HANDLERS, import_handlers
from todo_cli.tools.tool_list import TOOLS

BASES = {"OnTasks", "Step"}
"""Classes that only other Requests inherit from."""

PUBLIC = [request for request in REQUESTS if request.route]


def subclasses(parent: type) -> Iterator[type]:
    """Yield all classes below one."""
    for child in parent.__subclasses__():
        yield child
        yield from subclasses(child)


def test_requests_are_all_registered_and_answered() -> None:
    import_handlers()
    defined = {request for request in subclasses(Request) if request.__module__.startswith("todo_cli")}
    assert {request for request in defined if request.__name__ not in BASES} == set(REQUESTS) == set(HANDLERS)


def test_requests_take_keywords_only() -> None:
    kinds = {parameter.kind for request in REQUESTS for parameter in signature(request).parameters.values()}
    assert kinds == {Parameter.KEYWORD_ONLY}


def test_types_of_fields_are_no_texts() -> None:
    """The first use of a type in a command would evaluate them one by one."""
    texts = [name for request in REQUESTS for name, kind in request.__annotations__.items() if isinstance(kind, str)]
    assert texts == []


@pytest.mark.parametrize("request_type", PUBLIC, ids=lambda request: request.__name__)
def test_public_request_has_route_label_and_summary(request_type: type[Request[Any]]) -> None:
    assert re.fullmatch(r"(GET|POST|PATCH|DELETE) /v1/[a-z/{}_]+", request_type.route or "")
    assert request_type.write == (not (request_type.route or "").startswith("GET") and request_type is not Batch)
    assert request_type.label.split()[0] in {*COMMANDS, "batch", "plan"}, "the label is the command that people type"
    assert request_type.past or not request_type.write, "a write says what it did"
    summary = (request_type.__doc__ or "").splitlines()[0]
    assert re.match(r"[A-Z][a-z]+\b.*\.$", summary), summary


def test_tools_are_named_verb_first_and_unique() -> None:
    assert len(TOOLS) == sum(request.tool is not None for request in REQUESTS)
    assert [name for name in TOOLS if not re.fullmatch(r"[a-z]+(_[a-z]+)?", name)] == []


VERBS = """
AddAttachment AddChannel AddComment AddTask AddTasks AddUser AnswerTurn ApplyPlan ApproveProposal Batch
BeginRegistration BeginTurn BlameTask ChangePassword ChooseView ClaimTask CompleteTasks CopyTasks CreateInvitation
CreateResetCode CreateSpace CreateToken DecideDevice DeleteAccount DeleteInvitation DeleteSpace DeleteSpaceInvitation
DeleteTasks DiffTasks DisableUser EditComment EditEachTask EditTasks EndTurn ExportAccount ExportTasks FetchAttachment
FollowChanges ForkConversation HoldCalls ImportMessages ImportTasks InviteMember JoinSpace LeaveSpace
LinkImportedTasks ListAttachments ListChanges ListChannels ListClaims ListComments ListConversations ListInvitations
ListJobs ListMembers ListPlans ListProjects ListPrompts ListProposals ListSessions ListSpaceInvitations ListSpaces
ListTags ListTasks ListTokens ListUsers ListViews MakePlan MoveHead MoveTasks OpenSession PollDevice ProposeChange
ReadChunk ReadEvents ReadOwnSalt ReadReplay ReadServerStats ReadSignInSalt ReadStoredFile ReadUpload ReadUsage Redo
RedoTurn RefusePlan Register RejectProposal ReleaseTasks RemindTasks RemoveAttachment RemoveChannel RemoveComment
RemoveConversation RemoveMember RemoveView RenameConversation RenameSpace RenewClaims RenewHash ReopenTasks
ResetPassword RestoreConversation RestoreTasks RetryJobs RevokeSessions RevokeToken RewindTurn RunCall SaveView
SearchConversations SearchTasks SetBudget SetMemberRole SetPreferences SetRateLimit ShowConversation ShowDevice
ShowPreferences ShowStats ShowTask SignIn SignOut SkipTasks SortTasks StartDevice StartStoreUpload StartTasks
StartUpload StopTasks StopTurn StoreAnswer StoreChunk StoreEvents StorePassword StoreRegistration StoreReset
StoreResults StoreSummary StoreTitle SuggestWords TakeTask TryChannel Undo UndoToken UndoTurn VerifyUpload WhoAmI
""".split()  # noqa: SIM905  # 70 quoted words would be harder to read


def test_verbs_of_all_requests_are_the_frozen_ones() -> None:
    assert sorted(BY_VERB) == VERBS, "add the verb of a new operation to this list; never remove or rename one"
    assert len(BY_VERB) == len(REQUESTS), "two Requests have the same verb"
