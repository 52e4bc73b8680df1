"""The steps of a server that signs a user in: it reads a salt, hashes the password, and sends the hash. Internal."""

from msgspec import Struct

from todo_cli.contract.base import Name, Request
from todo_cli.contract.passwords import ChangedPassword, Email, PasswordReset, SessionSecret, SignedIn
from todo_cli.contract.registration import Registered
from todo_cli.contract.tokens import Id, TokenHash


class PasswordSalt(Struct, frozen=True, kw_only=True):
    """The beginning of a stored hash, with its parameters and its salt; null for an account without a password."""

    prefix: str | None = None


class ReadSignInSalt(Request[PasswordSalt], frozen=True, kw_only=True):
    """Count an attempt to sign in, and return the account's salt."""

    verb = "ReadSignInSalt"
    scope = None
    write = False

    email: Email


class OpenSession(Request[SignedIn], frozen=True, kw_only=True):
    """Open a session for the account with this hash of its password."""

    verb = "OpenSession"
    scope = None
    write = False

    email: Email
    password_hash: str
    secret: SessionSecret
    name: Name


class RenewHash(Request[PasswordSalt], frozen=True, kw_only=True):
    """Replace a hash by one of the same password with newer parameters."""

    verb = "RenewHash"
    scope = None
    write = False

    email: Email
    password_hash: str
    new_hash: str


class ReadOwnSalt(Request[PasswordSalt], frozen=True, kw_only=True):
    """Count an attempt to change the caller's password, and return its salt."""

    verb = "ReadOwnSalt"
    scope = "all"
    write = False
    personal = True


class StorePassword(Request[ChangedPassword], frozen=True, kw_only=True):
    """Store the caller's new password.

    `current_hash` and `repeated_hash` are the current and the new password with the stored salt. One of them must be
    the stored hash, the second where the request is a repetition.
    """

    verb = "StorePassword"
    label = "password"
    past = "Changed the password"
    scope = "all"
    personal = True

    new_hash: str
    current_hash: str | None = None
    repeated_hash: str | None = None
    email: Email | None = None


class StoreReset(Request[PasswordReset], frozen=True, kw_only=True):
    """Store a new password by a one-time code. `repeated_hash` is the new password with the stored salt."""

    verb = "StoreReset"
    scope = None
    write = False

    email: Email
    code_hash: TokenHash
    new_hash: str
    repeated_hash: str


class BeginRegistration(Request[Registered], frozen=True, kw_only=True):
    """Count a registration of the caller's address."""

    verb = "BeginRegistration"
    scope = None
    write = False

    email: Email


class StoreRegistration(Request[Registered], frozen=True, kw_only=True):
    """Store a user with a password. Registration is open without an inviter."""

    verb = "StoreRegistration"
    scope = None
    write = False

    id: Id
    email: Email
    name: Name
    password_hash: str
    inviter: Id | None = None
    invitation_hash: TokenHash | None = None
