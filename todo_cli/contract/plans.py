"""Plans: a change that is worked out but not made, with the exact tasks and revs it would touch."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from todo_cli.contract.base import Asks, Request
from todo_cli.contract.journal import Difference
from todo_cli.contract.tasks import Changed
from todo_cli.contract.tokens import Id

Verb = Annotated[str, Meta(max_length=40, description="the name of a Request that changes tasks")]
Arguments = Annotated[dict[str, Any], Meta(description="the Request's fields")]


class PlanTarget(Struct, frozen=True, kw_only=True):
    """A task that a plan would touch, and the rev it must still have."""

    number: int
    rev: int
    title: str


class Plan(Struct, frozen=True, kw_only=True):
    """What would be done. It is applied to exactly these tasks, or refused when one has moved on."""

    id: str
    verb: str
    arguments: dict[str, Any]
    state: Literal["open", "applied", "refused", "expired"]
    targets: tuple[PlanTarget, ...]
    differences: tuple[Difference, ...]
    made_at: datetime
    expires_at: datetime


class PlanPage(Struct, frozen=True, kw_only=True):
    """The caller's open plans."""

    plans: tuple[Plan, ...]


class MakePlan(Request[Plan], frozen=True, kw_only=True):
    """Work out a change of tasks without making it: the real change runs, is shown, and is rolled back."""

    verb = "MakePlan"
    label = "plan"
    past = "Planned"
    route = "POST /v1/plans"
    scope = "tasks:write"

    id: Id
    operation: Verb = field(name="verb")  # in Python `verb` is this Request's own
    arguments: Arguments


class ApplyPlan(Request[Changed], frozen=True, kw_only=True):
    """Do precisely what a plan says, once; refused when a task has moved on, or when the plan has expired."""

    verb = "ApplyPlan"
    label = "apply"
    past = "Applied"
    route = "POST /v1/plans/{id}/application"
    scope = "tasks:write"
    asks = Asks.NEVER

    id: Id


class RefusePlan(Request[Plan], frozen=True, kw_only=True):
    """Put a plan aside for ever."""

    verb = "RefusePlan"
    label = "apply --refuse"
    past = "Refused"
    route = "POST /v1/plans/{id}/refusal"
    scope = "tasks:write"

    id: Id


class ListPlans(Request[PlanPage], frozen=True, kw_only=True):
    """List my plans that are still open."""

    verb = "ListPlans"
    label = "apply"
    route = "GET /v1/plans"
    write = False
