"""Search tasks by words: `todo.find` finds and ranks them, this module reads them and cuts snippets."""

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

CHARS_BEFORE_MATCH = 40  # of a long text, in a snippet
SNIPPET_CHARS = 160
SEARCHED_COMMENTS = 20  # the newest of a task, that are searched for a snippet

SEARCH = Sql(f"""
SELECT coalesce(json_agg(json_build_object(
    'score', round(f.score::numeric, 3)::float8,
    'task', {task_json("t", note=False)},
    'note', left(t.note, 20000),
    'comments', ARRAY(
      SELECT left(c.text, 2000) FROM todo.comments c
      WHERE c.space_id = %(space)s::uuid AND c.number = t.number
      ORDER BY c.id DESC LIMIT {SEARCHED_COMMENTS}))
  ORDER BY f.score DESC, t.number DESC), '[]')::text
FROM todo.search_tasks(%(words)s, %(limit)s::int, %(status)s, true) f
  JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = f.number""")


class _HitRow(Struct):
    score: float
    task: Task
    note: str | None
    comments: tuple[str, ...]


@handler(SearchTasks)
async def search_tasks(tx: Transaction, request: SearchTasks) -> TaskHits:
    """Return the best matches. Words without a letter or a digit find nothing."""
    words = validation.check_text("search", request.words)
    text = await tx.finish(SEARCH, words=words, limit=request.limit, status=request.status)
    rows = decode(text or "[]", list[_HitRow])
    return TaskHits(hits=tuple(_to_hit(row, words) for row in rows))


def _to_hit(row: _HitRow, words: str) -> TaskHit:
    texts: list[tuple[Literal["title", "note", "comment"], str]] = [("title", row.task.title), ("note", row.note or "")]
    texts += [("comment", comment) for comment in row.comments]
    snippets = tuple(
        _cut_snippet(where, text, matches) for where, text in texts if (matches := find_matches(text, words))
    )
    return TaskHit(task=row.task, score=row.score, snippets=snippets)


def _cut_snippet(where: Literal["title", "note", "comment"], text: str, matches: tuple[Span, ...]) -> Snippet:
    passage, parts = (text, matches) if where == "title" else cut_passage(text, matches)
    return Snippet(where=where, text=passage, parts=parts)


def cut_passage(text: str, matches: tuple[Span, ...]) -> tuple[str, tuple[Span, ...]]:
    """Return the passage around the first match of a long text, and the matches within the passage."""
    if not matches:
        return text[:SNIPPET_CHARS], ()
    start = max(0, matches[0][0] - CHARS_BEFORE_MATCH)
    while 0 < start < matches[0][0] and not text[start - 1].isspace():
        start += 1
    passage = text[start : max(start + SNIPPET_CHARS, matches[0][1])]
    within = [(first - start, min(end - start, len(passage))) for first, end in matches if first - start < len(passage)]
    return passage, tuple(within)
