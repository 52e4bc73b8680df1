"""Read a server's response: the answer or the error, and the clock that comes with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urljoin

import msgspec

from todo_cli.clients.http_once import HttpResponse
from todo_cli.clients.http_proxies import foreign_answer_error
from todo_cli.contract.base import Request
from todo_cli.contract.clock import Clock
from todo_cli.contract.codec import answer_type, decode
from todo_cli.contract.display import NO_DISPLAY_PREFERENCES, DisplayPreferences
from todo_cli.errors import TodoError, Unavailable, from_problem

R = TypeVar("R")


def decode_response(response: HttpResponse, request: Request[R], server: str) -> R:
    """Return the contract's answer; raises the error in the response, or Unavailable if no todo server sent it."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    if 300 <= response.status < 400:
        target = urljoin(server, response.headers.get("location", "")).partition("/v1/")[0]
        raise Unavailable(f"{server} redirects to {target}", hint=f"if you trust it, set server to {target}")
    if kind == "application/problem+json":
        raise _decode_problem(response)
    if response.status >= 400 or kind != "application/json":
        raise foreign_answer_error(server, response.status, kind)
    try:
        answer: R = decode(response.body, answer_type(type(request)))
    except (msgspec.DecodeError, UnicodeDecodeError):
        message = f"{server} gave an answer that this todo cannot read"
        raise Unavailable(message, hint="upgrade the older of the two", uncertain=True) from None
    return answer


def read_clock(headers: dict[str, str]) -> Clock | None:
    """Return the clock that the server sends with an answer."""
    try:
        return Clock(datetime.fromisoformat(headers["todo-time"]), headers["time-zone"])
    except (KeyError, ValueError):
        return None


def read_display(headers: dict[str, str]) -> DisplayPreferences:
    """Return the preferences by which the answer is to be shown; the defaults where this client knows none of them."""
    try:
        return decode(headers.get("todo-display", "{}"), DisplayPreferences)
    except msgspec.DecodeError:
        return NO_DISPLAY_PREFERENCES


def _decode_problem(response: HttpResponse) -> TodoError:
    try:
        problem = msgspec.json.decode(response.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Unavailable("the server's error cannot be read")
    error = from_problem(problem)
    if isinstance(error, Unavailable):
        error.extra["again"] = True
    return error
