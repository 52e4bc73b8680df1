"""Plans: computed changes that are not stored, with the exact tasks and revs that they would change."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from todo_cli.contract.base import Request
from todo_cli.contract.journal import Difference
from todo_cli.contract.tasks import Changed
from todo_cli.contract.tokens import Id

Verb = Annotated[str, Meta(max_length=40, description="the verb of a Request that changes tasks, such as EditTasks")]
Arguments = Annotated[dict[str, Any], Meta(description="the Request's fields")]


class PlanTarget(Struct, frozen=True, kw_only=True):
    """A task that a plan would change, and the rev that it must still have."""

    number: int
    rev: int
    title: str


class Plan(Struct, frozen=True, kw_only=True):
    """A computed change. It is applied to exactly these tasks, or refused when one of them has changed."""

    id: str
    verb: str
    arguments: dict[str, Any]
    state: Literal["open", "applied", "refused", "expired"]
    targets: tuple[PlanTarget, ...]
    differences: tuple[Difference, ...]
    made_at: datetime
    expires_at: datetime


def choosable_numbers(plan: Plan) -> tuple[int, ...]:
    """Return the tasks of a plan that can be approved apart from each other; none if the plan is one thing."""
    numbers = plan.arguments.get("numbers")
    return tuple(dict.fromkeys(numbers)) if isinstance(numbers, list) and len(numbers) > 1 else ()


class PlanPage(Struct, frozen=True, kw_only=True):
    """The caller's open plans, newest first."""

    plans: tuple[Plan, ...]


class MakePlan(Request[Plan], frozen=True, kw_only=True):
    """Compute a change of tasks without storing it."""

    verb = "MakePlan"
    label = "plan"
    past = "Planned"
    route = "POST /v1/plans"
    scope = "tasks:write"

    id: Id
    operation: Verb = field(name="verb")  # in Python `verb` is this Request's own
    arguments: Arguments


class ApplyPlan(Request[Changed], frozen=True, kw_only=True):
    """Apply a plan once, exactly as it was shown; refused when one of its tasks has changed or the plan has expired."""

    verb = "ApplyPlan"
    label = "apply"
    past = "Applied"
    route = "POST /v1/plans/{id}/application"
    scope = "tasks:write"

    id: Id


class RefusePlan(Request[Plan], frozen=True, kw_only=True):
    """Refuse a plan, so that it can never be applied."""

    verb = "RefusePlan"
    label = "apply --refuse"
    past = "Refused"
    route = "POST /v1/plans/{id}/refusal"
    scope = "tasks:write"

    id: Id


class ListPlans(Request[PlanPage], frozen=True, kw_only=True):
    """List my open plans."""

    verb = "ListPlans"
    label = "apply"
    route = "GET /v1/plans"
    write = False
