"""Full-text search of tasks."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Request
from todo_cli.contract.limits import MAX_SEARCH_CHARS, MAX_SEARCH_HITS
from todo_cli.contract.task_types import Task, TaskStatus


class Snippet(Struct, frozen=True, kw_only=True):
    """A passage of a task; `parts` are the matches in `text`: pairs of start and end, the end excluded."""

    where: Literal["title", "note", "comment"]
    text: str
    parts: tuple[tuple[int, int], ...]


class TaskHit(Struct, frozen=True, kw_only=True):
    """A task that was found. The score of a full match is 1.

    A match is weak if the task lacks one of the words, or has it only with a typo or inside another word. English
    stop words ("the") do not count, and other forms of a word do: "ironing" matches "Iron shirts".
    """

    task: Task
    score: float
    match: Literal["full", "weak"] = "full"
    snippets: tuple[Snippet, ...]


class TaskHits(Struct, frozen=True, kw_only=True):
    """The tasks with all words, best first; when no task has all words, the tasks with most of them.

    `also` counts full matches of the other statuses, among the best 1,000 of all.
    """

    hits: tuple[TaskHit, ...]
    also: dict[TaskStatus, int] = {}


class SearchTasks(Request[TaskHits], frozen=True, kw_only=True):
    """Find tasks by words in titles, notes and comments, best first, forgiving typing mistakes."""

    verb = "SearchTasks"
    label = "search"
    past = "Found"
    tool = "find_tasks"
    tool_always = True
    route = "GET /v1/search"
    write = False
    is_versioned = True

    words: Annotated[str, Meta(min_length=1, max_length=MAX_SEARCH_CHARS, description="words to look for: 'rent'")]
    status: Literal["open", "done", "deleted", "all"] = "open"
    limit: Annotated[int, Meta(ge=1, le=MAX_SEARCH_HITS)] = 20
