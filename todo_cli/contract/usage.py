"""What the models have used, and how much a person may: told by day, model or conversation."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Name, Request, When
from todo_cli.contract.users import TokensPerDay, User
from todo_cli.errors import TooMany

UsageGrouping = Literal["day", "model", "conversation"]


class UsageRow(Struct, frozen=True, kw_only=True):
    """What the calls of one day, model or conversation have used, in tokens. `costs`: by currency, where it was known.

    `cached` is a part of `prompt`, `reasoning` one of `completion`.
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
    """How many tokens the person may use in a day, and has used today; `seconds`: until their next midnight."""

    allowed: int
    spent: int
    seconds: int


class UsagePage(Struct, frozen=True, kw_only=True):
    """The newest days first, else who used most; `total` is of all of them. `budget` is null where none is set."""

    used: tuple[UsageRow, ...]
    total: UsageRow
    budget: Budget | None = None


class ReadUsage(Request[UsagePage], frozen=True, kw_only=True):
    """Tell what my conversations have used, in all my spaces; of one conversation of this space with `number`."""

    verb = "ReadUsage"
    label = "chat usage"
    route = "GET /v1/usage"
    scope = "chat"
    write = False

    by: UsageGrouping = "day"
    number: Annotated[int, Meta(ge=1, le=2**63 - 1, description="a conversation's number")] | None = None
    since: When | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class SetBudget(Request[User], frozen=True, kw_only=True):
    """Say how many tokens a person may use in a day; null: as many as they like. Their own budget may be lower."""

    verb = "SetBudget"
    label = "admin user budget"
    past = "Changed"
    route = "PATCH /v1/budgets/{name}"
    scope = "admin"
    personal = True

    name: Name
    tokens_per_day: TokensPerDay | None = None


def spent(budget: Budget) -> TooMany:
    """The error of who has used up the day's budget."""
    hours, minutes = divmod(max(budget.seconds, 60) // 60, 60)
    left = f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
    return TooMany(
        f"today's budget of {budget.allowed:,} tokens is spent ({budget.spent:,} used)",
        hint=f"it begins anew in {left}, at your midnight; yours is raised with: todo prefs --budget N, "
        "an administrator's with: todo admin user budget",
        reason="budget", retry_after=budget.seconds, allowed=budget.allowed, spent=budget.spent,
    )  # fmt: skip
