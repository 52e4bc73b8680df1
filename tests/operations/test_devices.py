"""Sign-in of a device without a keyboard (RFC 8628): what each side learns, and what ends the session."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from secrets import token_urlsafe

import pytest

from tests.conftest import Database, Server
from tests.support.accounts import PASSWORD, Account, create_account
from tests.support.connections import token_for
from tests.support.raw_http import Answer, ask
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import session_token, token_hash


@pytest.fixture
def account(db: Database, server: Server) -> Account:
    """A user with a password."""
    return create_account(server.url, db.person())


class Device:
    """A device that asks at the address of an account."""

    def __init__(self, account: Account, name: str = "pi in the cellar") -> None:
        self.account, self.secret = account, token_urlsafe(32)
        self._body = {"secret_hash": token_hash(Secret(self.secret)), "name": name}
        self.code: str = self.start().json["user_code"]

    def start(self) -> Answer:
        """Ask for a code."""
        return self.account.post("/v1/device_codes", self._body)

    def poll(self) -> Answer:
        """Ask whether the user has decided."""
        return self.account.post("/v1/device_sessions", {"secret": self.secret})

    def poll_error(self) -> str:
        """Return the error of a poll in the words of RFC 8628."""
        answer = self.poll()
        assert answer.status == 400, answer
        error: str = answer.problem["error"]
        return error

    @property
    def token(self) -> str:
        """The token of the session, once it is approved."""
        return session_token(self.account.person.user_id, Secret(self.secret)).reveal()

    def can_sign_in(self) -> bool:
        """Whether the token is valid now."""
        return ask(self.account.url, "GET", "/v1/me", token=self.token).status == 200


def decide(account: Account, code: str, *, approve: bool = True, token: str | None = None) -> int:
    """Approve or refuse a device; return the status."""
    body = {"code": code, "approve": approve}
    return account.post("/v1/device_decisions", body, token or account.person.token).status


def test_approved_device_gets_a_session_whose_secret_it_made_itself(account: Account, db: Database) -> None:
    device = Device(account)
    started = device.start().json
    assert started == {"user_code": device.code, "expires_in": 600, "interval": 5}, "sent again: the same code"
    assert (device.poll_error(), device.can_sign_in()) == ("authorization_pending", False)
    shown = ask(account.url, "GET", f"/v1/device?code={device.code}", token=account.person.token)
    assert shown.json["name"] == "pi in the cellar"
    assert shown.json["address"].endswith("/64"), "the user sees where the device asks from"
    assert decide(account, device.code.lower().replace("-", " ")) == 201
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: device.poll(), range(4)))
    assert [answer.json for answer in answers] == [
        {"user_id": account.person.user_id, "name": account.person.name}
    ] * 4, "a poll may be lost and sent again"
    assert device.can_sign_in()
    sessions = ask(account.url, "GET", "/v1/sessions", token=device.token).json["sessions"]
    assert [(entry["name"], entry["current"]) for entry in sessions] == [("pi in the cellar", True)]
    stored = db.execute("SELECT hash FROM todo.devices WHERE user_id = %s", account.person.user_id)
    assert stored == [(bytes.fromhex(token_hash(Secret(device.secret))),)]
    assert decide(account, device.code) == 404, "a code is decided about once"


def test_device_that_polls_too_early_waits_longer_from_then_on(account: Account, db: Database) -> None:
    device = Device(account)
    assert device.poll_error() == "authorization_pending"
    for interval in (10, 15):
        answer = device.poll()
        assert (answer.problem["error"], answer.problem["interval"]) == ("slow_down", interval)
    db.execute("UPDATE todo.devices SET polled_at = now() - interval '16 seconds' WHERE poll_seconds = 15")
    assert device.poll_error() == "authorization_pending"


def test_refused_expired_and_unknown_devices_get_no_session(account: Account, db: Database) -> None:
    refused, expired = Device(account), Device(account)
    assert decide(account, refused.code, approve=False) == 201
    assert refused.poll_error() == "access_denied"
    db.execute("UPDATE todo.devices SET expires_at = now() WHERE user_code = %s", expired.code.replace("-", ""))
    assert decide(account, expired.code) == 404
    assert expired.poll_error() == "expired_token"
    unknown = account.post("/v1/device_sessions", {"secret": "x" * 43})
    assert unknown.problem["error"] == "expired_token"
    assert not refused.can_sign_in()


def test_session_of_a_device_ends_with_the_token_that_approved_it(account: Account) -> None:
    session = account.open_session()
    used, late = Device(account, "used"), Device(account, "late")
    for device in (used, late):
        assert decide(account, device.code, token=session) == 201
    assert used.poll().status == 201
    revoked = ask(account.url, "DELETE", "/v1/sessions?name=laptop", token=account.person.token).json
    assert revoked == {"sessions": ["laptop"], "descendants": ["used"]}
    assert not used.can_sign_in()
    assert late.poll_error() == "access_denied", "approved, and not used before the approval ended"


def test_password_change_ends_devices_that_are_approved_and_not_yet_signed_in(account: Account) -> None:
    session, device = account.open_session(), Device(account)
    assert decide(account, device.code, token=session) == 201
    body = {"password": "another horse battery", "current": PASSWORD}
    assert account.post("/v1/password", body, session).status == 201
    assert device.poll_error() == "expired_token"


def test_token_that_is_narrow_or_expires_approves_no_device(account: Account, db: Database) -> None:
    device = Device(account)
    narrow = token_for(db, account.person, "read", "tasks:write", "tokens:write")
    expiring = token_for(db, account.person, "all")
    db.execute(
        "UPDATE todo.tokens SET expires_at = now() + interval '1 day' WHERE hash = sha256(%s)", expiring.encode()
    )
    assert decide(account, device.code, token=narrow) == 403
    assert decide(account, device.code, token=expiring) == 403
    assert decide(account, device.code) == 201


def test_guesses_of_codes_are_limited_for_the_user_who_guesses(account: Account, server: Server, db: Database) -> None:
    device, other = Device(account), create_account(server.url, db.person())
    statuses = [decide(account, "BBBB-BBBB") for _ in range(11)]
    assert statuses == [404] * 10 + [429]
    assert decide(account, device.code) == 429
    assert decide(other, device.code) == 201


def test_devices_of_an_address_are_limited(account: Account) -> None:
    device = Device(account)
    statuses = [device.start().status for _ in range(30)]
    assert statuses == [201] * 29 + [429]
