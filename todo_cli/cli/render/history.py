"""Lay out the stored messages of a conversation as the live view shows them: calls by their results, Markdown drawn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from msgspec import UNSET

from todo_cli.agent.approval_policy import parse_call
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.signs import UNICODE_SIGNS, Signs
from todo_cli.cli.render.turn_calls import format_call, format_result, mark_result
from todo_cli.cli.render.turn_summary import format_usage
from todo_cli.contract.turn_steps import Message

RenderText = Callable[[str], list[str]]


def history_lines(messages: Sequence[Message], view: ListView, *, colored: bool) -> Iterator[str]:
    """Yield the lines for a terminal. A message has its number, which /fork takes, before or below it."""
    results, render_text = _find_results(messages), _choose_renderer(view.signs, colored=colored)
    for message in messages:
        if message.role == "user":
            yield ""
            first, *others = escape_block(message.content).split("\n")
            yield text.wrap(f"{_dim(f'{message.seq:>3}', colored)} > {first}", " " * 6)
            yield from (text.wrap(f"      {line}", " " * 6) for line in others)
        elif message.role == "assistant":
            yield from render_text(message.content) if message.content.strip() else ()
            calls = _call_lines(message, results, view.signs, colored=colored)
            yield from (text.wrap(f"  {line}", "    ") for line in calls)
            if message.status != "whole":
                yield _dim("(interrupted)", colored)
            if not message.calls:
                yield _dim(_format_end(message, view), colored)


def plain_lines(messages: Sequence[Message]) -> Iterator[str]:
    """Yield the lines for a pipe: `1 you: …`, `✓ Added #1 …`, `4 todo: …` with the text as the model wrote it."""
    results = _find_results(messages)
    for message in messages:
        if message.role in ("tool", "summary"):
            continue
        author = "you" if message.role == "user" else "todo"
        mark = "" if message.status == "whole" else " (interrupted)"
        if message.content or not message.calls:
            body = escape_block(message.content).replace("\n", "\n    ")
            yield f"{message.seq:>4} {author}{mark}: {body}"
        yield from (f"     {line}" for line in _call_lines(message, results, UNICODE_SIGNS, colored=False))
        if message.usage and "cost" in message.usage:
            tokens, cost = format_usage(message.usage)
            yield f"     ({cost}, {tokens})"


def _find_results(messages: Sequence[Message]) -> dict[tuple[int | None, int | None], str]:
    return {(message.call_seq, message.call_index): message.content for message in messages if message.role == "tool"}


def _call_lines(
    message: Message, results: dict[tuple[int | None, int | None], str], signs: Signs, *, colored: bool
) -> Iterator[str]:
    """Yield a line for each call: its result or, where it has not run, the call."""
    for index, call in enumerate(message.calls):
        parsed, result = parse_call(message, index), results.get((message.seq, index))
        verb = parsed.kind.verb if parsed.kind else call.name
        if result is None:
            yield format_call(verb, parsed.fields, signs)
        else:
            ok, line = format_result(verb, parsed.fields, result, signs)
            yield f"{mark_result(ok, signs, colored=colored)} {line}"


def _choose_renderer(signs: Signs, *, colored: bool) -> RenderText:
    """Return the function that lays out a text: Markdown, or wrapped words on a dumb terminal."""
    if os.environ.get("TERM", "dumb") == "dumb":
        return lambda content: [text.wrap(line) for line in escape_block(content.strip()).split("\n")]
    from todo_cli.cli.render.cells import read_width
    from todo_cli.cli.render.markdown import MarkdownRenderer

    renderer, width = MarkdownRenderer(colored=colored, signs=signs), read_width() - 1
    return lambda content: renderer.render_text(escape_block(content), width)


def _format_end(message: Message, view: ListView) -> str:
    age = []
    if message.at is not UNSET:
        age = [text.format_age(message.at, view.now, view.zone, absolute=view.absolute)]
    model = [escape(message.model)] if message.model else []
    return f"{message.seq:>3} " + f" {view.signs.dot} ".join(["", *model, *format_usage(message.usage), *age]).strip()


def _dim(line: str, colored: bool) -> str:
    return f"\x1b[2m{line}\x1b[0m" if colored else line
