"""Filters and sort orders as they are written in Requests."""

from typing import Annotated

from msgspec import Meta

from todo_cli.contract.limits import MAX_FILTER_CHARS, MAX_SORT_CHARS

SORTS = (
    "due",
    "priority",
    "created",
    "updated",
    "project",
    "title",
    "scheduled",
    "defer",
    "completed",
    "urgency",
    "rank",
    "position",
)
"""The keys that a sort order may name."""

SortOrder = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_SORT_CHARS,
        description="keys in descending weight; a minus reverses one: priority,-due. Keys: due, priority, created, "
        "updated, project, title, scheduled, defer, completed, urgency (most urgent first), rank (best match first), "
        "position (the order by hand)",
    ),
]
Filter = Annotated[
    str,
    Meta(
        max_length=MAX_FILTER_CHARS,
        description="which tasks: project:home @phone due<fri p1 -@work is:blocked 'free words' 3 7-9 :view",
    ),
]
