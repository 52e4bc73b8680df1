"""The bounds of days and the names of time zones."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.date_examples import BERLIN, LORD_HOWE, NEW_YORK, ZONES
from todo_cli.errors import Invalid
from todo_cli.parsing import dates
from todo_cli.parsing import system_zone as machine
from todo_cli.parsing.dates import day_bounds, parse_date, zone_of
from todo_cli.parsing.system_zone import system_zone


@settings(max_examples=200, deadline=None)
@given(st.dates(dates.EARLIEST, dates.LATEST - timedelta(days=1)), st.sampled_from(ZONES))
def test_day_bounds_consecutive_days_have_no_gap(day: date, zone: str) -> None:
    start, end = day_bounds(day, zone)
    assert start.tzinfo is end.tzinfo is UTC
    assert start <= end == day_bounds(day + timedelta(days=1), zone)[0]


@pytest.mark.parametrize(
    ("day", "zone", "start", "hours"),
    [
        ("2026-11-25", BERLIN, "2026-11-24T23:00", 24),
        ("2026-03-29", BERLIN, "2026-03-28T23:00", 23),
        ("2026-10-25", BERLIN, "2026-10-24T22:00", 25),
        ("2026-03-08", NEW_YORK, "2026-03-08T05:00", 23),
        ("2026-11-01", NEW_YORK, "2026-11-01T04:00", 25),
        ("2026-04-05", LORD_HOWE, "2026-04-04T13:00", 24.5),
        ("2026-10-04", LORD_HOWE, "2026-10-03T13:30", 23.5),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00", 23),  # its midnight is skipped
        ("2018-02-17", "America/Sao_Paulo", "2018-02-17T02:00", 25),  # its last hour comes twice
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00", 0),  # never was: the date line moved
    ],
)
def test_day_bounds_day_returns_its_start_and_end(day: str, zone: str, start: str, hours: float) -> None:
    first = datetime.fromisoformat(f"{start}+00:00")
    assert day_bounds(date.fromisoformat(day), zone) == (first, first + timedelta(hours=hours))


@pytest.mark.parametrize("day", [date.min, date.max])
def test_day_bounds_end_of_calendar_raises_invalid(day: date) -> None:
    with pytest.raises(Invalid, match="no bounds"):
        day_bounds(day, BERLIN)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("berlin", BERLIN), ("Europe/Berlim", BERLIN), ("new york", NEW_YORK), ("america/new_york", NEW_YORK)],
)
def test_zone_of_unknown_name_suggests_a_similar_one(name: str, suggestion: str) -> None:
    with pytest.raises(Invalid, match="unknown time zone") as refusal:
        zone_of(name)
    assert suggestion in refusal.value.hint


@pytest.mark.parametrize(
    "name",
    ["", "Europe", "x" * 5000, "../../etc/passwd", "/etc/passwd", "localtime", "right/UTC", "a\0b", "\ud800"],
)
def test_parse_date_invalid_zone_raises_invalid(name: str) -> None:
    with pytest.raises(Invalid):
        parse_date("today", zone=name, now=datetime.now(UTC))


def test_zone_of_iana_name_returns_the_zone() -> None:
    assert zone_of("Asia/Kathmandu").key == "Asia/Kathmandu"


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        (BERLIN, BERLIN),
        (f":{BERLIN}", BERLIN),
        ("/usr/share/zoneinfo/America/Argentina/Salta", "America/Argentina/Salta"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("UTC", "UTC"),
        ("EST5EDT", "EST5EDT"),
        ("", "UTC"),
        ("CET-1CEST", "UTC"),
        ("<+03>-3", "UTC"),
        ("/etc/elsewhere", "UTC"),
    ],
)
def test_system_zone_with_tz_returns_its_name(monkeypatch: pytest.MonkeyPatch, setting: str, name: str) -> None:
    monkeypatch.setenv("TZ", setting)
    assert system_zone() == name


@pytest.mark.parametrize(
    ("link", "file", "name"),
    [
        ("/usr/share/zoneinfo/Asia/Tokyo", None, "Asia/Tokyo"),
        ("../usr/share/zoneinfo/Asia/Tokyo", "Europe/Paris", "Asia/Tokyo"),
        ("/var/db/timezone/zoneinfo/Asia/Tokyo", None, "Asia/Tokyo"),
        (None, "Europe/Paris\n", "Europe/Paris"),
        (None, "no zone at all\n", "UTC"),
        (None, None, "UTC"),
    ],
)
def test_system_zone_without_tz_reads_the_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, link: str | None, file: str | None, name: str
) -> None:
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(machine, "LOCALTIME_PATH", str(tmp_path / "localtime"))
    monkeypatch.setattr(machine, "TIMEZONE_PATH", str(tmp_path / "timezone"))
    if link:
        (tmp_path / "localtime").symlink_to(link)
    if file:
        (tmp_path / "timezone").write_text(file)
    assert system_zone() == name


def test_dates_import_loads_no_heavy_module() -> None:
    code = "import sys, todo_cli.parsing.dates; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"TZ": "UTC"},
    )
    heavy = {"dateutil", "dateparser", "zoneinfo", "difflib"}
    assert not heavy & set(run.stdout.split())
