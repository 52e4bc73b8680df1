"""Sign-in with a password: what it tells, what it limits, and where the password is afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.conftest import Database, Server
from tests.support.accounts import PASSWORD, Account, create_account, random_address
from tests.support.connections import Line, raw
from tests.support.raw_http import ask
from todo_cli.contract.password_steps import OpenSession, ReadSignInSalt
from todo_cli.contract.passwords import SessionSecret
from todo_cli.errors import NotSignedIn, TooMany
from todo_cli.server.public_requests import name_network

WRONG = "wrong horse battery"


@pytest.fixture
def account(db: Database, server: Server) -> Account:
    """A user with a password."""
    return create_account(server.url, db.person())


@pytest.fixture
def steps(db: Database) -> Iterator[Line]:
    """The steps of a sign-in as a server sends them, without the hash that costs the time."""
    with closing(Line(db.server_url, db.person())) as line:
        yield line


def processor_seconds(server: Server) -> float:
    """Return the processor time that a server has used."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_sign_in_tells_nothing_of_accounts_and_hashes_for_each(account: Account, db: Database, server: Server) -> None:
    """An unknown address, a wrong password, a disabled user and a user without a password: one answer, one hash."""
    disabled, tokens_only = create_account(server.url, db.person()), db.person()
    db.execute("UPDATE todo.users SET disabled_at = now() WHERE id = %s", disabled.person.user_id)
    db.execute("UPDATE todo.users SET email = %s WHERE id = %s", f"{tokens_only.name}@x.org", tokens_only.user_id)
    unknown = Account(server.url, account.person, "nobody@example.org", account.address)
    without = Account(server.url, tokens_only, f"{tokens_only.name}@x.org", account.address)
    answers, seconds = [], {}
    for name, asker, password in (
        ("wrong", account, WRONG),
        ("unknown", unknown, PASSWORD),
        ("disabled", disabled, PASSWORD),
        ("without", without, PASSWORD),
    ):
        before = processor_seconds(server)
        for _ in range(3):
            answer = asker.sign_in(password)
            answers.append((answer.status, {k: v for k, v in answer.problem.items() if k != "request_id"}))
        seconds[name] = processor_seconds(server) - before
    assert answers[0][0] == 401
    assert all(answer == answers[0] for answer in answers), answers
    assert min(seconds.values()) > max(seconds.values()) / 3, seconds


