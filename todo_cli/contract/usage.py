"""Usage: the tokens that models have used by day, model or conversation, and the budget of a user."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import DateText, Limit, Name, Request
from todo_cli.contract.limits import MAX_INTEGER
from todo_cli.contract.preferences import TokensPerDay
from todo_cli.contract.users import User
from todo_cli.errors import TooMany

UsageGrouping = Literal["day", "model", "conversation"]


class UsageRow(Struct, frozen=True, kw_only=True):
    """The usage of one day, model or conversation, in tokens; `costs` by currency where they were known.

    `cached` is part of `prompt`, and `reasoning` is part of `completion`.
    """

    day: date | None = None
    model: str | None = None
    conversation: int | None = None
    title: str | None = None
    calls: int
    prompt: int
    completion: int
    cached: int = 0
    reasoning: int = 0
    costs: dict[str, str] = {}


class Budget(Struct, frozen=True, kw_only=True):
    """The tokens that a user may use in 24 hours and has used in the last 24; after `seconds` some are free again."""

    allowed: int
    spent: int
    seconds: int


class UsagePage(Struct, frozen=True, kw_only=True):
    """Days newest first, models and conversations by use; `total` is their sum, `budget` null when none is set."""

    used: tuple[UsageRow, ...]
    total: UsageRow
    budget: Budget | None = None


class ReadUsage(Request[UsagePage], frozen=True, kw_only=True):
    """Show what my conversations have used in all my spaces; with `number` one conversation of this space."""

    verb = "ReadUsage"
    label = "chat usage"
    route = "GET /v1/usage"
    scope = "chat"
    write = False

    by: UsageGrouping = "day"
    number: Annotated[int, Meta(ge=1, le=MAX_INTEGER, description="a conversation's number")] | None = None
    since: DateText | None = None
    limit: Limit = 100


class SetBudget(Request[User], frozen=True, kw_only=True):
    """Set how many tokens a user may use in 24 hours, null for no limit; the user's own budget may be lower."""

    verb = "SetBudget"
    label = "admin user budget"
    past = "Changed"
    route = "PATCH /v1/budgets/{name}"
    scope = "admin"
    personal = True

    name: Name
    tokens_per_day: TokensPerDay | None = None


def make_budget_error(budget: Budget) -> TooMany:
    """Return the error for a budget that is spent."""
    hours, minutes = divmod(max(budget.seconds, 60) // 60, 60)
    left = f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
    return TooMany(
        f"the budget of {budget.allowed:,} tokens in 24 hours is spent ({budget.spent:,} used)",
        hint=f"wait {left}, or raise the budget with: todo prefs --budget N (an administrator: todo admin user budget)",
        reason="budget",
        retry_after=budget.seconds,
        allowed=budget.allowed,
        spent=budget.spent,
    )
