"""One time zone for a user, whichever way they come in: the preference, unless a machine names another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.conftest import Database, Person, Todo
from tests.server.test_mcp import connected, done
from tests.support.chat_process import ChatProcess
from tests.support.model_answers import call_answer, text_answer
from todo_cli.parsing.system_zone import have_same_times


@pytest.fixture
def travellers(db: Database, as_person: Callable[..., Todo]) -> dict[str, Todo]:
    """The command of one user, by each way in, on machines that name no time zone."""
    person: Person = db.person(zone="Europe/Berlin")
    commands = {way: as_person(person, way) for way in ("direct", "api")}
    for command in commands.values():
        del command.env["TODO_TIMEZONE"]
    return commands


def add_at_nine(todo: Todo, **env: str) -> str:
    """Add a task that is due at nine on a certain day, and return the due instant."""
    due: str = todo("add", "x", "--due", "2030-01-02 9am", "--json", env=env).json["due"]
    return due


@pytest.mark.parametrize("way", ["direct", "api"])
def test_zone_is_that_of_the_environment_then_the_profile_then_the_preference_then_utc(
    travellers: dict[str, Todo], way: str
) -> None:
    todo = travellers[way]
    assert add_at_nine(todo) == "2030-01-02T08:00:00Z"
    assert todo("prefs", "--timezone", "").code == 0
    assert add_at_nine(todo) == "2030-01-02T09:00:00Z"
    path = todo.directory / ".config/todo/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[profiles.default]\ntimezone = "Asia/Kolkata"\n')
    assert add_at_nine(todo) == "2030-01-02T03:30:00Z"
    assert add_at_nine(todo, TODO_TIMEZONE="Asia/Tokyo") == "2030-01-02T00:00:00Z"


def test_new_preference_takes_effect_in_every_way_in(travellers: dict[str, Todo]) -> None:
    direct, api = travellers["direct"], travellers["api"]
    assert add_at_nine(direct) == add_at_nine(api) == "2030-01-02T08:00:00Z"

    async def add_over_mcp(transport: str) -> str:
        async with connected(api, transport, "auto", **{"Time-Zone": ""}) as client:
            made = await done(client, "add_task", title="x", due="2030-01-02 9am")
            return str((made.get("task") or made)["due"])

    assert direct("prefs", "--timezone", "Asia/Tokyo").code == 0
    assert add_at_nine(direct) == add_at_nine(api) == "2030-01-02T00:00:00Z"
    assert asyncio.run(add_over_mcp("stdio")) in ("2030-01-02T00:00:00Z", "2030-01-02T09:00:00+09:00")
    for todo in (direct, api):
        assert "17:00" in todo("show", "1").out, "08:00 UTC"


def test_new_preference_takes_effect_in_the_chat(talker: ChatProcess) -> None:
    del talker.todo.env["TODO_TIMEZONE"]
    talker.todo("prefs", "--timezone", "Pacific/Kiritimati")
    talker.script(call_answer(("add_task", {"title": "x", "due": "2030-01-02 9am"})), text_answer("Done."))
    assert talker("ask", "add x").code == 0
    assert "in Pacific/Kiritimati.)" in str(talker.model.asked[-1].body["messages"])
    [[due]] = talker.db.execute("SELECT due_at FROM todo.tasks WHERE space_id = %s", talker.who.user_id)
    assert due == datetime(2030, 1, 1, 19, tzinfo=UTC)


@pytest.mark.parametrize("way", ["direct", "api"])
def test_whoami_and_doctor_name_the_zone_of_a_machine_that_has_other_times(
    travellers: dict[str, Todo], way: str
) -> None:
    todo = travellers[way]
    elsewhere = (
        "Europe/Berlin (your preference); this machine is in Asia/Tokyo (to use it: todo prefs --timezone Asia/Tokyo)"
    )
    assert elsewhere in todo("whoami", env={"TZ": "Asia/Tokyo"}).out
    assert elsewhere in todo("doctor", env={"TZ": "Asia/Tokyo"}).out
    assert "Europe/Berlin (your preference)\n" in todo("whoami", env={"TZ": "Europe/Paris"}).out
    chosen = {"TZ": "Asia/Tokyo", "TODO_TIMEZONE": "America/New_York"}
    assert "America/New_York (set by TODO_TIMEZONE); this machine is in Asia/Tokyo\n" in todo("whoami", env=chosen).out


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Europe/Berlin", "Europe/Paris", True),
        ("UTC", "Etc/UTC", True),
        ("Europe/London", "UTC", False),
        ("Europe/Berlin", "Africa/Lagos", False),
    ],
)
def test_have_same_times_compares_a_whole_year(first: str, second: str, same: bool) -> None:
    assert have_same_times(first, second, datetime(2026, 11, 27, 22, tzinfo=UTC)) is same
