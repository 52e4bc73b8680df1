"""Sign-in of a device without a keyboard, which a signed-in user approves on another terminal (RFC 8628)."""

from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import Name, Request
from todo_cli.contract.passwords import SessionSecret, SignedIn
from todo_cli.contract.tokens import TokenHash

USER_CODE_CHARS = 8
DEVICE_EXPIRY_SECONDS = 600
FIRST_POLL_SECONDS = 5

UserCode = Annotated[
    str, Meta(min_length=1, max_length=40, description="as shown by the device; case and dashes do not matter")
]


class DeviceCode(Struct, frozen=True, kw_only=True):
    """The code that the device shows; `interval` is the seconds between its polls."""

    user_code: str
    expires_in: int = DEVICE_EXPIRY_SECONDS
    interval: int = FIRST_POLL_SECONDS


class StartDevice(Request[DeviceCode], frozen=True, kw_only=True):
    """Ask to sign a device in.

    The device generates a secret and sends its hash. The name, usually that of the machine, is shown to the user who
    approves.
    """

    verb = "StartDevice"
    label = "login"
    past = "Asked for"
    route = "POST /v1/device_codes"
    scope = None

    secret_hash: TokenHash
    name: Name


class PollDevice(Request[SignedIn], frozen=True, kw_only=True):
    """Return the user once the device is approved; the token is `todo_<user_id without dashes>_<secret>`.

    Until then the answer is an error with the member `error`: `authorization_pending`, `slow_down` with a new
    `interval`, `access_denied` or `expired_token`.
    """

    verb = "PollDevice"
    label = "login"
    past = "Signed in"
    route = "POST /v1/device_sessions"
    scope = None

    secret: SessionSecret


class Device(Struct, frozen=True, kw_only=True):
    """A device that asks to be signed in, with the address that it asks from."""

    name: str
    address: str


class ShowDevice(Request[Device], frozen=True, kw_only=True):
    """Show the device that asks with this code."""

    verb = "ShowDevice"
    label = "session approve"
    route = "GET /v1/device"
    scope = "all"
    write = False
    personal = True

    code: UserCode


class DecideDevice(Request[Device], frozen=True, kw_only=True):
    """Approve or refuse the device that asks with this code. Its session ends with the token that approved it."""

    verb = "DecideDevice"
    label = "session approve"
    past = "Decided about"
    route = "POST /v1/device_decisions"
    scope = "all"
    personal = True

    code: UserCode
    approve: bool
