"""Claims: one statement finds the next free task and takes it, behind the lock of the space: no two get the same."""

from __future__ import annotations

from typing import LiteralString

import msgspec
from msgspec import UNSET

from todo_cli.contract.claims import ClaimTask, ReleaseTasks
from todo_cli.contract.tasks import Changed, Task
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.compiler import compile_filter, parse_with_views
from todo_cli.core.filters.fields_sql import NOW
from todo_cli.core.tasks.targets import Targets, TargetSql
from todo_cli.core.tasks.update_result import judged
from todo_cli.core.tasks.update_sql import arguments, asked, form, rewrite
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid, NotNow
from todo_cli.parsing.filter_ast import FieldTerm, make_and

READY = FieldTerm("is", ":", "ready")
FREE: LiteralString = f"(t.claimed_until IS NULL OR t.claimed_until <= {NOW})"


@handler(ClaimTask)
async def claim_task(tx: Transaction, request: ClaimTask) -> Task:
    """Raises NotNow where no task is free, Conflict for one that is another's, done or in the bin."""
    if request.number is not UNSET and request.filter is not UNSET:
        raise Invalid(
            "a number and a filter exclude each other", hint="the next one of a filter: todo claim --next FILTER"
        )
    patch = {"claim": request.lease}
    by = await _next(tx, request, patch) if request.number is UNSET else None
    patches = [] if request.number is UNSET else [patch | {"number": request.number}]
    verdict = await asked(tx, form(patches, by=by), arguments(request, patches, bin_too=False), by)
    if verdict.nothing:
        raise NotNow("there is nothing to claim", hint="ask again later, or see what is held: todo list is:claimed")
    judged(tx, verdict)
    return msgspec.structs.replace(verdict.tasks[0], new=verdict.new)


async def _next(tx: Transaction, request: ClaimTask, patch: dict[str, int]) -> Targets:
    text = request.filter or ""
    found = await compile_filter(tx, make_and([READY, (await parse_with_views(tx, text)).node]))
    return Targets(TargetSql(f"{found.where} AND {FREE}", first=True), patch, found.values, text)


@handler(ReleaseTasks)
async def release_tasks(tx: Transaction, request: ReleaseTasks) -> Changed:
    """Raises Conflict for what another holds, unless forced."""
    return await rewrite(tx, request, {"release": True} | ({"force": True} if request.force is True else {}))
