"""Filters and sort orders as they are written in Requests."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

SORTS = (
    "due", "priority", "created", "updated", "project", "title", "scheduled", "defer", "completed", "urgency", "rank",
)  # fmt: skip
Sort = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="keys, the first counts most; a minus turns one around: priority,-due. Keys: due, priority, "
        "created, updated, project, title, scheduled, defer, completed, urgency (most urgent first), rank (best match "
        "first)",
    ),
]
Filter = Annotated[
    str,
    Meta(
        max_length=10_000,
        description="which tasks: project:home @phone due<fri p1 -@work is:blocked 'free words' 3 7-9 :view",
    ),
]
