"""/mcp: the tools over streamable HTTP. Stateless, so that any of several replicas answers any request."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from todo_cli.contract.base import Request
from todo_cli.contract.limits import MAX_BODY_BYTES
from todo_cli.server.endpoint import answered, caller_of, guarded, headers_of
from todo_cli.server.pool import Pool


class McpRoute:
    """Loads MCP when the first client comes: it costs a second, which most servers need not pay.

    The Host and Origin headers are not compared with a list, which would answer 421 behind a real name: that guards
    servers without sign-in against DNS rebinding, and here every request carries its token.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._manager: asyncio.Future[Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._end = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One message of a client; 401 without a token."""
        await guarded(scope, send, self._respond(scope, receive, send))

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller_of(headers_of(scope), scope)
        manager = await self._loaded()
        await manager.handle_request(scope, receive, send)

    async def _loaded(self) -> Any:
        if self._manager is None:
            self._manager = asyncio.get_running_loop().create_future()
            # a task of its own: what runs the manager must be ended where it was begun
            self._task = asyncio.create_task(self._hold(self._manager))
        return await asyncio.shield(self._manager)

    async def _hold(self, loaded: asyncio.Future[Any]) -> None:
        manager = await asyncio.to_thread(_manager, self._sender)
        async with manager.run():
            loaded.set_result(manager)
            await self._end.wait()

    def _sender(self, context: Any) -> Any:
        scope = context.request.scope
        caller = msgspec.structs.replace(caller_of(headers_of(scope), scope), way="mcp")

        async def send(request: Request[Any]) -> Any:
            return await answered(self._pool, caller, request)

        return send

    async def close(self) -> None:
        """Let what runs end."""
        self._end.set()
        if self._task:
            await self._task


def _manager(sender: Any) -> Any:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp.server.transport_security import TransportSecuritySettings

    from todo_cli.server.mcp import make_server

    return StreamableHTTPSessionManager(
        make_server(sender), json_response=True, stateless=True, max_request_body_size=MAX_BODY_BYTES,
        security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )  # fmt: skip
