"""Views: filters with a name."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import Request
from todo_cli.contract.filters import Sort

ViewName = Annotated[
    str, Meta(min_length=1, max_length=100, description="a view's name: letters, digits, _ - . only; used as :name")
]
ViewFilter = Annotated[str, Meta(min_length=1, max_length=10_000, description="a filter, as in ListTasks")]


class View(Struct, frozen=True, kw_only=True):
    """A filter with a name; `default`: what a list without a filter shows."""

    name: str
    filter: str
    sort: str | None = None
    default: bool = False


class ViewPage(Struct, frozen=True, kw_only=True):
    """The caller's views in this space, by name."""

    views: tuple[View, ...]


class SaveView(Request[View], frozen=True, kw_only=True):
    """Save a filter under a name, or change the one that has it."""

    verb = "SaveView"
    label = "view save"
    past = "Saved"
    route = "POST /v1/views"
    scope = "tasks:write"

    name: ViewName
    filter: ViewFilter
    sort: Sort | None = None


class ListViews(Request[ViewPage], frozen=True, kw_only=True):
    """List the caller's views."""

    verb = "ListViews"
    label = "view list"
    route = "GET /v1/views"
    write = False


class RemoveView(Request[View], frozen=True, kw_only=True):
    """Remove a view; no task is touched."""

    verb = "RemoveView"
    label = "view rm"
    past = "Removed"
    route = "DELETE /v1/views/{name}"
    scope = "tasks:write"

    name: ViewName


class ChooseView(Request[ViewPage], frozen=True, kw_only=True):
    """Choose the view that a list without a filter shows; without a name: none."""

    verb = "ChooseView"
    label = "view default"
    past = "Chose"
    route = "PATCH /v1/views"
    scope = "tasks:write"

    name: ViewName | None = None


class NameCount(Struct, frozen=True, kw_only=True):
    """A project or a tag, and how many open tasks have it."""

    name: str
    tasks: int


class NameCounts(Struct, frozen=True, kw_only=True):
    """Projects or tags in use, by name."""

    used: tuple[NameCount, ...]


class ListTags(Request[NameCounts], frozen=True, kw_only=True):
    """List the tags of open tasks, with how many each has."""

    verb = "ListTags"
    label = "tags"
    route = "GET /v1/tags"
    write = False


class ListProjects(Request[NameCounts], frozen=True, kw_only=True):
    """List the projects of open tasks, with how many each has."""

    verb = "ListProjects"
    label = "projects"
    route = "GET /v1/projects"
    write = False
