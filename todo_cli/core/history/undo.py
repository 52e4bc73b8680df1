"""Undo and redo: the inverse of a change, or of a group of them, written as a new change.

A task has moved on when what it says now is no longer what the change left; its `rev` may differ,
since an undo and a redo in between bring the same content back. Two round trips: look, then write.
"""

from __future__ import annotations

from typing import Any, LiteralString

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.journal import Redo, Undo, Undone
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import COMMON, FIELDS, OLD, RARE, differences, key_reused, stamp
from todo_cli.core.tasks.rows import TaskRow, to_task
from todo_cli.core.tasks.snapshot_sql import image, tags_of
from todo_cli.core.tasks.update_result import Verdict, judged
from todo_cli.core.tasks.update_sql import arguments, form
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, NotFound

Image = dict[str, Any]

_HEAD: LiteralString = """coalesce((SELECT min(g.seq) FROM todo.changes g
      WHERE g.space_id = c.space_id AND g.group_id = c.group_id), c.seq)"""


_FOUND: LiteralString = f"""
SELECT json_build_object(
  'old', (SELECT json_build_object('same', same, 'seq', seq, 'before', before, 'after', after) FROM old),
  'changes', coalesce((SELECT json_agg(json_build_object('seq', seq, 'head', head, 'before', before, 'after', after)
      ORDER BY seq) FROM target), '[]'),
  'blocked', (SELECT reason FROM blocked LIMIT 1),
  'now', coalesce((SELECT json_agg({image("t", tags_of("t"))}) FROM todo.tasks t WHERE t.space_id = %(space)s::uuid
      AND t.number = ANY (ARRAY(SELECT (i ->> 'number')::bigint FROM target, jsonb_array_elements(after) AS i))), '[]'))::text"""

_CLAIMS: LiteralString = "'{ClaimTask,ReleaseTasks}'"  # are no content: nobody's last change
_CHANGED: LiteralString = "c.after IS NOT NULL AND c.after IS DISTINCT FROM c.before"
_LATER: LiteralString = f"""(SELECT DISTINCT ON (x.undoes) x.seq FROM todo.changes x WHERE x.space_id = c.space_id
      AND x.undoes = {_HEAD} AND NOT x.redo AND x.seq = (SELECT max(y.seq) FROM todo.changes y
        WHERE y.space_id = c.space_id AND y.undoes = x.undoes))"""

FIND_UNDO = Sql(f"""WITH {OLD},
one AS MATERIALIZED (SELECT c.seq, c.group_id, {_HEAD} AS head FROM todo.changes c
  WHERE c.space_id = %(space)s::uuid AND {_CHANGED} AND c.undoes IS NULL
    AND CASE WHEN %(id)s::bigint IS NULL THEN c.user_id = %(me)s::uuid AND c.verb <> ALL ({_CLAIMS})
         AND NOT EXISTS {_LATER} ELSE c.seq = %(id)s::bigint END
  ORDER BY c.seq DESC LIMIT 1),
target AS MATERIALIZED (SELECT c.seq, one.head, c.before, c.after FROM one JOIN todo.changes c
    ON c.space_id = %(space)s::uuid AND c.seq = one.seq WHERE one.group_id IS NULL
  UNION ALL SELECT c.seq, one.head, c.before, c.after FROM one JOIN todo.changes c
    ON c.space_id = %(space)s::uuid AND c.group_id = one.group_id),
blocked AS (SELECT 'it has been undone already' AS reason FROM one JOIN todo.changes c
    ON c.space_id = %(space)s::uuid AND c.seq = one.seq WHERE EXISTS {_LATER})
{_FOUND}""")

