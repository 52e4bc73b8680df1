"""Verbs are stored in journals and plans for ever: none may change its meaning or disappear."""

from __future__ import annotations

from todo_cli.contract.registry import BY_VERB, REQUESTS

VERBS = """
AddComment AddTask AddTasks AddUser AnswerTurn ApplyPlan BeginTurn ChooseView ClaimTask CompleteTasks CreateToken
DeleteTasks DisableUser EditComment EditTasks EndTurn ForkConversation HoldCalls ImportMessages ListChanges ListComments
ListConversations ListPlans ListProjects ListPrompts ListSpaces ListTags ListTasks ListTokens ListUsers ListViews MakePlan
MoveHead ReadEvents ReadReplay ReadUsage Redo RedoTurn RefusePlan ReleaseTasks RemoveComment RemoveConversation
RemoveView RenameConversation ReopenTasks RestoreConversation RestoreTasks RevokeToken RewindTurn RunCall SaveView
SearchConversations SearchTasks SetBudget SetPreferences ShowConversation ShowTask SkipTasks StartTasks StopTasks
StopTurn StoreAnswer StoreEvents StoreResults StoreSummary StoreTitle Undo UndoTurn WhoAmI
""".split()  # noqa: SIM905  # 70 quoted words would be harder to read


def test_verbs_of_all_requests_are_the_frozen_ones() -> None:
    assert sorted(BY_VERB) == VERBS, "add the verb of a new operation to this list; never remove or rename one"
    assert len(BY_VERB) == len(REQUESTS), "two Requests have the same verb"
