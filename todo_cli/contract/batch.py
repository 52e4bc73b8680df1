"""Several reads in one request: one round trip, one snapshot, one count of the rate limit."""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from todo_cli.contract.base import Request
from todo_cli.contract.codec import answer_type, decode
from todo_cli.contract.limits import MAX_BATCH_READS, MAX_NAME_CHARS
from todo_cli.errors import from_problem

R = TypeVar("R")


class BatchRead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A read: the operation's name in the OpenAPI document, and its fields as the operation has them."""

    verb: Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]
    arguments: dict[str, Any] = {}


class BatchAnswer(Struct, frozen=True, kw_only=True):
    """The answer to one read; null beside the problem document of its error."""

    answer: msgspec.Raw
    error: dict[str, Any] | None = None


class BatchAnswers(Struct, frozen=True, kw_only=True):
    """The answers in the order of the reads. All of them show the same moment."""

    answers: tuple[BatchAnswer, ...]


class Batch(Request[BatchAnswers], frozen=True, kw_only=True):
    """Run several reads at one moment.

    Each read needs its own scope, and its error is its own part of the answer. The rate limit counts one request.
    """

    verb = "Batch"
    label = "batch"
    route = "POST /v1/batch"
    scope = "any"
    write = False

    reads: Annotated[tuple[BatchRead, ...], Meta(min_length=1, max_length=MAX_BATCH_READS)]


def make_batch(*requests: Request[Any]) -> Batch:
    """Return the Request that runs these reads."""
    return Batch(
        reads=tuple(BatchRead(verb=request.verb, arguments=msgspec.to_builtins(request)) for request in requests)
    )


def read_answer(request: Request[R], part: BatchAnswer) -> R:
    """Return the answer to one read of a batch; raises its error."""
    if part.error is not None:
        raise from_problem(part.error)
    answer: R = decode(bytes(part.answer), answer_type(type(request)))
    return answer


def read_answers(requests: tuple[Request[Any], ...], batch: BatchAnswers) -> list[Any]:
    """Return the answers to the reads of a batch; raises the first error."""
    return [read_answer(request, part) for request, part in zip(requests, batch.answers, strict=True)]
