"""The kinds of errors: one class each, with its code, HTTP status and exit code.

TodoError
├── Invalid        422  exit 2   usage, or input beyond a limit
├── NotFound       404  exit 3
├── NotSignedIn    401  exit 4   no token, or the token is refused
├── NotAllowed     403  exit 5
├── Conflict       409  exit 6   a task has changed, or a key was reused
├── Unavailable    503  exit 7   server or database unreachable, too old or too new
├── TooMany        429  exit 8   rate limit or budget
├── ModelFailed    502  exit 9   no model, or the model is unreachable, refuses or breaks off
├── NeedsAnswer    428  exit 10  a question, and no terminal to ask on
├── NotNow         404  exit 11  not in time, or no task to claim
├── Proposed       202  exit 12  the change waits for an approval
└── Bug            500  exit 1   anything else; the log has the trace under the request id

`core` raises them, the server renders them as `application/problem+json`, the HTTP client raises the same class again,
and `cli/run.py` prints one line and exits.
"""

from __future__ import annotations

from typing import Any, ClassVar


class TodoError(Exception):
    """The base of all errors: `detail` says what happened, `hint` what to do next; `extra` is data for programs."""

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
        """Return the problem object of RFC 9457: type, title, status, detail, hint and the members of `extra`."""
        title = type(self).__name__
        problem = {"type": f"urn:todo:{self.code}", "title": title, "status": self.status, "detail": self.detail}
        return problem | ({"hint": self.hint} if self.hint else {}) | self.extra


class Invalid(TodoError):
    """The request is wrong: usage, or input beyond a limit."""

    code, status, exit_code = "invalid", 422, 2


class NotFound(TodoError):
    """The named object does not exist, or the caller may not see it."""

    code, status, exit_code = "not-found", 404, 3


class NotSignedIn(TodoError):
    """There is no token, or it is refused."""

    code, status, exit_code = "not-signed-in", 401, 4
    default_hint = "sign in with: todo login"


class NotAllowed(TodoError):
    """The token's scopes or the member's role do not allow the request."""

    code, status, exit_code = "not-allowed", 403, 5


class Conflict(TodoError):
    """The object has changed in the meantime, or the idempotency key was used for another request."""

    code, status, exit_code = "conflict", 409, 6


class Unavailable(TodoError):
    """The server or the database cannot be reached, or has an incompatible version."""

    code, status, exit_code = "unavailable", 503, 7
    default_hint = "check with: todo doctor"


class TooMany(TodoError):
    """A rate limit or a budget is used up; `retry_after` in `extra` is in seconds."""

    code, status, exit_code = "too-many", 429, 8


class ModelFailed(TodoError):
    """No model is configured, or the model is unreachable, refuses or breaks off.

    `extra` has `kind` (missing, key, name, endpoint, refused, overflow, limit or broken), `overflow` when the
    conversation is longer than the model's context, and `retry_after` in seconds when the provider sent it.
    """

    code, status, exit_code = "model", 502, 9


class NeedsAnswer(TodoError):
    """A question must be answered, and there is no terminal to ask on."""

    code, status, exit_code = "needs-answer", 428, 10


class NotNow(TodoError):
    """Not in time, or no task to claim; it may succeed later."""

    code, status, exit_code = "not-now", 404, 11


class Proposed(TodoError):
    """Nothing is changed yet: the token only proposes, and a person must approve; `proposal` in `extra` is the id."""

    code, status, exit_code = "proposed", 202, 12


class Bug(TodoError):
    """A bug in this program."""

    code, status, exit_code = "bug", 500, 1
    default_hint = "find the trace in the server's log under this request id"


ERRORS: dict[str, type[TodoError]] = {
    error.code: error
    for error in (
        Invalid,
        NotFound,
        NotSignedIn,
        NotAllowed,
        Conflict,
        Unavailable,
        TooMany,
        ModelFailed,
        NeedsAnswer,
        NotNow,
        Proposed,
        Bug,
    )
}


def from_problem(problem: dict[str, Any]) -> TodoError:
    """Return the error of a problem object; an error of an unknown type becomes one with the same status."""
    kind = ERRORS.get(str(problem.get("type", "")).removeprefix("urn:todo:"))
    kind = kind or next((kind for kind in ERRORS.values() if kind.status == problem.get("status")), Unavailable)
    detail = str(problem.get("detail") or problem.get("title") or "the server gave no reason")
    error = kind(detail, hint=str(problem.get("hint") or "") or None)
    members = {"type", "title", "status", "detail", "hint"}
    error.extra = {name: value for name, value in problem.items() if name not in members}
    return error
