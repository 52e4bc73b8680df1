"""Show the limits of a token."""

from __future__ import annotations

from todo_cli.contract.tokens import Token
from todo_cli.contract.users import Identity


def describe_limits(token: Token | Identity) -> list[str]:
    """Return the limits as short texts: "only project:groceries", "can add, done", "60 a minute", "proposes"."""
    limits = []
    if token.filter:
        limits.append(f"only {token.filter}")
    if token.verbs is not None:
        from todo_cli.contract.registry import label_of

        limits.append(f"can {', '.join(sorted({label_of(verb) for verb in token.verbs}))}")
    if token.per_minute:
        limits.append(f"{token.per_minute} a minute")
    if token.proposes:
        limits.append("proposes")
    return limits
