"""Passwords and sign-in. A server hashes the passwords and sends the steps; here they are only stored and compared."""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec

from todo_cli.contract import password_steps as steps
from todo_cli.contract.codec import decode
from todo_cli.contract.passwords import (
    ChangedPassword,
    ChangePassword,
    CreateResetCode,
    PasswordReset,
    ResetPassword,
    SignedIn,
    SignIn,
)
from todo_cli.contract.registration import Register
from todo_cli.contract.users import User
from todo_cli.core import validation
from todo_cli.core.accounts.users import USER
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotAllowed, NotSignedIn

BEGIN_SIGN_IN = Sql("SELECT todo.begin_sign_in(%(email)s, %(address)s)")

OPEN_SESSION = Sql("""
SELECT todo.open_session(%(email)s, %(hash)s, %(address)s, %(secret)s, %(name)s)::text""")

RENEW_HASH = Sql("SELECT todo.renew_hash(%(email)s, %(hash)s, %(new_hash)s)::text")

BEGIN_PASSWORD_CHANGE = Sql("SELECT todo.begin_password_change()")

CHANGE_PASSWORD = build_journaled("""
  SELECT p::jsonb AS answer
    FROM todo.change_password(%(email)s, ARRAY[%(current_hash)s, %(repeated_hash)s]::text[],
      %(new_hash)s) p
   WHERE NOT EXISTS (SELECT FROM known)""")

RESET_PASSWORD = Sql("""
SELECT todo.reset_password(
  %(email)s, %(address)s, decode(%(code_hash)s, 'hex'), %(repeated_hash)s, %(new_hash)s)::text""")

CREATE_RESET_CODE = build_journaled(f"""
  SELECT {USER} AS answer
    FROM todo.create_reset_code(%(name)s, decode(%(code_hash)s, 'hex'), %(email)s) u
   WHERE NOT EXISTS (SELECT FROM known)""")


@handler(SignIn)
@handler(Register)
@handler(ChangePassword)
@handler(ResetPassword)
async def refuse_without_server(tx: Transaction, request: Any) -> NoReturn:
    """Raise NotAllowed: a server answers these requests itself, in steps. A database login has a password of its own."""
    raise NotAllowed(
        "passwords and sessions need a server, and this profile reaches the database directly",
        hint="name a server: todo login https://todo.example.org; todo db password sets that of a database login",
    )


@handler(steps.ReadSignInSalt)
async def read_sign_in_salt(tx: Transaction, request: steps.ReadSignInSalt) -> steps.PasswordSalt:
    """Count an attempt and return the account's salt; raises TooMany."""
    values = {"email": request.email.lower(), "address": tx.caller.address}
    return steps.PasswordSalt(prefix=await tx.finish(BEGIN_SIGN_IN, **values))


@handler(steps.OpenSession)
async def open_session(tx: Transaction, request: steps.OpenSession) -> SignedIn:
    """Open a session; raises NotSignedIn where the address or the hash is wrong."""
    text = await tx.finish(
        OPEN_SESSION,
        email=request.email.lower(),
        hash=request.password_hash,
        address=tx.caller.address,
        secret=request.secret.reveal(),
        name=validation.check_line("name", request.name),
    )
    if text is None:
        hint = "check both; an administrator can issue a code for a new password"
        raise NotSignedIn("the e-mail address or the password is wrong", hint=hint)
    return decode(text, SignedIn)


@handler(steps.RenewHash)
async def renew_hash(tx: Transaction, request: steps.RenewHash) -> steps.PasswordSalt:
    """Replace a hash by one with newer parameters."""
    values = {"email": request.email.lower(), "hash": request.password_hash, "new_hash": request.new_hash}
    await tx.finish(RENEW_HASH, **values)
    return steps.PasswordSalt()


@handler(steps.ReadOwnSalt)
async def read_own_salt(tx: Transaction, request: steps.ReadOwnSalt) -> steps.PasswordSalt:
    """Count an attempt and return the caller's salt; raises TooMany."""
    return steps.PasswordSalt(prefix=await tx.finish(BEGIN_PASSWORD_CHANGE))


@handler(steps.StorePassword)
async def store_password(tx: Transaction, request: steps.StorePassword) -> ChangedPassword:
    """Store the caller's password and end the other sessions; raises NotAllowed for a wrong current password."""
    hashes = {"current_hash": request.current_hash, "repeated_hash": request.repeated_hash}
    # a repetition has other hashes of the current password, since the stored salt has changed
    journaled = msgspec.structs.replace(request, current_hash=None, repeated_hash=None)
    email = request.email and request.email.lower()
    return await run_journaled(
        tx, CHANGE_PASSWORD, journaled, "nothing was changed", **hashes, new_hash=request.new_hash, email=email
    )


@handler(steps.StoreReset)
async def store_reset(tx: Transaction, request: steps.StoreReset) -> PasswordReset:
    """Store a password by a one-time code and end all sessions; raises NotSignedIn for a wrong code."""
    email = request.email.lower()
    text = await tx.finish(
        RESET_PASSWORD,
        email=email,
        address=tx.caller.address,
        code_hash=request.code_hash,
        repeated_hash=request.repeated_hash,
        new_hash=request.new_hash,
    )
    if text != "true":
        raise NotSignedIn(
            "the e-mail address or the code is wrong, or the code has expired",
            hint="a code is valid for a day and for one reset; ask an administrator for a new one",
        )
    return PasswordReset(email=email)


@handler(CreateResetCode)
async def create_reset_code(tx: Transaction, request: CreateResetCode) -> User:
    """Store the hash of a one-time code; raises NotFound, and Invalid for a user without an e-mail address."""
    email = request.email and request.email.lower()
    return await run_journaled(
        tx,
        CREATE_RESET_CODE,
        request,
        f"there is no user {request.name!r}",
        name=request.name,
        code_hash=request.code_hash,
        email=email,
    )
