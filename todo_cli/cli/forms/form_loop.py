"""Edit a form until it can be stored: after a mistake the editor opens it again, with the mistake at its top."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from todo_cli.cli.forms.form_file import FormFile
from todo_cli.cli.forms.task_form import FormError, FormMistakes
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.text import note
from todo_cli.errors import Conflict, Invalid, NotFound, TodoError

R = TypeVar("R")

MAX_OPENINGS = 50
"""A program that changes the text at each start, and never to a valid one, would be started for ever."""
ERROR_MARK = "#! "
"""In front of the lines that say what is wrong with a form."""


class OtherForm(Exception):  # it is not an error
    """Another text has to be edited instead: `text`, with the reasons at its top."""

    def __init__(self, text: str, cause: TodoError, reasons: Sequence[str]) -> None:
        super().__init__(cause.detail)
        self.text, self.cause, self.reasons = text, cause, reasons


def run_form(file_name: str, text: str, store: Callable[[str], R | None]) -> R | None:
    """Open the text in the editor, and return what `store` makes of it; None where it is emptied or changes nothing.

    `store` raises FormMistakes for a text that cannot be read, TodoError for a refusal, and OtherForm. Where the user
    leaves a form as it is that was opened again, the error of the form is raised.
    """
    form, cause = text.encode(), TodoError("the form was not stored")
    with FormFile(file_name) as file:
        for opening in range(MAX_OPENINGS):
            edited = file.edit(form)
            if opening and edited == form:
                break
            body = _strip_errors(edited)
            try:
                plain = _decode(body)
                if _is_empty(plain):
                    note("The text is empty: nothing was changed.")
                    return None
                return store(plain)
            except FormMistakes as mistakes:
                cause, form = _add_mistakes(body, mistakes.errors)
            except OtherForm as other:
                cause, form = other.cause, _add_lines(other.text.encode(), other.reasons)
            except (Invalid, NotFound, Conflict) as error:
                cause, form = error, _add_lines(body, _describe_error(error))
        raise cause


def _decode(body: bytes) -> str:
    """Return the text with plain line ends. Raise FormMistakes where it is not UTF-8."""
    try:
        return body.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise FormMistakes([FormError(line, "not valid UTF-8; save the file in this encoding")]) from None


def _is_empty(text: str) -> bool:
    return all(not line.strip() or line.startswith("#") for line in text.split("\n"))


def _strip_errors(edited: bytes) -> bytes:
    """Return the text without the lines at its top that say what was wrong."""
    lines = edited.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    count = next((place for place, line in enumerate(lines) if not line.startswith(ERROR_MARK.encode())), len(lines))
    return b"\n".join(lines[count:]) if count else edited


def _add_mistakes(body: bytes, errors: Sequence[FormError]) -> tuple[TodoError, bytes]:
    """Return the error that describes the mistakes, and the form with them. Lines count from the top of that form."""
    texts = [f"line {error.line + len(errors)}: {error.text}" if error.line else error.text for error in errors]
    more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
    return Invalid(f"{texts[0]}{more}; nothing was changed"), _add_lines(body, texts)


def _describe_error(error: TodoError) -> list[str]:
    return [error.detail, *([error.hint] if error.hint else [])]


def _add_lines(body: bytes, lines: Sequence[str]) -> bytes:
    return "".join(f"{ERROR_MARK}{escape(line)}\n" for line in lines).encode() + body
