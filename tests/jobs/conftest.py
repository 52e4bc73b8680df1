"""A database with the worker's login, receivers, and workers as processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BARE, Database, Person
from tests.support.command_server import start_process
from tests.support.connections import Line
from tests.support.forked_process import ForkedProcess
from tests.support.receivers import HttpReceiver, SmtpReceiver
from todo_cli.contract.base import Request, Secret
from todo_cli.contract.channels import AddChannel
from todo_cli.contract.jobs import JobPage, ListJobs
from todo_cli.db.owner import open_owner_session
from todo_cli.jobs.options import Retention, WorkerOptions
from todo_cli.jobs.worker import Worker
from todo_cli.local_postgres.cluster import LocalPostgres

WORKER_PASSWORD = "worker-password"
SIGNING_SECRET = "whsec_0123456789abcdef"


@dataclass
class Post:
    """A user with channels, and the workers that serve them."""

    db: Database
    person: Person
    line: Line
    worker_url: str
    hook: HttpReceiver
    mail: SmtpReceiver
    home: Path
    processes: list[subprocess.Popen[str] | ForkedProcess] = field(default_factory=list)

    def __call__(self, request: Request[Any], **caller: Any) -> Any:
        """Send a Request as the user."""
        return self.line(request, **caller)

    @property
    def hook_url(self) -> str:
        """The address of the webhook's receiver."""
        return f"http://127.0.0.1:{self.hook.port}/hook"

    def add_webhook(self, name: str = "hook", **fields: Any) -> None:
        """Add a channel to the receiver."""
        self(AddChannel(name=name, kind="webhook", target=self.hook_url, secret=SIGNING_SECRET, **fields))

    def options(self, **more: Any) -> WorkerOptions:
        """Return options of a worker in this process."""
        usual: dict[str, Any] = {
            "lease": timedelta(seconds=30),
            "retry_seconds": 0.001,
            "keep": Retention(usual=timedelta(days=90)),
            "smtp_url": f"smtp://127.0.0.1:{self.mail.port}",
            "mail_from": "todo@example.org",
            "allow_private": True,
        }
        return WorkerOptions(**(usual | more))

    def work(self, **options: Any) -> int:
        """Run the jobs that are due, in this process; return their number."""
        return asyncio.run(Worker(self.worker_url, self.options(**options)).run_once())

    def start_worker(self, **env: str) -> subprocess.Popen[str] | ForkedProcess:
        """Start `todo worker` as a process."""
        own = {
            "HOME": str(self.home),
            "TODO_WORKER_DATABASE_URL": self.worker_url,
            "TODO_SMTP_URL": f"smtp://127.0.0.1:{self.mail.port}",
            "TODO_MAIL_FROM": "todo@example.org",
            "TODO_PRIVATE_TARGETS": "true",
            "TODO_WORKER_RETRY": "0.05",
            "TODO_WORKER_LEASE": "1",
        }
        with open(os.devnull, "w") as out:
            self.processes.append(start_process("worker", env=BARE | own | env, out=out, cwd=self.home))
        return self.processes[-1]

    def jobs(self, number: int | None = None) -> JobPage:
        """Return the user's jobs and deliveries."""
        page: JobPage = self(ListJobs(number=number))
        return page

    def states(self, channel: str = "hook") -> list[str]:
        """Return the states of the deliveries to a channel, the newest first."""
        return [each.state for each in self.jobs().deliveries if each.channel == channel]

    def make_due(self, statement: str = "kind <> 'sweep'") -> None:
        """Let the time of the user's jobs come."""
        self.db.execute(
            f"UPDATE todo.jobs SET due = now(), moment = now() - interval '3 hours' WHERE user_id = %s AND {statement}",
            self.person.user_id,
        )


@pytest.fixture(scope="module")
def jobs_db(postgres: LocalPostgres, template: str) -> Iterator[tuple[Database, str]]:
    """A database that no other test's worker serves, and the worker's address of it."""
    from tests.conftest import _copy

    for database in _copy(postgres, template):
        with open_owner_session(database.owner_url) as work:
            work.set_password("todo_worker", Secret(WORKER_PASSWORD))
        yield database, database.address("todo_worker", WORKER_PASSWORD)


@pytest.fixture(scope="module")
def receivers() -> Iterator[tuple[HttpReceiver, SmtpReceiver]]:
    """A receiver of webhooks and one of mails."""
    hook, mail = HttpReceiver(), SmtpReceiver()
    with hook.run(), mail.run():
        yield hook, mail


@pytest.fixture
def post(jobs_db: tuple[Database, str], receivers: tuple[HttpReceiver, SmtpReceiver], tmp_path: Path) -> Iterator[Post]:
    """A new user, whose jobs are the only ones that are due."""
    database, worker_url = jobs_db
    database.execute("DELETE FROM todo.jobs")
    hook, mail = receivers
    hook.posts.clear(), mail.mails.clear(), hook.answers.clear(), mail.answers.clear()
    person = database.person()
    line = Line(database.server_url, person)
    made = Post(database, person, line, worker_url, hook, mail, tmp_path)
    yield made
    for process in made.processes:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
    line.close()
