"""Reminders, webhooks and files while servers, workers, the database and the object store are killed.

`Sender` sets reminders for the next seconds, moves some and completes the tasks of others; `Uploader` attaches files,
abandons some uploads and removes some files. Afterwards the account is settled: what went out, and what is stored.
"""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import BARE, COMMAND, Database, Person, wait_for
from tests.stateless.storm import Budget, Instance, Owner
from tests.support.receivers import HttpReceiver, Post
from tests.support.seaweedfs import Seaweedfs
from tests.support.thread_clients import over
from todo_cli.contract.attachments import AddAttachment, RemoveAttachment, StartUpload
from todo_cli.contract.channels import AddChannel
from todo_cli.contract.ids import new_id
from todo_cli.contract.limits import MAX_UNFINISHED_UPLOADS
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks
from todo_cli.errors import Invalid, TodoError
from todo_cli.jobs.signature import is_signed

SIGNING_SECRET = "whsec_0123456789abcdef"
SETTLE_SECONDS = 120.0
MAX_ABANDONED_UPLOADS = MAX_UNFINISHED_UPLOADS - 2
"""Of a user; one more may be under way."""


class WorkerProcess:
    """A `todo worker` that is killed and started again."""

    def __init__(self, directory: Path, url: str, env: dict[str, str]) -> None:
        self._log = directory / f"worker-{new_id()}.log"
        own = {"TODO_WORKER_DATABASE_URL": url, "TODO_PRIVATE_TARGETS": "true", "TODO_WORKER_DESKTOP": "false"}
        fast = {"TODO_WORKER_LEASE": "2", "TODO_WORKER_RETRY": "0.1"}
        self._env = BARE | {"HOME": str(directory)} | own | fast | env
        self.start()

    def start(self) -> None:
        """Start the process."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "worker"], env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait(10)


class Sender(Owner):
    """Sets reminders that are due at once."""

    def once(self, backend: Any) -> None:
        """Add a task with a reminder; move the reminder of every third, complete every fourth."""
        try:
            added = self.insist(backend, AddTask(title=f"mark-{self.person.name}", remind=(self._soon(),)), new_id())
            if self.random.random() < 0.33:
                self.insist(backend, EditTasks(numbers=(added.number,), remind=(self._soon(),)), new_id())
        except Invalid:  # an outage was longer than the time until the reminder, and nothing was done
            return
        if self.random.random() < 0.25:
            self.insist(backend, CompleteTasks(numbers=(added.number,)), new_id())

    def _soon(self) -> str:
        moment = datetime.now(UTC) + timedelta(seconds=self.random.uniform(0.5, 4.0))
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Uploader(Owner):
    """Attaches files to a task. Some uploads are abandoned, a third of the others' files removed."""

    abandoned = 0

    def once(self, backend: Any) -> None:
        """Upload one file."""
        number = self.insist(backend, AddTask(title=f"mark-{self.person.name} file"), new_id()).number
        data = self.random.randbytes(2_000)
        start = StartUpload(number=number, id=new_id(), name="a.bin", size=len(data), sha256=sha256(data).hexdigest())
        upload = self.insist(backend, start, new_id())
        fate = self.random.random()
        while not put(upload.url, data):
            upload = self.insist(backend, start, new_id())
            time.sleep(0.1)
        if fate < 0.33 and self.abandoned < MAX_ABANDONED_UPLOADS:
            self.abandoned += 1
            return
        self._confirm(backend, start, data)
        if fate < 0.5:
            self.insist(backend, RemoveAttachment(number=number, id=start.id), new_id())

    def _confirm(self, backend: Any, start: StartUpload, data: bytes) -> None:
        """Confirm the upload, and send its bytes again where the store has lost them."""
        while True:
            try:
                self.insist(backend, AddAttachment(number=start.number, id=start.id), new_id())
                return
            except TodoError:
                put(self.insist(backend, start, new_id()).url, data)


