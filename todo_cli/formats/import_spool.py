"""Read the whole file of an import before anything is sent: checked tasks go to a temporary file, in constant memory.

In memory are only the ids of the tasks and the links between them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import md5
from tempfile import TemporaryFile
from types import TracebackType
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from todo_cli.contract.imported_tasks import ImportedTask
from todo_cli.contract.imports import SourceReferences, TaskToImport
from todo_cli.errors import Invalid
from todo_cli.formats.detect import FileFormat
from todo_cli.formats.import_links import LinkGraph, ResolvedLinks
from todo_cli.formats.import_task import RecordIdentity, make_task, rename_links, shorten_task
from todo_cli.formats.records import BrokenFile, FileLoss, FileNotice, NotATask, ReadOptions, ReadTask

MAX_LISTED_REFUSALS = 10_000
MAX_BATCH_BYTES = 1_200_000
"""The tasks of one request, below the limit of a request's body."""


class ImportChoices(msgspec.Struct, frozen=True, kw_only=True):
    """What the user wants of the tasks: cut texts, a project above all, and the whole records of a broken file."""

    shorten: bool = False
    into: str | None = None
    partial: bool = False


class SpooledTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task that can be sent; `lost` are the words for its properties without effect here."""

    task: TaskToImport
    lost: tuple[str, ...] = ()


class ImportSpool:
    """The checked tasks of a file, and what the report says of the others. Use it as a context."""

    def __init__(self, choices: ImportChoices) -> None:
        self.refused: list[NotATask] = []
        self.refused_count = 0
        self.other_records: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.file_lost: list[str] = []
        self.notices: list[str] = []
        self.left_out = 0
        self._choices = choices
        self._places: dict[str, tuple[int, tuple[int, str]]] = {}  # id -> its record that counts, and its version
        self._graph = LinkGraph()
        self._links: dict[str, ResolvedLinks] = {}
        self._identity = RecordIdentity("")
        self._own_links: list[tuple[str, ImportedTask]] = []
        self._digest = md5(usedforsecurity=False)
        self._file = TemporaryFile()  # noqa: SIM115  # __exit__ closes it

    def __enter__(self) -> ImportSpool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    @property
    def digest(self) -> str:
        """The digest of all tasks, by which a later import knows the same file again."""
        return self._digest.hexdigest()

    @property
    def has_links(self) -> bool:
        """Return whether a task has a parent or blockers."""
        return bool(self._links)

    def read(self, format: FileFormat, file: BinaryIO, options: ReadOptions, *, title_scope: str = "") -> None:
        """Read all records; raises BrokenFile, with `partial` only where no record comes before.

        `title_scope` names the file within which a task without an id is known by its title.
        """
        self._identity = RecordIdentity(title_scope)
        try:
            for record in format.read_tasks(file, options):
                match record:
                    case ReadTask():
                        self._take(record)
                    case NotATask():
                        self._count(record)
                    case FileLoss(word=word):
                        self.file_lost.append(word)
                    case FileNotice(text=text):
                        self.notices.append(text)
        except BrokenFile as error:
            if not self._choices.partial:
                raise
            self._refuse(NotATask(place=error.extra["place"], reason=error.reason, refused=True))
        self._resolve_links()

    def _take(self, record: ReadTask) -> None:
        task = shorten_task(record.task) if self._choices.shorten else record.task
        source_id = self._identity.name(task)
        try:
            task_to_import = make_task(replace(record, task=task), source_id, self._choices.into)
        except Invalid as error:
            self._refuse(NotATask(place=record.place, reason=error.detail, title=task.title[:80], refused=True))
            return
        known = self._places.get(source_id)
        if known and known[1] > record.version:
            self._refuse_double(record.place, task)
            return
        if known:
            self._refuse_double(f"an earlier record of {source_id}", task)
        self._places[source_id] = self._file.tell(), record.version
        if task.parent or task.after:
            self._own_links.append((source_id, replace(task, note=None, comments=(), kept={})))
        else:
            self._graph.set(source_id, SourceReferences())
        for word in task.lost:
            self.lost[word] += 1
        self._digest.update(task_to_import.digest.encode())
        self._file.write(msgspec.json.encode(SpooledTask(task=task_to_import, lost=task.lost)) + b"\n")

    def _refuse_double(self, place: str, task: ImportedTask) -> None:
        reason = "its id stands twice; the later or newer record counts"
        self._refuse(NotATask(place=place, reason=reason, title=task.title[:80], refused=True))

    def _count(self, record: NotATask) -> None:
        if record.refused:
            self._refuse(record)
        else:
            self.other_records[record.reason] += 1

    def _refuse(self, record: NotATask) -> None:
        self.refused_count += 1
        if len(self.refused) < MAX_LISTED_REFUSALS:
            self.refused.append(record)

    def _resolve_links(self) -> None:
        for source_id, task in self._own_links:
            self._graph.set(source_id, rename_links(task, self._identity))
        self._own_links.clear()
        self._links = self._graph.resolve()
        for links in self._links.values():
            unknown = [id for id in (links.links.parent, *links.links.after) if id and id not in self._places]
            self.left_out += len(unknown) + len(links.left_out.after) + (links.left_out.parent is not None)

    def tasks(self) -> Iterator[SpooledTask]:
        """Yield the tasks that count, in the order of the file, with their links."""
        self._file.seek(0)
        place = 0
        for line in self._file:
            spooled = msgspec.json.decode(line, type=SpooledTask)
            if self._places[spooled.task.source_id][0] == place:
                yield replace(spooled, task=self._set_links(spooled.task))
            place += len(line)

    def _set_links(self, task: TaskToImport) -> TaskToImport:
        links = self._links.get(task.source_id)
        if links is None:
            return task
        left_out = task.left_out or SourceReferences()
        return replace(
            task,
            links=links.links,
            left_out=SourceReferences(
                parent=left_out.parent or links.left_out.parent, after=(*left_out.after, *links.left_out.after)
            ),
        )

    def batches(self, max_tasks: int) -> Iterator[tuple[TaskToImport, ...]]:
        """Yield the tasks in parts that fit into one request."""
        batch: list[TaskToImport] = []
        size = 0
        for spooled in self.tasks():
            bytes = len(msgspec.json.encode(spooled.task))
            if batch and (len(batch) == max_tasks or size + bytes > MAX_BATCH_BYTES):
                yield tuple(batch)
                batch, size = [], 0
            batch.append(spooled.task)
            size += bytes
        if batch:
            yield tuple(batch)
