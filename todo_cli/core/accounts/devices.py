"""Sign-in of a device without a keyboard (RFC 8628)."""

from __future__ import annotations

import msgspec

from todo_cli.contract import devices as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.devices import USER_CODE_CHARS, Device, DeviceCode
from todo_cli.contract.ids import new_code, read_code
from todo_cli.contract.passwords import SignedIn
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid, NotFound, Unavailable

MAX_CODE_ATTEMPTS = 5

START = Sql("""
SELECT todo.start_device(decode(%(secret_hash)s, 'hex'), %(user_code)s, %(name)s, %(address)s)""")

POLL = Sql("SELECT todo.poll_device(%(secret)s)::text")

SHOW = Sql("""
SELECT json_build_object('name', d.name, 'address', d.address)::text
  FROM todo.find_device(%(user_code)s) d""")

DECIDE = build_journaled("""
  SELECT jsonb_build_object('name', d.name, 'address', d.address) AS answer
    FROM todo.decide_device(%(user_code)s, %(approve)s::boolean) d
   WHERE NOT EXISTS (SELECT FROM known)""")

POLL_ERRORS = {
    "authorization_pending": ("nobody has approved this device yet", "show its code to the user"),
    "slow_down": ("this device asks too often", "wait five seconds longer between two polls"),
    "access_denied": ("the user has refused this device", ""),
    "expired_token": ("the code of this device has expired", "start again"),
}


class NotApproved(Invalid):
    """A device that may not sign in, or not yet; `error` in `extra` is that of RFC 8628."""

    status = 400


class _DeviceState(msgspec.Struct):
    """What a poll returns: the user where the state is approved, else the error."""

    state: str
    interval: int | None = None
    user_id: str = ""
    name: str = ""


@handler(ask.StartDevice)
async def start_device(tx: Transaction, request: ask.StartDevice) -> DeviceCode:
    """Store the request of a device and return the code that it shows; raises TooMany."""
    for _ in range(MAX_CODE_ATTEMPTS):
        code = await tx.finish(
            START,
            secret_hash=request.secret_hash,
            user_code=read_code(new_code(USER_CODE_CHARS)),
            name=validation.check_line("name", request.name),
            address=tx.caller.address,
        )
        if code is not None:
            return DeviceCode(user_code=f"{code[:4]}-{code[4:]}")
    raise Unavailable("no code is free", hint="try again in a moment")


@handler(ask.PollDevice)
async def poll_device(tx: Transaction, request: ask.PollDevice) -> SignedIn:
    """Return the user who approved the device; raises NotApproved."""
    device = decode(await tx.finish(POLL, secret=request.secret.reveal()) or "", _DeviceState)
    if device.state == "approved":
        return SignedIn(user_id=device.user_id, name=device.name)
    detail, hint = POLL_ERRORS[device.state]
    interval = {"interval": device.interval} if device.interval else {}
    raise NotApproved(detail, hint=hint, error=device.state, **interval)


@handler(ask.ShowDevice)
async def show_device(tx: Transaction, request: ask.ShowDevice) -> Device:
    """Show the device with this code; raises NotFound, and TooMany after several guesses."""
    text = await tx.finish(SHOW, user_code=read_code(request.code))
    if text is None:
        raise NotFound(_describe_unknown(request.code), hint="codes are valid for ten minutes; start again there")
    return decode(text, Device)


@handler(ask.DecideDevice)
async def decide_device(tx: Transaction, request: ask.DecideDevice) -> Device:
    """Approve or refuse the device with this code; raises NotFound."""
    missing = NotFound(_describe_unknown(request.code), hint="codes are valid for ten minutes; start again there")
    values = {"user_code": read_code(request.code), "approve": request.approve}
    return await run_journaled(tx, DECIDE, request, missing, **values)


def _describe_unknown(code: str) -> str:
    return f"no device asks with the code {code!r}"