@pytest.mark.parametrize("is_known", [True, False], ids=["account", "no account"])
def test_failures_of_an_account_from_an_address_are_limited_before_the_hash(
    account: Account, server: Server, is_known: bool
) -> None:
    asker = account if is_known else Account(server.url, account.person, f"no{account.email}", account.address)
    statuses = [asker.sign_in(WRONG).status for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    refused = asker.sign_in(PASSWORD)
    assert refused.status == 429, "not even the right password is looked at"
    assert 0 < int(refused.headers["retry-after"]) <= 900
    elsewhere = Account(server.url, account.person, asker.email, random_address())
    assert elsewhere.sign_in(PASSWORD).status == (201 if is_known else 401)
    assert ask(server.url, "GET", "/v1/me", token=account.person.token).status == 200, "a token is never limited by it"


def attempt(steps: Line, email: str, address: str) -> bool:
    """Make the first step of a sign-in; return whether it was let in."""
    try:
        steps(ReadSignInSalt(email=email), address=address)
    except TooMany:
        return False
    return True


def test_account_is_limited_over_all_addresses_and_address_over_all_accounts(steps: Line) -> None:
    name, address = steps.who.name, random_address()
    assert [attempt(steps, f"{name}@x.org", random_address()) for _ in range(51)] == [True] * 50 + [False]
    assert [attempt(steps, f"{name}-{n}@x.org", address) for n in range(101)] == [True] * 100 + [False]


def test_success_is_given_back_and_windows_end(account: Account, steps: Line, db: Database) -> None:
    for _ in range(3):
        account.open_session()
    network = name_network(account.address)
    assert [attempt(steps, account.email, network) for _ in range(11)] == [True] * 10 + [False]
    db.execute("UPDATE todo.attempts SET ends_at = now() - interval '1 second'")
    assert attempt(steps, account.email, network)


def test_windows_that_have_ended_are_deleted(steps: Line, db: Database) -> None:
    db.execute("DELETE FROM todo.attempts")
    for n in range(10):
        attempt(steps, f"{n}@x.org", random_address())
    db.execute("UPDATE todo.attempts SET ends_at = now() - interval '1 second'")
    for _ in range(3):
        attempt(steps, "again@x.org", "192.0.2.8")
    assert db.execute("SELECT count(*) FROM todo.attempts") == [(3,)]


def test_password_is_stored_as_argon2id_and_appears_nowhere(account: Account, server: Server, db: Database) -> None:
    secret, new = f"{WRONG} {token_urlsafe(8)}", f"new {token_urlsafe(12)}"
    account.sign_in(secret)
    token = account.open_session()
    assert account.post("/v1/password", {"password": new, "current": secret}, token).status == 403
    assert account.post("/v1/password", {"password": new, "current": PASSWORD}, token).status == 201
    account.post("/v1/sign_ins", {"email": account.email, "password": [secret], "secret": 1})
    [[stored]] = db.execute("SELECT hash FROM todo.passwords WHERE user_id = %s", account.person.user_id)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    tables = db.execute("SELECT relname FROM pg_class WHERE relnamespace = 'todo'::regnamespace AND relkind = 'r'")
    with psycopg.connect(db.owner_url) as connection:
        for [table] in tables:
            query = sql.SQL("SELECT count(*) FROM todo.{} t WHERE t::text ~ %s").format(sql.Identifier(table))
            words = "|".join((secret, new, PASSWORD, token.split("_", 2)[2]))
            assert connection.execute(query, [words]).fetchone() == (0,), table
    log = server.log.read_text()
    assert not [word for word in (secret, new, PASSWORD, token) if word in log]


def test_servers_login_reads_no_hash_and_opens_no_session_without_one(
    account: Account, db: Database, steps: Line
) -> None:
    prefix = steps(ReadSignInSalt(email=account.email), address="192.0.2.9").prefix
    [[stored]] = db.execute("SELECT hash FROM todo.passwords WHERE user_id = %s", account.person.user_id)
    assert prefix
    assert stored.startswith(prefix)
    assert len(stored) - len(prefix) == 43
    secret = SessionSecret(token_urlsafe(32))
    without_hash = OpenSession(email=account.email, password_hash=prefix, secret=secret, name="x")
    with pytest.raises(NotSignedIn):
        steps(without_hash, address="192.0.2.9")
    with closing(raw(db.server_url)) as server:
        for function in ("insert_session(%s, 's', 'n', 'a', NULL)", "end_sessions(%s, NULL)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                server.execute(f"SELECT todo.{function}".encode(), [account.person.user_id])


def test_outdated_hash_is_renewed_at_the_next_sign_in(account: Account, db: Database) -> None:
    import argon2

    old = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    db.execute("UPDATE todo.passwords SET hash = %s WHERE user_id = %s", old, account.person.user_id)
    assert account.sign_in(WRONG).status == 401
    for _ in range(2):
        assert account.sign_in().status == 201
        [[stored]] = db.execute("SELECT hash FROM todo.passwords WHERE user_id = %s", account.person.user_id)
        assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


BAD_BODIES: dict[str, Any] = {
    "no JSON": b"{",
    "no object": [],
    "5 KB": {"email": "a@x.org", "password": "x" * 5_000, "secret": "s" * 43, "name": "x"},
    "no password": {"email": "a@x.org", "secret": "s" * 43, "name": "x"},
    "no address": {"email": "nobody", "password": "x", "secret": "s" * 43, "name": "x"},
    "short secret": {"email": "a@x.org", "password": "x", "secret": "s", "name": "x"},
    "surrogate": b'{"email": "a@x.org", "password": "\\ud800", "secret": "' + b"s" * 43 + b'", "name": "x"}',
}


@pytest.mark.parametrize("kind", BAD_BODIES)
def test_bad_body_of_a_public_route_is_refused_and_not_repeated(server: Server, kind: str) -> None:
    answer = ask(server.url, "POST", "/v1/sign_ins", BAD_BODIES[kind], Content_Type="application/json")
    assert answer.status == 422, answer
    assert len(json.dumps(answer.problem)) < 400


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "local"),
        ("", "local"),
    ],
)
def test_network_of_an_address(address: str | None, network: str) -> None:
    assert name_network(address) == network


def test_sign_in_with_many_passwords_at_once_hashes_two_at_a_time(account: Account, server: Server) -> None:
    """Memory stays bounded: the server grows by two hashes of 19 MiB, not by ten."""
    from concurrent.futures import ThreadPoolExecutor

    def peak() -> int:
        lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

    account.open_session()
    before = peak()
    with ThreadPoolExecutor(10) as threads:
        statuses = list(threads.map(lambda _: account.sign_in().status, range(10)))
    assert statuses == [201] * 10
    assert peak() - before < 5 * 19_456
