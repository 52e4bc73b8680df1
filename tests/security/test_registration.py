"""Registration: closed, by invitation or open, and what it tells of accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.conftest import Database, Person, Server, _copy, start_server
from tests.support.accounts import PASSWORD, Account, random_address
from tests.support.connections import Line
from tests.support.raw_http import Answer, ask
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id, new_invitation, token_hash
from todo_cli.contract.password_steps import BeginRegistration
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.server.public_requests import name_network


@pytest.fixture(scope="module")
def own_db(postgres: LocalPostgres, template: str) -> Iterator[Database]:
    """A database of this module, in which nobody else registers."""
    yield from _copy(postgres, template)


@pytest.fixture(scope="module")
def invited(own_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that registers people with an invitation."""
    server = start_server(tmp_path_factory.mktemp("invited"), own_db, env={"TODO_REGISTRATION": "invitation"})
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def opened(own_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that registers everybody."""
    server = start_server(tmp_path_factory.mktemp("opened"), own_db, env={"TODO_REGISTRATION": "open"})
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def admin(own_db: Database) -> Person:
    """An administrator."""
    return own_db.person(admin=True)


def register(url: str, email: str, *, address: str | None = None, **more: Any) -> Answer:
    """Register an address."""
    body = {"id": new_id(), "email": email, "name": email.partition("@")[0], "password": PASSWORD} | more
    header = {"X_Forwarded_For": address or random_address(), "Time_Zone": "Asia/Tokyo"}
    return ask(url, "POST", "/v1/registrations", body, **header)


def invite(url: str, admin: Person, **more: str) -> tuple[str, str]:
    """Create an invitation; return its id and the invitation."""
    secret = new_invitation(admin.user_id)
    body = {"id": new_id(), "invitation_hash": token_hash(secret)} | more
    answer = ask(url, "POST", "/v1/invitations", body, token=admin.token)
    assert answer.status == 201, answer
    return body["id"], secret.reveal()


def sign_in(url: str, email: str) -> Answer:
    """Sign in with the password of these tests."""
    account = Account(url, Person(email, "", "", ""), email, random_address())
    return account.sign_in()


def new_email() -> str:
    return f"{new_id()}@example.org"


def test_closed_server_registers_nobody_not_even_with_an_invitation(server: Server, db: Database) -> None:
    _, secret = invite(server.url, db.person(admin=True))
    for more in ({}, {"invitation": secret}):
        answer = register(server.url, new_email(), **more)
        assert (answer.status, answer.problem["detail"]) == (403, "this server does not accept registrations")


def test_open_server_registers_everybody_with_a_list_and_a_time_zone(opened: str, own_db: Database) -> None:
    email = new_email()
    answer = register(opened, email.upper(), name="Ada")
    assert (answer.status, answer.json) == (201, {"email": email})
    signed_in = sign_in(opened, email).json
    assert signed_in["name"] == "Ada"
    rows = own_db.execute("SELECT name, admin, email FROM todo.users WHERE id = %s", signed_in["user_id"])
    assert rows == [("Ada", False, email)]
    zone = own_db.execute("SELECT timezone FROM todo.preferences WHERE user_id = %s", signed_in["user_id"])
    assert zone == [("Asia/Tokyo",)]
    kinds = own_db.execute("SELECT kind FROM todo.tokens WHERE user_id = %s", signed_in["user_id"])
    assert kinds == [("session",)]


def test_registration_of_a_known_address_answers_alike_and_changes_nothing(opened: str, own_db: Database) -> None:
    email = new_email()
    first = register(opened, email)
    again = register(opened, email, password="another horse battery", name="mallory")
    assert (again.status, again.body) == (first.status, first.body)
    assert sign_in(opened, email).json["name"] == email.partition("@")[0]
    assert own_db.execute("SELECT count(*) FROM todo.users WHERE name = 'mallory'") == [(0,)]


def test_registration_that_is_repeated_creates_one_user_and_a_taken_name_gets_a_number(opened: str) -> None:
    name, emails, user_id = new_id(), [new_email(), new_email()], new_id()
    for _ in range(2):
        assert register(opened, emails[0], name=name, id=user_id).status == 201
    assert register(opened, emails[1], name=name).status == 201
    assert [sign_in(opened, email).json["name"] for email in emails] == [name, f"{name} 2"]
    assert sign_in(opened, emails[0]).json["user_id"] == user_id


def test_registrations_of_an_address_are_limited_before_the_hash(opened: str, own_db: Database) -> None:
    address = random_address()
    with closing(Line(own_db.server_url, own_db.person())) as steps:
        for _ in range(20):
            steps(BeginRegistration(email=new_email()), address=name_network(address))
    assert register(opened, new_email(), address=address).status == 429
    assert register(opened, new_email()).status == 201


def test_invitation_is_used_once_and_its_repetition_is_no_second_use(invited: str, admin: Person) -> None:
    assert "by invitation only" in register(invited, new_email()).problem["detail"]
    _, secret = invite(invited, admin)
    email, user_id = new_email(), new_id()
    for _ in range(2):
        assert register(invited, email, id=user_id, invitation=secret).status == 201
    assert sign_in(invited, email).status == 201
    refused = register(invited, new_email(), invitation=secret)
    assert (refused.status, "was used or has expired" in refused.problem["detail"]) == (403, True)
    page = ask(invited, "GET", "/v1/invitations?all=true", token=admin.token).json["invitations"]
    assert page[0]["used_by"] == email.partition("@")[0]
    assert all(entry["used_by"] is None for entry in list_invitations(invited, admin))


def list_invitations(url: str, admin: Person) -> list[Any]:
    """Return the invitations that can still be used."""
    found: list[Any] = ask(url, "GET", "/v1/invitations", token=admin.token).json["invitations"]
    return found


def test_invitation_of_another_address_of_nobody_deleted_or_expired_is_refused(
    invited: str, admin: Person, own_db: Database
) -> None:
    email = new_email()
    _, bound = invite(invited, admin, email=email.upper())
    assert register(invited, new_email(), invitation=bound).status == 403
    assert register(invited, email, invitation=bound).status == 201
    deleted_id, deleted = invite(invited, admin)
    assert ask(invited, "DELETE", f"/v1/invitations/{deleted_id}", token=admin.token).json == {"id": deleted_id}
    expired_id, expired = invite(invited, admin)
    own_db.execute("UPDATE todo.invitations SET expires_at = now() WHERE id = %s", expired_id)
    _, stale = invite(invited, former := own_db.person(admin=True))
    own_db.execute("UPDATE todo.users SET admin = false WHERE id = %s", former.user_id)
    forged = new_invitation(admin.user_id).reveal()
    for secret in (deleted, expired, stale, forged, "invite", "x" * 128, admin.token):
        assert register(invited, new_email(), invitation=secret).status == 403, secret
    assert ask(invited, "DELETE", f"/v1/invitations/{deleted_id}", token=admin.token).status == 404


def test_invitations_are_for_administrators_and_only_their_hashes_are_stored(
    invited: str, admin: Person, own_db: Database
) -> None:
    user = own_db.person()
    for method, path, body in (
        ("POST", "/v1/invitations", {"id": new_id(), "invitation_hash": "0" * 64}),
        ("GET", "/v1/invitations", None),
        ("DELETE", f"/v1/invitations/{new_id()}", None),
    ):
        assert ask(invited, method, path, body, token=user.token).status == 403
    _, secret = invite(invited, admin)
    stored = own_db.execute("SELECT hash FROM todo.invitations ORDER BY created_at DESC LIMIT 1")
    assert stored == [(bytes.fromhex(token_hash(Secret(secret))),)]
    past = {"id": new_id(), "invitation_hash": "1" * 64, "expires": "2020-01-01"}
    assert ask(invited, "POST", "/v1/invitations", past, token=admin.token).status == 422
