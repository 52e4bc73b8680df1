"""Add many tasks from stdin. Every line is checked before the first is sent; all of them are undone together."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from todo_cli.cli.render import json, text
from todo_cli.cli.session import Session
from todo_cli.contract.base import token_user
from todo_cli.contract.ids import id_of, new_id
from todo_cli.contract.limits import MAX_STDIN_LINES, MAX_TITLE_CHARS
from todo_cli.contract.tasks import AddTasks, Changed, NewTask
from todo_cli.errors import Invalid, TodoError, Unavailable

MAX_INPUT_BYTES = 200 * 1024 * 1024
MAX_REQUEST_LINES, MAX_REQUEST_BYTES = 500, 1_000_000
MAX_SHOWN_TASKS = 20
MAX_JSON_CHAR_BYTES = 6  # \u1234


def add_lines(session: Session, fields: dict[str, Any], key: str | None, form: str, *, parse: bool) -> None:
    """Add one task for every line that is not blank; raises Invalid with the line's number before anything is sent."""
    if sys.stdin.isatty():
        text.note("Type one task per line, then press Ctrl-D:")
    lines = read_lines(sys.stdin.buffer.read(MAX_INPUT_BYTES + 1))
    titles = list(lines.values())
    if parse:
        raise_for_json(titles)
        titles = name_projects_of_todo_txt(titles)
    name = key or new_id()
    # A run repeated with its key continues the same group. The user's id keeps the groups of two users apart.
    group = id_of(token_user(session.settings.require_token().reveal()), name)
    answers: list[Changed] = []
    try:
        for index, part in enumerate(_split_requests(titles, fields)):
            tasks = tuple(NewTask(title=title, **fields) for title in part)
            request = AddTasks(tasks=tasks, group=group, parse=parse or UNSET)
            answers.append(session.send(request, f"{name}:{index}"))
            _print_progress(_count_tasks(answers), len(titles))
    except (KeyboardInterrupt, TodoError) as error:
        _name_line(error, list(lines)[_count_tasks(answers) :])
        answer_lost = not isinstance(error, TodoError) or isinstance(error, Unavailable)
        _print_interruption(_count_tasks(answers), len(titles), name, answer_lost=answer_lost)
        raise
    _print_added(session, answers, form)
    if parse:
        from todo_cli.cli.near_miss_output import print_near_misses

        print_near_misses(session, zip(lines, (task for answer in answers for task in answer.tasks), strict=False))


def _name_line(error: BaseException, numbers: list[int]) -> None:
    """Replace the place of a task in its request by the number of its line."""
    place = error.extra.get("task") if isinstance(error, Invalid) else None
    if isinstance(error, Invalid) and isinstance(place, int) and 0 < place <= len(numbers):
        error.detail = f"line {numbers[place - 1]}: {error.detail.removeprefix(f'task {place}: ')}"


def _count_tasks(answers: list[Changed]) -> int:
    return sum(len(answer.tasks) for answer in answers)


def _print_interruption(count: int, total: int, key: str, *, answer_lost: bool) -> None:
    """Print how much was added. `answer_lost`: one more request was sent, and its answer did not arrive."""
    resume = f"send the same lines with --key {key} to add the rest"
    if count:
        maybe = f", and possibly up to {MAX_REQUEST_LINES} more" if answer_lost else ""
        text.note(f"{count:,} of {total:,} tasks were added{maybe}; {resume}; remove them with: todo undo")
    elif answer_lost:
        most = min(total, MAX_REQUEST_LINES)
        text.note(f"between 0 and {most} of {total:,} tasks were added (check with: todo log); {resume}")


