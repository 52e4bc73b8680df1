"""The form: its text, and reading it back.

Each task has lines `field: value`, an empty line, and its note. Lines that begin with `#` before the note are ignored.
Of several tasks, each begins with a line `=== #12 Title`. A line of a note that looks like one is printed with a
backslash in front of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from todo_cli.cli.forms.field_values import FIELDS, HEADER_FIELDS, NOTE, Values, trim_note

_BLOCK_LINE = re.compile(r"=== #(\d+)(?!\d)")
_LIKE_BLOCK_LINE = re.compile(r"\\*=== #\d")
_MINE, _BETWEEN, _THEIRS = "<<<<<<< yours", "=======", ">>>>>>> theirs"
MARK_LINES = "the lines with <<<<<<<, ======= and >>>>>>>"
_CONFLICT_MARK = re.compile(r"(?:<{7}|={7}|>{7})(?: |$)")
OTHER_NAMES = {
    "begins": "scheduled",
    "blockers": "after",
    "prio": "priority",
    "reminder": "remind",
    "reminders": "remind",
    "repeat": "every",
    "repeats": "every",
    "tag": "tags",
}
"""Names that people know from other tools and from options."""


class FormBlock(NamedTuple):
    """The part of one task in a form. `number` is 0 for a new task; `lines` has the line of each field."""

    number: int
    values: Values
    lines: Mapping[str, int]


class FormError(NamedTuple):
    """A mistake in a form; `line` counts from 1, and is 0 for a mistake that has no place."""

    line: int
    text: str


class FormMistakes(Exception):  # it holds several errors
    """The form cannot be read."""

    def __init__(self, errors: Sequence[FormError]) -> None:
        super().__init__(errors[0].text)
        self.errors = errors


class PrintedTask(NamedTuple):
    """A task to print. `theirs` has the values that somebody else has given to fields that the user changed too."""

    number: int
    values: Values
    theirs: Values = {}  # noqa: RUF012  # never changed


def print_form(intro: Iterable[str], tasks: Sequence[PrintedTask]) -> str:
    """Return the form of the tasks below the lines of the introduction."""
    lines = [*(f"# {line}".rstrip() for line in intro), ""]
    for task in tasks:
        if len(tasks) > 1:
            lines += [f"=== #{task.number} {task.values['title']}"]
        for name in HEADER_FIELDS:
            lines += _print_field(name, task, [f"{name}: {task.values[name]}".rstrip()])
        lines += ["", *_print_field(NOTE, task, _print_note(task.values[NOTE])), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _print_field(name: str, task: PrintedTask, lines: list[str]) -> list[str]:
    """Return the lines of a field; where somebody else has changed it too, both values between marks."""
    if name not in task.theirs:
        return lines
    theirs = task.theirs[name]
    other = _print_note(theirs) if name == NOTE else [f"{name}: {theirs}".rstrip()]
    return [_MINE, *lines, _BETWEEN, *other, _THEIRS]


def _print_note(note: str) -> list[str]:
    lines = note.split("\n") if note else []
    return ["\\" + line if _LIKE_BLOCK_LINE.match(line) else line for line in lines]


def read_form(text: str, numbers: Sequence[int], conflicting: Iterable[int] = ()) -> list[FormBlock]:
    """Return the tasks of a form that was printed for these numbers, in its order. Raise FormMistakes, which has all.

    `conflicting` are the tasks of whose notes two versions were printed.
    """
    errors: list[FormError] = []
    lines = text.split("\n")
    blocks = [
        _read_block(number, lines[start:end], start + 1, number in conflicting, errors)
        for number, start, end in _split_blocks(lines, numbers, errors)
    ]
    if errors:
        raise FormMistakes(sorted(errors))
    return blocks


def _split_blocks(lines: Sequence[str], numbers: Sequence[int], errors: list[FormError]) -> list[tuple[int, int, int]]:
    """Return number, first line and end of each block; the lines count from 0."""
    starts = [(int(found[1]), place) for place, line in enumerate(lines) if (found := _BLOCK_LINE.match(line))]
    if len(numbers) == 1:
        errors += [FormError(place + 1, f"#{number} is not in this form") for number, place in starts]
        return [(numbers[0], 0, len(lines))]
    seen: set[int] = set()
    for number, place in starts:
        if number not in numbers:
            errors.append(FormError(place + 1, f"#{number} is not in this form"))
        elif number in seen:
            errors.append(FormError(place + 1, f"#{number} is here twice"))
        seen.add(number)
    errors += [
        FormError(0, f"the part of #{number} is missing: its line `=== #{number}` and the lines below it")
        for number in numbers
        if number not in seen
    ]
    first = starts[0][1] if starts else len(lines)
    errors += [
        FormError(place + 1, "this line belongs to no task")
        for place, line in enumerate(lines[:first])
        if line.strip() and not line.startswith("#")
    ][:1]
    ends = [*(place for _, place in starts[1:]), len(lines)]
    return [(number, place + 1, end) for (number, place), end in zip(starts, ends, strict=False) if number in numbers]


def _read_block(
    number: int, lines: Sequence[str], first_line: int, is_conflicting: bool, errors: list[FormError]
) -> FormBlock:
    """Read the lines of one task; the fields that have no line are empty."""
    values = dict.fromkeys(FIELDS, "")
    places: dict[str, int] = {}
    start = next((place for place, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    end = next((place for place in range(start, len(lines)) if not lines[place].strip()), len(lines))
    for place in range(start, end):
        line = lines[place]
        if line.startswith("#"):
            continue
        if _CONFLICT_MARK.match(line):
            errors.append(FormError(first_line + place, f"choose one of the two values, and remove {MARK_LINES}"))
            break
        name, error = _read_name(line, places)
        if error:
            errors.append(FormError(first_line + place, error))
        else:
            values[name], places[name] = line.partition(":")[2].strip(), first_line + place
    note = lines[end:]
    errors += _find_mistakes_of_note(note, first_line + end, places, is_conflicting)
    values[NOTE] = trim_note("\n".join(line[1:] if re.match(r"\\+=== #\d", line) else line for line in note))
    blank_lines = next((place for place, line in enumerate(note) if line.strip()), 0)
    return FormBlock(number, values, places | {NOTE: first_line + end + blank_lines})


def _read_name(line: str, places: Mapping[str, int]) -> tuple[str, str]:
    """Return the field that a line names, or what is wrong with the line."""
    word, colon, _ = line.partition(":")
    name = word.strip().lower().replace("_", "-").replace(" ", "-")
    name = OTHER_NAMES.get(name, name)
    if not colon:
        return "", f"{line.strip()[:40]!r} has no field in front of it; the note begins after an empty line"
    if name not in HEADER_FIELDS:
        near = get_close_matches(name, HEADER_FIELDS, 1)
        return "", f"{word.strip()[:40]!r} is not a field; {f'did you mean {near[0]}?' if near else _list_fields()}"
    if name in places:
        return "", f"{name} is here twice"
    return name, ""


def _list_fields() -> str:
    return f"the fields are {', '.join(HEADER_FIELDS)}"


def _find_mistakes_of_note(
    note: Sequence[str], first_line: int, places: Mapping[str, int], is_conflicting: bool
) -> list[FormError]:
    """Find fields that an empty line has cut off, and versions of a note between which nobody has chosen."""
    start = next((place for place, line in enumerate(note) if line.strip()), len(note))
    errors = []
    for place in range(start, len(note)):
        word, colon, _ = note[place].partition(":")
        if not colon or word not in HEADER_FIELDS or word in places:
            break
        errors.append(FormError(first_line + place, f"{word} stands after an empty line, where the note begins"))
    if is_conflicting:
        marks = [place for place, line in enumerate(note) if line in (_MINE, _THEIRS)]
        errors += [
            FormError(first_line + place, f"choose one of the two notes, and remove {MARK_LINES}")
            for place in marks[:1]
        ]
    return errors
