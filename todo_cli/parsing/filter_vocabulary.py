"""The words of the filter language: its fields, what they may be, and other tools' names for the same."""

from __future__ import annotations

from todo_cli.errors import Invalid

TEXT, ORDERED, DATE, CHOICE, NUMBER = "worded", "ordered", "dated", "listed", "numbered"

FIELDS: dict[str, str] = {  # name -> how it is compared
    "project": TEXT, "tag": TEXT, "title": TEXT, "note": TEXT, "claimed": TEXT,
    "priority": ORDERED,
    "due": DATE, "defer": DATE, "scheduled": DATE, "created": DATE, "updated": DATE, "done": DATE,
    "status": CHOICE, "is": CHOICE, "has": CHOICE,
    "parent": NUMBER, "after": NUMBER,
}  # fmt: skip

CHOICES: dict[str, tuple[str, ...]] = {
    "status": ("open", "done", "deleted", "all"),
    "is": (
        "open", "done", "deleted", "overdue", "today", "blocked", "ready", "blocking", "active", "deferred",
        "recurring", "claimed", "subtask", "parent",
    ),
    "has": ("due", "note", "project", "tags", "priority", "parent", "subtasks", "comments", "after"),
}  # fmt: skip

NULLABLE_FIELDS = frozenset(
    ["project", "tag", "priority", "note", "claimed", "due", "defer", "scheduled", "done", "parent", "after"]
)
NONE, ANY = "none", "any"

PRIORITIES = {
    "1": "1", "p1": "1", "high": "1", "h": "1", "2": "2", "p2": "2", "medium": "2", "m": "2", "3": "3", "p3": "3",
    "low": "3", "l": "3", "4": NONE, "p4": NONE, NONE: NONE, ANY: ANY,
}  # fmt: skip

# what Taskwarrior, Todoist, GitHub and Vikunja call them
FIELD_ALIASES = {
    "pro": "project", "proj": "project", "tags": "tag", "label": "tag", "labels": "tag", "context": "tag",
    "description": "title", "desc": "title", "text": "title", "annotation": "note", "notes": "note",
    "pri": "priority", "prio": "priority", "wait": "defer", "deferred": "defer", "start": "scheduled",
    "sched": "scheduled", "entry": "created", "added": "created", "modified": "updated", "changed": "updated",
    "end": "done", "completed": "done", "finished": "done", "state": "status", "depends": "after",
    "assigned": "claimed", "assignee": "claimed",
}  # fmt: skip

CHOICE_ALIASES = {  # other names of what stands in LISTS
    "pending": "open", "undone": "open", "todo": "open", "completed": "done", "complete": "done", "finished": "done",
    "trashed": "deleted", "binned": "deleted", "waiting": "deferred", "started": "active", "due": "today",
    "tag": "tags", "labels": "tags", "notes": "note", "comment": "comments", "children": "subtasks",
    "depends": "after",
}  # fmt: skip

VIRTUAL_TAGS = {  # Taskwarrior's tags that are none, in capitals
    "OVERDUE": ("is", "overdue"), "TODAY": ("is", "today"), "BLOCKED": ("is", "blocked"), "READY": ("is", "ready"),
    "BLOCKING": ("is", "blocking"), "ACTIVE": ("is", "active"), "WAITING": ("is", "deferred"),
    "PENDING": ("is", "open"), "COMPLETED": ("is", "done"), "DELETED": ("is", "deleted"), "CHILD": ("is", "subtask"),
    "PARENT": ("is", "parent"), "TAGGED": ("has", "tags"), "PROJECT": ("has", "project"), "DUE": ("has", "due"),
    "PRIORITY": ("has", "priority"), "ANNOTATED": ("has", "note"), "SCHEDULED": ("scheduled", ANY),
}  # fmt: skip

# due.before:eom is due<eom; a sign with ! is turned around
MODIFIERS = {
    "before": "<", "under": "<", "below": "<", "after": ">", "over": ">", "above": ">", "by": "<=", "is": ":",
    "equals": ":", "isnt": "!", "not": "!", "has": ":", "contains": ":", "hasnt": "!", "none": NONE,
    "any": ANY,
}  # fmt: skip

OPERATORS = {"and": "and", "&&": "and", "&": "and", "or": "or", "||": "or", "|": "or"}


def filter_error(at: int, what: str, hint: str = "") -> Invalid:
    """A mistake in the filter's character `at`, counted from 0; people count from 1."""
    return Invalid(f"the filter, at character {at + 1}: {what}", hint=hint, position=at + 1)


def suggest(word: str, known: tuple[str, ...] | list[str], form: str = "{}") -> str:
    """`did you mean priority: or project:?`; empty when nothing is near."""
    from difflib import get_close_matches

    near = get_close_matches(word.lower()[:60], known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(form.format(one) for one in near)}?" if near else ""
