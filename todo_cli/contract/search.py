"""Search: tasks by words, the best first, and where the words stand."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Request
from todo_cli.contract.task_types import Task


class Snippet(Struct, frozen=True, kw_only=True):
    """Where a task holds the words. `parts` are the places in `text` that match: from a character to the one behind."""

    where: Literal["title", "note", "comment"]
    text: str
    parts: tuple[tuple[int, int], ...]


class TaskHit(Struct, frozen=True, kw_only=True):
    """A task that was found; 1 is the best score."""

    task: Task
    score: float
    snippets: tuple[Snippet, ...]


class TaskHits(Struct, frozen=True, kw_only=True):
    """What was found, the best first: tasks with all the words, or where there is none, those with the most of them."""

    hits: tuple[TaskHit, ...]


class SearchTasks(Request[TaskHits], frozen=True, kw_only=True):
    """Find tasks by words in titles, notes and comments, with typing mistakes forgiven, the best first."""

    verb = "SearchTasks"
    label = "search"
    past = "Found"
    tool = "find_tasks"
    tool_always = True
    route = "GET /v1/search"
    write = False

    words: Annotated[str, Meta(min_length=1, max_length=10_000, description="what the tasks are about: 'rent'")]
    status: Literal["open", "done", "deleted", "all"] = "open"
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
