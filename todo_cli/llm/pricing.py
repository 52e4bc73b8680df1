"""Compute what a model's answers cost, where a price is configured."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from todo_cli.llm.stream import TokenUsage

TOKENS_PER_PRICE = 1_000_000


class Price(msgspec.Struct, frozen=True):
    """The price of a million tokens, in one currency."""

    input: Decimal
    output: Decimal
    currency: str


def make_price(input_price: float | None, output_price: float | None, currency: str) -> Price | None:
    """Return the configured price, or None where no price is configured."""
    if input_price is None and output_price is None:
        return None
    return Price(Decimal(str(input_price or 0)), Decimal(str(output_price or 0)), currency)


def add_cost(usage: TokenUsage, price: Price | None) -> TokenUsage:
    """Return the usage with its cost at today's price: a later price does not change a stored cost."""
    if price is None:
        return usage
    cost = (usage.prompt * price.input + usage.completion * price.output) / TOKENS_PER_PRICE
    return msgspec.structs.replace(usage, cost=_format_cost(cost), currency=price.currency)


def usage_fields(usage: TokenUsage | None) -> dict[str, Any] | None:
    """Return the usage as it is stored, or None where the provider reported none."""
    fields: dict[str, Any] | None = msgspec.to_builtins(usage) if usage else None
    return fields


def sum_usage(usages: Iterable[dict[str, Any] | None]) -> dict[str, Any] | None:
    """Add up the usage of several answers. The sum has a cost only if every cost is known, in one currency."""
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
        total |= {"cost": _format_cost(cost), "currency": known[0]["currency"]}
    return total


def _format_cost(cost: Decimal) -> str:
    return f"{cost.normalize():f}"
