"""Changing what a filter finds: worked out first, then done; more than a few rows are shown and asked about, once."""

from __future__ import annotations

from todo_cli.cli.plan_output import format_task_count, make_plan, print_plan_rows
from todo_cli.cli.prompts import ask_yes_no
from todo_cli.cli.render import text
from todo_cli.cli.session import Session
from todo_cli.contract.plans import ApplyPlan, Plan, RefusePlan
from todo_cli.contract.tasks import Changed, OnTasks
from todo_cli.errors import Conflict, Invalid, NeedsAnswer

MAX_UNASKED_TASKS = 3


def apply_by_filter(session: Session, request: OnTasks, key: str | None) -> Changed | None:
    """Precisely what was worked out; None where the answer was no. Raises NeedsAnswer without a terminal."""
    if key:
        raise Invalid("--key with a filter needs --yes", hint="so that a repetition means the same request")
    plan = make_plan(session, request)
    if (len(plan.targets) > MAX_UNASKED_TASKS or _has_search_words(str(request.filter))) and not _ask_or_refuse(
        session, plan
    ):
        return None
    try:
        return session.send(ApplyPlan(id=plan.id))
    except Conflict:  # it can never be applied any more
        session.send(RefusePlan(id=plan.id))
        raise


def _has_search_words(filter: str) -> bool:
    """It has words that are looked for in texts, with typing mistakes forgiven: what they find is not what was said."""
    from todo_cli.parsing.filter_ast import TextTerm, walk_terms
    from todo_cli.parsing.filter_parser import parse_filter

    return any(isinstance(leaf, TextTerm) for leaf in walk_terms(parse_filter(filter)))


def _ask_or_refuse(session: Session, plan: Plan) -> bool:
    """The rows, and a yes to them; without one the plan is put aside."""
    agreed = False
    try:
        if not session.interactive:
            many = format_task_count(len(plan.targets))
            raise NeedsAnswer(f"this would change {many}, and there is no terminal to ask on; nothing was changed",
                              hint="answer with --yes, or look first with --plan")  # fmt: skip
        print_plan_rows(plan, text.note)
        agreed = ask_yes_no(session, f"Change {format_task_count(len(plan.targets))}?", yes=False, flag="--yes")
    finally:
        if not agreed:
            session.send(RefusePlan(id=plan.id))
    if not agreed:
        text.note("Nothing was changed.")
    return agreed
