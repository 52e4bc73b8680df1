"""What can go wrong, each told once.

TodoError
├── Invalid        422  exit 2   usage, or input beyond a limit
├── NotFound       404  exit 3
├── NotSignedIn    401  exit 4   no token, or the token is refused
├── NotAllowed     403  exit 5
├── Conflict       409  exit 6   a row moved on, a key was reused
├── Unavailable    503  exit 7   server or database unreachable, or too old, or too new
├── TooMany        429  exit 8   rate limit or budget
├── ModelFailed    502  exit 9   no model, or it cannot be reached, refuses, or breaks off
├── NeedsAnswer    428  exit 10  a confirmation, and no terminal to ask on
├── NotNow         404  exit 11  not in time, or nothing there to claim
└── Bug            500  exit 1   anything else: a request id, the trace is in the log

core raises, api renders `application/problem+json`, the HTTP backend raises the same class
again, main prints one line and exits.
"""

from __future__ import annotations

from typing import Any, ClassVar


class TodoError(Exception):
    """Base: `detail` says what and why, `hint` what to do now, `extra` is data for programs."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    default_hint: ClassVar[str] = ""

    def __init__(self, detail: str, *, hint: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = self.default_hint if hint is None else hint
        self.extra = extra

    def as_problem(self) -> dict[str, Any]:
        """RFC 9457 problem object: type, title, status, detail, hint and the extra members."""
        title = type(self).__name__
        problem = {"type": f"urn:todo:{self.code}", "title": title, "status": self.status, "detail": self.detail}
        return problem | ({"hint": self.hint} if self.hint else {}) | self.extra


class Invalid(TodoError):
    """The request itself is wrong: usage, or input beyond a limit."""

    code, status, exit_code = "invalid", 422, 2


class NotFound(TodoError):
    """What was named is not there, or not yours to see."""

    code, status, exit_code = "not-found", 404, 3


class NotSignedIn(TodoError):
    """No token, or one that is refused."""

    code, status, exit_code = "not-signed-in", 401, 4
    default_hint = "sign in with: todo login"


class NotAllowed(TodoError):
    """Signed in, but the token's scopes or the member's role do not reach."""

    code, status, exit_code = "not-allowed", 403, 5


class Conflict(TodoError):
    """Something moved on in between, or a key was used for another request."""

    code, status, exit_code = "conflict", 409, 6


class Unavailable(TodoError):
    """The server or the database cannot be reached, or speaks another version."""

    code, status, exit_code = "unavailable", 503, 7
    default_hint = "check with: todo doctor"


class TooMany(TodoError):
    """A rate limit or a budget; `retry_after` in extra is in seconds."""

    code, status, exit_code = "too-many", 429, 8


class ModelFailed(TodoError):
    """No model is configured, or it cannot be reached or refuses.

    In extra: `kind`, one of missing, key, name, endpoint, refused, overflow, limit, broken; `overflow` is true when the
    conversation was longer than the model's context; `retry_after` in seconds where the provider gave one.
    """

    code, status, exit_code = "model", 502, 9


class NeedsAnswer(TodoError):
    """A question has to be answered and there is no terminal to ask on."""

    code, status, exit_code = "needs-answer", 428, 10


class NotNow(TodoError):
    """Not in time, or nothing there to claim: later it may be."""

    code, status, exit_code = "not-now", 404, 11


class Bug(TodoError):
    """A fault of ours."""

    code, status, exit_code = "bug", 500, 1
    default_hint = "the server's log has the trace under this request id"


ERRORS: dict[str, type[TodoError]] = {
    kind.code: kind
    for kind in (
        Invalid, NotFound, NotSignedIn, NotAllowed, Conflict, Unavailable, TooMany, ModelFailed, NeedsAnswer, NotNow,
        Bug,
    )
}  # fmt: skip


def from_problem(problem: dict[str, Any]) -> TodoError:
    """Rebuild the error that `as_problem` wrote; of a type that is not known yet, the nearest by its status."""
    kind = ERRORS.get(str(problem.get("type", "")).removeprefix("urn:todo:"))
    kind = kind or next((one for one in ERRORS.values() if one.status == problem.get("status")), Unavailable)
    known = {"type", "title", "status", "detail", "hint"}
    hint = problem.get("hint")
    error = kind(str(problem.get("detail") or problem.get("title") or "no detail"), hint=str(hint) if hint else None)
    error.extra = {name: value for name, value in problem.items() if name not in known}
    return error
