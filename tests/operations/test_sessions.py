"""Sessions: how long they last, what ends them, and what they leave. Passwords are in tests/security."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

import pytest

from tests.conftest import Database, Person, Server
from tests.support.accounts import PASSWORD, Account, create_account
from tests.support.connections import Line, token_for
from tests.support.raw_http import Answer, ask
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import code_hash, new_id, new_token, token_hash
from todo_cli.contract.sessions import ListSessions
from todo_cli.contract.users import WhoAmI
from todo_cli.server.public_requests import name_network

NEW = "another horse battery"


@pytest.fixture
def account(db: Database, server: Server) -> Account:
    """A user with a password."""
    return create_account(server.url, db.person())


def get(account: Account, path: str, token: str) -> Answer:
    """Send a GET request with a token."""
    return ask(account.url, "GET", path, token=token)


def names(account: Account, token: str, query: str = "") -> list[str]:
    """Return the names of the sessions that are listed."""
    return [entry["name"] for entry in get(account, f"/v1/sessions{query}", token).json["sessions"]]


def read_expiry(db: Database, token: str) -> datetime:
    [[expires]] = db.execute("SELECT expires_at FROM todo.tokens WHERE hash = sha256(%s)", token.encode())
    result: datetime = expires
    return result


def age(db: Database, token: str, left: str) -> None:
    """Let a session have so much time left."""
    db.execute("UPDATE todo.tokens SET expires_at = now() + %s::interval WHERE hash = sha256(%s)", left, token.encode())


def test_session_is_valid_for_seven_days_and_slides_after_a_day_of_use(account: Account, db: Database) -> None:
    token = account.open_session()
    opened = read_expiry(db, token)
    assert timedelta(days=6, hours=23) < opened - datetime.now(UTC) <= timedelta(days=7)
    for left, slides in (("6 days 1 hour", False), ("5 days 23 hours", True), ("1 minute", True)):
        age(db, token, left)
        aged = read_expiry(db, token)
        assert get(account, "/v1/me", token).status == 200
        assert (read_expiry(db, token) > aged) is slides, left
        assert read_expiry(db, token) - datetime.now(UTC) <= timedelta(days=7)
    assert get(account, "/v1/me", account.person.token).json["expires_at"] is None, "a token does not slide"


def test_session_slides_once_however_many_requests_run_at_once(account: Account, fresh_db: Database) -> None:
    person = fresh_db.person()
    token = new_token(person.user_id).reveal()
    fresh_db.execute(
        """INSERT INTO todo.tokens (user_id, id, name, hash, scopes, kind, expires_at)
           VALUES (%s, %s, 'laptop', sha256(%s), '{all}', 'session', now() + interval '5 days')""",
        person.user_id,
        new_id(),
        token.encode(),
    )
    fresh_db.execute("CREATE TABLE public.slides (old timestamptz, new timestamptz)")
    fresh_db.execute(
        """CREATE FUNCTION public.note_slide() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
           'BEGIN INSERT INTO public.slides VALUES (OLD.expires_at, NEW.expires_at); RETURN NULL; END'"""
    )
    fresh_db.execute(
        """CREATE TRIGGER note_slide AFTER UPDATE ON todo.tokens FOR EACH ROW
           WHEN (OLD.expires_at IS DISTINCT FROM NEW.expires_at) EXECUTE FUNCTION public.note_slide()"""
    )

    def work(_: int) -> None:
        with closing(Line(fresh_db.server_url, person)) as line:
            for _ in range(10):
                line(WhoAmI(), token=token)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert fresh_db.execute("SELECT count(*) FROM public.slides") == [(1,)]


def test_session_that_ended_while_a_request_ran_does_not_slide_back(account: Account, db: Database) -> None:
    token = account.open_session()
    db.execute("UPDATE todo.tokens SET expires_at = now() WHERE hash = sha256(%s)", token.encode())
    ended = read_expiry(db, token)
    age(db, token, "7 days")
    assert read_expiry(db, token) == ended
    assert get(account, "/v1/me", token).status == 401


def test_session_expires_unused(account: Account, db: Database) -> None:
    token = account.open_session()
    age(db, token, "-1 second")
    assert get(account, "/v1/me", token).status == 401
    assert names(account, account.person.token) == []
    assert names(account, account.person.token, "?all=true") == ["laptop"]


def test_sign_in_that_is_repeated_opens_one_session(account: Account) -> None:
    secret = token_urlsafe(32)
    first, again = account.sign_in(secret=secret), account.sign_in(secret=secret)
    assert (first.status, again.status) == (201, 201)
    assert first.json == again.json == {"user_id": account.person.user_id, "name": account.person.name}
    assert names(account, account.person.token) == ["laptop"]


def test_sessions_have_names_of_their_own_and_are_not_listed_as_tokens(account: Account) -> None:
    token = account.open_session()
    account.open_session()
    account.open_session(name="phone")
    entries = get(account, "/v1/sessions", token).json["sessions"]
    assert [(entry["name"], entry["current"]) for entry in entries] == [
        ("laptop", True),
        ("laptop 2", False),
        ("phone", False),
    ]
    assert entries[0]["address"] == name_network(account.address)
    tokens = get(account, "/v1/tokens?all=true", token).json["tokens"]
    assert [entry["name"] for entry in tokens] == ["first"]
    body = {"id": new_id(), "hash": sha256(b"x").hexdigest(), "name": "laptop", "scopes": ["read"]}
    assert account.post("/v1/tokens", body, token).status == 201, "a token may have the name of a session"


def test_revoked_session_is_refused_at_once_with_the_tokens_that_it_created(account: Account) -> None:
    token, other = account.open_session(), account.open_session(name="phone")
    script = create_token(account, token, "script")
    assert get(account, "/v1/me", script).status == 200
    revoked = ask(account.url, "DELETE", "/v1/sessions?name=laptop", token=other)
    assert revoked.json == {"sessions": ["laptop"], "descendants": ["script"]}
    assert [get(account, "/v1/me", each).status for each in (token, script, other)] == [401, 401, 200]
    missing = ask(account.url, "DELETE", "/v1/sessions?name=laptop", token=other)
    assert (missing.status, missing.problem["detail"]) == (404, "you have no session 'laptop'")
    assert ask(account.url, "DELETE", "/v1/tokens/phone", token=other).status == 404, "a session is no token"


def create_token(account: Account, creator: str, name: str, **more: str) -> str:
    """Create a token of every scope with another one, and return it."""
    token = new_token(account.person.user_id)
    body = {"id": new_id(), "hash": token_hash(token), "name": name, "scopes": ["all"]} | more
    assert account.post("/v1/tokens", body, creator).status == 201
    return token.reveal()


def test_all_other_sessions_are_revoked_at_once(account: Account) -> None:
    tokens = [account.open_session(name=name) for name in ("laptop", "phone", "work")]
    revoked = ask(account.url, "DELETE", "/v1/sessions", token=tokens[1])
    assert revoked.json == {"sessions": ["laptop", "work"], "descendants": []}
    assert [get(account, "/v1/me", token).status for token in tokens] == [401, 200, 401]
    assert ask(account.url, "DELETE", "/v1/sessions", token=tokens[1]).json["sessions"] == []


def test_token_of_a_session_outlives_its_expiry_and_its_sign_out(account: Account, db: Database) -> None:
    """Else every token of a person who signs in with a password would end within a week."""
    session = account.open_session()
    script = create_token(account, session, "script", expires="90d")
    assert read_expiry(db, script) > datetime.now(UTC) + timedelta(days=80)
    assert account.post("/v1/sign_outs", {}, session).json == {"session": "laptop"}
    assert get(account, "/v1/me", session).status == 401
    assert get(account, "/v1/me", script).status == 200
    assert account.post("/v1/sign_outs", {}, script).json == {"session": None}
    assert get(account, "/v1/me", script).status == 200, "signing out does not end a token"
    grandchild = create_token(account, script, "child")
    assert read_expiry(db, grandchild) == read_expiry(db, script), "a token still bounds its own"


def test_password_change_ends_the_other_sessions_and_no_token(account: Account) -> None:
    current, other = account.open_session(), account.open_session(name="phone")
    script = create_token(account, other, "script")
    wrong = account.post("/v1/password", {"password": NEW, "current": NEW}, current)
    assert (wrong.status, wrong.problem["detail"]) == (403, "the current password is wrong")
    assert account.post("/v1/password", {"password": NEW}, current).status == 403
    changed = account.post("/v1/password", {"password": NEW, "current": PASSWORD}, current)
    assert changed.json == {"email": account.email, "ended_sessions": 1}
    assert [get(account, "/v1/me", token).status for token in (current, other, script)] == [200, 401, 200]
    assert account.sign_in().status == 401
    account.open_session(password=NEW)


def test_password_change_that_is_repeated_is_done_once(account: Account) -> None:
    current, key = account.open_session(), new_id()
    body = {"password": NEW, "current": PASSWORD}
    send: Any = {"token": current, "Idempotency_Key": key}
    first = ask(account.url, "POST", "/v1/password", body, **send)
    account.open_session(name="phone", password=NEW)
    assert ask(account.url, "POST", "/v1/password", body, **send).json == first.json
    assert names(account, current) == ["laptop", "phone"]
    other = ask(account.url, "POST", "/v1/password", body | {"password": PASSWORD, "current": NEW}, **send)
    assert other.status == 409
    changes = get(account, "/v1/changes", current).json["changes"]
    assert [change["verb"] for change in changes].count("StorePassword") == 2, "the fixture's and this one"


def test_password_change_needs_every_right_of_the_user_and_an_address(account: Account, db: Database) -> None:
    narrow = token_for(db, account.person, "read", "tasks:write", "tokens:write", "prefs:write")
    assert account.post("/v1/password", {"password": NEW, "current": PASSWORD}, narrow).status == 403
    without = db.person()
    answer = account.post("/v1/password", {"password": NEW}, without.token)
    assert (answer.status, answer.problem["detail"]) == (422, "your account has no e-mail address")
    taken = account.post("/v1/password", {"password": NEW, "email": account.email.upper()}, without.token)
    assert (taken.status, taken.problem["type"]) == (409, "urn:todo:conflict")
    short = account.post("/v1/password", {"password": "short"}, without.token)
    assert "12 to 128 characters" in short.problem["detail"]
    same = {"password": "ada.lovelace@example.org", "email": "Ada.Lovelace@example.org"}
    assert account.post("/v1/password", same, without.token).problem["detail"] == "the password is the e-mail address"


@pytest.fixture
def admin(db: Database) -> Person:
    """An administrator."""
    return db.person(admin=True)


def create_code(account: Account, admin: Person, code: str, **more: str) -> Answer:
    """Create a reset code for an account."""
    body = {"name": account.person.name, "code_hash": code_hash(Secret(code))} | more
    return account.post("/v1/reset_codes", body, admin.token)


def reset(account: Account, code: str, password: str = NEW) -> int:
    """Set a password with a code; return the status."""
    return account.post("/v1/password_resets", {"email": account.email, "code": code, "password": password}).status


def test_reset_code_sets_a_password_once_and_ends_all_sessions(account: Account, admin: Person) -> None:
    session = account.open_session()
    assert create_code(account, admin, "BCDF-GHJK-LMNP-QRST").json["email"] == account.email
    assert get(account, "/v1/me", session).status == 200, "the code alone ends nothing"
    assert reset(account, "BCDF-GHJK-LMNP-QRSS") == 401
    assert reset(account, "bcdf ghjk lmnp qrst") == 201
    assert reset(account, "BCDFGHJKLMNPQRST") == 201, "the same request again, after a lost answer"
    assert reset(account, "BCDFGHJKLMNPQRST", "yet another battery") == 401
    assert get(account, "/v1/me", session).status == 401
    assert account.sign_in().status == 401
    account.open_session(password=NEW)


def test_reset_code_expires_and_the_last_one_is_valid(account: Account, admin: Person, db: Database) -> None:
    create_code(account, admin, "BBBB")
    create_code(account, admin, "CCCC")
    assert reset(account, "BBBB") == 401
    db.execute("UPDATE todo.passwords SET code_expires_at = now() WHERE user_id = %s", account.person.user_id)
    assert reset(account, "CCCC") == 401
    create_code(account, admin, "DDDD")
    session = account.open_session()
    assert account.post("/v1/password", {"password": NEW, "current": PASSWORD}, session).status == 201
    assert reset(account, "DDDD") == 401, "a changed password makes the code useless"


def test_reset_code_is_created_by_administrators_for_users_with_an_address(
    account: Account, admin: Person, db: Database
) -> None:
    assert create_code(account, account.person, "BBBB").status == 403
    other = Account(account.url, db.person(), f"{new_id()}@example.org", account.address)
    assert create_code(other, admin, "BBBB").problem["detail"] == f"{other.person.name} has no e-mail address"
    assert create_code(other, admin, "BBBB", email=other.email.upper()).json["email"] == other.email
    assert reset(other, "BBBB") == 201
    other.open_session(password=NEW)
    missing = account.post("/v1/reset_codes", {"name": new_id(), "code_hash": "0" * 64}, admin.token)
    assert missing.status == 404


def test_sessions_are_listed_through_a_database_login_too(account: Account) -> None:
    account.open_session()
    with closing(Line(account.person.database_url, account.person)) as direct:
        assert [entry.name for entry in direct(ListSessions()).sessions] == ["laptop"]
