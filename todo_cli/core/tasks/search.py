"""Search: `todo.find` says which tasks and in what order; here they are fetched, and where the words stand in them."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from todo_cli.contract.codec import decode
from todo_cli.contract.search import SearchTasks, Snippet, TaskHit, TaskHits
from todo_cli.contract.task_types import Task
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.tasks.task_json_sql import task_json
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.parsing.highlight import Span, find_matches

BEFORE, AROUND = 40, 160  # characters of a long text that are shown: in front of the first match, and in all
COMMENTS = 20  # the newest of a hit, that are looked through for what to show

SEARCH = Sql(f"""
SELECT coalesce(json_agg(json_build_object('score', round(f.score::numeric, 3)::float8, 'task',
    {task_json("t", note=False)}, 'note', left(t.note, 20000), 'comments',
    ARRAY(SELECT left(c.text, 2000) FROM todo.comments c WHERE c.space_id = %(space)s::uuid AND c.number = t.number
           ORDER BY c.id DESC LIMIT {COMMENTS})) ORDER BY f.score DESC, t.number DESC), '[]')::text
  FROM todo.search_tasks(%(words)s, %(limit)s::int, %(status)s, true) f
  JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = f.number
""")


class _Row(Struct):
    score: float
    task: Task
    note: str | None
    comments: tuple[str, ...]


@handler(SearchTasks)
async def search_tasks(tx: Transaction, request: SearchTasks) -> TaskHits:
    """Words of which none is a letter or a digit find nothing."""
    sought = validation.storable("search", request.words)
    text = await tx.finish(SEARCH, words=sought, limit=request.limit, status=request.status)
    rows = decode(text or "[]", list[_Row])
    return TaskHits(hits=tuple(_hit(row, sought) for row in rows))


def _hit(row: _Row, sought: str) -> TaskHit:
    texts: list[tuple[Literal["title", "note", "comment"], str]] = [("title", row.task.title), ("note", row.note or "")]
    texts += [("comment", comment) for comment in row.comments]
    snippets = tuple(_snippet(where, text, found) for where, text in texts if (found := find_matches(text, sought)))
    return TaskHit(task=row.task, score=row.score, snippets=snippets)


def _snippet(where: Literal["title", "note", "comment"], text: str, found: tuple[Span, ...]) -> Snippet:
    shown, inside = (text, found) if where == "title" else passage(text, found)
    return Snippet(where=where, text=shown, parts=inside)


def passage(text: str, found: tuple[Span, ...]) -> tuple[str, tuple[Span, ...]]:
    """What is shown of a long text, around the first match, and where the matches stand in that."""
    if not found:
        return text[:AROUND], ()
    start = max(0, found[0][0] - BEFORE)
    while 0 < start < found[0][0] and not text[start - 1].isspace():
        start += 1
    shown = text[start : max(start + AROUND, found[0][1])]
    return shown, tuple((a - start, min(b - start, len(shown))) for a, b in found if a - start < len(shown))
