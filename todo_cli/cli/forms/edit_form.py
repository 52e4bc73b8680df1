"""Edit tasks in the text editor: only changed fields are sent, and only to tasks that nobody has changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from msgspec import UnsetType

from todo_cli.cli.forms.field_values import (
    FIELDS,
    NOTE,
    Reading,
    Values,
    format_values,
    is_same,
    read_changed_value,
)
from todo_cli.cli.forms.form_loop import OtherForm, run_form
from todo_cli.cli.forms.merge import merge_values
from todo_cli.cli.forms.read_tasks import read_numbers, read_tasks
from todo_cli.cli.forms.task_form import (
    MARK_LINES,
    FormBlock,
    FormError,
    FormMistakes,
    PrintedTask,
    print_form,
    read_form,
)
from todo_cli.cli.render.text import note
from todo_cli.cli.session import Session
from todo_cli.contract.base import token_user
from todo_cli.contract.edits import EditEachTask, TaskEdit
from todo_cli.contract.tasks import Task
from todo_cli.errors import Conflict, Invalid

R = TypeVar("R")
Occurrences = Literal["this", "all"] | UnsetType

VALUES_HELP = (
    "Write values as in options: due: fri 17:00, tags: phone desk, priority: 1,",
    "every: 2 weeks on mon, remind: 1h before, parent: 12, after: 3 7-9.",
    "The note stands below the empty line.",
)
EDIT_HELP = ("Change values, save and close the editor. To clear a field, remove its value.", *VALUES_HELP)
SEVERAL_HELP = ("Each task begins with a line ===, which must stay.",)


def edit_in_editor(
    session: Session, named: dict[str, Any], occurrences: Occurrences, send: Callable[[EditEachTask], R]
) -> R | None:
    """Open the tasks in the editor and send what was changed; None for no change. Raise TodoError."""
    if not session.is_interactive:
        raise Invalid(
            "no change was given, and there is no terminal to edit on",
            hint="name the fields: --title, --due, --project, --tag, --priority, --note, --clear FIELD",
        )
    form = EditForm(session, read_tasks(session, named), occurrences)
    numbers = form.numbers
    file_name = f"task-{numbers[0]}.md" if len(numbers) == 1 else "tasks.md"
    return run_form(file_name, form.print_first(), lambda text: form.store(text, send))


class EditForm:
    """Tasks that are being edited: as they were read, and how the edit of a person becomes an edit of them."""

    def __init__(self, session: Session, tasks: Sequence[Task], occurrences: Occurrences) -> None:
        self._session, self._occurrences = session, occurrences
        self._conflicting: list[int] = []
        self.numbers = [task.number for task in tasks]
        self._take(tasks)

    def _take(self, tasks: Sequence[Task]) -> None:
        """Keep the tasks as the state that the user edits."""
        user = token_user(self._session.settings.require_token().reveal())
        self._reading = Reading(self._session.clock, user)
        self._revs = {task.number: task.rev for task in tasks}
        self._base = {task.number: format_values(task, self._reading) for task in tasks}

    def print_first(self) -> str:
        """Return the text of the tasks as they are."""
        return self._print([PrintedTask(number, self._base[number]) for number in self.numbers])

    def _print(self, tasks: Sequence[PrintedTask]) -> str:
        return print_form([*EDIT_HELP, *(SEVERAL_HELP if len(tasks) > 1 else ())], tasks)

    def store(self, text: str, send: Callable[[EditEachTask], R]) -> R | None:
        """Send what the text changes; where a task has moved on, with the change of the others brought in.

        Raise FormMistakes, OtherForm for fields that others have changed too, and TodoError.
        """
        blocks = read_form(text, self.numbers, self._conflicting)
        while True:
            edits = self._read_edits(blocks)
            if not edits:
                note("Unchanged.")
                return None
            try:
                return send(EditEachTask(edits=tuple(edits)))
            except Conflict as conflict:
                if not isinstance(conflict.extra.get("rev"), int):
                    raise
                blocks = self._merge(blocks, conflict)

    def _read_edits(self, blocks: Sequence[FormBlock]) -> list[TaskEdit]:
        errors: list[FormError] = []
        edits = []
        for block in blocks:
            fields = self._read_fields(block, errors)
            if fields:
                edits.append(
                    TaskEdit(
                        number=block.number,
                        if_rev=self._revs[block.number],
                        occurrences=self._occurrences,
                        **fields,
                    )
                )
        if errors:
            raise FormMistakes(errors)
        return edits

    def _read_fields(self, block: FormBlock, errors: list[FormError]) -> dict[str, Any]:
        base = self._base[block.number]
        fields: dict[str, Any] = {}
        for name in FIELDS:
            if is_same(name, base[name], block.values[name]):
                continue
            try:
                fields |= read_changed_value(name, base[name], block.values[name], self._reading)
            except Invalid as error:
                errors.append(describe_mistake(block, name, error))
        return fields

    def _merge(self, blocks: Sequence[FormBlock], conflict: Conflict) -> list[FormBlock]:
        """Read the tasks again, and bring the edit together with their new state. Raise OtherForm for a conflict."""
        before, tasks = self._base, read_numbers(self._session, self.numbers)
        self._take(tasks)
        merged = {
            block.number: merge_values(before[block.number], block.values, self._base[block.number]) for block in blocks
        }
        self._conflicting = [number for number, each in merged.items() if NOTE in each.theirs]
        if any(each.theirs for each in merged.values()):
            printed = [PrintedTask(block.number, *merged[block.number]) for block in blocks]
            raise OtherForm(self._print(printed), conflict, _describe_conflicts(printed, conflict))
        note(f"(task #{conflict.extra['number']} was changed meanwhile, in other fields: both changes are kept)")
        return [block._replace(values=merged[block.number].values) for block in blocks]


def _describe_conflicts(tasks: Sequence[PrintedTask], conflict: Conflict) -> list[str]:
    by = conflict.extra.get("by", "somebody")
    fields = [f"{name} of #{task.number}" for task in tasks for name in task.theirs]
    return [
        f"{by} has changed meanwhile: {', '.join(fields)}. Nothing was changed yet.",
        f"Choose one of the two values, and remove {MARK_LINES}.",
    ]


def describe_mistake(block: FormBlock, name: str, error: Invalid) -> FormError:
    """Return where and why the value of a field cannot be read."""
    hint = f" ({error.hint})" if error.hint else ""
    return FormError(block.lines.get(name, 0), f"{name}: {error.detail}{hint}")


def empty_values() -> Values:
    """Return the values of a task without fields."""
    return dict.fromkeys(FIELDS, "")