def read_lines(data: bytes) -> dict[int, str]:
    """Return the lines that are not blank, by number. Raise Invalid for the first line that cannot be a title."""
    if len(data) > MAX_INPUT_BYTES:
        raise Invalid("the input is larger than 200 MiB", hint="split it into parts")
    lines = ((number, _read_line(number, line)) for number, line in enumerate(data.split(b"\n"), 1))
    titles = {number: title for number, title in lines if title}
    if not titles:
        raise Invalid("stdin has no tasks to add", hint="write one task per line: printf 'a\\nb\\n' | todo add -")
    if len(titles) > MAX_STDIN_LINES:
        raise Invalid(f"the input has more than {MAX_STDIN_LINES:,} lines", hint="split it into parts")
    return titles


def _read_line(index: int, line: bytes) -> str:
    try:
        title = line.decode("utf-8-sig" if index == 1 else "utf-8").strip()
    except UnicodeDecodeError as error:
        hint = "convert it first, for example with: iconv -f latin1 -t utf-8"
        raise Invalid(f"line {index} is not valid UTF-8 (byte {error.start + 1})", hint=hint) from None
    if "\0" in title:
        raise Invalid(f"line {index} contains a NUL character, which cannot be stored", hint="remove it")
    if len(title) > MAX_TITLE_CHARS:
        raise Invalid(f"line {index} is longer than {MAX_TITLE_CHARS:,} characters", hint="nothing was added")
    if len(title.splitlines()) > 1:
        raise Invalid(f"line {index} contains a line break other than \\n", hint="end every line with \\n")
    return title


def raise_for_json(lines: list[str]) -> None:
    """Raise Invalid for a JSON document or JSON Lines, which would become tasks with JSON as their titles."""
    if not lines[0].startswith(("{", "[")):
        return
    import msgspec

    for document in (lines[0], "\n".join(lines)):
        try:
            value = msgspec.json.decode(document)
        except (msgspec.DecodeError, RecursionError):
            continue
        if isinstance(value, dict) or all(isinstance(item, dict | str) for item in value):
            hint = (
                "add the titles, for example with: jq -r '.[].title' FILE | todo add -; --raw keeps the lines as titles"
            )
            raise Invalid("stdin is JSON, and todo add - reads one title per line", hint=hint)


def name_projects_of_todo_txt(lines: list[str]) -> list[str]:
    """Return the lines with `+name` as a project in all of them, if one of them is in the form of todo.txt."""
    from todo_cli.parsing.todo_txt import name_projects, parse_todo_txt

    if not any(parse_todo_txt(line) for line in lines):
        return lines
    return [line if parse_todo_txt(line) else name_projects(line) for line in lines]


def _split_requests(titles: list[str], fields: dict[str, Any]) -> Iterator[list[str]]:
    overhead = 200 + MAX_JSON_CHAR_BYTES * len(str(fields))
    part: list[str] = []
    size = 0
    for title in titles:
        weight = MAX_JSON_CHAR_BYTES * len(title) + overhead
        if part and (len(part) == MAX_REQUEST_LINES or size + weight > MAX_REQUEST_BYTES):
            yield part
            part, size = [], 0
        part.append(title)
        size += weight
    yield part


def _print_progress(count: int, total: int) -> None:
    if total > MAX_REQUEST_LINES and sys.stderr.isatty():
        sys.stderr.write(f"\r{count:,} of {total:,} added" + ("\n" if count == total else ""))
        sys.stderr.flush()


def _print_added(session: Session, answers: list[Changed], form: str) -> None:
    tasks = tuple(task for answer in answers for task in answer.tasks)
    new = any(answer.new for answer in answers)
    if form == "json":
        json.write_document(Changed(tasks=tasks, seq=answers[-1].seq, new=new))
    elif form == "jsonl":
        json.write_lines(tasks)
    elif len(tasks) <= MAX_SHOWN_TASKS:
        result = Changed(tasks=tasks, seq=0, new=new)
        text.write_changed(
            "Added", result, session.load_zone_for(tasks), session.clock.now, absolute=session.absolute_dates
        )
    else:
        text.write(f"Added {len(tasks):,} tasks: #{tasks[0].number} to #{tasks[-1].number}")
        if not new:
            text.note("(already added with this key; nothing was added twice)")
