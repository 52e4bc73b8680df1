"""Tell a model server's failures apart: how to describe each, and whether another attempt makes sense."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple

from todo_cli.errors import ModelFailed

Kind = Literal["missing", "key", "name", "endpoint", "refused", "overflow", "limit", "broken"]

MAX_RETRY_AFTER_SECONDS = 30.0
"""A server that asks for a longer wait is reported to the user instead."""

_MAX_QUOTE_CHARS = 200

_OVERFLOW = re.compile(
    r"context[ _-]?(length|size|window)|maximum context|(prompt|input) is too long|too many (input |prompt )?tokens"
    r"|exceeds? the (available |maximum )?context",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model_not_found|(invalid|unknown) model|not a valid model|model\b.{0,120}?(not found|not exist|unknown|invalid)",
    re.IGNORECASE | re.DOTALL,
)
# LiteLLM answers a wrong key with 400 "No connected db"
_BAD_KEY = re.compile(r"no connected db|(invalid|incorrect|missing|no) .{0,20}api[ _-]?key", re.IGNORECASE)
_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|billing", re.IGNORECASE)
_LOADING = re.compile(r"\bload", re.IGNORECASE)

_HINTS: dict[Kind, str] = {
    "key": "check the API key and that it belongs to this address: OPENAI_API_KEY, OPENROUTER_API_KEY or the settings",
    "name": "choose a model that this server has, with TODO_MODEL or --model",
    "endpoint": "check OPENAI_BASE_URL or the base URL in the settings: it usually ends in /v1",
    "refused": "try another model: this one may not support tools",
    "overflow": "start a new conversation, or use a model with a larger context",
    "limit": "wait and ask again, or use another model or key",
    "broken": "ask again; if the error stays, use another model or server",
}


class ModelServerError(Exception):
    """One attempt failed.

    `detail` continues a sentence that begins with the server's address. `after` is the number of seconds that the
    server asks the client to wait.
    """

    def __init__(
        self, kind: Kind, detail: str, *, retry: bool = False, after: float | None = None, loading: bool = False
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.after = after
        self.loading = loading
        self.retry = retry and (after is None or after <= MAX_RETRY_AFTER_SECONDS)

    def to_model_failed(self, address: str, key: str) -> ModelFailed:
        """Return the error for the user, without the key."""
        extra: dict[str, Any] = {"overflow": True} if self.kind == "overflow" else {}
        if self.after is not None:
            extra["retry_after"] = self.after
        return ModelFailed(self.sentence(address, key), hint=_HINTS.get(self.kind, ""), kind=self.kind, **extra)

    def sentence(self, address: str, key: str) -> str:
        """Return the failure in one line, without the key."""
        text = f"{address} {self.detail}"
        return text.replace(key, "…") if key else text


class ErrorBody(NamedTuple):
    """The content of an error object, whatever its shape."""

    message: str = ""
    code: str = ""
    status: int | None = None

    @property
    def searchable(self) -> str:
        """The code and the message, to be searched for patterns."""
        return f"{self.code} {self.message}"

    @property
    def quote(self) -> str:
        """The message as the end of a sentence: one short line, without markup and control characters."""
        if "<" in self.message and re.search(r"<\s*[!/a-zA-Z]", self.message):
            return ""
        line = " ".join("".join(char if char.isprintable() else " " for char in self.message).split())
        return f": {line[: _MAX_QUOTE_CHARS - 1]}…" if len(line) > _MAX_QUOTE_CHARS else f": {line}" if line else ""


def parse_error(value: object) -> ErrorBody:
    """Parse an error object: {"error": {…} or "…"}, {"object": "error", …}, {"detail": …}, or one of them in a list."""
    if isinstance(value, list):
        return parse_error(value[0]) if value else ErrorBody()
    if not isinstance(value, dict):
        return ErrorBody(value) if isinstance(value, str) else ErrorBody()
    inner = value.get("error")
    if isinstance(inner, dict | list):
        return parse_error(inner)
    texts = (inner, value.get("message"), value.get("detail"))
    message = next((text for text in texts if isinstance(text, str)), "")
    code = value.get("code")
    status = int(code) if isinstance(code, int | str) and re.fullmatch(r"[45]\d\d", str(code)) else None
    codes = [part for part in (code, value.get("type")) if isinstance(part, str)]
    return ErrorBody(message, " ".join(codes), status)


def error_from_response(status: int, headers: Mapping[str, str], body: bytes) -> ModelServerError:
    """Return the failure that an HTTP status other than 200 reports."""
    try:
        error = parse_error(json.loads(body))
    except (ValueError, RecursionError):
        error = ErrorBody()
    return _classify(status, error, parse_retry_after(headers.get("retry-after")))


def error_from_chunk(chunk: dict[str, Any]) -> ModelServerError:
    """Return the failure that an error object in a stream or in a 200 reports; its code counts as the status."""
    error = parse_error(chunk)
    return _classify(error.status, error, None)


def _classify(reported_status: int | None, error: ErrorBody, after: float | None) -> ModelServerError:
    status = reported_status or 500
    if status == 413 or (status in (400, 422, 500) and _OVERFLOW.search(error.searchable)):
        detail = f"reports that the conversation is longer than the model's context{error.quote}"
        return ModelServerError("overflow", detail)
    if status in (401, 403) or (status == 400 and _BAD_KEY.search(error.searchable)):
        return ModelServerError("key", "refused the API key, or got none")
    if status in (400, 404, 422) and _NO_MODEL.search(error.searchable):
        return ModelServerError("name", f"does not have the model{error.quote}")
    if status == 402 or (status == 429 and _QUOTA.search(error.searchable)):
        return ModelServerError("limit", f"requires payment first{error.quote}")
    if status == 429:
        wait = f" and asks to wait {after:.0f} s" if after else ""
        return ModelServerError("limit", f"gets too many requests{wait}{error.quote}", retry=True, after=after)
    if status in (408, 409) or status >= 500:
        return _server_failure(reported_status, error, after)
    if status == 404 or status < 400:
        problem = "redirects to another address" if status < 400 else "has no chat completions at this path"
        return ModelServerError("endpoint", f"{problem} (status {status})")
    return ModelServerError("refused", f"refused the request with status {status}{error.quote}")


def _server_failure(reported_status: int | None, error: ErrorBody, after: float | None) -> ModelServerError:
    loading = reported_status == 503 and bool(_LOADING.search(error.searchable))
    failure = "failed" + (f" with status {reported_status}" if reported_status else "")
    detail = ("is still loading the model" if loading else failure) + error.quote
    return ModelServerError("broken", detail, retry=True, after=after, loading=loading)


def parse_retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header in either form; None for a missing or unreadable header."""
    if not value:
        return None
    if re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", value):
        return float(value)
    try:
        when = parsedate_to_datetime(value)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
