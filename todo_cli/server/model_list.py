"""`GET /v1/models`: which models a person may name here. The key to ask for the list is the server's own."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from todo_cli.contract.codec import encode
from todo_cli.contract.users import WhoAmI
from todo_cli.errors import ModelFailed
from todo_cli.llm.catalog import list_models
from todo_cli.server.endpoint import answered, caller_of, guarded, headers_of, respond
from todo_cli.server.pool import Pool
from todo_cli.settings.settings import Settings


class ModelRoute:
    """For whoever is signed in."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool, self._settings = pool, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`GET /v1/models`"""
        await guarded(scope, send, self._listed(scope, send))

    async def _listed(self, scope: Scope, send: Send) -> None:
        me = await answered(self._pool, caller_of(headers_of(scope), scope), WhoAmI())
        try:
            found = await list_models(self._settings, preferred=me.model)
        except ModelFailed as error:
            raise ModelFailed(f"on the server, {error.detail}", hint=error.hint, **error.extra) from None
        await respond(send, 200, encode(found))
