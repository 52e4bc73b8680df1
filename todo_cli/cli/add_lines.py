"""Many tasks from stdin: checked before the first is sent, sent in parts, undone as one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET

from todo_cli.cli.render import json, text
from todo_cli.cli.session import Session
from todo_cli.contract.base import token_user
from todo_cli.contract.ids import id_of, new_id
from todo_cli.contract.tasks import AddTasks, Changed, NewTask
from todo_cli.errors import Invalid, TodoError, Unavailable

MAX_LINES = 100_000
MAX_INPUT_BYTES = 200 * 1024 * 1024
MAX_REQUEST_LINES, MAX_REQUEST_BYTES = 500, 1_000_000
MAX_SHOWN_TASKS = 20  # tasks that are named one by one


def add_lines(session: Session, fields: dict[str, Any], key: str | None, form: str, *, parse: bool) -> None:
    """Add a task for every line that is not blank; raises Invalid naming the line, before anything is sent."""
    if sys.stdin.isatty():
        text.note("A task a line, then Ctrl-D:")
    titles = read_lines(sys.stdin.buffer.read(MAX_INPUT_BYTES + 1))
    name = key or new_id()
    # a run that is repeated with its key goes on in the same group, and nobody else's of the same key is in it
    group = id_of(token_user(session.settings.require_token().reveal()), name)
    made: list[Changed] = []
    try:
        for index, part in enumerate(_split_requests(titles, fields)):
            tasks = tuple(NewTask(title=title, **fields) for title in part)
            made.append(session.send(AddTasks(tasks=tasks, group=group, parse=parse or UNSET), f"{name}:{index}"))
            _print_progress(sum(len(one.tasks) for one in made), len(titles))
    except (KeyboardInterrupt, TodoError) as error:
        lost = not isinstance(error, TodoError) or isinstance(error, Unavailable)
        _print_interruption(sum(len(one.tasks) for one in made), len(titles), name, lost=lost)
        raise
    _print_added(session, made, form)


def _print_interruption(count: int, total: int, name: str, *, lost: bool) -> None:
    """Say what is so now. `lost`: one more request was on its way, and its answer is not known."""
    again = f"the same lines with --key {name} add what is missing, nothing twice"
    if count:
        perhaps = f", and perhaps up to {MAX_REQUEST_LINES} more" if lost else ""
        text.note(f"{count:,} of {total:,} tasks were added{perhaps}; {again}; todo undo takes them back")
    elif lost:
        text.note(
            f"none or up to {min(total, MAX_REQUEST_LINES)} of {total:,} tasks were added (see: todo log); {again}"
        )


def read_lines(data: bytes) -> list[str]:
    """The lines that are not blank; raises Invalid with the number of the first line that cannot be a title."""
    if len(data) > MAX_INPUT_BYTES:
        raise Invalid("the input is larger than 200 MiB", hint="send it in parts")
    titles: list[str] = []
    for index, line in enumerate(data.split(b"\n"), 1):
        try:
            title = line.decode("utf-8-sig" if index == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise Invalid(f"line {index} is not valid UTF-8 (byte {error.start + 1})",
                          hint="convert it first, for example with: iconv -f latin1 -t utf-8") from None  # fmt: skip
        if "\0" in title:
            raise Invalid(f"line {index} has a NUL character, which cannot be stored", hint="remove it")
        if len(title) > 1_000:
            raise Invalid(f"line {index} is longer than 1,000 characters", hint="nothing was added")
        if len(title.splitlines()) > 1:
            raise Invalid(f"line {index} has a line break of another kind inside", hint="end lines with \\n")
        if title:
            titles.append(title)
    if not titles:
        raise Invalid(
            "there is no line to add", hint="write a task a line, for example: printf 'a\\nb\\n' | todo add -"
        )
    if len(titles) > MAX_LINES:
        raise Invalid(f"more than {MAX_LINES:,} lines at once", hint="send them in parts")
    return titles


def _split_requests(titles: list[str], fields: dict[str, Any]) -> Iterator[list[str]]:
    overhead = 200 + 6 * len(str(fields))
    part: list[str] = []
    size = 0
    for title in titles:
        # a character is at most six bytes of JSON
        weight = 6 * len(title) + overhead
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


def _print_added(session: Session, made: list[Changed], form: str) -> None:
    tasks = tuple(task for one in made for task in one.tasks)
    new = any(one.new for one in made)
    if form == "json":
        json.write_document(Changed(tasks=tasks, seq=made[-1].seq, new=new))
    elif form == "jsonl":
        json.write_lines(tasks)
    elif len(tasks) <= MAX_SHOWN_TASKS:
        text.write_changed(
            "Added", Changed(tasks=tasks, seq=0, new=new), text.load_zone(session.settings.timezone), datetime.now(UTC)
        )
    else:
        text.write(f"Added {len(tasks):,} tasks: #{tasks[0].number} to #{tasks[-1].number}")
        if not new:
            text.note("(added before, with the same key)")
