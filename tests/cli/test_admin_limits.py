"""`todo admin user limit`: an administrator sees and changes what a user may send to a server."""

from __future__ import annotations

import pytest

from tests.conftest import Database, Server, Todo


@pytest.fixture
def boss(db: Database, server: Server, bare: Todo) -> Todo:
    """An administrator's command."""
    bare.env |= {"TODO_SERVER": server.url, "TODO_TOKEN": db.person(admin=True).token}
    return bare


def test_limit_command_shows_and_sets_the_limits_of_a_user(db: Database, boss: Todo) -> None:
    name = db.person().name
    shown = f"{name} may send any number of requests and any number of chat turns in any 60 seconds.\n"
    assert boss("admin", "user", "limit", name).out == shown
    set_both = boss("admin", "user", "limit", name, "--requests", "600", "--turns", "1")
    assert set_both.out == f"{name} may send 600 requests and 1 chat turn in any 60 seconds.\n"
    changed = boss("admin", "user", "limit", name, "--turns", "none", "--json").json
    assert (changed["requests_per_minute"], changed["turns_per_minute"]) == (600, None)
    [row] = [line.split("\t") for line in boss("admin", "user", "list").lines if line.startswith(f"{name}\t")]
    assert row[5:] == ["600", "any"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("nobody at all",), 3, "there is no user 'nobody at all'"),
        (("nobody at all", "--turns", "3"), 3, "there is no user 'nobody at all'"),
        (("ada", "--requests", "many"), 2, "'many' is not a number"),
        (("ada", "--requests", "10001"), 2, "requests_per_minute"),
    ],
)
def test_limit_command_refuses_what_it_cannot_set(boss: Todo, arguments: tuple[str, ...], code: int, says: str) -> None:
    refused = boss("admin", "user", "limit", *arguments)
    assert (refused.code, says in refused.err) == (code, True), refused.err