def put(url: str, data: bytes) -> bool:
    """Send bytes to a presigned address; return whether the store has taken them."""
    if not isinstance(url, str):  # they are there already
        return True
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("PUT", f"{parts.path}?{parts.query}", data)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@dataclass
class JobStorm:
    """All parts of a run."""

    db: Database
    instance: Instance
    workers: list[WorkerProcess]
    hook: HttpReceiver
    store: Seaweedfs
    seed: int
    operations: int
    kill_database: Callable[[], None]
    restart_store: Callable[[], None] | None = None
    restart_cache: Callable[[], None] | None = None
    kills: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Run it to its end, print its figures, and settle the account."""
        print(f"TODO_TEST_SEED={self.seed} TODO_TEST_OPERATIONS={self.operations}")
        self.instance.wait_until_ready()
        people = [self.db.person() for _ in range(2)]
        for person in people:
            self._add_channels(person)
        budget = Budget(self.operations)
        users: list[Owner] = [
            kind(place, self.seed, person, budget)
            for place, (kind, person) in enumerate((kind, person) for kind in (Sender, Uploader) for person in people)
        ]
        is_over, began = threading.Event(), time.monotonic()
        with ThreadPoolExecutor(len(users) + 1) as pool:
            killing = pool.submit(self._kill, is_over)
            try:
                for work in [pool.submit(user.work, self.instance.url) for user in users]:
                    work.result()
            finally:
                is_over.set()  # also after a failure, or the pool would wait for the killer for ever
            killing.result()
        # The sweep below comes at once, where it usually comes a day after an upload: no verification may still run.
        self._restart(self.instance)
        self.instance.wait_until_ready()
        self._settle(people)
        print(f"{self.operations} operations in {time.monotonic() - began:.0f} s; killed: {dict(self.kills)}")

    def _add_channels(self, person: Person) -> None:
        with closing(over(self.instance.url, person)) as client:
            for name, space in (("reminders", None), ("changes", person.user_id)):
                target = f"http://127.0.0.1:{self.hook.port}/{name}"
                channel = AddChannel(name=name, kind="webhook", target=target, secret=SIGNING_SECRET, space=space)
                client.send_now(channel, new_id())

    def _kill(self, is_over: threading.Event) -> None:
        """Kill one part after the other. A short run has its kills, too."""
        parts: dict[str, Callable[[], None] | None] = {
            "worker": lambda: self._restart(chooser.choice(self.workers)),
            "server": lambda: self._restart(self.instance),
            "database": self.kill_database,
            "store": self.restart_store,
            "cache": self.restart_cache,
        }
        names = ["worker", *(name for name, kill in parts.items() if kill)]
        chooser, pause = random.Random(self.seed), 0.3
        while not is_over.wait(pause):
            pause = chooser.uniform(0.5, 2.0)
            name = chooser.choice(names)
            if kill := parts[name]:
                kill()
                self.kills[name] += 1

    def _restart(self, process: WorkerProcess | Instance) -> None:
        process.kill()
        process.start()

    def _settle(self, people: list[Person]) -> None:
        pending = "SELECT count(*) FROM todo.jobs WHERE kind <> 'sweep'"
        wait_for(lambda: self.db.execute(pending) == [(0,)], "the last job", timeout=SETTLE_SECONDS)
        for post in self.hook.posts:
            assert is_signed(SIGNING_SECRET, post.headers["todo-signature"], post.body, time.time()), "unsigned"
        for person in people:
            self._settle_reminders(person)
            self._settle_changes(person)
        self._settle_files()
        posts = len(self.hook.posts)
        ids = len({post.headers["todo-delivery"] for post in self.hook.posts})
        print(f"{ids} messages, {posts - ids} sent again with the same id; lost 0, doubled 0, unsigned 0, orphaned 0")

    def _settle_reminders(self, person: Person) -> None:
        """Each wanted reminder went out once, and each that went out has a delivery."""
        sent = _read_posts(self.hook.posts, "/reminders")
        wanted = self.db.execute(
            "SELECT t.number, (r ->> 'at')::timestamptz FROM todo.tasks t, jsonb_array_elements(t.remind) r"
            " WHERE t.space_id = %s AND t.status = 'open'",
            person.user_id,
        )
        deliveries = self.db.execute(
            "SELECT id::text, number, moment, state FROM todo.deliveries"
            " WHERE space_id = %s AND kind = 'reminder' AND channel = 'reminders'",
            person.user_id,
        )
        by_moment = Counter((number, moment) for _, number, moment, _ in deliveries)
        assert set(by_moment.values()) <= {1}, "a reminder has two deliveries"
        assert {(number, moment) for number, moment in wanted} <= by_moment.keys(), "a reminder is lost"
        for id_, number, _, state in deliveries:
            if state == "sent":
                assert sent[id_]["task"]["number"] == number, "a reminder is lost"
        assert {state for *_, state in deliveries} <= {"sent", "waiting"}

    def _settle_changes(self, person: Person) -> None:
        """Each change of the list went out, with one id each."""
        sent = [body for body in _read_posts(self.hook.posts, "/changes").values() if body["space"] == person.user_id]
        (start,) = self.db.execute(
            "SELECT min(seq) FROM todo.deliveries WHERE space_id = %s AND kind = 'changes'", person.user_id
        )
        wanted = self.db.execute(
            "SELECT seq FROM todo.changes WHERE space_id = %s AND seq >= %s AND after IS NOT NULL",
            person.user_id,
            start[0],
        )
        assert sorted(body["seq"] for body in sent) == sorted(seq for (seq,) in wanted), "a change is lost or doubled"

    def _settle_files(self) -> None:
        """After the sweep each object has its row, and each row its object."""
        self.db.execute(
            "UPDATE todo.attachments SET expires_at = now() - interval '1 day', unused_since = CASE"
            " WHEN unused_since IS NOT NULL THEN now() - interval '90 days' END"
        )
        self.db.execute("UPDATE todo.jobs SET due = now() WHERE kind = 'sweep'")
        self.db.execute("SELECT pg_notify('todo_jobs', '')")
        unsettled = "SELECT count(*) FROM todo.attachments WHERE verified_at IS NULL OR unused_since IS NOT NULL OR incoming IS NOT NULL"
        wait_for(lambda: self.db.execute(unsettled) == [(0,)], "the sweep", timeout=SETTLE_SECONDS)
        listed = self.db.execute(
            "SELECT count(*) FROM todo.tasks, jsonb_array_elements(attachments) WHERE attachments IS NOT NULL"
        )
        rows = [str(name) for (name,) in self.db.execute("SELECT object FROM todo.attachments")]
        assert listed == [(len(rows),)], "a row is orphaned"
        keys = self.store.list_keys()
        assert [key for key in keys if not any(name in key for name in rows)] == [], "an object is orphaned"
        assert all(any(name in key for key in keys) for name in rows), "an object is lost"


def _read_posts(posts: list[Post], path: str) -> dict[str, Any]:
    """Return the bodies of the posts to a path by the id of their delivery."""
    return {post.headers["todo-delivery"]: json.loads(post.body) for post in posts if post.path == path}
