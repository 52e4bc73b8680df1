"""Change the tasks that a filter matches: plan first, ask once if the result may surprise, then apply the plan."""

from __future__ import annotations

from todo_cli.cli.plan_output import format_task_count, make_plan, print_plan_rows
from todo_cli.cli.prompts import ask_yes_no
from todo_cli.cli.render import text
from todo_cli.cli.session import Session
from todo_cli.contract.plans import ApplyPlan, Plan, RefusePlan
from todo_cli.contract.tasks import Changed, OnTasks
from todo_cli.contract.trash import DeleteTasks
from todo_cli.errors import Conflict, Invalid, NeedsAnswer

MAX_UNASKED_TASKS = 3


def apply_by_filter(session: Session, request: OnTasks, key: str | None) -> Changed | None:
    """Apply the planned change; None if the person declines. Raises NeedsAnswer without a terminal."""
    if key:
        raise Invalid("--key with a filter needs --yes", hint="so that every repetition sends the same request")
    plan = make_plan(session, request)
    if _needs_question(session, request, plan) and not _ask_or_refuse(session, plan):
        return None
    try:
        return session.send(ApplyPlan(id=plan.id))
    except Conflict:  # a task has changed since, so the plan can never be applied
        session.send(RefusePlan(id=plan.id))
        raise


def _needs_question(session: Session, request: OnTasks, plan: Plan) -> bool:
    """Whether to ask: for many tasks, for any deletion, and for search words, which may match unexpected tasks.

    The user may prefer to be asked always or never. Without a terminal the rules are the same for every user, so that
    no script depends on a preference.
    """
    confirm = session.display.confirm
    if session.is_interactive and confirm in ("always", "never"):
        return confirm == "always"
    is_deletion = isinstance(request, DeleteTasks)
    return is_deletion or len(plan.targets) > MAX_UNASKED_TASKS or _has_search_words(str(request.filter))


def _has_search_words(filter: str) -> bool:
    from todo_cli.parsing.filter_ast import TextTerm, walk_terms
    from todo_cli.parsing.filter_parser import parse_filter

    return any(isinstance(term, TextTerm) for term in walk_terms(parse_filter(filter)))


def _ask_or_refuse(session: Session, plan: Plan) -> bool:
    """Show the rows and ask; refuse the plan unless the answer is yes."""
    tasks = format_task_count(len(plan.targets))
    approved = False
    try:
        if not session.is_interactive:
            detail = f"this would change {tasks}, and there is no terminal to ask on; nothing was changed"
            raise NeedsAnswer(detail, hint="confirm with --yes, or preview with --plan")
        print_plan_rows(session, plan, text.note)
        approved = ask_yes_no(session, f"Change {tasks}?", yes=False, flag="--yes")
    finally:
        if not approved:
            session.send(RefusePlan(id=plan.id))
    if not approved:
        text.note("Nothing was changed.")
    return approved
