"""Sample files of other tools (`tests/samples/`) and the records that must come of them."""

from __future__ import annotations

import gzip
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from todo_cli.formats.detect import FileFormat
from todo_cli.formats.records import (
    FileLoss,
    FileNotice,
    FileRecord,
    NotATask,
    ReadOptions,
    ReadTask,
)

SAMPLES = Path(__file__).parent.parent / "samples"
NOW = datetime.fromisoformat("2026-11-20T09:00:00+01:00")
ZONE = ZoneInfo("Europe/Berlin")


class Sample(NamedTuple):
    """A sample with its expected records."""

    path: Path
    expected: dict[str, Any]

    @property
    def options(self) -> ReadOptions:
        """How to read the sample: by its name, with the mapping that stands in the expected file."""
        return ReadOptions(
            zone=ZONE,
            now=NOW,
            name=self.path.name,
            columns=self.expected.get("mapping", {}),
            values=self.expected.get("values", {}),
            dates=self.expected.get("dates"),
        )

    @property
    def file_losses(self) -> list[str]:
        """What the report must name. Words such as `(only in export.zip)` say which of the files has it."""
        words = [word.partition(" (only in ") for word in self.expected["file_lost"]]
        return [word for word, _, name in words if name in ("", f"{self.path.name})")]


def find_samples(*formats: str) -> list[Sample]:
    """Return the samples whose expected format is one of these, by name."""
    found = []
    for path in sorted((SAMPLES / "expected").glob("*.json")):
        expected = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(expected, dict) and expected.get("format") in formats:
            found += [Sample(SAMPLES / name, expected) for name in (expected["file"], *expected.get("also", ()))]
    return found


def open_sample(path: Path) -> io.BytesIO:
    """Return the bytes of a sample, unpacked where it is compressed."""
    data = path.read_bytes()
    return io.BytesIO(gzip.decompress(data) if path.suffix == ".gz" else data)


def read_sample(format: FileFormat, sample: Sample) -> list[FileRecord]:
    """Read a sample with a format."""
    return list(format.read_tasks(open_sample(sample.path), sample.options))


def neutral_records(records: list[FileRecord]) -> dict[str, Any]:
    """Return records in the form of the expected files."""
    return {
        "tasks": [
            msgspec.json.decode(msgspec.json.encode(record.task)) for record in records if isinstance(record, ReadTask)
        ],
        "not_tasks": [
            {"source_id": record.place, "why": record.reason} | ({"title": record.title} if record.title else {})
            for record in records
            if isinstance(record, NotATask)
        ],
        "file_lost": [record.word for record in records if isinstance(record, FileLoss)],
    }


def notices(records: list[FileRecord]) -> list[str]:
    """Return the sentences about how a file was read."""
    return [record.text for record in records if isinstance(record, FileNotice)]
