"""The states and fields of a filter in SQL, over alias `t` of todo.tasks. `{today}` is the user's current day."""

from __future__ import annotations

from typing import LiteralString

SPACE: LiteralString = "space_id = %(space)s::uuid"
NOW: LiteralString = "statement_timestamp()"
TODAY: LiteralString = f"""(
  SELECT ({NOW} AT TIME ZONE coalesce(
    (SELECT timezone FROM todo.preferences WHERE user_id = %(me)s::uuid), 'UTC'))::date)"""

# field -> its column for a day (None: it has none), its column for an instant
DATES: dict[str, tuple[LiteralString | None, LiteralString]] = {
    "due": ("t.due_on", "t.due_at"),
    "defer": ("t.defer_on", "t.defer_at"),
    "scheduled": ("t.scheduled_on", "t.scheduled_at"),
    "created": (None, "t.created_at"),
    "updated": (None, "t.updated_at"),
    "done": (None, "t.completed_at"),
}

TAGGED: LiteralString = f"FROM todo.task_tags g WHERE g.{SPACE} AND g.number = t.number"
BLOCKED: LiteralString = f"""EXISTS (
  SELECT FROM todo.links l
    JOIN todo.tasks b ON b.space_id = l.space_id AND b.number = l.after
   WHERE l.{SPACE} AND l.number = t.number AND b.status = 'open')"""
BLOCKING: LiteralString = f"""EXISTS (
  SELECT FROM todo.links l
    JOIN todo.tasks b ON b.space_id = l.space_id AND b.number = l.number
   WHERE l.{SPACE} AND l.after = t.number AND b.status = 'open')"""
SUBTASKS: LiteralString = f"""EXISTS (
  SELECT FROM todo.tasks c
   WHERE c.{SPACE} AND c.parent = t.number AND c.status <> 'deleted')"""
COMMENTED: LiteralString = f"""EXISTS (
  SELECT FROM todo.comments c WHERE c.{SPACE} AND c.number = t.number)"""
DEFERRED: LiteralString = f"(t.defer_on > {{today}} OR t.defer_at > {NOW})"
CLAIMED: LiteralString = f"(t.claimed_until > {NOW})"
NOT_YET_SCHEDULED: LiteralString = f"(t.scheduled_on > {{today}} OR t.scheduled_at > {NOW})"

STATES: dict[str, LiteralString] = {  # is:…
    "open": "t.status = 'open'",
    "done": "t.status = 'done'",
    "deleted": "t.status = 'deleted'",
    "overdue": f"""(t.status = 'open' AND t.due_sort < {NOW} + interval '38 hours'
      AND (t.due_on < {{today}} OR t.due_at < {NOW}))""",
    "blocked": f"(t.status = 'open' AND {BLOCKED})",
    "blocking": f"(t.status = 'open' AND {BLOCKING})",
    "active": "(t.status = 'open' AND t.started_at IS NOT NULL)",
    "deferred": f"(t.status = 'open' AND {DEFERRED})",
    "ready": f"""(t.status = 'open' AND {DEFERRED} IS NOT TRUE
      AND {NOT_YET_SCHEDULED} IS NOT TRUE AND {CLAIMED} IS NOT TRUE AND NOT {BLOCKED})""",
    "recurring": "t.series IS NOT NULL",
    "claimed": CLAIMED,
    "subtask": "t.parent IS NOT NULL",
    "parent": SUBTASKS,
}

HAS: dict[str, LiteralString] = {  # has:…
    "due": "t.due_sort < 'infinity'",
    "note": "t.note IS NOT NULL",
    "project": "t.project IS NOT NULL",
    "tags": f"EXISTS (SELECT {TAGGED})",
    "priority": "t.priority < 4",
    "parent": "t.parent IS NOT NULL",
    "discovered": "t.discovered_from IS NOT NULL",
    "assigned": "t.assigned_to IS NOT NULL",
    "subtasks": SUBTASKS,
    "comments": COMMENTED,
    "after": f"EXISTS (SELECT FROM todo.links l WHERE l.{SPACE} AND l.number = t.number)",
    "defer": "(t.defer_on IS NOT NULL OR t.defer_at IS NOT NULL)",
    "scheduled": "(t.scheduled_on IS NOT NULL OR t.scheduled_at IS NOT NULL)",
    "done": "t.status = 'done'",
    "claimed": CLAIMED,
    "every": "t.repeat IS NOT NULL",
    "tag": f"EXISTS (SELECT {TAGGED})",
}

# sign -> how a day compares with a day, how an instant compares with an edge of the day, and which edge that is
SIGNS: dict[str, tuple[LiteralString, LiteralString, int]] = {
    "<": ("<", "<", 0),
    "<=": ("<=", "<", 1),
    ">": (">", ">=", 1),
    ">=": (">=", ">=", 0),
}
# sign -> how a day and how an instant compare with an instant
INSTANT_COMPARISONS: dict[str, tuple[LiteralString, LiteralString]] = {
    "<": ("<", "<"),
    "<=": ("<=", "<="),
    ">": (">", ">"),
    ">=": (">=", ">="),
    "behind": (">", ">="),  # ListTasks.due_after
}
ORDERS: dict[str, LiteralString] = {sign: sign for sign in ("<", "<=", ">", ">=")}
