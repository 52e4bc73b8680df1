"""The rate limit of a user, which an administrator sets."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from todo_cli.contract.base import Name, Request
from todo_cli.contract.limits import MAX_PER_MINUTE
from todo_cli.contract.users import User

PerMinute = Annotated[int, Meta(ge=1, le=MAX_PER_MINUTE)]


class SetRateLimit(Request[User], frozen=True, kw_only=True):
    """Set how many requests and turns of the chat a user may send in any 60 seconds, null for no limit."""

    verb = "SetRateLimit"
    label = "admin user limit"
    past = "Changed"
    route = "PATCH /v1/rate_limits/{name}"
    scope = "admin"
    personal = True

    name: Name
    requests_per_minute: PerMinute | UnsetType | None = UNSET
    turns_per_minute: PerMinute | UnsetType | None = UNSET
