"""The tasks around a task as the contract's `TaskLinks`: for show, and for lists that name them."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.core.json_sql import format_instant
from todo_cli.core.tasks.task_json_sql import format_date, is_blocked


def _link(task: LiteralString) -> LiteralString:
    return f"""json_build_object(
      'number', {task}.number, 'title', {task}.title, 'status', {task}.status,
      'due', {format_date(task, "due")}, 'priority', nullif({task}.priority, 4),
      'started_at', {format_instant(f"{task}.started_at")}, 'blocked', {is_blocked(task)},
      'claimed_until', {format_instant(f"{task}.claimed_until")})"""


def _name(task: LiteralString) -> LiteralString:
    return f"json_build_object('number', {task}.number, 'title', {task}.title, 'status', {task}.status)"


def select_links(task: LiteralString) -> LiteralString:
    """Return all tasks around the row `task`; `max_links` bounds those of each kind."""
    return f"""json_build_object(
    'parent', (SELECT {_link("p")} FROM todo.tasks p
      WHERE p.space_id = {task}.space_id AND p.number = {task}.parent),
    'subtasks', ARRAY(SELECT {_link("s")} FROM todo.tasks s
      WHERE s.space_id = {task}.space_id AND s.parent = {task}.number
        AND s.status IN ('open', 'done')
      ORDER BY s.number LIMIT %(max_links)s::int),
    'blockers', ARRAY(SELECT {_link("b")} FROM todo.links l
        JOIN todo.tasks b ON b.space_id = l.space_id AND b.number = l.after
      WHERE l.space_id = {task}.space_id AND l.number = {task}.number ORDER BY b.number),
    'blocked', ARRAY(SELECT {_link("w")} FROM todo.links l
        JOIN todo.tasks w ON w.space_id = l.space_id AND w.number = l.number
      WHERE l.space_id = {task}.space_id AND l.after = {task}.number AND w.status = 'open'
      ORDER BY w.number LIMIT %(max_links)s::int),
    'source', (SELECT {_link("o")} FROM todo.tasks o
      WHERE o.space_id = {task}.space_id AND o.number = {task}.discovered_from),
    'discovered', ARRAY(SELECT {_link("d")} FROM todo.tasks d
      WHERE d.space_id = {task}.space_id AND d.discovered_from = {task}.number
        AND d.status IN ('open', 'done')
      ORDER BY d.number LIMIT %(max_links)s::int))"""


def select_named_links(task: LiteralString) -> LiteralString:
    """Return the parent, the open blockers and the blocked tasks of the row `task`, by number and title alone."""
    return f"""json_build_object(
    'parent', (SELECT {_name("p")} FROM todo.tasks p
      WHERE p.space_id = {task}.space_id AND p.number = {task}.parent),
    'blockers', ARRAY(SELECT {_name("b")} FROM todo.links l
        JOIN todo.tasks b ON b.space_id = l.space_id AND b.number = l.after
      WHERE l.space_id = {task}.space_id AND l.number = {task}.number AND b.status = 'open'
      ORDER BY b.number),
    'blocked', ARRAY(SELECT {_name("w")} FROM todo.links l
        JOIN todo.tasks w ON w.space_id = l.space_id AND w.number = l.number
      WHERE l.space_id = {task}.space_id AND l.after = {task}.number AND w.status = 'open'
      ORDER BY w.number LIMIT %(max_links)s::int))"""
