"""/mcp: the MCP server over streamable HTTP. It is stateless, so any server answers any request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.types import Receive, Scope, Send

from todo_cli.contract.limits import MAX_BODY_BYTES
from todo_cli.server.connection_pools import Pool
from todo_cli.server.endpoint import answer_client
from todo_cli.server.sign_in import check_token

if TYPE_CHECKING:
    from todo_cli.server.mcp import McpCall


class McpRoute:
    """Imports MCP for the first client: the import takes a second, which most servers never need.

    The check of the Host and Origin headers is off: it protects servers without sign-in against DNS rebinding, and here
    every request carries its token.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._manager: asyncio.Future[Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._end = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one message of a client. Some need no database, so each is counted with a check of its token."""
        await check_token(self._pool, scope["state"]["caller"], scope["state"]["count"])
        manager = await self._load_manager()
        await manager.handle_request(scope, receive, send)

    async def _load_manager(self) -> Any:
        if self._manager is None:
            self._manager = asyncio.get_running_loop().create_future()
            # the manager must be entered and left in the same task
            self._task = asyncio.create_task(self._run_manager(self._manager))
        return await asyncio.shield(self._manager)

    async def _run_manager(self, loaded: asyncio.Future[Any]) -> None:
        manager = await asyncio.to_thread(_make_manager, self._sender)
        async with manager.run():
            loaded.set_result(manager)
            await self._end.wait()

    def _sender(self, context: Any) -> Any:
        caller = msgspec.structs.replace(context.request.scope["state"]["caller"], way="mcp")

        async def send(call: McpCall) -> Any:
            fences = call.fences or caller.fences
            return await answer_client(
                self._pool, msgspec.structs.replace(caller, key=call.key, fences=fences), call.request
            )

        return send

    async def close(self) -> None:
        """End the manager, if it was loaded."""
        self._end.set()
        if self._task:
            await self._task


def _make_manager(sender: Any) -> Any:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp.server.transport_security import TransportSecuritySettings

    from todo_cli.server.mcp import make_server

    return StreamableHTTPSessionManager(
        make_server(sender),
        json_response=True,
        stateless=True,
        max_request_body_size=MAX_BODY_BYTES,
        security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
