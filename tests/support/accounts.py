"""Accounts with a password, and their sign-ins over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from tests.conftest import Person
from tests.support.raw_http import Answer, ask

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Account:
    """A user with an e-mail address and a password, who signs in from an address of their own."""

    url: str
    person: Person
    email: str
    address: str

    def post(self, path: str, body: Any, token: str | None = None) -> Answer:
        """Send a POST request from the account's address."""
        return ask(self.url, "POST", path, body, token=token, X_Forwarded_For=self.address)

    def sign_in(self, password: str = PASSWORD, *, name: str = "laptop", secret: str | None = None) -> Answer:
        """Sign in with a password."""
        body = {"email": self.email, "password": password, "secret": secret or token_urlsafe(32), "name": name}
        return self.post("/v1/sign_ins", body)

    def open_session(self, *, name: str = "laptop", password: str = PASSWORD) -> str:
        """Sign in, and return the token of the session."""
        secret = token_urlsafe(32)
        answer = self.sign_in(password, name=name, secret=secret)
        assert answer.status == 201, answer
        return f"todo_{self.person.user_id.replace('-', '')}_{secret}"


def random_address() -> str:
    """Return an address from which no other test asks."""
    return f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"


def create_account(url: str, person: Person, *, email: str | None = None) -> Account:
    """Give a user an e-mail address and a password, through a server."""
    account = Account(url, person, email or f"{person.name}@example.org", random_address())
    answer = account.post("/v1/password", {"password": PASSWORD, "email": account.email}, person.token)
    assert answer.status == 201, answer
    return account
