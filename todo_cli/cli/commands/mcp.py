"""Serve the list to an MCP client."""

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
    backend = session.backend  # what is not configured shows before the client is told that we are there
    if sys.stdin.isatty():
        from todo_cli.cli.render import text

        text.note("Waiting for an MCP client on stdin; Ctrl-C ends. See the README for the lines that clients need.")
    from todo_cli.server.mcp import serve_stdio

    async def send(request: Request[Any]) -> Any:
        return await backend.send(request)

    asyncio.run(serve_stdio(send))
