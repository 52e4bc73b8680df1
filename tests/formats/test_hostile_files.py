"""Hostile files: each comes in, is refused or broken exactly as `expected/hostile.json` says."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.samples import NOW, SAMPLES, ZONE, open_sample
from todo_cli.contract.imports import TaskToImport
from todo_cli.errors import Invalid
from todo_cli.formats.detect import detect_format, find_format
from todo_cli.formats.import_spool import ImportChoices, ImportSpool
from todo_cli.formats.records import ReadOptions

HOSTILE: list[dict[str, Any]] = json.loads((SAMPLES / "expected" / "hostile.json").read_text(encoding="utf-8"))


@contextmanager
def read_hostile(case: dict[str, Any], *, partial: bool = False) -> Iterator[ImportSpool]:
    """Read a hostile file into a spool; raises Invalid."""
    path = SAMPLES / "hostile" / case["file"]
    file = open_sample(path)
    options = ReadOptions(zone=ZONE, now=NOW, name=case["file"].removesuffix(".gz"))
    format = find_format(case["format"]) if "looks-like" in case["file"] and "json" in case["file"] else None
    format = format or detect_format(file, options)
    with ImportSpool(ImportChoices(partial=partial)) as spool:
        if format:
            assert case.get("format", format.NAME) == format.NAME
            spool.read(format, file, options)
        yield spool


def titles(spool: ImportSpool) -> list[str]:
    """Return the titles of the tasks that count."""
    return [spooled.task.title for spooled in spool.tasks()]


def matches(title: str, expected: str) -> bool:
    """Return whether a title is the expected one, of which only the beginning may stand there."""
    return title.startswith(expected.partition("…")[0].replace("\\x1b", "\x1b"))


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case["file"])
def test_hostile_file_is_read_as_expected(case: dict[str, Any]) -> None:
    if case.get("exit"):
        with pytest.raises(Invalid), read_hostile(case):
            pass
        if "partial" in case:
            with read_hostile(case, partial=True) as spool:
                assert titles(spool) == case["partial"]
        return
    with read_hostile(case) as spool:
        found = titles(spool)
        assert len(found) == len(case["imported"])
        assert all(map(matches, sorted(found), sorted(case["imported"]))), found
        assert spool.refused_count == len(case["refused"])
        if "not UTF-8" in case.get("notice", ""):
            assert any("not UTF-8" in notice for notice in spool.notices)
        check_links({spooled.task.source_id: spooled.task for spooled in spool.tasks()}, case)


def check_links(tasks: dict[str, TaskToImport], case: dict[str, Any]) -> None:
    """Compare due dates, parents and blockers, and the links that are left out."""
    for source_id, due in case.get("due", {}).items():
        assert tasks[source_id].due == due
    for source_id, after in case.get("after", {}).items():
        links = tasks[source_id].links
        assert [each for each in (links.after if links else ()) if each in tasks] == after
    for source_id, parent in case.get("parent", {}).items():
        links = tasks[source_id].links
        assert (links.parent if links and links.parent in tasks else None) == parent
    for source, target in case.get("dropped", ()):
        left_out, links = tasks[source].left_out, tasks[source].links
        kept = [each.parent for each in (left_out, links) if each] + [
            after for each in (left_out, links) if each for after in each.after
        ]
        assert target in kept


def test_line_of_64_megabytes_is_refused_in_constant_memory() -> None:
    class LongLine(io.RawIOBase):
        """A file with a line of 64 MB between two short ones, made while it is read."""

        def __init__(self) -> None:
            self._parts: Iterator[bytes] = iter(())

        def seek(self, offset: int, whence: int = 0) -> int:
            self._parts = iter([b"first\n", *[b"x" * 65_536] * 1_000, b"\nlast\n"])
            return 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return next(self._parts, b"")

    import tracemalloc

    with ImportSpool(ImportChoices()) as spool:
        tracemalloc.start()
        options = ReadOptions(zone=ZONE, now=NOW, name="x")
        spool.read(find_format("todo.txt"), LongLine(), options)  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert titles(spool) == ["first", "last"]
        assert [record.place for record in spool.refused] == ["line:2"]
        assert peak < 16_000_000
