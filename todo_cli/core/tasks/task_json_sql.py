"""The contract's `Task` as JSON, written by Postgres: for list, search and show.

Writes answer from rows, see `rows.to_task`. Both give the same task (tests/operations/test_task_json.py).
"""

from __future__ import annotations

from typing import LiteralString

from todo_cli.core.json_sql import format_instant


def task_json(task: LiteralString, *, note: bool = True, more: LiteralString = "") -> LiteralString:
    """Return the `Task` of the row `task`, with further pairs of the JSON object."""
    note_pair: LiteralString = f"'note', {task}.note," if note else ""
    return f"""json_build_object(
    'number', {task}.number, 'id', {task}.id, 'title', {task}.title, 'status', {task}.status,
    'due', {format_date(task, "due")}, 'project', {task}.project,
    'tags', {_tags(task)},
    'priority', nullif({task}.priority, 4), {note_pair} 'rev', {task}.rev,
    'created_at', {format_instant(f"{task}.created_at")}, 'updated_at', {format_instant(f"{task}.updated_at")},
    'completed_at', {format_instant(f"{task}.completed_at")}, 'deleted_at', {format_instant(f"{task}.deleted_at")},
    'tracked', {task}.tracked, 'parent', {task}.parent,
    'after', {_blockers(task)},
    'defer', {format_date(task, "defer")}, 'scheduled', {format_date(task, "scheduled")},
    'started_at', {format_instant(f"{task}.started_at")},
    'repeat', {task}.repeat || jsonb_build_object('series', {task}.series, 'occurrence', {task}.occurrence),
    'remind', {task}.remind, 'claimed_by', {task}.claimed_by, 'claimed_until', {format_instant(f"{task}.claimed_until")},
    'fence', {task}.fence, 'discovered_from', {task}.discovered_from,
    'assigned_to', {task}.assigned_to, 'position', {task}.position::text{more})"""


def format_date(task: LiteralString, name: LiteralString) -> LiteralString:
    """Return a date of the row `task` as text: an ISO date, or an instant in UTC."""
    return f"""coalesce(to_char({task}.{name}_on, 'YYYY-MM-DD'),
      to_char({task}.{name}_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))"""


def _tags(task: LiteralString) -> LiteralString:
    return f"""ARRAY(SELECT g.tag FROM todo.task_tags g
      WHERE g.space_id = {task}.space_id AND g.number = {task}.number ORDER BY g.tag)"""


def _blockers(task: LiteralString) -> LiteralString:
    return f"""ARRAY(SELECT l.after FROM todo.links l
      WHERE l.space_id = {task}.space_id AND l.number = {task}.number ORDER BY l.after)"""


def is_blocked(task: LiteralString) -> LiteralString:
    """Return the condition that the row `task` waits for an open task."""
    return f"""EXISTS (SELECT FROM todo.links l
      JOIN todo.tasks o ON o.space_id = l.space_id AND o.number = l.after
      WHERE l.space_id = {task}.space_id AND l.number = {task}.number AND o.status = 'open')"""


def computed_pairs(task: LiteralString) -> LiteralString:
    """Return the pairs that list and show add to a task: whether it is blocked, its open and its done subtasks."""
    return f""",
    'blocked', {is_blocked(task)},
    'subtasks', {_count_subtasks(task, "open")}, 'subtasks_done', {_count_subtasks(task, "done")}"""


def _count_subtasks(task: LiteralString, status: LiteralString) -> LiteralString:
    return f"""(SELECT count(*) FROM todo.tasks s
      WHERE s.space_id = {task}.space_id AND s.parent = {task}.number AND s.status = '{status}')"""
