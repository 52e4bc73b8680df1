"""Run the reads of a batch, each by its own handler."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract.base import Request
from todo_cli.contract.batch import Batch, BatchAnswer, BatchAnswers, BatchRead
from todo_cli.contract.codec import convert_request, encode
from todo_cli.contract.registry import BATCH_READS, BY_VERB
from todo_cli.core.dispatch import handle, handler
from todo_cli.db.shared_reads import read_together
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid, TodoError
from todo_cli.parsing.filter_vocabulary import suggest

NOTHING = msgspec.Raw(b"null")


@handler(Batch)
async def answer_batch(tx: Transaction, request: Batch) -> BatchAnswers:
    """Return the answer or the error of each read, all of one moment."""
    parts = [_convert(read) for read in request.reads]
    requests = [part for part in parts if isinstance(part, Request)]
    if not requests:
        await tx.read_clock(with_week=True)  # sign in, so that a refusal is that of the whole batch
    found = iter(await read_together(tx, requests, handle) if requests else [])
    answers = [next(found) if isinstance(part, Request) else part for part in parts]
    return BatchAnswers(answers=tuple(map(_encode, answers)))


def _convert(read: BatchRead) -> Request[Any] | TodoError:
    """Return the Request of a read, or why there is none."""
    if kind := BATCH_READS.get(read.verb):
        try:
            return convert_request(read.arguments, kind)
        except Invalid as error:
            return error
    if read.verb in BY_VERB:
        return Invalid(f"{read.verb} cannot be part of a batch", hint="a batch has reads only; send it by itself")
    return Invalid(f"there is no operation {read.verb[:60]!r}", hint=suggest(read.verb, list(BATCH_READS)))


def _encode(answer: Any) -> BatchAnswer:
    if isinstance(answer, TodoError):
        return BatchAnswer(answer=NOTHING, error=answer.as_problem())
    return BatchAnswer(answer=msgspec.Raw(encode(answer)))
