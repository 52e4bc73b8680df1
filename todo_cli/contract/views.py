"""Views: saved filters. Also the projects and tags in use."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from todo_cli.contract.base import Request
from todo_cli.contract.filters import SortOrder
from todo_cli.contract.limits import MAX_FILTER_CHARS, MAX_NAME_CHARS

ViewName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_NAME_CHARS,
        description="a name of letters, digits, _ - and . for filters: `:name`",
    ),
]
ViewFilter = Annotated[str, Meta(min_length=1, max_length=MAX_FILTER_CHARS, description="a filter, as in ListTasks")]


class View(Struct, frozen=True, kw_only=True):
    """A saved filter. A list without a filter shows the `default` view."""

    name: str
    filter: str
    sort: str | None = None
    default: bool = False


class ViewPage(Struct, frozen=True, kw_only=True):
    """The caller's views in this space, sorted by name."""

    views: tuple[View, ...]


class SaveView(Request[View], frozen=True, kw_only=True):
    """Save a filter under a name, replacing the view of that name."""

    verb = "SaveView"
    label = "view save"
    past = "Saved"
    route = "POST /v1/views"
    scope = "tasks:write"
    needs_unlimited = True

    name: ViewName
    filter: ViewFilter
    sort: SortOrder | None = None


class ListViews(Request[ViewPage], frozen=True, kw_only=True):
    """List my views."""

    verb = "ListViews"
    label = "view list"
    route = "GET /v1/views"
    write = False
    is_versioned = True


class RemoveView(Request[View], frozen=True, kw_only=True):
    """Remove a view; its tasks stay as they are."""

    verb = "RemoveView"
    label = "view rm"
    past = "Removed"
    route = "DELETE /v1/views/{name}"
    scope = "tasks:write"
    needs_unlimited = True

    name: ViewName


class ChooseView(Request[ViewPage], frozen=True, kw_only=True):
    """Choose the view that a list without a filter shows; without a name none."""

    verb = "ChooseView"
    label = "view default"
    past = "Chose"
    route = "PATCH /v1/views"
    scope = "tasks:write"
    needs_unlimited = True

    name: ViewName | None = None


class NameCount(Struct, frozen=True, kw_only=True):
    """A project or tag and its number of open tasks.

    With `progress` it also has its numbers of done and of overdue tasks, and the next date on which one is due.
    """

    name: str
    tasks: int
    done: int | UnsetType = UNSET
    overdue: int | UnsetType = UNSET
    next_due: str | UnsetType | None = UNSET


class NameCounts(Struct, frozen=True, kw_only=True):
    """Projects or tags in use, sorted by name. With `progress`, `rest` counts the tasks without a project."""

    used: tuple[NameCount, ...]
    rest: NameCount | UnsetType = UNSET


class ListTags(Request[NameCounts], frozen=True, kw_only=True):
    """List the tags of open tasks and how many tasks each has; with `progress` those of done tasks too."""

    verb = "ListTags"
    label = "tags"
    route = "GET /v1/tags"
    write = False
    is_versioned = True

    progress: bool = False


class ListProjects(Request[NameCounts], frozen=True, kw_only=True):
    """List the projects of open tasks and how many tasks each has; with `progress` those of done tasks too."""

    verb = "ListProjects"
    label = "projects"
    route = "GET /v1/projects"
    write = False
    is_versioned = True

    progress: bool = False
