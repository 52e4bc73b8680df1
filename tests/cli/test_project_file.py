"""`.todo.toml`: a checkout names its server, space and project, and never redirects a token."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Database, Person, Server, Todo
from todo_cli.contract.ids import new_id

OTHER_TOKEN = f"todo_{'0' * 32}_other"


@pytest.fixture
def checkout(bare: Todo, person: Person, server: Server) -> Todo:
    """The command in a directory whose user has a profile for the server, which is not the default one."""
    settings = bare.directory / "config.toml"
    settings.write_text(
        f"""[profiles.default]
server = "http://127.0.0.1:1"
token = "{OTHER_TOKEN}"
[profiles.work]
server = "{server.url}"
token = "{person.token}"
"""
    )
    settings.chmod(0o600)
    work = bare.directory / "work"
    work.mkdir()
    return replace(bare, directory=work, env=bare.env | {"TODO_CONFIG": str(settings)})


def bind(todo: Todo, text: str) -> None:
    """Write the file of the checkout."""
    (todo.directory / ".todo.toml").write_text(text)


@pytest.fixture
def attacker() -> Iterator[tuple[str, Callable[[], bool]]]:
    """Return the address of a server that the user has never named, and whether anybody connected to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)

        def was_reached() -> bool:
            try:
                listener.accept()
            except BlockingIOError:
                return False
            return True

        yield f"http://127.0.0.1:{listener.getsockname()[1]}", was_reached


def test_project_file_chooses_profile_space_and_project(
    checkout: Todo, person: Person, server: Server, db: Database
) -> None:
    space = new_id()
    db.execute("INSERT INTO todo.spaces (id, name) VALUES (%s, 'team')", space)
    db.execute("INSERT INTO todo.members VALUES (%s, %s, 'editor')", space, person.user_id)
    bind(checkout, f'server = "{server.url}/"\nspace = "{space}"\nproject = "builds"\n')
    below = checkout.directory / "src" / "deep"
    below.mkdir(parents=True)
    todo = replace(checkout, directory=below)
    assert todo("add", "compile", "--json").json["project"] == "builds"
    assert todo("add", "call #home", "--json").json["project"] == "home"
    assert todo("add", "think", "--project", "none", "--json").json["project"] is None
    assert [task["number"] for task in todo("ready", "--json").json["tasks"]] == [1]
    assert [task["number"] for task in todo("ready", "#home", "--json").json["tasks"]] == [2]
    assert todo("claim", "--next", "--json").json["number"] == 1
    assert todo("claim", "--next").code == 11
    assert len(todo("list", "--json").json["tasks"]) == 3, "a list shows all projects"
    assert db.execute("SELECT count(*) FROM todo.tasks WHERE space_id = %s", space) == [(3,)]


def test_project_file_of_an_unknown_server_gets_no_token(
    checkout: Todo, attacker: tuple[str, Callable[[], bool]]
) -> None:
    url, was_reached = attacker
    bind(checkout, f'server = "{url}"\n')
    for arguments in (("list",), ("add", "secret plan"), ("whoami",)):
        refused = checkout(*arguments)
        assert refused.code == 4
        assert f"names the server {url}, for which you have no token" in refused.err
    assert checkout("prime").out == ""
    assert not was_reached()


@pytest.mark.parametrize("choice", ["--profile", "TODO_PROFILE", "TODO_SERVER"])
def test_explicit_choice_of_the_user_wins_over_the_project_file(
    checkout: Todo, server: Server, person: Person, attacker: tuple[str, Callable[[], bool]], choice: str
) -> None:
    url, was_reached = attacker
    bind(checkout, f'server = "{url}"\nproject = "theirs"\n')
    env = {
        "TODO_PROFILE": {"TODO_PROFILE": "work"},
        "TODO_SERVER": {"TODO_SERVER": server.url, "TODO_TOKEN": person.token},
    }.get(choice, {})
    flags = ["--profile", "work"] if choice == "--profile" else []
    assert checkout(*flags, "add", "mine", "--json", env=env).json["project"] is None
    assert not was_reached()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'token = "{OTHER_TOKEN}"', "contains a token, which everybody with the repository can read"),
        ('database_url = "postgresql://u:p@h/d"', "contains a database_url"),
        ('colour = "red"', "unknown key 'colour'"),
        ('space = "mine"', "space must be the id of a space"),
        ("project = 3", "project must be a text"),
        ("= 3", "is not TOML"),
    ],
)
def test_project_file_with_a_wrong_line_is_refused(checkout: Todo, text: str, says: str) -> None:
    bind(checkout, text)
    refused = checkout("list")
    assert refused.code == 2
    assert says in refused.err
    assert str(Path(".todo.toml")) in refused.err
    assert "postgresql://" not in refused.err
