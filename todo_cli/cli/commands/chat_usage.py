"""todo chat usage"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.conversations import ShowConversation
from todo_cli.contract.usage import ReadUsage, UsagePage, UsageRow

WIDE = 30
"""Characters of the longest bar."""
EIGHTHS = " ▏▎▍▌▋▊▉"


def usage(
    ctx: typer.Context,
    number: Annotated[
        int | None, typer.Argument(help="Only of this conversation: its number.", min=1, metavar="N")
    ] = None,
    by: Annotated[
        Literal["day", "model", "conversation", "message"], typer.Option(help="What to sum up by; message only with N.")
    ] = "day",
    since: Annotated[str | None, typer.Option(help="Not before this day.", metavar="WHEN")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at most.", min=1, max=1000)] = 30,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Show the tokens that the models have used: answers, summaries and titles; costs where a price is configured.

    todo chat usage

    todo chat usage --by conversation --since 'first of the month' --json
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    if by == "message":
        _messages(session, number, limit, form)
        return
    page = session.send(ReadUsage(by=by, number=number, since=since, limit=limit))
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.used)
        return
    from todo_cli.cli.render.rows import print_rows

    print_rows(session, (by.capitalize(), "Calls", "Read", "Written", *_headings(session, page)),
         [_cells(session, one, page) for one in page.used])  # fmt: skip
    if session.table:
        _below(page)


def _headings(session: Session, page: UsagePage) -> list[str]:
    return [*(["Cost"] if page.total.costs or not session.table else []), *([""] if session.table else [])]


def _cells(session: Session, one: UsageRow, page: UsagePage) -> list[str]:
    name = f"{one.day}" if one.day else one.model or _conversation(one)
    numbers = (one.calls, one.prompt, one.completion)
    cells = [name, *(f"{number:,}" if session.table else str(number) for number in numbers)]
    if page.total.costs or not session.table:
        cells.append(_costs(one.costs))
    return [*cells, bar(one, page.used)] if session.table else cells


def _conversation(one: UsageRow) -> str:
    return f"{one.conversation} {one.title}" if one.conversation else "(elsewhere)"


def _costs(costs: dict[str, str]) -> str:
    return ", ".join(f"{cost} {currency}" for currency, cost in costs.items())


def bar(one: UsageRow, among: Sequence[UsageRow]) -> str:
    """As long as its tokens are many, to an eighth of a character."""
    most = max(each.prompt + each.completion for each in among) or 1
    eighths = round((one.prompt + one.completion) * WIDE * 8 / most)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _below(page: UsagePage) -> None:
    total = page.total
    cost = f", {_costs(total.costs)}" if total.costs else ""
    text.note(
        escape(f"In all {total.calls:,} calls, {total.prompt:,} tokens read, {total.completion:,} written{cost}.")
    )
    if page.budget:
        left = page.budget.allowed - page.budget.spent
        state = f"{left:,} of {page.budget.allowed:,} tokens are left" if left > 0 else "nothing is left"
        text.note(f"Today's budget: {state}.")


def _messages(session: Session, number: int | None, limit: int, form: str) -> None:
    from todo_cli.errors import Invalid

    if number is None:
        raise Invalid("of which conversation?", hint="name it: todo chat usage 3 --by message")
    shown = session.send(ShowConversation(number=number, limit=limit))
    used = [one for one in shown.messages if one.usage]
    if form != "text":
        from todo_cli.cli.render import json

        found = [{"seq": one.seq, "at": one.at, "model": one.model, "usage": one.usage} for one in used]
        json.write_document({"messages": found}) if form == "json" else json.write_lines(found)
        return
    from todo_cli.cli.render.rows import print_rows

    names = ("prompt", "completion", "cost")
    cells = [(str(one.seq), one.model or "", *(str((one.usage or {}).get(name, "")) for name in names)) for one in used]
    print_rows(session, ("Message", "Model", "Read", "Written", "Cost"), cells)
