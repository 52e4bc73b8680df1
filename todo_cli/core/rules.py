"""The form of a noun's table: which function answers which Request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from todo_cli.contract.base import Request
from todo_cli.db.connect import Tx

Rules = dict[type[Request[Any]], Callable[[Tx, Any], Awaitable[Any]]]