FIND_REDO = Sql(f"""WITH {OLD},
one AS MATERIALIZED (SELECT c.seq, c.undoes FROM todo.changes c
  WHERE c.space_id = %(space)s::uuid AND c.undoes IS NOT NULL AND NOT c.redo
    AND c.seq = (SELECT max(x.seq) FROM todo.changes x WHERE x.space_id = c.space_id AND x.undoes = c.undoes)
    AND CASE WHEN %(id)s::bigint IS NULL THEN c.user_id = %(me)s::uuid
             ELSE %(id)s::bigint IN (c.seq, c.undoes) END
  ORDER BY c.seq DESC LIMIT 1),
target AS MATERIALIZED (SELECT c.seq, one.undoes AS head, c.before, c.after FROM one JOIN todo.changes c
    ON c.space_id = %(space)s::uuid AND c.seq = one.seq),
blocked AS (SELECT 'you have changed something since (name it with --id)' AS reason FROM one WHERE %(id)s::bigint IS NULL
    AND one.seq < (SELECT c.seq FROM todo.changes c WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid
      AND c.undoes IS NULL AND {_CHANGED} ORDER BY c.seq DESC LIMIT 1))
{_FOUND}""")


class _Kept(msgspec.Struct):
    same: bool
    seq: int
    before: list[Image]
    after: list[Image]


class _Change(msgspec.Struct):
    seq: int
    head: int
    before: list[Image]
    after: list[Image]


class _Found(msgspec.Struct):
    changes: list[_Change]
    now: list[Image]
    old: _Kept | None = None
    blocked: str | None = None


@handler(Undo)
async def undo(tx: Transaction, request: Undo) -> Undone:
    """Take back; raises NotFound when there is nothing, Conflict with what has moved on."""
    return await _invert(tx, request, FIND_UNDO, "undo")


@handler(Redo)
async def redo(tx: Transaction, request: Redo) -> Undone:
    """Do again what an undo took back: the inverse of the undo."""
    return await _invert(tx, request, FIND_REDO, "redo")


async def _invert(tx: Transaction, request: Undo | Redo, find: Sql, verb: str) -> Undone:
    async with tx.steps() as steps:
        found = decode(await steps.run(find, **stamp(request), id=request.id) or "", _Found)
        for change in found.changes:
            change.before = list(map(_to_image, change.before))
            change.after = list(map(_to_image, change.after))
        if found.old:
            return _again(tx, found.old)
        _checked(found, request, verb)
        patches, skipped = _inverse(found, partial=request.partial, verb=verb)
        if not patches and not skipped:
            raise NotFound(f"there is nothing to {verb} in change {found.changes[-1].seq}",
                           hint="a claim is let go with: todo release N")  # fmt: skip
        seqs = tuple(change.seq for change in found.changes)
        if request.dry_run:
            return Undone(changes=seqs, differences=_preview(found, patches), skipped=skipped)
        values = arguments(request, patches, bin_too=True, undoes=found.changes[0].head, redo=verb == "redo")
        verdict = judged(tx, decode(await steps.finish(form(patches), **values) or "", Verdict))
    after = [msgspec.to_builtins(task) | {"tags": list(task.tags)} for task in verdict.tasks]
    return Undone(changes=seqs, differences=differences(found.now, after), skipped=skipped, seq=verdict.seq)


def _to_image(kept: Image) -> Image:
    if "due" in kept:
        return kept
    row = msgspec.convert(kept, TaskRow)
    image: Image = msgspec.to_builtins(to_task(row)) | {"tags": list(row.tags), "after": list(row.after)}
    if row.repeat:
        image["repeat"] = kept["repeat"] | {"series": row.series, "occurrence": row.occurrence}
    rare = [name for name in ("repeat", "after", "parent") if not image.get(name)]
    return {name: value for name, value in image.items() if name not in rare}


def _again(tx: Transaction, old: _Kept) -> Undone:
    if not old.same:
        raise key_reused(tx)
    return Undone(changes=(), differences=differences(old.before, old.after), seq=old.seq, new=False)


