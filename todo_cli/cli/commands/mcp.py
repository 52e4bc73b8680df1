"""Serve the list to an MCP client over stdin and stdout."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import typer

from todo_cli.cli.session import session_of
from todo_cli.contract.base import Request

PANEL = "Operate"
app = typer.Typer(add_completion=False)


@app.command()
def mcp(ctx: typer.Context) -> None:
    """Serve the list to an MCP client over stdin and stdout, with the profile's token.

    todo mcp

    TODO_TOKEN="$AGENT_TOKEN" todo --profile team mcp
    """
    session = session_of(ctx)
    client = session.client  # opened here, so that a missing setting is reported before the MCP client connects
    if sys.stdin.isatty():
        from todo_cli.cli.render import text

        text.note("Waiting for an MCP client on stdin; Ctrl-C stops. docs/mcp.md shows how to configure clients.")
    from todo_cli.server.mcp import serve_stdio

    async def send(request: Request[Any], key: str | None) -> Any:
        return await client.send(request, key)

    asyncio.run(serve_stdio(send))
