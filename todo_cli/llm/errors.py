"""What a model's server can do wrong, told apart: what to say, and whether asking again makes sense. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple

from todo_cli.errors import ModelFailed

Kind = Literal["missing", "key", "name", "endpoint", "refused", "overflow", "limit", "broken"]

LONGEST_WAIT = 30.0
"""A server that wants us to wait longer than this is told to the user instead."""

_LONGEST_QUOTE = 200

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
    "name": "name a model that is served there: TODO_MODEL or --model",
    "endpoint": "check OPENAI_BASE_URL or the settings' base URL: it usually ends in /v1",
    "refused": "try another model: this one may not take tools",
    "overflow": "start a new conversation, or use a model with a larger context",
    "limit": "wait and ask again, or use another model or key",
    "broken": "ask again; if it stays, use another model or server",
}


class ModelServerError(Exception):
    """One attempt failed. `detail` goes on from "<address> "; `after` is how long the server asked us to wait."""

    def __init__(
        self, kind: Kind, detail: str, *, retry: bool = False, after: float | None = None, loading: bool = False
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.after = after
        self.loading = loading
        self.retry = retry and (after is None or after <= LONGEST_WAIT)

    def error(self, address: str, key: str) -> ModelFailed:
        """What the user is told; never with the key in it."""
        extra: dict[str, Any] = {"overflow": True} if self.kind == "overflow" else {}
        if self.after is not None:
            extra["retry_after"] = self.after
        return ModelFailed(self.sentence(address, key), hint=_HINTS.get(self.kind, ""), kind=self.kind, **extra)

    def sentence(self, address: str, key: str) -> str:
        """What and why, in one line."""
        text = f"{address} {self.detail}"
        return text.replace(key, "…") if key else text


class ErrorBody(NamedTuple):
    """What an error object says, whatever its shape."""

    message: str = ""
    code: str = ""
    status: int | None = None

    @property
    def all(self) -> str:
        """To be searched in."""
        return f"{self.code} {self.message}"

    @property
    def quoted(self) -> str:
        """The message as a clause of our sentence: one short line, no markup, no control characters."""
        if "<" in self.message and re.search(r"<\s*[!/a-zA-Z]", self.message):
            return ""
        line = " ".join("".join(c if c.isprintable() else " " for c in self.message).split())
        return f": {line[: _LONGEST_QUOTE - 1]}…" if len(line) > _LONGEST_QUOTE else f": {line}" if line else ""


def said(value: object) -> ErrorBody:
    """Read an error object: {"error": {…} or "…"}, {"object": "error", …}, {"detail": …}, or such in a list."""
    if isinstance(value, list):
        return said(value[0]) if value else ErrorBody()
    if not isinstance(value, dict):
        return ErrorBody(value) if isinstance(value, str) else ErrorBody()
    inner = value.get("error")
    if isinstance(inner, dict | list):
        return said(inner)
    message = next((text for text in (inner, value.get("message"), value.get("detail")) if isinstance(text, str)), "")
    code = value.get("code")
    number = int(code) if isinstance(code, int | str) and re.fullmatch(r"[45]\d\d", str(code)) else None
    return ErrorBody(
        message, " ".join(str(part) for part in (code, value.get("type")) if isinstance(part, str)), number
    )


def from_response(status: int, headers: Mapping[str, str], body: bytes) -> ModelServerError:
    """The trouble behind an HTTP status that is not 200."""
    try:
        told = said(json.loads(body))
    except (ValueError, RecursionError):
        told = ErrorBody()
    return _judge(status, told, wait_asked(headers.get("retry-after")))


def from_piece(piece: dict[str, Any]) -> ModelServerError:
    """The trouble behind an error object in a stream or in a 200: its own code is read as the status."""
    told = said(piece)
    return _judge(told.status, told, None)


def _judge(told_status: int | None, told: ErrorBody, after: float | None) -> ModelServerError:
    status = told_status or 500
    if status == 413 or (status in (400, 422, 500) and _OVERFLOW.search(told.all)):
        return ModelServerError(
            "overflow", f"says that the conversation is longer than the model's context{told.quoted}"
        )
    if status in (401, 403) or (status == 400 and _BAD_KEY.search(told.all)):
        return ModelServerError("key", "refused the API key, or there is none")
    if status in (400, 404, 422) and _NO_MODEL.search(told.all):
        return ModelServerError("name", f"does not serve the model{told.quoted}")
    if status == 402 or (status == 429 and _QUOTA.search(told.all)):
        return ModelServerError("limit", f"wants to be paid first{told.quoted}")
    if status == 429:
        return ModelServerError("limit", f"gets too many requests{_asked(after)}{told.quoted}", retry=True, after=after)
    if status in (408, 409) or status >= 500:
        loading = status == 503 and bool(_LOADING.search(told.all))
        what = "is still loading the model" if loading else "failed" + (f" with status {status}" if told_status else "")
        return ModelServerError("broken", what + told.quoted, retry=True, after=after, loading=loading)
    if status == 404 or status < 400:
        what = "sends us elsewhere" if status < 400 else "has no chat completions there"
        return ModelServerError("endpoint", f"{what} (status {status})")
    return ModelServerError("refused", f"refused the request with status {status}{told.quoted}")


def _asked(after: float | None) -> str:
    return f" and asks to wait {after:.0f} s" if after else ""


def wait_asked(value: str | None) -> float | None:
    """Seconds from a Retry-After of either form; None when there is none that makes sense."""
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
