"""List scheduled jobs and deliveries, and retry failed ones."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.jobs import Delivery, Job, ListJobs, RetryJobs

PANEL = "Account"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="List jobs and deliveries; retry failed ones.")

EMPTY_MESSAGE = "No jobs yet. Reminders and webhooks appear here."
LETTER_STATES = ("dead", "failed", "unknown")


@app.command("list")
def list_jobs(
    ctx: typer.Context,
    failed: Annotated[bool, typer.Option("--failed", help="Only jobs and deliveries that failed.")] = False,
    limit: Annotated[int, typer.Option(help="How many jobs, and how many deliveries.", min=1, max=1_000)] = 50,
    as_json: Json = False,
) -> None:
    """List your scheduled jobs, then the newest deliveries. A delivery to "list" is this list itself.

    todo jobs list

    todo jobs list --failed --json
    """
    session = session_of(ctx)
    page = session.send(ListJobs(limit=limit))
    jobs = [job for job in page.jobs if not failed or job.state != "scheduled"]
    deliveries = [each for each in page.deliveries if not failed or each.state in LETTER_STATES]
    if as_json:
        from todo_cli.cli.render import json

        json.write_document({"jobs": jobs, "deliveries": deliveries})
        return
    from todo_cli.cli.render.rows import print_rows

    rows = [_job_row(job, session) for job in jobs] + [_delivery_row(each, session) for each in deliveries]
    print_rows(session, ("State", "When", "Kind", "To", "About", "ID", "Error"), rows, nothing=EMPTY_MESSAGE)


@app.command()
def retry(
    ctx: typer.Context,
    job_id: Annotated[
        str | None, typer.Argument(help="Id of a dead job or delivery; without it, all.", metavar="[ID]")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Try dead jobs and deliveries again. Messages that were sent are not sent again.

    todo jobs retry

    todo jobs retry 01a205ca-e90e-7c80-b103-79a08eee1cd4
    """
    answer = session_of(ctx).send(RetryJobs(id=job_id), key)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(answer)
        return
    from todo_cli.cli.render import text

    count = answer.retried
    text.write(f"Retrying {count:,} job{'' if count == 1 else 's'}." if count else "Nothing has failed.")


def _job_row(job: Job, session: Session) -> tuple[str, ...]:
    from todo_cli.cli.render.jobs import format_moment

    when = format_moment(job.due if job.state == "retrying" else job.moment or job.due, session)
    about = f"#{job.task} {job.title or ''}".strip() if job.task else ""
    channel = "" if job.kind == "reminder" else job.about
    return job.state, when, job.kind, channel, about, job.id, job.error or ""


def _delivery_row(delivery: Delivery, session: Session) -> tuple[str, ...]:
    from todo_cli.cli.render.jobs import format_moment

    about = f"#{delivery.task} {delivery.title or ''}".strip() if delivery.task else ""
    if delivery.seq:
        about = f"change {delivery.seq}"
    when = format_moment(delivery.at, session)
    return delivery.state, when, delivery.kind, delivery.channel or "list", about, delivery.id, delivery.error or ""
