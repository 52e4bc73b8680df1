"""Imports: the Requests that add the tasks of another tool's file, in batches that are undone together."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import DateText, Name, Note, PriorityLevel, Request, Tags, Title
from todo_cli.contract.comments import CommentText
from todo_cli.contract.imported_tasks import ImportedSeries
from todo_cli.contract.limits import (
    MAX_IMPORTED_COMMENTS,
    MAX_IMPORTED_TASKS,
    MAX_INTEGER,
    MAX_KEPT_CHARS,
    MAX_RECURRENCE_CHARS,
    MAX_SOURCE_ID_CHARS,
    MAX_SOURCE_LINKS,
)
from todo_cli.contract.task_types import Reminder, TaskStatus
from todo_cli.contract.tokens import Id

__all__ = [
    "CommentToImport",
    "ImportConflict",
    "ImportTasks",
    "ImportedTasks",
    "LinkImportedTasks",
    "LinkedTasks",
    "RepeatToImport",
    "SourceReferences",
    "TaskToImport",
]

SourceId = Annotated[str, Meta(min_length=1, max_length=MAX_SOURCE_ID_CHARS)]
FormatName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9.-]{0,29}$")]
KeptText = Annotated[str, Meta(max_length=MAX_KEPT_CHARS)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class RepeatToImport(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How an imported task recurs: an RRULE, counted from the due date or from completion.

    The other fields are those of a task that this program exported: without them the series begins at the due date.
    `template` is JSON: the series' values by column, where an edit has changed this occurrence alone.
    """

    rule: Annotated[str, Meta(min_length=1, max_length=MAX_RECURRENCE_CHARS)]
    from_done: bool = False
    zone: Name | None = None
    anchor: DateText | None = None
    slot: DateText | None = None
    template: KeptText | None = None


class CommentToImport(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A comment of the file; `at` and `by` are its time and author there."""

    text: CommentText
    at: DateText | None = None
    by: Name | None = None


class SourceReferences(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The parent and the blockers of a task by their ids in the file."""

    parent: SourceId | None = None
    after: Annotated[tuple[SourceId, ...], Meta(max_length=MAX_SOURCE_LINKS)] = ()


class TaskToImport(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A task of a file. Dates are in ISO form: a day, or an instant in UTC.

    `links` are set at once where their tasks have been imported, else by LinkImportedTasks. `left_out` are those of the
    file that cannot be set. `kept` is a JSON object of the values that no field takes. `kept_format` and `kept_id` are
    the format that it belongs to and the task's id there, if the file itself has got them from another one. `moved` is
    by how much its position in the order by hand differs from its number. An open task is assigned to `assigned_to`
    where the space has a member of this name who may finish it. `digest` is that of the whole record.
    """

    source_id: SourceId
    title: Title
    digest: Digest
    note: Note | None = None
    status: TaskStatus = "open"
    due: DateText | None = None
    scheduled: DateText | None = None
    defer: DateText | None = None
    priority: PriorityLevel | None = None
    project: Name | None = None
    tags: Tags = ()
    repeat: RepeatToImport | None = None
    series: ImportedSeries | None = None
    started_at: DateText | None = None
    tracked: Annotated[int, Meta(ge=0, le=MAX_INTEGER)] = 0
    assigned_to: Name | None = None
    created_at: DateText | None = None
    completed_at: DateText | None = None
    deleted_at: DateText | None = None
    remind: tuple[Reminder, ...] = ()
    moved: Annotated[str, Meta(pattern=r"^-?[0-9]{1,17}(\.[0-9]{1,100})?$")] | None = None
    comments: Annotated[tuple[CommentToImport, ...], Meta(max_length=MAX_IMPORTED_COMMENTS)] = ()
    links: SourceReferences | None = None
    left_out: SourceReferences | None = None
    kept: KeptText = "{}"
    kept_format: FormatName | None = None
    kept_id: SourceId | None = None


class ImportConflict(Struct, frozen=True, kw_only=True):
    """A task that has changed both here and in the file; the named fields stay as they are here."""

    number: int
    title: str
    fields: tuple[str, ...]


class ImportedTasks(Struct, frozen=True, kw_only=True):
    """The result of a batch: how many tasks were added, restored after an undo, known already, and changed in the file.

    A changed one is known too: without `update` it stays as it is here. `updated` are those that took changes of the
    file, `conflicts` those that did not take all of them. `unassigned` are open tasks whose assignee in the file is no
    member who may finish tasks. `group` is the one that the batch belongs to. `new` is False when the idempotency key
    had been used before.
    """

    added: int
    restored: int
    known: int
    changed: int
    group: str
    new: bool
    updated: int = 0
    unassigned: int = 0
    conflicts: tuple[ImportConflict, ...] = ()


class ImportTasks(Request[ImportedTasks], frozen=True, kw_only=True):
    """Import tasks of a file, all or none. Tasks that the same file brought before stay as they are.

    A file is known by its `format` and `name`, a task by its `source_id` in it. With the format as `name` all files of
    the format are one, and a task of this list is known by its own id. Batches with one `group`, a UUID, are undone
    together. `file` is the digest of the file: a batch of a file that was interrupted joins the group of the
    batches before. With `update` a task that has changed in the file takes the changes; a field that was changed here
    too keeps our value (`ours`) or takes the file's (`theirs`). With `dry_run` nothing is stored.
    """

    verb = "ImportTasks"
    label = "import"
    past = "Imported"
    route = "POST /v1/imports"
    scope = "tasks:write"
    unjournaled = ("tasks",)

    format: FormatName
    name: Name
    file: Digest
    group: Id
    tasks: Annotated[tuple[TaskToImport, ...], Meta(min_length=1, max_length=MAX_IMPORTED_TASKS)]
    update: Literal["ours", "theirs"] | None = None
    dry_run: bool = False


class LinkedTasks(Struct, frozen=True, kw_only=True):
    """How many tasks got their parent and blockers; `more` is true while others wait for theirs."""

    linked: int
    more: bool


class LinkImportedTasks(Request[LinkedTasks], frozen=True, kw_only=True):
    """Set the parents and blockers that came later in an imported file, for as many tasks as one change allows."""

    verb = "LinkImportedTasks"
    label = "import"
    past = "Linked"
    route = "POST /v1/imports/links"
    scope = "tasks:write"

    format: FormatName
    name: Name
    group: Id
