"""Write a new task in the text editor."""

from __future__ import annotations

from typing import Any

from todo_cli.cli.forms.edit_form import VALUES_HELP, describe_mistake, empty_values
from todo_cli.cli.forms.editable_text import escape_editable, escape_editable_lines
from todo_cli.cli.forms.field_values import FIELDS, NOTE, Reading, Values, field_of, read_value
from todo_cli.cli.forms.form_loop import run_form
from todo_cli.cli.forms.task_form import FormError, FormMistakes, PrintedTask, print_form, read_form
from todo_cli.cli.render.text import note
from todo_cli.cli.session import Session
from todo_cli.contract.base import token_user
from todo_cli.contract.tasks import AddTask, Task
from todo_cli.errors import Invalid

ADD_HELP = ("Write a title, save and close the editor. Without a title nothing is added.", *VALUES_HELP)


def add_in_editor(session: Session, given: dict[str, Any], key: str | None) -> Task | None:
    """Open an empty form with the given options in it, and add its task; None without a title. Raise TodoError."""
    session.ask_clock()
    defaults = {name: value for name, value in given.items() if name == "default_project"}
    reading = Reading(session.clock, token_user(session.settings.require_token().reveal()))

    def store(text: str) -> Task | None:
        [block] = read_form(text, [0])
        if not block.values["title"]:
            note("No title: nothing was added.")
            return None
        fields: dict[str, Any] = {}
        errors: list[FormError] = []
        for name in FIELDS:
            try:
                fields |= read_value(name, block.values[name], reading) if block.values[name] else {}
            except Invalid as error:
                errors.append(describe_mistake(block, name, error))
        if errors:
            raise FormMistakes(errors)
        return session.send(AddTask(**(defaults | fields)), key)

    return run_form("new-task.md", print_form(ADD_HELP, [PrintedTask(0, _print_options(given))]), store)


def _print_options(given: dict[str, Any]) -> Values:
    """Return the values of the options as they were given."""
    values = empty_values()
    for name in values:
        value = given.get(field_of(name))
        if isinstance(value, tuple):
            values[name] = (", " if name == "remind" else " ").join(map(str, value))
        elif name == NOTE:
            values[name] = escape_editable_lines(value or "")
        elif value is not None:
            values[name] = escape_editable(str(value))
    return values
