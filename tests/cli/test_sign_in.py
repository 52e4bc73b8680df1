"""Registering, signing in and out with a password, as a person at a terminal and as a script."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pexpect
import pytest

from tests.conftest import COMMAND, Database, Person, Server, Todo, _copy, start_server
from tests.support.accounts import PASSWORD, create_account
from todo_cli.local_postgres.cluster import LocalPostgres

NEW = "another horse battery"


@pytest.fixture
def way() -> str:
    """Return a client kind that the fixtures need; these tests configure their own."""
    return "api"


@pytest.fixture(scope="module")
def own_db(postgres: LocalPostgres, template: str) -> Iterator[Database]:
    """A database of this module, in which nobody else registers."""
    yield from _copy(postgres, template)


@pytest.fixture(scope="module")
def team(own_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that registers people with an invitation."""
    server = start_server(tmp_path_factory.mktemp("team"), own_db, env={"TODO_REGISTRATION": "invitation"})
    yield server
    server.stop()


@pytest.fixture
def boss(own_db: Database, team: Server, tmp_path: Path) -> Todo:
    """The command as an administrator."""
    person = own_db.person(admin=True)
    home = tmp_path / "boss"
    home.mkdir()
    return Todo(home, {"TODO_SERVER": team.url, "TODO_TOKEN": person.token})


@pytest.fixture
def ada(bare: Todo, team: Server, own_db: Database) -> Todo:
    """The command of a user who is signed in with a password."""
    account = create_account(team.url, own_db.person())
    bare.env |= {"ADA": account.email, "NAME": account.person.name}
    arguments = ("login", team.url, "--email", account.email, "--password-stdin", "--no-keyring")
    done = bare(*arguments, stdin=PASSWORD)
    assert (done.code, done.out.startswith(f"Signed in as {account.person.name} (token ")) == (0, True), done
    return bare


def read_token(todo: Todo, profile: str = "default") -> str | None:
    """Return the token in the settings file."""
    path = todo.directory / ".config/todo/config.toml"
    token: str | None = tomllib.loads(path.read_text())["profiles"][profile].get("token")
    return token


def answer(child: pexpect.spawn[str], question: str, secret: str) -> None:
    """Answer a question whose answer is not shown."""
    child.expect(question)
    child.waitnoecho(10)
    child.sendline(secret)


def test_newcomer_registers_with_an_invitation_and_has_a_list(bare: Todo, boss: Todo, team: Server) -> None:
    email = f"{uuid4().hex}@example.org"
    arguments = ("register", team.url, "--email", email, "--password-stdin", "--no-keyring")
    uninvited = bare(*arguments, stdin=PASSWORD)
    assert (uninvited.code, "by invitation only" in uninvited.err) == (5, True)
    invitation = boss("admin", "invitation", "create", "--email", email)
    assert boss("admin", "invitation", "list").out.split("\t")[1] == email
    done = bare(*arguments, "--invitation", stdin=f"{invitation.out}{PASSWORD}\n")
    assert (done.code, done.out.startswith(f"Signed in as {email.partition('@')[0]} (token ")) == (0, True), done
    assert bare("add", "Buy milk").out == "Added #1 Buy milk\n"
    assert bare("session", "list").out.rstrip().endswith("\tcurrent")
    assert bare("token", "list").out == "", "a session is no token"
    assert boss("admin", "invitation", "list").out == ""


def test_sign_in_at_a_terminal_shows_no_password(ada: Todo, team: Server) -> None:
    child = ada.spawn("--profile", "tty", "login", team.url, "--no-keyring", "--name", "tty")
    child.expect("E-mail .empty to sign in with a token.: ")
    child.sendline(ada.env["ADA"])
    answer(child, "Password: ", PASSWORD)
    child.expect("Signed in as")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert PASSWORD not in str(child.before)
    assert "tty" in ada("session", "list").out
    wrong = ada("--profile", "no", "login", team.url, "--email", ada.env["ADA"], "--password-stdin", stdin=NEW)
    assert (wrong.code, "the e-mail address or the password is wrong" in wrong.err) == (4, True)
    assert "[profiles.no]" not in (ada.directory / ".config/todo/config.toml").read_text()


def test_password_without_a_terminal_is_not_asked_for(ada: Todo, team: Server) -> None:
    for arguments in (
        ("password",),
        ("login", team.url, "--email", "ada@example.org"),
        ("register", team.url, "--email", "ada@example.org"),
    ):
        refused = ada(*arguments)
        assert (refused.code, "--password-stdin" in refused.err) == (10, True), refused
    refused = ada("register", team.url, "--password-stdin")
    assert (refused.code, "--email" in refused.err) == (10, True)


