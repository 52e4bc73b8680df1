"""Import tasks of a file in batches, link them, undo them together, and export them again, over both clients."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.ask import Ask
from tests.support.import_records import FILE, import_records, record
from todo_cli.contract.comments import ListComments
from todo_cli.contract.exports import ExportedTask, ExportTasks
from todo_cli.contract.ids import new_id
from todo_cli.contract.imported_tasks import ImportedSeries
from todo_cli.contract.imports import CommentToImport, ImportTasks, LinkImportedTasks, RepeatToImport, SourceReferences
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.tasks import CompleteTasks, ListTasks
from todo_cli.errors import Invalid


def link(ask: Ask, group: str) -> int:
    """Set the pending links of `list.json` and return how many tasks got theirs."""
    return ask(LinkImportedTasks(format="taskwarrior", name="list.json", group=group)).linked


def export(ask: Ask, format: str = "taskwarrior", **fields: Any) -> list[ExportedTask]:
    """Return all pages of an export."""
    page = ask(ExportTasks(format=format, **fields))
    tasks = list(page.tasks)
    while page.next:
        page = ask(ExportTasks(format=format, cursor=page.next, **fields))
        tasks += page.tasks
    return tasks


def test_import_stores_what_the_source_says_about_times_and_authors(ask: Ask) -> None:
    import_records(
        ask,
        record("a", status="done", created_at="2020-01-02T03:04:05Z", completed_at="2020-02-03", kept='{"uda": 1.5}'),
        record("b", status="deleted", deleted_at="2021-01-01T00:00:00Z"),
        record("c", comments=(CommentToImport(text="old", at="2019-05-05T05:05:05Z", by="Grace"),)),
    )
    first, second, third = export(ask)
    assert (first.created_at, first.completed_at) == ("2020-01-02T03:04:05Z", "2020-02-02T23:00:00Z")
    assert (first.source_id, first.kept) == ("a", {"uda": 1.5})
    assert (second.status, second.deleted_at, second.created_at) == ("deleted", "2021-01-01T00:00:00Z", None)
    assert [(comment.at, comment.by) for comment in third.comments] == [("2019-05-05T05:05:05Z", "Grace")]
    (comment,) = ask(ListComments(number=third.number)).comments
    assert (comment.user, comment.imported_by, comment.at.year) == ("Grace", ask.who.name, 2019)
    assert export(ask, "beads")[0].kept == {}


def test_import_of_known_tasks_stores_nothing(ask: Ask) -> None:
    first = import_records(ask, record("a"), record("b"))
    changes = len(ask(ListChanges()).changes)
    again = import_records(ask, record("a", note="new in the file"), record("b"))
    assert (first.added, again.added, again.known, again.changed) == (2, 0, 2, 1)
    assert len(ask(ListChanges()).changes) == changes
    assert import_records(ask, record("b"), record("c")).added == 1


def test_import_of_the_same_file_joins_its_group_and_one_undo_takes_it_back(ask: Ask) -> None:
    group = import_records(ask, record("a")).group
    resumed = import_records(ask, record("a"), record("b", links=SourceReferences(parent="a")))
    assert resumed.group == group
    assert import_records(ask, record("a"), record("x"), file="1" * 32).group != group
    ask(Undo(id=None))
    ask(Undo(id=None))
    assert ask(ListTasks()).tasks == ()
    restored = import_records(ask, record("a", title="Mapped anew"), record("b"))
    assert (restored.added, restored.restored) == (0, 2)
    assert [task.title for task in ask(ListTasks(sort="created")).tasks] == ["Mapped anew", "b"]
    ask(Undo(id=None))
    assert ask(ListTasks()).tasks == ()


def test_undo_and_redo_of_an_import_in_several_groups_name_the_next_part(ask: Ask) -> None:
    ask.add("mine")
    for name in ("a", "b", "c"):
        import_records(ask, record(name), group=new_id())
    seqs = [change.seq for change in reversed(ask(ListChanges()).changes)][1:]
    parts = [ask(Undo())]
    while parts[-1].next_part:
        parts.append(ask(Undo(id=parts[-1].next_part)))
    assert [part.changes for part in parts] == [(seq,) for seq in reversed(seqs)]
    assert [task.title for task in ask(ListTasks()).tasks] == ["mine"]
    redone = [ask(Redo())]
    while redone[-1].next_part:
        redone.append(ask(Redo(id=redone[-1].next_part)))
    assert [task.title for task in ask(ListTasks(sort="created")).tasks] == ["mine", "a", "b", "c"]
    assert len(redone) == 3
    import_records(ask, record("d"), file="1" * 32)
    assert ask(Undo()).next_part is None, "another file is another import"


def test_links_to_later_tasks_are_set_afterwards_and_impossible_ones_are_kept(ask: Ask) -> None:
    references = SourceReferences(parent="late", after=("later", "nobody"))
    group = import_records(ask, record("a", links=references)).group
    import_records(ask, record("late"), record("later", links=SourceReferences(after=("a",))), group=group)
    assert link(ask, group) == 1
    assert link(ask, group) == 0
    a, late, later = export(ask)
    assert a.parent
    assert (a.parent.identity, a.after, later.after[0].identity) == ("late", (), "a")
    assert a.left_out == {"after": ["later", "nobody"]}
    assert late.has_subtasks


def test_imported_series_goes_on_when_its_newest_task_is_done(ask: Ask) -> None:
    import_records(
        ask,
        record("a", status="done", due="2036-11-03", series=ImportedSeries(id="s", occurrence=1)),
        record(
            "b",
            due="2036-11-10",
            series=ImportedSeries(id="s", occurrence=2),
            repeat=RepeatToImport(rule="FREQ=WEEKLY"),
        ),
    )
    (task,) = ask(ListTasks()).tasks
    ask(CompleteTasks(numbers=(task.number,)))
    (following,) = ask(ListTasks()).tasks
    assert (following.due, following.repeat and following.repeat.occurrence) == ("2036-11-17", 3)


def test_export_pages_have_every_task_once_in_either_order(ask: Ask) -> None:
    import_records(ask, *(record(str(place), project=f"p{place % 3}") for place in range(7)))
    assert [task.title for task in export(ask, limit=2)] == [str(place) for place in range(7)]
    assert [task.title for task in export(ask, limit=2, by_project=True)] == ["0", "3", "6", "1", "4", "2", "5"]
    assert [task.title for task in export(ask, filter="project:p1")] == ["1", "4"]


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "two\nlines"},
        {"due": "tomorrow"},
        {"due": "2026-12-04T10:00:00"},
        {"kept": "[]"},
        {"kept": '{"a": "\\u0000"}'},
        {"due": "2026-01-01", "repeat": RepeatToImport(rule="FREQ=NEVER")},
        {"due": "2026-01-01", "repeat": RepeatToImport(rule="FREQ=DAILY", template='{"title": 1}')},
    ],
)
def test_import_of_an_impossible_value_stores_nothing_and_names_the_task(ask: Ask, fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=r"^bad: "):
        import_records(ask, record("good"), record("bad", **fields))
    assert export(ask) == []


def test_batch_that_closes_a_circle_is_refused(ask: Ask) -> None:
    with pytest.raises(Invalid, match="subtask of itself"):
        import_records(
            ask, record("a", links=SourceReferences(parent="b")), record("b", links=SourceReferences(parent="a"))
        )


def test_dry_run_counts_and_stores_nothing(ask: Ask) -> None:
    tasks = (record("a"),)
    request = ImportTasks(format="csv", name="x.csv", file=FILE, group=new_id(), tasks=tasks, dry_run=True)
    assert ask(request).added == 1
    assert export(ask) == []