def _checked(found: _Found, request: Undo | Redo, verb: str) -> None:
    if not found.changes:
        what = f"there is no change {request.id} to {verb}" if request.id else f"there is nothing of yours to {verb}"
        raise NotFound(what, hint="see: todo log")
    if found.blocked:
        raise Conflict(f"cannot {verb} change {found.changes[-1].seq}: {found.blocked}", hint="see: todo log")


def _inverse(found: _Found, *, partial: bool, verb: str) -> tuple[list[dict[str, Any]], tuple[int, ...]]:
    """A patch for every task that still is as the changes left it; raises Conflict for the others, unless partial."""
    before: dict[int, Image | None] = {}
    after: dict[int, Image] = {}
    for change in found.changes:
        then = {image["number"]: image for image in change.before}
        for left in change.after:
            before.setdefault(left["number"], then.get(left["number"]))
            after[left["number"]] = left
    now = {image["number"]: image for image in found.now}
    changed = [number for number in after if _differ(before[number], after[number])]
    moved = tuple(number for number in changed if _differ(now[number], after[number]))
    kept = [number for number in changed if number not in moved]
    if moved and not (partial and kept):
        raise Conflict(
            f"cannot {verb}: {_moved(moved, now)} has changed since; nothing was done",
            hint=f"take back the rest with: todo {verb} --partial" if kept else "see: todo log",
            moved=moved,
        )
    return [_patch(number, before[number], after[number]) for number in kept], moved


def _moved(numbers: tuple[int, ...], now: dict[int, Image]) -> str:
    named = ", ".join(f"#{number} {now[number]['title'][:40]}" for number in numbers[:5])
    return named if len(numbers) <= 5 else f"{named} and {len(numbers) - 5} more"


def _differ(one: Image | None, other: Image | None) -> bool:
    """An image of an older release knows nothing of the rare fields."""
    if one is None or other is None:
        return one is not other
    names = (*COMMON, "completed_at", *(RARE if "tracked" in one and "tracked" in other else ()))
    return any(one.get(name) != other.get(name) for name in names)


def _patch(number: int, before: Image | None, after: Image) -> dict[str, Any]:
    """Back to an image; what was not there before goes to the bin."""
    if before is None:
        return {"number": number, "status": "deleted"}
    kept = {name: before[name] for name in ("title", "note", "priority", "project", "status", "tags", "completed_at")}
    patch = kept | {"number": number} | _date("due", before)
    if "tracked" not in before:
        return patch
    patch |= {"started_at": before.get("started_at"), "tracked": before["tracked"]}
    patch |= _date("defer", before) | _date("scheduled", before)
    # the statement takes its longer form only for what has changed
    patch |= {name: before.get(name) for name in ("parent",) if before.get(name) != after.get(name)}
    patch |= {name: before.get(name, []) for name in ("after",) if before.get(name) != after.get(name)}
    if before.get("repeat") != after.get("repeat"):
        patch |= _repeat(before.get("repeat"))
    return patch


def _date(name: str, image: Image) -> dict[str, Any]:
    found = image.get(name)
    timed = found is not None and "T" in found
    return {f"{name}_on": None if timed else found, f"{name}_at": found if timed else None}


def _repeat(found: Image | None) -> dict[str, Any]:
    if found is None:
        return {"repeat": None}
    place = {name: found[name] for name in ("series", "occurrence")}
    return place | {"repeat": {name: value for name, value in found.items() if name not in place}}


def _preview(found: _Found, patches: list[dict[str, Any]]) -> Any:
    now = {image["number"]: image for image in found.now}
    fields = {patch["number"]: patch for patch in patches}
    after = [now[number] | _as_image(patch) for number, patch in fields.items()]
    return differences(found.now, after)


def _as_image(patch: dict[str, Any]) -> Image:
    kept = {name: value for name, value in patch.items() if name in FIELDS}
    dates = {
        name: patch[f"{name}_at"] or patch[f"{name}_on"]
        for name in ("due", "defer", "scheduled")
        if f"{name}_on" in patch
    }
    return kept | dates
