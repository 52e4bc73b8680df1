"""Serve the list to an MCP client over stdin and stdout."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import typer

from todo_cli.cli.session import session_of
from todo_cli.contract.users import WhoAmI
from todo_cli.errors import NotAllowed, Unavailable

if TYPE_CHECKING:
    from todo_cli.clients.base import Client

PANEL = "Operate"
app = typer.Typer(add_completion=False)


@app.command()
def mcp(ctx: typer.Context) -> None:
    """Serve the list to an MCP client over stdin and stdout, with the profile's token.

    todo mcp

    TODO_SERVER=https://todo.example.org TODO_TOKEN="$AGENT_TOKEN" todo mcp
    """
    session = session_of(ctx)
    client = session.client  # opened here, so that a missing setting is reported before the MCP client connects
    if sys.stdin.isatty():
        from todo_cli.cli.render import text

        text.note("Waiting for an MCP client on stdin; Ctrl-C stops. docs/mcp.md shows how to configure clients.")
    try:
        asyncio.run(_serve(client, is_direct=session.settings.server is None))
    except* (BrokenPipeError, ConnectionResetError):
        # the MCP client has closed its end; the flush at exit must not fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _serve(client: Client, *, is_direct: bool) -> None:
    from todo_cli.server.mcp import McpCall, serve_stdio

    await _check_token(client, is_direct=is_direct)

    async def send(call: McpCall) -> Any:
        return await client.send(call.request, call.key, call.fences)

    await serve_stdio(send)


async def _check_token(client: Client, *, is_direct: bool) -> None:
    """Raise the error of a token that no call could use; a server that is away may be back for the first call."""
    try:
        await client.send(WhoAmI())
    except Unavailable:
        return
    except NotAllowed as error:
        if not is_direct:
            raise
        hint = "agents with narrow tokens need a server: run todo serve, and set TODO_SERVER to its address"
        raise NotAllowed(f"{error.detail}: it needs the scope all", hint=hint) from None
