"""Tokens with limits, and what they propose."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any, Protocol

import pytest

from tests.conftest import Person
from tests.support.connections import Line
from todo_cli.contract.base import Request
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.contract.tasks import CompleteTasks
from todo_cli.contract.tokens import CreateToken
from todo_cli.errors import Proposed


class Asker(Protocol):
    """A user's connection of any kind: `Line` or `Ask`."""

    who: Person

    def __call__(self, request: Request[Any], /) -> Any:
        """Send a Request and return the answer."""


def create_limited_token(ask: Asker, **limits: Any) -> str:
    """Create a token with limits and return its secret."""
    token = new_token(ask.who.user_id)
    given = {"scopes": ("read", "tasks:write"), "name": f"t{new_id()[-8:]}"} | limits
    ask(CreateToken(id=new_id(), hash=token_hash(token), **given))
    return token.reveal()


def find_proposal(send: Callable[[], Any]) -> str:
    """Send a request of a token that proposes, and return the id of the proposal."""
    with pytest.raises(Proposed) as caught:
        send()
    return str(caught.value.extra["proposal"])


def propose_completion(ask: Asker, server_url: str, number: int) -> str:
    """Propose to complete a task, through the login of the servers, with a new token of the asker."""
    token = create_limited_token(ask, proposes=True)
    with closing(Line(server_url, ask.who)) as agent:
        return find_proposal(lambda: agent(CompleteTasks(numbers=(number,)), token=token))
