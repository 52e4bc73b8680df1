"""Search tasks by words: `todo.find_tasks` finds and ranks them, this module reads them and cuts snippets."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from todo_cli.contract.codec import decode
from todo_cli.contract.search import SearchTasks, Snippet, TaskHit, TaskHits
from todo_cli.contract.task_types import Task, TaskStatus
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.tasks.task_json_sql import task_json
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.parsing.highlight import Span, find_matches

CHARS_BEFORE_MATCH = 40  # of a long text, in a snippet
SNIPPET_CHARS = 160
SEARCHED_COMMENTS = 20  # the newest of a task, that are searched for a snippet

MAX_COUNTED_MATCHES = 1000  # of all statuses, the best, for `also`

SEARCH = Sql(f"""
WITH hits AS (
  SELECT json_agg(json_build_object(
           'score', round(f.score::numeric, 3)::float8,
           'match', CASE WHEN f.is_weak THEN 'weak' ELSE 'full' END,
           'task', {task_json("t", note=False)},
           'note', left(t.note, 20000),
           'comments', ARRAY(
             SELECT left(c.text, 2000) FROM todo.comments c
              WHERE c.space_id = %(space)s::uuid AND c.number = t.number
              ORDER BY c.id DESC LIMIT {SEARCHED_COMMENTS}))
         ORDER BY f.is_weak, f.score DESC, t.number DESC) AS found
    FROM todo.find_tasks(%(words)s, %(limit)s::int, nullif(ARRAY[%(status)s], '{{all}}'), true) f
    JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = f.number
),
counts AS (
  SELECT json_object_agg(per_status.status, per_status.tasks) AS found
    FROM (
      SELECT t.status, count(*) AS tasks
        FROM todo.find_tasks(%(words)s, {MAX_COUNTED_MATCHES}, NULL, false) f
        JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = f.number
       WHERE NOT f.is_weak AND t.status <> %(status)s AND %(status)s <> 'all'
       GROUP BY t.status
    ) AS per_status
)
SELECT json_build_object(
         'hits', coalesce(hits.found, '[]'), 'also', coalesce(counts.found, '{{}}'))::text
  FROM hits CROSS JOIN counts""")


class _HitRow(Struct):
    score: float
    match: Literal["full", "weak"]
    task: Task
    note: str | None
    comments: tuple[str, ...]


class _FoundRows(Struct):
    hits: list[_HitRow] = []
    also: dict[TaskStatus, int] = {}


@handler(SearchTasks)
async def search_tasks(tx: Transaction, request: SearchTasks) -> TaskHits:
    """Return the best matches. Words without a letter or a digit find nothing."""
    words = validation.check_text("search", request.words)
    text = await tx.finish(SEARCH, words=words, limit=request.limit, status=request.status)
    found = decode(text or "{}", _FoundRows)
    return TaskHits(hits=tuple(_to_hit(row, words) for row in found.hits), also=found.also)


def _to_hit(row: _HitRow, words: str) -> TaskHit:
    texts: list[tuple[Literal["title", "note", "comment"], str]] = [("title", row.task.title), ("note", row.note or "")]
    texts += [("comment", comment) for comment in row.comments]
    snippets = tuple(
        _cut_snippet(where, text, matches)
        for where, text in texts
        if (matches := find_matches(text, words, by_stem=True))
    )
    return TaskHit(task=row.task, score=row.score, match=row.match, snippets=snippets)


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
