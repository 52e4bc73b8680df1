"""`GET /v1/models`: the models that a user may choose on this server, listed with the server's own API key."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from todo_cli.contract.codec import encode
from todo_cli.contract.users import WhoAmI
from todo_cli.errors import ModelFailed
from todo_cli.server.connection_pools import Pool
from todo_cli.server.endpoint import answer_client
from todo_cli.server.responses import send_response
from todo_cli.settings.settings import Settings


class ModelRoute:
    """The endpoint, for any signed-in user."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool, self._settings = pool, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `GET /v1/models`; raises TodoError."""
        from todo_cli.llm.catalog import list_models  # The HTTP client is an eighth of the start of a server.

        state = scope["state"]
        me = await answer_client(self._pool, state["caller"], WhoAmI(), state["count"])
        try:
            models = await list_models(self._settings, preferred=me.model)
        except ModelFailed as error:
            raise ModelFailed(f"on the server, {error.detail}", hint=error.hint, **error.extra) from None
        await send_response(send, 200, encode(models))
