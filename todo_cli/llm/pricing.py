"""What a model's answer costs, where a price is configured; else nothing is said of money. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from todo_cli.llm.stream import Usage

MILLION = 1_000_000


class Price(msgspec.Struct, frozen=True):
    """Of a million tokens, in that currency."""

    input: Decimal
    output: Decimal
    currency: str


def price_of(given: float | None, taken: float | None, currency: str) -> Price | None:
    """None where neither is configured."""
    if given is None and taken is None:
        return None
    return Price(Decimal(str(given or 0)), Decimal(str(taken or 0)), currency)


def priced(usage: Usage, price: Price | None) -> Usage:
    """With its cost as it is now: a later price does not change it."""
    if price is None:
        return usage
    cost = (usage.prompt * price.input + usage.completion * price.output) / MILLION
    return msgspec.structs.replace(usage, cost=_plain(cost), currency=price.currency)


def as_stored(usage: Usage | None) -> dict[str, Any] | None:
    """Its fields; None where the provider told none."""
    fields: dict[str, Any] | None = msgspec.to_builtins(usage) if usage else None
    return fields


def summed(usages: Iterable[dict[str, Any] | None]) -> dict[str, Any] | None:
    """Of several answers; their cost only where all of it is known, in one currency."""
    known = [usage for usage in usages if usage]
    if not known:
        return None
    total: dict[str, Any] = {}
    for usage in known:
        for name, tokens in usage.items():
            if isinstance(tokens, int):
                total[name] = total.get(name, 0) + tokens
    if len({usage.get("currency") for usage in known}) == 1 and all("cost" in usage for usage in known):
        cost = sum((Decimal(usage["cost"]) for usage in known), Decimal(0))
        total |= {"cost": _plain(cost), "currency": known[0]["currency"]}
    return total


def _plain(cost: Decimal) -> str:
    return f"{cost.normalize():f}"
