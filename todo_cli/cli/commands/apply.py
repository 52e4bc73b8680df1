"""Apply or refuse a plan."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.change_tasks import print_changed
from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.plans import ApplyPlan, ListPlans, RefusePlan
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command()
def apply(
    ctx: typer.Context,
    plan: Annotated[str | None, typer.Argument(help="Plan id; without it, list plans.", metavar="[PLAN]")] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Discard the plan for good.")] = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Make exactly the changes of a plan, once. Fail if one of its tasks has changed since.

    todo edit 3 7-9 --project garden --plan

    todo apply 01a205ca-e90e-7c80-b103-79a08eee1cd4
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    if plan is not None and (len(plan) != 36 or set(plan) - set("0123456789abcdef-")):
        raise Invalid(f"{plan[:40]!r} is not a plan id", hint="list the open plans with: todo apply")
    if plan is None:
        _print_open_plans(session, form)
    elif refuse:
        session.send(RefusePlan(id=plan))
        from todo_cli.cli.render import text

        text.note("Discarded the plan; nothing was changed.")
    else:
        print_changed(ctx, session.send(ApplyPlan(id=plan)), ApplyPlan.past, form)


def _print_open_plans(session: Session, form: str) -> None:
    page = session.send(ListPlans())
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.plans)
        return
    from todo_cli.cli.plan_output import print_plan_rows
    from todo_cli.cli.render import text
    from todo_cli.contract.registry import label_of

    for plan in page.plans:
        text.write(f"{plan.id}  {label_of(plan.verb)}")
        print_plan_rows(session, plan)
    if not page.plans:
        text.note("No plans are open. Make one with --plan, for example: todo done 3 7-9 --plan")
