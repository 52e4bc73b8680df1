"""A file that is damaged anywhere is read up to the damage, or refused with the place: no reader raises anything else."""

from __future__ import annotations

import os
import random

import pytest

from tests.support.format_files import read_until_broken
from tests.support.samples import SAMPLES

PATHS = {
    "icalendar/todos.ics": "icalendar",
    "todoist/Household.csv": "todoist-csv",
    "todoist/td-task-list.json": "td",
    "todoist/td-task-list.ndjson": "td",
    "markdown/checklist.md": "markdown",
    "beads/issues.jsonl": "beads",
    "vikunja/data.json": "vikunja",
    "vikunja/export.zip": "vikunja",
}
ROUNDS = 25
SNIPPETS = (
    b"\0",
    b"\r",
    b"\n",
    b'"',
    b"\\",
    b"{",
    b"]",
    b",",
    b"\xff",
    b"null",
    b"1e999",
    b"BEGIN:VTODO\r\n",
    b"\r\n ",
)


def damage(data: bytes, choose: random.Random) -> bytes:
    """Return the data cut, with bytes gone, or with a snippet in it."""
    start, end = sorted(choose.randrange(len(data) + 1) for _ in range(2))
    kind = choose.randrange(3)
    if kind == 0:
        return data[:start]
    return (
        data[:start] + data[min(end, start + 50) :]
        if kind == 1
        else data[:start] + choose.choice(SNIPPETS) + data[start:]
    )


@pytest.mark.parametrize("path", PATHS)
def test_read_of_a_damaged_file_breaks_with_a_place_or_reads_on(path: str) -> None:
    seed = os.environ.get("TODO_TEST_SEED") or str(random.randrange(10**9))
    print(f"TODO_TEST_SEED={seed}")
    choose = random.Random(seed)
    data = (SAMPLES / path).read_bytes()
    whole, _ = read_until_broken(PATHS[path], data)
    for _ in range(ROUNDS):
        titles, _ = read_until_broken(PATHS[path], damage(data, choose))
        assert len(titles) <= len(whole) + 1
