"""The vocabulary of the filter language: field names, their values, and the names other tools use for them."""

from __future__ import annotations

from todo_cli.errors import Invalid

# How the value of a field is compared.
TEXT, ORDERED, DATE, CHOICE, NUMBER, RULE = "text", "ordered", "date", "choice", "number", "rule"

# The tables below are aligned by hand: one related group of names a line.
FIELDS: dict[str, str] = {
    "project": TEXT, "tag": TEXT, "title": TEXT, "note": TEXT, "claimed": TEXT, "assigned": TEXT,
    "priority": ORDERED,
    "due": DATE, "defer": DATE, "scheduled": DATE, "created": DATE, "updated": DATE, "done": DATE,
    "status": CHOICE, "is": CHOICE, "has": CHOICE,
    "parent": NUMBER, "after": NUMBER, "discovered": NUMBER,
    "every": RULE,
}  # fmt: skip  # aligned by hand

CHOICES: dict[str, tuple[str, ...]] = {
    "status": ("open", "done", "deleted", "all"),
    "is": (
        "open", "done", "deleted", "overdue", "today", "blocked", "ready", "blocking", "active", "deferred",
        "recurring", "claimed", "subtask", "parent",
    ),
    "has": ("due", "note", "project", "tags", "priority", "parent", "subtasks", "comments", "after"),
}  # fmt: skip  # aligned by hand

NULLABLE_FIELDS = frozenset({
    "project", "tag", "priority", "note", "claimed", "due", "defer", "scheduled", "done", "parent", "after", "every",
    "discovered", "assigned",
})  # fmt: skip  # aligned by hand
NONE, ANY = "none", "any"

PRIORITIES = {
    "1": "1", "p1": "1", "high": "1", "h": "1",
    "2": "2", "p2": "2", "medium": "2", "m": "2",
    "3": "3", "p3": "3", "low": "3", "l": "3",
    "4": NONE, "p4": NONE, NONE: NONE, ANY: ANY,
}  # fmt: skip  # aligned by hand

# Names of fields in Taskwarrior, Todoist, GitHub and Vikunja.
FIELD_ALIASES = {
    "pro": "project", "proj": "project",
    "tags": "tag", "label": "tag", "labels": "tag", "context": "tag",
    "description": "title", "desc": "title", "text": "title",
    "annotation": "note", "notes": "note",
    "pri": "priority", "prio": "priority",
    "wait": "defer", "deferred": "defer", "t": "defer",
    "start": "scheduled", "sched": "scheduled",
    "entry": "created", "added": "created", "modified": "updated", "changed": "updated",
    "end": "done", "completed": "done", "finished": "done",
    "state": "status", "depends": "after", "dep": "after", "under": "parent",
    "discovered-from": "discovered", "discovered_from": "discovered",
    "recur": "every", "rec": "every", "repeat": "every",
    "assign": "assigned", "assignee": "assigned", "assigned_to": "assigned", "responsible": "assigned",
}  # fmt: skip  # aligned by hand

# Other names of the values in CHOICES.
CHOICE_ALIASES = {
    "pending": "open", "undone": "open", "todo": "open",
    "completed": "done", "complete": "done", "finished": "done",
    "trashed": "deleted", "binned": "deleted",
    "waiting": "deferred", "started": "active", "due": "today",
    "tag": "tags", "labels": "tags", "notes": "note", "comment": "comments", "children": "subtasks",
    "depends": "after",
}  # fmt: skip  # aligned by hand

# Taskwarrior's virtual tags, which are written in capitals.
SIGILS = {"project": "#", "tag": "@"}
"""The signs that may stand before a name; `project:#home` is `project:home`."""

VIRTUAL_TAGS = {
    "OVERDUE": ("is", "overdue"), "TODAY": ("is", "today"), "BLOCKED": ("is", "blocked"), "READY": ("is", "ready"),
    "BLOCKING": ("is", "blocking"), "ACTIVE": ("is", "active"), "WAITING": ("is", "deferred"),
    "PENDING": ("is", "open"), "COMPLETED": ("is", "done"), "DELETED": ("is", "deleted"), "CHILD": ("is", "subtask"),
    "PARENT": ("is", "parent"), "TAGGED": ("has", "tags"), "PROJECT": ("has", "project"), "DUE": ("has", "due"),
    "PRIORITY": ("has", "priority"), "ANNOTATED": ("has", "note"), "SCHEDULED": ("scheduled", ANY),
}  # fmt: skip  # aligned by hand

# Taskwarrior's modifiers: due.before:eom means due<eom. "!" negates the term.
MODIFIERS = {
    "before": "<", "under": "<", "below": "<",
    "after": ">", "over": ">", "above": ">",
    "by": "<=",
    "is": ":", "equals": ":", "has": ":", "contains": ":",
    "isnt": "!", "not": "!", "hasnt": "!",
    "none": NONE, "any": ANY,
}  # fmt: skip  # aligned by hand

OPERATORS = {"and": "and", "&&": "and", "&": "and", "or": "or", "||": "or", "|": "or"}


def filter_error(at: int, reason: str, hint: str = "") -> Invalid:
    """Return the error for position `at` of the filter, which is counted from 0 here and from 1 in the message."""
    return Invalid(f"the filter, at character {at + 1}: {reason}", hint=hint, position=at + 1)


def suggest(word: str, known: tuple[str, ...] | list[str], template: str = "{}") -> str:
    """Return `did you mean priority: or project:?`, or an empty text if no known word is similar."""
    from difflib import get_close_matches

    similar = get_close_matches(word.lower()[:60], known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(template.format(name) for name in similar)}?" if similar else ""
