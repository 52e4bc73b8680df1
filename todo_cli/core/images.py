"""A task as JSON, written by Postgres: the same image is listed, answered and kept in the journal."""

from __future__ import annotations

from typing import LiteralString


def instant(column: LiteralString) -> LiteralString:
    """A timestamptz as RFC 3339 in UTC, whatever the session's settings."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def tags_of(task: LiteralString) -> LiteralString:
    """A task's tags in order, as an array."""
    return f"""ARRAY(SELECT g.tag FROM todo.task_tags g
      WHERE g.space_id = {task}.space_id AND g.number = {task}.number ORDER BY g.tag)"""


def image(
    task: LiteralString, tags: LiteralString, *, note: bool = True, build: LiteralString = "jsonb_build_object"
) -> LiteralString:
    """The contract's `Task`, from the row `task` and the array `tags`."""
    noted: LiteralString = f"'note', {task}.note, " if note else ""
    return f"""{build}('number', {task}.number, 'id', {task}.id, 'title', {task}.title, 'status', {task}.status,
  'due', coalesce(to_char({task}.due_on, 'YYYY-MM-DD'), to_char({task}.due_at AT TIME ZONE 'UTC',
     'YYYY-MM-DD"T"HH24:MI:SS"Z"')), 'project', {task}.project, 'tags', {tags}, 'priority', nullif({task}.priority, 4),
  {noted}'rev', {task}.rev, 'created_at', {instant(f"{task}.created_at")}, 'updated_at', {instant(f"{task}.updated_at")},
  'completed_at', {instant(f"{task}.completed_at")}, 'deleted_at', {instant(f"{task}.deleted_at")})"""
