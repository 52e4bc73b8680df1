"""The database's clock decides what day it is: a wrong clock of a server or of a terminal changes nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Database, Person, Todo
from tests.support.chat_process import ChatProcess
from tests.support.model_answers import text_answer
from tests.support.terminal import Terminal

BERLIN = ZoneInfo("Europe/Berlin")
WRONG_HOURS = (-400, 60)


def wrong_clock(hours: float) -> dict[str, str]:
    """Return the environment of a process whose clock is wrong by so many hours."""
    directory = Path(__file__).parents[1] / "support" / "wrong_clock"
    return {"PYTHONPATH": str(directory), "TEST_CLOCK_HOURS": str(hours)}


def read_now(db: Database) -> datetime:
    """Return the database's time in Berlin. Just before midnight there it waits for the next day."""
    now: datetime = db.execute("SELECT clock_timestamp()")[0][0].astimezone(BERLIN)
    if now.hour == 23 and now.minute == 59:
        time.sleep(61)
        return read_now(db)
    return now


@pytest.fixture(params=["direct", "api"])
def wrong(
    request: pytest.FixtureRequest,
    db: Database,
    person: Person,
    as_person: Callable[..., Todo],
    make_server: Callable[..., object],
) -> Callable[[float], Todo]:
    """Return a function for the command with a clock that is wrong in the process that reads the dates."""

    def start(hours: float) -> Todo:
        if request.param == "direct":
            todo = as_person(person, "direct")
            todo.env |= wrong_clock(hours)
            return todo
        return as_person(person, "api", url=make_server(db, env=wrong_clock(hours)).url)  # type: ignore[attr-defined]

    return start


@pytest.mark.parametrize("hours", WRONG_HOURS)
def test_dates_are_read_by_the_clock_of_the_database(
    db: Database, wrong: Callable[[float], Todo], hours: float
) -> None:
    todo, today = wrong(hours), read_now(db).date()
    days = {
        name: (today + timedelta(days=n)).isoformat() for name, n in {"today": 0, "yesterday": -1, "far": 30}.items()
    }

    def due(*words: str) -> str:
        found: str = todo("add", *words, "--json").json["due"]
        return found

    assert due("Pay rent tomorrow") == (today + timedelta(days=1)).isoformat()
    assert due("Water plants", "--due", "in 3 days") == (today + timedelta(days=3)).isoformat()
    assert due("Stretch every day") == days["today"]
    assert due("Late", "--due", days["yesterday"]) == days["yesterday"]
    assert todo("edit", "1", "due:today", "--json").json["tasks"][0]["due"] == days["today"]
    titles = {
        filter: [line.split("\t")[-1] for line in todo("list", filter).lines]
        for filter in ("due:today", "is:overdue", "due<tomorrow", "created:today")
    }
    assert titles == {
        "due:today": ["Pay rent", "Stretch"],
        "is:overdue": ["Late"],
        "due<tomorrow": ["Late", "Pay rent", "Stretch"],
        "created:today": ["Late", "Pay rent", "Stretch", "Water plants"],
    }
    todo("edit", "2", "--defer", "tomorrow")
    assert [line.split("\t")[-1] for line in todo("list").lines] == ["Late", "Pay rent", "Stretch"]
    todo("done", "3")
    following = todo("list", "Stretch", "--json").json["tasks"]
    assert [task["due"] for task in following] == [(today + timedelta(days=1)).isoformat()]


@pytest.mark.parametrize("hours", WRONG_HOURS)
def test_terminal_shows_dates_by_the_clock_of_the_database(
    db: Database, person: Person, as_person: Callable[..., Todo], way: str, hours: float
) -> None:
    todo = as_person(person, way)
    todo.env |= wrong_clock(hours)
    tomorrow = read_now(db).date() + timedelta(days=1)
    assert (
        todo("add", "Pay rent tomorrow").out
        == f"Added #1 Pay rent (due {tomorrow:%a} {tomorrow.day} {tomorrow:%b}, tomorrow)\n"
    )
    assert re.search(r"added +just now", todo("show", "1").out)
    terminal = Terminal(todo, "list")
    terminal.ended()
    assert terminal.lines[0].startswith("Tomorrow · ")
    assert "Pay rent" in terminal.lines[1]


@pytest.mark.parametrize("hours", WRONG_HOURS)
def test_model_is_told_the_day_of_the_database(talker: ChatProcess, hours: float) -> None:
    talker.script(text_answer("Hello."))
    assert talker("ask", "hello", env=wrong_clock(hours)).code == 0
    today = read_now(talker.db).date()
    assert f"(Today is {today:%A}, {today:%Y-%m-%d}, in Europe/Berlin.)" in str(talker.model.asked[-1].body["messages"])
