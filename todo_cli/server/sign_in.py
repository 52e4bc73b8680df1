"""Sign-in before everything else: no body is read and no route is chosen for a request without a valid token.

Every transaction signs in again, in the database, so a revoked token is refused at once. This check only decides
whether the rest of the request is worth reading. Therefore it may remember a good token for a while.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

from msgspec.structs import replace
from starlette.types import ASGIApp, Receive, Scope, Send

from todo_cli.contract.base import Caller
from todo_cli.contract.ids import token_hash
from todo_cli.contract.users import WhoAmI
from todo_cli.db.rate_limit import RequestCount
from todo_cli.errors import NotSignedIn, TodoError, TooMany, Unavailable
from todo_cli.server.bodies import Bodies
from todo_cli.server.connection_pools import Pool
from todo_cli.server.endpoint import answer_client
from todo_cli.server.headers import check_headers, has_body, read_caller
from todo_cli.server.public_requests import PublicRequests
from todo_cli.server.rate_limit import RateLimiter, add_rate_headers, policy_of
from todo_cli.server.refusal_counts import RecentRefusals
from todo_cli.server.responses import send_errors_of, send_problem

PUBLIC_PATHS = {
    "/healthz": "a load balancer has no token; the answer is the same for everybody",
    "/readyz": "a load balancer has no token; the answer names no more than the versions of the schema",
    "/openapi.json": "authors of clients read it before they have a token; it describes every server of this version",
    "/v1/sign_ins": "it gives a token for a password, and answers alike whether or not the account exists",
    "/v1/registrations": "a new user has no token; the answer does not tell whether the address had an account",
    "/v1/password_resets": "who lost the password has a one-time code in place of a token",
    "/v1/device_codes": "a device asks for its first token; a signed-in user approves it",
    "/v1/device_sessions": "the same device waits for the approval; its secret has the entropy of a token",
}
"""The paths that need no token, each with the reason. Those below /v1 pass through `PublicRequests`."""

MEMORY_SECONDS = 60.0
"""A token that was valid is not checked again before the rest of a request is read."""
MAX_REMEMBERED_TOKENS = 10_000
MAX_WAITING_CHECKS = 100
"""Requests of unknown tokens that may wait for a check; further ones are refused without the database."""


class SignInFirst:
    """The middleware before the router. It puts the caller into `scope["state"]["caller"]`."""

    def __init__(self, app: ASGIApp, pool: Pool, limiter: RateLimiter) -> None:
        self._app, self._limiter = app, limiter
        self._tokens, self._bodies, self._refusals = TokenChecks(pool), Bodies(), RecentRefusals()
        self._public = PublicRequests(app, self._bodies, max(1, pool.size // 4))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["state"].get("overloaded"):
            error = Unavailable("the server has too many connections", hint="try again in a moment")
            await send_problem(send, error, scope, (b"connection", b"close"))
        else:
            send = add_rate_headers(scope, send)
            await send_errors_of(scope, send, self._respond(scope, receive, send))

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_headers(scope)
        if scope["path"] in PUBLIC_PATHS:
            await self._public(scope, receive, send)
            return
        caller = read_caller(scope)
        token, policy = token_hash(caller.token), policy_of(scope)
        self._refusals.raise_recent(token, policy)
        try:
            await self._tokens.require_valid(caller, token)
            await self._call_app(scope, receive, send, caller)
        except NotSignedIn:
            self._tokens.forget(token)
            raise
        except TooMany as error:
            self._refusals.add(token, policy, error)
            raise

    async def _call_app(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        scope["state"]["caller"] = caller
        count = await self._limiter.begin(scope, caller)
        try:
            if not has_body(scope):
                await self._app(scope, receive, send)
                return
            async with self._bodies.open(scope, receive, caller.user_id) as body:
                await self._app(scope, body.receive, send)
        except (NotSignedIn, Unavailable):  # counted apart, and not the user's doing
            raise
        except TodoError:
            await self._limiter.finish(caller, count)
            raise


class TokenChecks:
    """Checks tokens in the database and remembers the valid ones.

    Checks use a quarter of the connections at most, so that guessing tokens cannot keep the others waiting.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._valid: OrderedDict[str, float] = OrderedDict()
        self._slots, self._waiting = asyncio.Semaphore(max(1, pool.size // 4)), 0

    async def require_valid(self, caller: Caller, token: str) -> None:
        """Raise NotSignedIn for a token, given with its hash, that is not valid. The failure is counted."""
        if self._valid.get(token, 0.0) > time.monotonic():
            return
        if self._waiting >= MAX_WAITING_CHECKS:
            raise Unavailable("the server has too many sign-ins to check", hint="try again in a moment")
        self._waiting += 1
        try:
            async with self._slots:
                await check_token(self._pool, caller)
        finally:
            self._waiting -= 1
        self._valid[token] = time.monotonic() + MEMORY_SECONDS
        self._valid.move_to_end(token)
        if len(self._valid) > MAX_REMEMBERED_TOKENS:
            self._valid.popitem(last=False)

    def forget(self, token: str) -> None:
        """Check this token again the next time: the database has refused it."""
        self._valid.pop(token, None)


async def check_token(pool: Pool, caller: Caller, count: RequestCount | None = None) -> None:
    """Raise NotSignedIn for a token that is not valid now."""
    await answer_client(pool, replace(caller, space=None, key=None), WhoAmI(), count)
