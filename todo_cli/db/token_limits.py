"""What a process knows of tokens with limits. They never change, so what was read once holds.

The database enforces them. A server knows them only to fill in the fields of new tasks, to propose instead of changing,
and to ask once less.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

from todo_cli.contract.base import Secret
from todo_cli.contract.ids import token_hash
from todo_cli.errors import TodoError

MAX_KNOWN_TOKENS = 10_000


class TokenLimits(msgspec.Struct, frozen=True):
    """The limits of a token: its compiled filter, the filter as a user wrote it, and whether it only proposes."""

    reach: list[Any]
    filter: str | None = None
    proposes: bool = False


class LimitsUnknown(TodoError):
    """The token has limits that the sender of the write did not know. Nothing was done; `extra` has the limits."""

    code, status, exit_code = "limits-unknown", 403, 5


_known: OrderedDict[str, TokenLimits] = OrderedDict()


def find_limits(token: Secret) -> TokenLimits | None:
    """Return the limits of a token, if it has any and this process has met them."""
    return _known.get(token_hash(token)) if _known else None


def remember_limits(token: Secret, error: LimitsUnknown) -> TokenLimits:
    """Keep the limits that the database has named, and return them."""
    limits = _known[token_hash(token)] = msgspec.convert(error.extra, TokenLimits)
    if len(_known) > MAX_KNOWN_TOKENS:
        _known.popitem(last=False)
    return limits
