"""Sign-in with an e-mail address and a password. A server hashes passwords, so these Requests need one."""

from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import Name, Request, Secret
from todo_cli.contract.limits import MIN_PASSWORD_CHARS
from todo_cli.contract.tokens import TokenHash
from todo_cli.contract.users import User

RESET_CODE_CHARS = 16

Email = Annotated[
    str, Meta(pattern=r"^[!-?A-~]{1,64}@[!-?A-~]{1,185}$", description="an e-mail address; case does not matter")
]


class NewPassword(Secret):
    """A password that is to be stored."""

    __slots__ = ()
    min_chars = MIN_PASSWORD_CHARS


class SessionSecret(Secret):
    """The secret part of a session's token: at least 192 random bits, which the caller generates."""

    __slots__ = ()
    min_chars = 32
    pattern = r"^[A-Za-z0-9_-]{32,128}$"


class SignedIn(Struct, frozen=True, kw_only=True):
    """The user who is signed in. The token is `todo_<user_id without dashes>_<secret of the caller>`."""

    user_id: str
    name: str


class SignIn(Request[SignedIn], frozen=True, kw_only=True):
    """Sign in with a password and open a session, which ends after 7 days without use.

    The caller generates the secret of the token, so that a repeated request opens one session. The `name` of the
    session is usually that of the machine.
    """

    verb = "SignIn"
    label = "login"
    past = "Signed in"
    route = "POST /v1/sign_ins"
    scope = None

    email: Email
    password: Secret
    secret: SessionSecret
    name: Name


class ChangedPassword(Struct, frozen=True, kw_only=True):
    """The address to sign in with, and how many other sessions ended."""

    email: str
    ended_sessions: int


class ChangePassword(Request[ChangedPassword], frozen=True, kw_only=True):
    """Set my password and end my other sessions.

    `current` is required if there is a password; `email` sets the address to sign in with.
    """

    verb = "ChangePassword"
    label = "password"
    past = "Changed the password"
    route = "POST /v1/password"
    scope = "all"
    personal = True

    password: NewPassword
    current: Secret | None = None
    email: Email | None = None


class PasswordReset(Struct, frozen=True, kw_only=True):
    """The address whose password was set."""

    email: str


class ResetPassword(Request[PasswordReset], frozen=True, kw_only=True):
    """Set a new password with an administrator's one-time code, and end all sessions."""

    verb = "ResetPassword"
    label = "password"
    past = "Reset the password"
    route = "POST /v1/password_resets"
    scope = None

    email: Email
    code: Secret
    password: NewPassword


class CreateResetCode(Request[User], frozen=True, kw_only=True):
    """Let a user set a new password with a one-time code, which is valid for a day.

    The caller generates the code and sends only its hash. `email` sets the address to sign in with.
    """

    verb = "CreateResetCode"
    label = "admin user reset-password"
    past = "Created a reset code for"
    route = "POST /v1/reset_codes"
    scope = "admin"
    personal = True

    name: Name
    code_hash: TokenHash
    email: Email | None = None
