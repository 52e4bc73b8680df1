"""Import a file again: what was edited here, and what the file changed."""

from __future__ import annotations

from tests.support.ask import Ask
from tests.support.import_records import FILE, import_records, record
from todo_cli.contract.comments import ListComments
from todo_cli.contract.ids import new_id
from todo_cli.contract.imported_tasks import ImportedSeries
from todo_cli.contract.imports import (
    CommentToImport,
    ImportedTasks,
    ImportTasks,
    RepeatToImport,
    SourceReferences,
    TaskToImport,
)
from todo_cli.contract.journal import Undo
from todo_cli.contract.tasks import CompleteTasks, EditTasks, ListTasks

LINK_TO_A = SourceReferences(parent="a")


def test_imported_task_that_was_edited_stays_as_it_is(ask: Ask) -> None:
    import_records(ask, record("a"))
    (task,) = ask(ListTasks()).tasks
    ask(EditTasks(numbers=(task.number,), title="Mine"))
    assert import_records(ask, record("a", note="x")).known == 1
    assert [task.title for task in ask(ListTasks()).tasks] == ["Mine"]


def update_records(ask: Ask, *tasks: TaskToImport, update: str = "ours", dry_run: bool = False) -> ImportedTasks:
    """Import a newer version of `list.json`."""
    return ask(
        ImportTasks(
            format="taskwarrior",
            name="list.json",
            file="2" * 32,
            group=new_id(),
            tasks=tuple(tasks),
            update=update,  # type: ignore[arg-type]
            dry_run=dry_run,
        )
    )


def test_update_takes_the_changes_of_the_file_and_one_undo_takes_them_back(ask: Ask) -> None:
    import_records(ask, record("a", note="old " * 3_000), record("b"), record("c"))
    ask(EditTasks(numbers=(1,), priority=1))
    newer = (record("a", note="new " * 3_000, due="2036-11-03"), record("b"), record("c", links=LINK_TO_A))
    assert update_records(ask, *newer, dry_run=True).updated == 2
    answer = update_records(ask, *newer, record("d"))
    assert (answer.added, answer.known, answer.changed, answer.updated, answer.conflicts) == (1, 3, 2, 2, ())
    task = ask.show(1)
    assert (task.note, task.due, task.priority) == ("new " * 3_000, "2036-11-03", 1)
    assert ask.show(3).parent == 1
    assert update_records(ask, *newer).updated == 0
    ask(Undo())
    assert (ask.show(1).due, ask.show(4).status) == (None, "deleted")
    again = update_records(ask, *newer)
    assert (again.updated, again.conflicts, ask.show(1).due) == (2, (), "2036-11-03")


def test_update_keeps_what_was_changed_here_and_theirs_overwrites_it(ask: Ask) -> None:
    import_records(ask, record("a", title="Old"))
    ask(EditTasks(numbers=(1,), title="Mine"))
    newer = record("a", title="Theirs", due="2036-11-03")
    for _ in range(2):  # the conflict is named until it is settled
        (conflict,) = update_records(ask, newer).conflicts
        assert (conflict.number, conflict.title, conflict.fields) == (1, "Mine", ("title",))
    assert (ask.show(1).title, ask.show(1).due) == ("Mine", "2036-11-03")
    assert update_records(ask, newer, update="theirs").updated == 1
    assert ask.show(1).title == "Theirs"
    assert update_records(ask, newer).changed == 0


def test_update_adds_new_comments_once(ask: Ask) -> None:
    old = CommentToImport(text="old", at="2019-05-05T05:05:05Z", by="Grace")
    import_records(ask, record("a", comments=(old,)))
    for _ in range(2):
        update_records(ask, record("a", comments=(old, CommentToImport(text="new"))))
    assert [comment.text for comment in ask(ListComments(number=1)).comments] == ["old", "new"]


def test_occurrence_that_was_made_here_is_not_doubled_by_the_file(ask: Ask) -> None:
    series = {"series": ImportedSeries(id="s", occurrence=1), "repeat": RepeatToImport(rule="FREQ=WEEKLY")}
    import_records(ask, record("a", due="2036-11-03", **series))
    ask(CompleteTasks(numbers=(1,)))
    later = {"series": ImportedSeries(id="s", occurrence=2), "repeat": RepeatToImport(rule="FREQ=WEEKLY")}
    assert import_records(ask, record("b", due="2036-11-10", **later)).added == 1
    assert [bool(task.repeat) for task in ask(ListTasks(sort="created")).tasks] == [True, False]
    other = ImportTasks(
        format="taskwarrior",
        name="copy.json",
        file=FILE,
        group=new_id(),
        tasks=(record("a", due="2036-11-03", **series),),
    )
    assert ask(other).added == 1
