"""One Request of each kind, with all that it needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from tests.support.connections import Line
from tests.support.limited_tokens import create_limited_token, propose_completion
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
    copies,
    diff,
    edits,
    exports,
    imports,
    jobs,
    journal,
    message_search,
    order,
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
    usage,
    users,
    views,
)
from todo_cli.contract.base import Request
from todo_cli.contract.ids import new_id

DUE = "2030-01-02 09:00"


def samples(line: Line, server_url: str) -> dict[type[Request[Any]], Callable[[], Request[Any]]]:
    """Return functions that make one Request of each kind. The tasks and tokens that it needs are created first."""

    def number() -> int:
        return line(tasks.AddTask(title="x", tags=("a", "b"))).number

    def commented() -> dict[str, Any]:
        about, id = number(), new_id()
        line(comments.AddComment(number=about, id=id, text="c"))
        return {"number": about, "id": id}

    def uploading() -> dict[str, Any]:
        about, digest = {"number": number(), "id": new_id()}, sha256(b"x").hexdigest()
        line(attachments.StartUpload(**about, name="x", size=1, sha256=digest))
        return about

    def attached() -> dict[str, Any]:
        about = uploading()
        line(attachments.StoreChunk(**about, position=0, data=b"x"))
        line(attachments.AddAttachment(**about))
        return about

    def detached() -> dict[str, Any]:
        about = attached()
        line(attachments.RemoveAttachment(**about))
        return about

    def recurring() -> int:
        return line(tasks.AddTask(title="x", due=DUE, every="every week")).number

    def plan() -> plans.MakePlan:
        return plans.MakePlan(id=new_id(), operation="CompleteTasks", arguments={"numbers": [number(), number()]})

    def channel(name: str) -> channels.AddChannel:
        return channels.AddChannel(name=name, kind="email", target="ana@example.org")

    def token() -> tokens.CreateToken:
        name = uuid4().hex
        return tokens.CreateToken(
            id=new_id(), hash=sha256(name.encode()).hexdigest(), name=name, scopes=("read",), expires=DUE
        )

    def person() -> users.AddUser:
        name = uuid4().hex
        return users.AddUser(id=new_id(), name=name, token_id=new_id(), token_hash=sha256(name.encode()).hexdigest())

    def invitation() -> registration.CreateInvitation:
        id = new_id()
        return registration.CreateInvitation(id=id, invitation_hash=sha256(id.encode()).hexdigest(), expires=DUE)

    def imported() -> conversation_export.ImportMessages:
        id, at = new_id(), datetime(2030, 1, 1, tzinfo=UTC)
        head = conversation_export.ExportHeader(id=id, number=1, title="x", created_at=at, head="x")
        history = tuple(
            conversation_export.ExportedMessage(seq=n, turn=id, role=role, content="x", at=at)
            for n, role in ((1, "user"), (2, "assistant"))
        )
        return conversation_export.ImportMessages(conversation=head, messages=history)

    def source(**fields: Any) -> imports.ImportTasks:
        task = imports.TaskToImport(source_id=new_id(), title="x", digest="0" * 32, **fields)
        return imports.ImportTasks(format="csv", name="x", file="0" * 32, group=new_id(), tasks=(task,))

    def unlinked() -> imports.LinkImportedTasks:
        line(source(links=imports.SourceReferences(parent="row:1")))
        return imports.LinkImportedTasks(format="csv", name="x", group=new_id())

    def undo_token() -> journal.UndoToken:
        name = f"n{new_id()[-8:]}"
        secret = create_limited_token(line, name=name, scopes=("all",))
        line(tasks.AddTask(title="x"), token=secret)
        return journal.UndoToken(token=name)

    def propose(number: int) -> str:
        return propose_completion(line, server_url, number)

    return {
        batch.Batch: lambda: batch.make_batch(tasks.ListTasks(), views.ListTags(), spaces.ListSpaces()),
        tasks.AddTask: lambda: tasks.AddTask(title="x", due=DUE, tags=("a", "b"), project="p", note="n" * 1000),
        tasks.AddTasks: lambda: tasks.AddTasks(tasks=tuple(tasks.NewTask(title=f"t{n}", due=DUE) for n in range(200))),
        tasks.ListTasks: lambda: tasks.ListTasks(due_before=DUE, tag="a"),
        tasks.ShowTask: lambda: tasks.ShowTask(number=number()),
        tasks.CompleteTasks: lambda: tasks.CompleteTasks(numbers=(number(), number())),
        tasks.ReopenTasks: lambda: tasks.ReopenTasks(numbers=(number(),)),
        tasks.EditTasks: lambda: tasks.EditTasks(
            numbers=(number(),), title="y", due=DUE, add_tags=("c",), remove_tags=("a",)
        ),
        trash.DeleteTasks: lambda: trash.DeleteTasks(numbers=(number(),)),
        trash.RestoreTasks: lambda: trash.RestoreTasks(numbers=(number(),)),
        search.SearchTasks: lambda: search.SearchTasks(words="x"),
        completion.SuggestWords: lambda: completion.SuggestWords(kind="task", prefix="1"),
        comments.AddComment: lambda: comments.AddComment(number=number(), id=new_id(), text="c"),
        comments.ListComments: lambda: comments.ListComments(number=number()),
        comments.EditComment: lambda: comments.EditComment(**commented(), text="d"),
        comments.RemoveComment: lambda: comments.RemoveComment(**commented()),
        server_stats.ReadServerStats: server_stats.ReadServerStats,
        attachments.StartUpload: lambda: attachments.StartUpload(
            number=number(), id=new_id(), name="x", size=1, sha256="0" * 64
        ),
        attachments.StoreChunk: lambda: attachments.StoreChunk(**uploading(), position=0, data=b"x"),
        attachments.ReadUpload: lambda: attachments.ReadUpload(**uploading()),
        attachments.AddAttachment: lambda: attachments.AddAttachment(**detached()),
        attachments.RemoveAttachment: lambda: attachments.RemoveAttachment(**attached()),
        attachments.ListAttachments: lambda: attachments.ListAttachments(number=number()),
        attachments.FetchAttachment: lambda: attachments.FetchAttachment(**attached()),
        attachments.ReadStoredFile: lambda: attachments.ReadStoredFile(**attached()),
        attachments.ReadChunk: lambda: attachments.ReadChunk(**attached(), position=0),
        time_tracking.StartTasks: lambda: time_tracking.StartTasks(numbers=(number(),)),
        time_tracking.StopTasks: lambda: time_tracking.StopTasks(numbers=(number(),)),
        time_tracking.SkipTasks: lambda: time_tracking.SkipTasks(numbers=(recurring(),)),
        order.MoveTasks: lambda: order.MoveTasks(numbers=(number(),), before=number()),
        order.SortTasks: lambda: order.SortTasks(numbers=(number(), number()), by="title"),
        copies.CopyTasks: lambda: copies.CopyTasks(numbers=(number(),), due="tomorrow"),
        edits.EditEachTask: lambda: edits.EditEachTask(edits=(edits.TaskEdit(number=number(), title=new_id()),)),
        claims.ClaimTask: lambda: claims.ClaimTask(filter=f"{number()} p1 or {number()}"),
        claims.TakeTask: lambda: claims.TakeTask(number=number(), reason="x"),
        claims.RenewClaims: lambda: claims.RenewClaims(numbers=(line(claims.ClaimTask(number=number())).number,)),
        claims.ListClaims: claims.ListClaims,
        claims.ReleaseTasks: lambda: claims.ReleaseTasks(numbers=(line(claims.ClaimTask(number=number())).number,)),
        imports.ImportTasks: source,
        imports.LinkImportedTasks: unlinked,
        exports.ExportTasks: lambda: exports.ExportTasks(format="csv", filter="p1"),
        journal.ListChanges: lambda: journal.ListChanges(number=number()),
        blame.BlameTask: lambda: blame.BlameTask(number=number()),
        diff.DiffTasks: lambda: diff.DiffTasks(since="1h"),
        change_feed.FollowChanges: lambda: change_feed.FollowChanges(after=0, filter="#home", limit=3),
        journal.Undo: lambda: journal.Undo(id=number() and None),
        journal.Redo: lambda: journal.Redo(id=line(journal.Undo(id=number() and None)).seq),
        journal.UndoToken: undo_token,
        plans.MakePlan: plan,
        plans.ApplyPlan: lambda: plans.ApplyPlan(id=line(plan()).id),
        plans.RefusePlan: lambda: plans.RefusePlan(id=line(plan()).id),
        plans.ListPlans: plans.ListPlans,
        proposals.ListProposals: proposals.ListProposals,
        proposals.ApproveProposal: lambda: proposals.ApproveProposal(id=propose(number())),
        proposals.RejectProposal: lambda: proposals.RejectProposal(id=propose(number())),
        tokens.CreateToken: token,
        tokens.ListTokens: lambda: tokens.ListTokens(all=True),
        tokens.RevokeToken: lambda: tokens.RevokeToken(name=line(token()).name),
        usage.ReadUsage: usage.ReadUsage,
        rate_limits.SetRateLimit: lambda: rate_limits.SetRateLimit(name=line(person()).name, requests_per_minute=9),
        usage.SetBudget: lambda: usage.SetBudget(name=line(person()).name, tokens_per_day=9),
        message_search.SearchConversations: lambda: message_search.SearchConversations(words="rent", since=DUE),
        conversation_export.ImportMessages: imported,
        users.WhoAmI: users.WhoAmI,
        accounts.ExportAccount: accounts.ExportAccount,
        spaces.ListSpaces: spaces.ListSpaces,
        spaces.ListMembers: spaces.ListMembers,
        spaces.CreateSpace: lambda: spaces.CreateSpace(id=new_id(), name="x"),
        spaces.DeleteSpace: lambda: spaces.DeleteSpace(id=line(spaces.CreateSpace(id=new_id(), name="x")).id),
        users.AddUser: person,
        users.ListUsers: users.ListUsers,
        users.DisableUser: lambda: users.DisableUser(name=line(person()).name),
        passwords.CreateResetCode: lambda: passwords.CreateResetCode(
            name=line(person()).name, code_hash="0" * 64, email=f"{uuid4().hex}@example.org"
        ),
        registration.CreateInvitation: invitation,
        registration.ListInvitations: registration.ListInvitations,
        registration.DeleteInvitation: lambda: registration.DeleteInvitation(id=line(invitation()).id),
        sessions.ListSessions: sessions.ListSessions,
        sessions.RevokeSessions: sessions.RevokeSessions,
        sessions.SignOut: sessions.SignOut,
        reminders.RemindTasks: lambda: reminders.RemindTasks(numbers=(number(),), remind=("2030-01-01T09:00:00Z",)),
        channels.AddChannel: lambda: channel(uuid4().hex),
        channels.ListChannels: channels.ListChannels,
        channels.RemoveChannel: lambda: channels.RemoveChannel(name=line(channel(uuid4().hex)).name),
        channels.TryChannel: lambda: channels.TryChannel(name=line(channel(uuid4().hex)).name),
        jobs.ListJobs: jobs.ListJobs,
        jobs.RetryJobs: jobs.RetryJobs,
        views.SaveView: lambda: views.SaveView(name="soon", filter="due<fri or p1", sort="priority,-due"),
        views.ListViews: views.ListViews,
        views.RemoveView: lambda: views.RemoveView(name=line(views.SaveView(name="gone", filter="p1")).name),
        views.ChooseView: views.ChooseView,
        views.ListTags: views.ListTags,
        views.ListProjects: lambda: views.ListProjects(progress=True),
        stats.ShowStats: stats.ShowStats,
        prompt_history.ListPrompts: prompt_history.ListPrompts,
        preferences.ShowPreferences: preferences.ShowPreferences,
        preferences.SetPreferences: lambda: preferences.SetPreferences(timezone="Europe/Paris"),
    }
