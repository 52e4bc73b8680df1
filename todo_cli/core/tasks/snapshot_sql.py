"""A task as JSON, written by Postgres: the same image is listed, answered and kept in the journal."""

from __future__ import annotations

from typing import LiteralString


def instant(column: LiteralString) -> LiteralString:
    """A timestamptz as RFC 3339 in UTC, whatever the session's settings."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def when(task: LiteralString, name: LiteralString) -> LiteralString:
    """The two columns of a date, a day or an instant, as one text."""
    return f"""coalesce(to_char({task}.{name}_on, 'YYYY-MM-DD'), to_char({task}.{name}_at AT TIME ZONE 'UTC',
     'YYYY-MM-DD"T"HH24:MI:SS"Z"'))"""


def tags_of(task: LiteralString) -> LiteralString:
    """A task's tags in order, as an array."""
    return f"""ARRAY(SELECT g.tag FROM todo.task_tags g
      WHERE g.space_id = {task}.space_id AND g.number = {task}.number ORDER BY g.tag)"""


def links_of(task: LiteralString) -> LiteralString:
    """The numbers that a task waits for in order, as an array."""
    return f"""ARRAY(SELECT k.after FROM todo.links k
      WHERE k.space_id = {task}.space_id AND k.number = {task}.number ORDER BY k.after)"""


def image(
    task: LiteralString,
    tags: LiteralString,
    *,
    links: LiteralString | None = None,
    note: bool = True,
    build: LiteralString = "jsonb_build_object",
    more: LiteralString = "",
) -> LiteralString:
    """The contract's `Task`, from the row `task` and the arrays `tags` and `links`.

    As jsonb, which the journal keeps for ever, it leaves out what is empty of the fields that few tasks have.
    """
    waits: LiteralString = links if links is not None else links_of(task)
    if build == "jsonb_build_object":
        return f"({_plain(task, tags, note=note, build=build)}) || {_rare(task, waits)})"
    return f"""{_plain(task, tags, note=note, build=build)}, 'parent', {task}.parent, 'after', {waits},
  'defer', {when(task, "defer")}, 'scheduled', {when(task, "scheduled")}, 'started_at', {instant(f"{task}.started_at")},
  'repeat', {_repeat(task)}, 'claimed_by', {task}.claimed_by, 'claimed_until', {instant(f"{task}.claimed_until")}{more})"""


def new_image(task: LiteralString, tags: LiteralString) -> LiteralString:
    """As `image`, of a task that was just made and has only the common fields."""
    return f"{_plain(task, tags, note=True, build='jsonb_build_object')})"


def _plain(task: LiteralString, tags: LiteralString, *, note: bool, build: LiteralString) -> LiteralString:
    noted: LiteralString = f"'note', {task}.note, " if note else ""
    return f"""{build}('number', {task}.number, 'id', {task}.id, 'title', {task}.title, 'status', {task}.status,
  'due', {when(task, "due")}, 'project', {task}.project, 'tags', {tags}, 'priority', nullif({task}.priority, 4),
  {noted}'rev', {task}.rev, 'created_at', {instant(f"{task}.created_at")}, 'updated_at', {instant(f"{task}.updated_at")},
  'completed_at', {instant(f"{task}.completed_at")}, 'deleted_at', {instant(f"{task}.deleted_at")},
  'tracked', {task}.tracked"""


def _rare(task: LiteralString, links: LiteralString) -> LiteralString:
    """What is empty is left out; `tracked`, which never is, tells such an image from one of an older release."""
    return f"""jsonb_strip_nulls(jsonb_build_object('parent', {task}.parent, 'after', nullif({links}, '{{}}'),
    'defer', {when(task, "defer")}, 'scheduled', {when(task, "scheduled")}, 'started_at', {instant(f"{task}.started_at")},
    'claimed_by', {task}.claimed_by, 'claimed_until', {instant(f"{task}.claimed_until")}))
  || CASE WHEN {task}.repeat IS NULL THEN '{{}}' ELSE jsonb_build_object('repeat', {_repeat(task)}) END"""


def _repeat(task: LiteralString) -> LiteralString:
    return f"{task}.repeat || jsonb_build_object('series', {task}.series, 'occurrence', {task}.occurrence)"


def computed(task: LiteralString) -> LiteralString:
    """What show and list add to a task, as further pairs of `image(more=…)`: whether it waits, and for how many."""
    return f""", 'blocked', {blocked(task)}, 'subtasks', (SELECT count(*) FROM todo.tasks s
      WHERE s.space_id = {task}.space_id AND s.parent = {task}.number AND s.status = 'open')"""


def blocked(task: LiteralString) -> LiteralString:
    """Whether a task waits for one that is open."""
    return f"""EXISTS (SELECT FROM todo.links k JOIN todo.tasks w ON w.space_id = k.space_id AND w.number = k.after
      WHERE k.space_id = {task}.space_id AND k.number = {task}.number AND w.status = 'open')"""
