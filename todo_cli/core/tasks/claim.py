"""Claims: one statement finds the next free task and takes it, behind the lock of the space: no two get the same."""

from __future__ import annotations

from typing import LiteralString

import msgspec
from msgspec import UNSET

from todo_cli.contract.claims import ClaimTask, ReleaseTasks
from todo_cli.contract.tasks import Changed, Task
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.compiler import compiled, understood
from todo_cli.core.filters.fields_sql import NOW
from todo_cli.core.tasks.targets import Form, Selection
from todo_cli.core.tasks.update_result import judged
from todo_cli.core.tasks.update_sql import arguments, asked, form, rewrite
from todo_cli.db.transaction import Tx
from todo_cli.errors import Invalid, NotNow
from todo_cli.parsing.filter_ast import Match, every

READY = Match("is", ":", "ready")
FREE: LiteralString = f"(t.claimed_until IS NULL OR t.claimed_until <= {NOW})"


@handler(ClaimTask)
async def claim_task(tx: Tx, it: ClaimTask) -> Task:
    """Raises NotNow where no task is free, Conflict for one that is another's, done or in the bin."""
    if it.number is not UNSET and it.filter is not UNSET:
        raise Invalid(
            "a number and a filter exclude each other", hint="the next one of a filter: todo claim --next FILTER"
        )
    patch = {"claim": it.lease}
    by = await _next(tx, it, patch) if it.number is UNSET else None
    patches = [] if it.number is UNSET else [patch | {"number": it.number}]
    verdict = await asked(tx, form(patches, by=by), arguments(it, patches, bin_too=False), by)
    if verdict.nothing:
        raise NotNow("there is nothing to claim", hint="ask again later, or see what is held: todo list is:claimed")
    judged(tx, verdict)
    return msgspec.structs.replace(verdict.tasks[0], new=verdict.new)


async def _next(tx: Tx, it: ClaimTask, patch: dict[str, int]) -> Selection:
    text = it.filter or ""
    found = await compiled(tx, every([READY, (await understood(tx, text)).node]))
    return Selection(Form(f"{found.where} AND {FREE}", first=True), patch, found.values, text)


@handler(ReleaseTasks)
async def release_tasks(tx: Tx, it: ReleaseTasks) -> Changed:
    """Raises Conflict for what another holds, unless forced."""
    return await rewrite(tx, it, {"release": True} | ({"force": True} if it.force is True else {}))
