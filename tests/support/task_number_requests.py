"""A Request for each field that names a task, which the owner of the task may send.

`TAKES_NUMBER` has an example for each such field of every Request: `tests/security/test_task_numbers.py` finds the
fields in the JSON Schemas, so that a Request that is added later needs an example here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from tests.support.connections import Line
from todo_cli.contract import attachments as files
from todo_cli.contract.base import Request
from todo_cli.contract.blame import BlameTask
from todo_cli.contract.claims import ClaimTask, ReleaseTasks, RenewClaims, TakeTask
from todo_cli.contract.comments import AddComment, EditComment, ListComments, RemoveComment
from todo_cli.contract.copies import CopyTasks
from todo_cli.contract.edits import EditEachTask, TaskEdit
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.order import MoveTasks, SortTasks
from todo_cli.contract.registry import REQUESTS
from todo_cli.contract.reminders import RemindTasks
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, EditTasks, NewTask, ReopenTasks, ShowTask
from todo_cli.contract.time_tracking import SkipTasks, StartTasks, StopTasks
from todo_cli.contract.trash import DeleteTasks, RestoreTasks

DATA = b"bytes"
DIGEST = sha256(DATA).hexdigest()


class NamedTask(NamedTuple):
    """A task to name, another one, and the id of what was prepared at the first: a comment or a file."""

    number: int
    other: int
    id: str


MakeRequest = Callable[[NamedTask], Request[Any]]


class Example(NamedTuple):
    """A Request, and what its task needs before it."""

    make: MakeRequest
    needs: str = ""


def prepare(line: Line, number: int, other: int, needs: str) -> NamedTask:
    """Bring two tasks into the state that an example needs."""
    named: dict[str, Any] = {"number": number, "id": new_id()}
    upload = files.StartUpload(**named, name="a.txt", size=len(DATA), sha256=DIGEST)
    steps: dict[str, tuple[Request[Any], ...]] = {
        "": (),
        "done": (CompleteTasks(numbers=(number,)),),
        "deleted": (DeleteTasks(numbers=(number,)),),
        "started": (StartTasks(numbers=(number,)),),
        "claimed": (ClaimTask(number=number),),
        "due": (EditTasks(numbers=(number,), due="2030-01-01"),),
        "series": (EditTasks(numbers=(number,), due="2030-01-01", every="every month"),),
        "comment": (AddComment(**named, text="hidden"),),
        "upload": (upload,),
        "chunk": (upload, files.StoreChunk(**named, position=0, data=DATA)),
        "file": (upload, files.StoreChunk(**named, position=0, data=DATA), files.AddAttachment(**named)),
        "store upload": (files.StartStoreUpload(upload=upload),),
        "blocks": (EditTasks(numbers=(other,), add_after=(number,)),),
        "other first": (MoveTasks(numbers=(other,), first=True),),
    }
    for step in steps[needs]:
        line(step)
    return NamedTask(number, other, named["id"])


def _edit(**fields: Any) -> EditEachTask:
    return EditEachTask(edits=(TaskEdit(**fields),))


TAKES_NUMBER: dict[str, Example] = {
    "StartUpload.number": Example(
        lambda t: files.StartUpload(number=t.number, id=new_id(), name="a.txt", size=len(DATA), sha256=DIGEST)
    ),
    "StartStoreUpload.upload.number": Example(
        lambda t: files.StartStoreUpload(
            upload=files.StartUpload(number=t.number, id=new_id(), name="a.txt", size=len(DATA), sha256=DIGEST)
        )
    ),
    "StoreChunk.number": Example(lambda t: files.StoreChunk(number=t.number, id=t.id, position=0, data=DATA), "upload"),
    "AddAttachment.number": Example(lambda t: files.AddAttachment(number=t.number, id=t.id), "chunk"),
    "RemoveAttachment.number": Example(lambda t: files.RemoveAttachment(number=t.number, id=t.id), "file"),
    "ListAttachments.number": Example(lambda t: files.ListAttachments(number=t.number), "file"),
    "FetchAttachment.number": Example(lambda t: files.FetchAttachment(number=t.number, id=t.id), "file"),
    "ReadChunk.number": Example(lambda t: files.ReadChunk(number=t.number, id=t.id, position=0), "file"),
    "ReadUpload.number": Example(lambda t: files.ReadUpload(number=t.number, id=t.id), "store upload"),
    "ReadStoredFile.number": Example(lambda t: files.ReadStoredFile(number=t.number, id=t.id), "file"),
    "VerifyUpload.number": Example(
        lambda t: files.VerifyUpload(number=t.number, id=t.id, object=new_id()), "store upload"
    ),
    "ClaimTask.number": Example(lambda t: ClaimTask(number=t.number)),
    "TakeTask.number": Example(lambda t: TakeTask(number=t.number, reason="hangs"), "claimed"),
    "RenewClaims.numbers[]": Example(lambda t: RenewClaims(numbers=(t.number,), lease=999), "claimed"),
    "ReleaseTasks.numbers[]": Example(lambda t: ReleaseTasks(numbers=(t.number,)), "claimed"),
    "AddComment.number": Example(lambda t: AddComment(number=t.number, id=new_id(), text="hello")),
    "ListComments.number": Example(lambda t: ListComments(number=t.number), "comment"),
    "EditComment.number": Example(lambda t: EditComment(number=t.number, id=t.id, text="hello"), "comment"),
    "RemoveComment.number": Example(lambda t: RemoveComment(number=t.number, id=t.id), "comment"),
    "CopyTasks.numbers[]": Example(lambda t: CopyTasks(numbers=(t.number,))),
    "CopyTasks.parent": Example(lambda t: CopyTasks(numbers=(t.other,), parent=t.number)),
    "CopyTasks.add_after[]": Example(lambda t: CopyTasks(numbers=(t.other,), add_after=(t.number,))),
    "EditEachTask.edits[].number": Example(lambda t: _edit(number=t.number, title="hello")),
    "EditEachTask.edits[].parent": Example(lambda t: _edit(number=t.other, parent=t.number)),
    "EditEachTask.edits[].after[]": Example(lambda t: _edit(number=t.other, after=(t.number,))),
    "EditEachTask.edits[].add_after[]": Example(lambda t: _edit(number=t.other, add_after=(t.number,))),
    "EditEachTask.edits[].remove_after[]": Example(lambda t: _edit(number=t.other, remove_after=(t.number,)), "blocks"),
    "EditEachTask.edits[].discovered_from": Example(lambda t: _edit(number=t.other, discovered_from=t.number)),
    "BlameTask.number": Example(lambda t: BlameTask(number=t.number)),
    "ListChanges.number": Example(lambda t: ListChanges(number=t.number)),
    "MoveTasks.numbers[]": Example(lambda t: MoveTasks(numbers=(t.number,), first=True)),
    "MoveTasks.before": Example(lambda t: MoveTasks(numbers=(t.other,), before=t.number)),
    "MoveTasks.behind": Example(lambda t: MoveTasks(numbers=(t.other,), behind=t.number), "other first"),
    "SortTasks.numbers[]": Example(lambda t: SortTasks(numbers=(t.number, t.other), by="title")),
    "RemindTasks.numbers[]": Example(lambda t: RemindTasks(numbers=(t.number,), remind=("2029-12-31 9:00",))),
    "AddTask.parent": Example(lambda t: AddTask(title="new", parent=t.number)),
    "AddTask.after[]": Example(lambda t: AddTask(title="new", after=(t.number,))),
    "AddTask.discovered_from": Example(lambda t: AddTask(title="new", discovered_from=t.number)),
    "AddTasks.tasks[].parent": Example(lambda t: AddTasks(tasks=(NewTask(title="new", parent=t.number),))),
    "AddTasks.tasks[].after[]": Example(lambda t: AddTasks(tasks=(NewTask(title="new", after=(t.number,)),))),
    "AddTasks.tasks[].discovered_from": Example(
        lambda t: AddTasks(tasks=(NewTask(title="new", discovered_from=t.number),))
    ),
    "ShowTask.number": Example(lambda t: ShowTask(number=t.number)),
    "CompleteTasks.numbers[]": Example(lambda t: CompleteTasks(numbers=(t.number,))),
    "ReopenTasks.numbers[]": Example(lambda t: ReopenTasks(numbers=(t.number,)), "done"),
    "EditTasks.numbers[]": Example(lambda t: EditTasks(numbers=(t.number,), title="hello")),
    "EditTasks.parent": Example(lambda t: EditTasks(numbers=(t.other,), parent=t.number)),
    "EditTasks.after[]": Example(lambda t: EditTasks(numbers=(t.other,), after=(t.number,))),
    "EditTasks.add_after[]": Example(lambda t: EditTasks(numbers=(t.other,), add_after=(t.number,))),
    "EditTasks.remove_after[]": Example(lambda t: EditTasks(numbers=(t.other,), remove_after=(t.number,)), "blocks"),
    "EditTasks.discovered_from": Example(lambda t: EditTasks(numbers=(t.other,), discovered_from=t.number)),
    "DeleteTasks.numbers[]": Example(lambda t: DeleteTasks(numbers=(t.number,))),
    "RestoreTasks.numbers[]": Example(lambda t: RestoreTasks(numbers=(t.number,)), "deleted"),
    "StartTasks.numbers[]": Example(lambda t: StartTasks(numbers=(t.number,))),
    "StopTasks.numbers[]": Example(lambda t: StopTasks(numbers=(t.number,)), "started"),
    "SkipTasks.numbers[]": Example(lambda t: SkipTasks(numbers=(t.number,)), "series"),
}


def find_number_fields() -> Iterator[tuple[type[Request[Any]], str]]:
    """Yield each Request and the path of each of its fields that is the number of a task."""
    for kind in REQUESTS:
        schema = msgspec.json.schema(kind, schema_hook=lambda _: {"type": "string"})
        for path in sorted(set(_walk(schema, schema.get("$defs", {}), "", frozenset()))):
            yield kind, f"{kind.__name__}{path}"


def _walk(schema: dict[str, Any], definitions: dict[str, Any], path: str, seen: frozenset[str]) -> Iterator[str]:
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        if name not in seen:
            yield from _walk(definitions[name], definitions, path, seen | {name})
        return
    if str(schema.get("description", "")).startswith("a task's number"):
        yield path
    for part in schema.get("anyOf", ()):
        yield from _walk(part, definitions, path, seen)
    if isinstance(items := schema.get("items"), dict):
        yield from _walk(items, definitions, f"{path}[]", seen)
    for name, part in schema.get("properties", {}).items():
        yield from _walk(part, definitions, f"{path}.{name}", seen)
