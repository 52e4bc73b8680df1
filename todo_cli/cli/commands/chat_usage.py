"""todo chat usage"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json, JsonLines, Since, output_form
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.conversations import ShowConversation
from todo_cli.contract.usage import ReadUsage, UsagePage, UsageRow
from todo_cli.errors import Invalid

MAX_BAR_CHARS = 30
EMPTY_MESSAGE = "No tokens used."


def usage(
    ctx: typer.Context,
    number: Annotated[int | None, typer.Argument(help="Count only this conversation.", min=1, metavar="N")] = None,
    by: Annotated[
        Literal["day", "model", "conversation", "message"], typer.Option(help="Group by; message needs N.")
    ] = "day",
    since: Since = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="Maximum number of rows.", min=1, max=1000, metavar="COUNT")
    ] = 30,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Show the tokens used for answers, summaries and titles.

    Costs are shown for models with a configured price.

    todo chat usage

    todo chat usage --by conversation --since 'first of the month' --json
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    if by == "message":
        _print_messages(session, number, limit, form)
        return
    page = session.send(ReadUsage(by=by, number=number, since=since, limit=limit))
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.used)
        return
    from todo_cli.cli.render.rows import print_rows

    headings = (by.capitalize(), "Calls", "Read", "Written", *_optional_headings(session, page))
    print_rows(session, headings, [_cells(session, used, page) for used in page.used], nothing=EMPTY_MESSAGE)
    if session.is_terminal and page.used:
        _print_total(page)


def _optional_headings(session: Session, page: UsagePage) -> list[str]:
    cost = ["Cost"] if page.total.costs or not session.is_terminal else []
    bar = [""] if session.is_terminal else []
    return cost + bar


def _cells(session: Session, used: UsageRow, page: UsagePage) -> list[str]:
    name = f"{used.day}" if used.day else used.model or _format_conversation(used)
    counts = (used.calls, used.prompt, used.completion)
    cells = [name, *(f"{count:,}" if session.is_terminal else str(count) for count in counts)]
    if page.total.costs or not session.is_terminal:
        cells.append(_format_costs(used.costs))
    return [*cells, _draw_bar(session, used, page.used)] if session.is_terminal else cells


def _format_conversation(used: UsageRow) -> str:
    return f"{used.conversation} {used.title}" if used.conversation else "(other)"


def _format_costs(costs: dict[str, str]) -> str:
    return ", ".join(f"{cost} {currency}" for currency, cost in costs.items())


def _draw_bar(session: Session, used: UsageRow, rows: Sequence[UsageRow]) -> str:
    """Return a bar that is as long as the share of the row with the most tokens."""
    from todo_cli.cli.render.bars import draw_bar
    from todo_cli.cli.render.signs import choose_signs

    most = max(row.prompt + row.completion for row in rows) or 1
    share = (used.prompt + used.completion) / most
    return draw_bar(share, MAX_BAR_CHARS, choose_signs(session.display.signs))


def _print_total(page: UsagePage) -> None:
    total = page.total
    cost = f", {_format_costs(total.costs)}" if total.costs else ""
    counts = f"{total.calls:,} calls, {total.prompt:,} tokens read, {total.completion:,} written"
    text.note(escape(f"Total: {counts}{cost}."))
    if page.budget:
        left = max(page.budget.allowed - page.budget.spent, 0)
        text.note(f"Today's budget: {left:,} of {page.budget.allowed:,} tokens left.")


def _print_messages(session: Session, number: int | None, limit: int, form: str) -> None:
    if number is None:
        raise Invalid("--by message needs a conversation", hint="for example: todo chat usage 3 --by message")
    shown = session.send(ShowConversation(number=number, limit=limit))
    messages = [message for message in shown.messages if message.usage]
    if form != "text":
        from todo_cli.cli.render import json

        names = ("seq", "at", "model", "usage")
        rows = [{name: getattr(message, name) for name in names} for message in messages]
        json.write_document({"messages": rows}) if form == "json" else json.write_lines(rows)
        return
    from todo_cli.cli.render.rows import print_rows

    cells = []
    for message in messages:
        counts = [str((message.usage or {}).get(name, "")) for name in ("prompt", "completion", "cost")]
        cells.append((str(message.seq), message.model or "", *counts))
    print_rows(session, ("Message", "Model", "Read", "Written", "Cost"), cells, nothing=EMPTY_MESSAGE)