def test_password_is_changed_at_a_terminal_typed_twice(ada: Todo, team: Server) -> None:
    ada(
        "--profile",
        "two",
        "login",
        team.url,
        "--email",
        ada.env["ADA"],
        "--password-stdin",
        "--no-keyring",
        stdin=PASSWORD,
    )
    for repeated, message, code in ((PASSWORD, "the two passwords differ", 2), (NEW, "1 other session ended", 0)):
        child = ada.spawn("password")
        answer(child, "Current password .empty if there is none.: ", PASSWORD)
        answer(child, "New password: ", NEW)
        answer(child, "Repeat it: ", repeated)
        child.expect(message)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == code
    assert ada("list").code == 0
    assert ada("--profile", "two", "list").code == 4
    short = ada("password", "--password-stdin", stdin=f"{NEW}\nshort\n")
    assert (short.code, "at least 12 characters" in short.err) == (2, True)


def test_forgotten_password_is_reset_with_a_code(ada: Todo, boss: Todo, team: Server) -> None:
    code = boss("admin", "user", "reset-password", ada.env["NAME"])
    assert f"--code --email {ada.env['ADA']}" in code.err
    arguments = ("--profile", "new", "password", team.url, "--code", "--email", ada.env["ADA"], "--password-stdin")
    done = ada(*arguments, stdin=f"{code.out.lower()}{NEW}\n")
    assert (done.code, "all sessions have ended" in done.out) == (0, True), done
    assert ada("list").code == 4
    login = ("login", team.url, "--email", ada.env["ADA"], "--password-stdin", "--no-keyring")
    assert ada(*login, stdin=NEW).code == 0
    assert ada(*arguments, stdin=f"{code.out}{PASSWORD}\n").code == 4


def test_logout_ends_the_session_and_says_when_it_cannot(ada: Todo, team: Server) -> None:
    token = read_token(ada)
    assert ada("logout").code == 0
    assert read_token(ada) is None
    gone = ada("list", env={"TODO_TOKEN": token or ""})
    assert (gone.code, "expired" in gone.err) == (4, True)
    login = ("login", team.url, "--email", ada.env["ADA"], "--password-stdin", "--no-keyring")
    assert ada(*login, stdin=PASSWORD).code == 0
    away = ada("logout", env={"TODO_SERVER": "http://127.0.0.1:9"})
    assert (away.code, "its session may go on" in away.err, read_token(ada)) == (7, True, None)


def test_machine_without_a_keyboard_signs_in_by_a_code(ada: Todo, team: Server) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--profile", "pi", "login", team.url, "--device", "--name", "pi", "--no-keyring"],
        env=ada.environment(),
        cwd=ada.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    process.stderr.readline()
    code = process.stderr.readline().split()[-1]
    unasked = ada("session", "approve", code)
    assert (unasked.code, "--yes" in unasked.err) == (10, True)
    assert ada("session", "approve", "BBBB-BBBB", "--yes").code == 3
    assert ada("session", "approve", code.lower(), "--yes").out == "Approved pi at 127.0.0.1.\n"
    out, err = process.communicate(timeout=30)
    assert "(token pi)" in out, err
    assert ada("--profile", "pi", "whoami").code == 0
    assert ada("session", "revoke", "--others").out == "Revoked pi.\n"
    assert ada("--profile", "pi", "whoami").code == 4


def test_profile_that_reaches_its_database_directly_says_that_passwords_need_a_server(
    person: Person, bare: Todo
) -> None:
    bare.env |= {"TODO_DATABASE_URL": person.database_url, "TODO_TOKEN": person.token}
    for arguments in (("password", "--password-stdin"), ("login", "--email", "a@x.org"), ("login", "--device")):
        refused = bare(*arguments, stdin=PASSWORD)
        assert (refused.code, "passwords and sessions need a server" in refused.err) == (2, True), refused
    assert bare("session", "list").code == 0


def test_unencrypted_server_is_refused_for_passwords_too(bare: Todo) -> None:
    for command in ("register", "login", "password --code"):
        refused = bare(*command.split(), "http://todo.example.org", "--email", "a@x.org", "--password-stdin", stdin=NEW)
        assert (refused.code, "--insecure" in refused.err) == (2, True), refused
