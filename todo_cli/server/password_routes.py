"""Answer the Requests that have a password: hash it without a database connection, and send the hash in steps."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec.structs import replace

from todo_cli.contract.base import Caller, Request, Secret
from todo_cli.contract.ids import code_hash, invitation_user, new_id, token_hash
from todo_cli.contract.password_steps import (
    BeginRegistration,
    OpenSession,
    ReadOwnSalt,
    ReadSignInSalt,
    RenewHash,
    StorePassword,
    StoreRegistration,
    StoreReset,
)
from todo_cli.contract.passwords import ChangedPassword, ChangePassword, PasswordReset, ResetPassword, SignedIn, SignIn
from todo_cli.contract.registration import Register, Registered
from todo_cli.db.rate_limit import RequestCount
from todo_cli.errors import Invalid, NotAllowed
from todo_cli.server.connection_pools import Pool
from todo_cli.server.endpoint import AnswerRequest
from todo_cli.server.password_hashes import PasswordHashes, is_outdated
from todo_cli.server.pool import TimedAnswer, answer

R = TypeVar("R")


class PasswordRoutes:
    """`answers` has the function that answers each of the Requests."""

    def __init__(self, pool: Pool, registration: str) -> None:
        self._pool, self._registration, self._hashes = pool, registration, PasswordHashes()
        self.answers: dict[type[Request[Any]], AnswerRequest] = {
            SignIn: self.sign_in,
            ChangePassword: self.change_password,
            ResetPassword: self.reset_password,
            Register: self.register,
        }

    async def sign_in(self, caller: Caller, request: SignIn, count: RequestCount | None) -> TimedAnswer[SignedIn]:
        """Open a session. An account that does not exist costs the same steps and the same hash."""
        prefix = (await self._send(caller, ReadSignInSalt(email=request.email))).prefix
        password_hash = await self._hashes.hash_like(request.password, prefix)
        step = OpenSession(email=request.email, password_hash=password_hash, secret=request.secret, name=request.name)
        signed_in = await answer(self._pool, caller, step)
        if prefix and is_outdated(prefix):
            new_hash = await self._hashes.hash_new(request.password)
            await self._send(caller, RenewHash(email=request.email, password_hash=password_hash, new_hash=new_hash))
        return signed_in

    async def change_password(
        self, caller: Caller, request: ChangePassword, count: RequestCount | None
    ) -> TimedAnswer[ChangedPassword]:
        """Set the caller's password. A repeated request has the same key, and so the same salt and the same hash."""
        _check_password(request.password, request.email)
        key = caller.key or new_id()
        prefix = (await self._send(caller, ReadOwnSalt(), count)).prefix
        current_hash = repeated_hash = None
        if prefix:
            current_hash = await self._hashes.hash_like(request.current or Secret(""), prefix)
            repeated_hash = await self._hashes.hash_like(request.password, prefix)
        step = StorePassword(
            new_hash=await self._hashes.hash_new(request.password, seed=f"{caller.user_id} {key}"),
            current_hash=current_hash,
            repeated_hash=repeated_hash,
            email=request.email,
        )
        return await answer(self._pool, replace(caller, key=key), step)

    async def reset_password(
        self, caller: Caller, request: ResetPassword, count: RequestCount | None
    ) -> TimedAnswer[PasswordReset]:
        """Set a new password by a one-time code."""
        _check_password(request.password, request.email)
        prefix = (await self._send(caller, ReadSignInSalt(email=request.email))).prefix
        step = StoreReset(
            email=request.email,
            code_hash=code_hash(request.code),
            repeated_hash=await self._hashes.hash_like(request.password, prefix),
            new_hash=await self._hashes.hash_new(request.password),
        )
        return await answer(self._pool, caller, step)

    async def register(self, caller: Caller, request: Register, count: RequestCount | None) -> TimedAnswer[Registered]:
        """Create an account as far as the server's setting allows it; raises NotAllowed."""
        _check_password(request.password, request.email)
        if self._registration == "closed":
            raise NotAllowed("this server does not accept registrations", hint="ask its administrator for an account")
        if self._registration == "invitation" and request.invitation is None:
            hint = "ask an administrator for an invitation, and use it with: todo register --invitation"
            raise NotAllowed("this server accepts registrations by invitation only", hint=hint)
        await self._send(caller, BeginRegistration(email=request.email))
        step = StoreRegistration(
            id=request.id,
            email=request.email,
            name=request.name,
            password_hash=await self._hashes.hash_new(request.password),
            inviter=invitation_user(request.invitation) if request.invitation else None,
            invitation_hash=token_hash(request.invitation) if request.invitation else None,
        )
        return await answer(self._pool, caller, step)

    async def _send(self, caller: Caller, step: Request[R], count: RequestCount | None = None) -> R:
        return (await answer(self._pool, caller, step, count)).value


def _check_password(password: Secret, email: str | None) -> None:
    """Raise Invalid for a password that is the first guess."""
    if email and password.reveal().lower() in (email.lower(), email.lower().partition("@")[0]):
        raise Invalid("the password is the e-mail address", hint="choose another one")
