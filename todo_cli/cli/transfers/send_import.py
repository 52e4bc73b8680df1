"""Send the tasks of an import in batches, then their links to later tasks."""

from __future__ import annotations

from typing import Literal

from todo_cli.cli.render import text
from todo_cli.cli.render.progress import Progress
from todo_cli.cli.session import Session
from todo_cli.cli.transfers.import_report import ImportReport
from todo_cli.contract.ids import new_id
from todo_cli.contract.imports import ImportTasks, LinkImportedTasks
from todo_cli.contract.limits import MAX_IMPORTED_TASKS
from todo_cli.errors import TodoError
from todo_cli.formats.import_spool import ImportSpool

MAX_GROUP_TASKS = 25_000
"""Tasks that one Undo takes back: a change of many more would take the database too long. `todo undo` sends several."""


def send_import(
    session: Session,
    spool: ImportSpool,
    report: ImportReport,
    *,
    name: str,
    update: Literal["ours", "theirs"] | None = None,
) -> None:
    """Send all tasks. An import that was interrupted goes on: tasks that `name` brought before are known."""
    group, in_group, done, progress = new_id(), 0, 0, Progress("tasks imported")
    try:
        for tasks in spool.batches(MAX_IMPORTED_TASKS):
            if in_group + len(tasks) > MAX_GROUP_TASKS:
                group, in_group = new_id(), 0
            answer = session.client.send_now(
                ImportTasks(
                    format=report.format or "",
                    name=name,
                    file=spool.digest,
                    group=group,
                    tasks=tasks,
                    update=update,
                    dry_run=report.plan,
                )
            )
            group, in_group = answer.group or group, in_group + len(tasks)
            if group not in report.groups and answer.added + answer.restored + answer.updated:
                report.groups.append(group)
            report.added += answer.added
            report.restored += answer.restored
            report.known += answer.known
            report.changed += answer.changed
            report.updated += answer.updated
            report.unassigned += answer.unassigned
            report.conflicts += answer.conflicts
            done += len(tasks)
            if len(spool) > MAX_IMPORTED_TASKS:
                progress.update(done, len(spool))
        if spool.has_links and not report.plan:
            _link(session, report, name, group)
    except (KeyboardInterrupt, TodoError):
        progress.end()
        if report.added and not report.plan:
            text.note(f"{report.added:,} of {len(spool):,} tasks were imported; the same command goes on from there")
        raise
    finally:
        session.client.close()
    progress.end()


def _link(session: Session, report: ImportReport, name: str, group: str) -> None:
    has_more = True
    while has_more:
        answer = session.client.send_now(LinkImportedTasks(format=report.format or "", name=name, group=group))
        report.linked += answer.linked
        has_more = answer.more
