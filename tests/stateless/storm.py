"""Users who work through a faulty balancer while servers and the database are killed, and the account afterwards."""

from __future__ import annotations

import http.client
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from tests.conftest import BARE, COMMAND, Database, Person, free_port, wait_for
from tests.server.test_concurrency import journal, present, replayed
from tests.server.test_storm import Worker, every_number_once, tasks_of
from tests.support.chat_process import read_frames
from tests.support.faulty_balancer import FaultyBalancer
from tests.support.raw_http import ask
from tests.support.thread_clients import over
from todo_cli.contract.base import Request
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.tasks import AddTask, EditTasks, ListTasks
from todo_cli.contract.tokens import CreateToken
from todo_cli.errors import Conflict, NotAllowed, NotFound, NotNow, TodoError, TooMany, Unavailable

PATIENCE_SECONDS = 120.0
"""For one request, repeated with its key until it is answered."""
LIMIT_PER_MINUTE = 15
"""Of the user who asks as often as possible."""
WINDOW, RESTART = timedelta(seconds=60), timedelta(seconds=10)
POOL_SIZE = 4


class Instance:
    """A server process on a port of its own, killed and started again."""

    def __init__(self, directory: Path, database: Database, env: dict[str, str]) -> None:
        self.port = free_port()
        self._log = directory / f"instance-{self.port}.log"
        self._env = BARE | {"HOME": str(directory), "TODO_SERVER_DATABASE_URL": database.server_url} | env
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "serve", "--port", str(self.port)],
                env=self._env | {"TODO_POOL_SIZE": str(POOL_SIZE)},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def kill(self) -> None:
        """Kill the process."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)

    def wait_until_ready(self) -> None:
        """Wait until the server answers."""
        wait_for(lambda: is_ready(self.port), self._log.read_text()[-2000:], timeout=60)


def is_ready(port: int) -> bool:
    """Return whether the server on a port can work."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class Budget:
    """The number of requests that all users together send."""

    def __init__(self, operations: int) -> None:
        self._operations, self._numbers = operations, count(1)
        self.used = 0

    def take(self) -> bool:
        """Take one request; return False when none is left."""
        self.used = next(self._numbers)
        return self.used <= self._operations


class Owner(Worker):
    """Adds, edits, completes and claims tasks of one user. Each title has the user's mark."""

    def __init__(self, name: int, seed: int, person: Person, budget: Budget) -> None:
        super().__init__(name, seed)
        self.person, self.budget, self.repeats = person, budget, 0

    def work(self, url: str) -> None:
        """Work until the budget is used up."""
        with closing(over(url, self.person)) as client:
            while self.budget.take():
                self.once(client)

    def once(self, backend: Any) -> None:
        """Send one request until it is answered."""
        request, key = self.wish(), f"w{self.name}-{new_id()}"
        try:
            answer = self.insist(backend, request, key)
        except (Conflict, NotAllowed, NotFound, NotNow):
            self.refused.add(key)
            return
        self.check_owner(answer)
        self.heard(request, key, answer)

    def insist(self, backend: Any, request: Request[Any], key: str) -> Any:
        """Send a request with its key until it is answered; raises the refusal."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return backend.send_now(request, key)
            except (Unavailable, TooMany):
                assert time.monotonic() < deadline, "a request was never answered"
                self.repeats += 1
                time.sleep(0.05)

    def check_owner(self, answer: Any) -> None:
        """Assert that an answer has no other user's data."""
        assert {*re.findall(r"mark-\w+", repr(answer))} <= {f"mark-{self.person.name}"}

    def add(self) -> Request[Any]:
        """Add a task; some recur."""
        more = {"every": "every day", "due": "2030-01-07"} if self.random.random() < 0.1 else {}
        return AddTask(title=f"mark-{self.person.name} {self.random.random()}", project=self.group(), **more)  # type: ignore[arg-type]


class Watcher(Owner):
    """Reads the newest changes again and again: they have no holes and never go back."""

    newest = 0

    def once(self, backend: Any) -> None:
        """Read once."""
        page = self.insist(backend, ListChanges(limit=50), new_id())
        self.check_owner(page)
        seqs = [change.seq for change in page.changes]
        assert seqs == [*range(seqs[0], seqs[0] - len(seqs), -1)] if seqs else True
        assert (seqs or [0])[0] >= self.newest
        self.newest = (seqs or [0])[0]


class Agent(Owner):
    """Works as an owner does, with a token for the tasks of two projects. It tries to leave them, too."""

    projects = ("g0", "g1")

    def __init__(self, name: int, seed: int, person: Person, budget: Budget) -> None:
        super().__init__(name, seed, person, budget)
        self.token = ""

    def work(self, url: str) -> None:
        """Create the token, and work with it until the budget is used up."""
        token = new_token(self.person.user_id)
        created = CreateToken(
            id=new_id(),
            hash=token_hash(token),
            name=f"agent{self.name}",
            scopes=("read", "tasks:write"),
            filter=" or ".join(f"#{project}" for project in self.projects),
        )
        with closing(over(url, self.person)) as client:
            self.token = self.insist(client, created, new_id()).id
        with closing(over(url, replace(self.person, token=token.reveal()))) as client:
            while self.budget.take():
                self.once(client)

    def edit(self) -> Request[Any]:
        """Change one task, or move it to another project."""
        if self.random.random() < 0.5:
            return EditTasks(numbers=(self.number(),), project=self.group())
        return super().edit()

    def check_owner(self, answer: Any) -> None:
        """Assert that an answer has no task of another project."""
        super().check_owner(answer)
        assert {task.project for task in tasks_of(answer)} <= {*self.projects}

    def settle(self, db: Database) -> None:
        """Assert that every task in every change of the token belonged to its projects before and after."""
        query = """SELECT jsonb_path_query(coalesce(before, '[]') || coalesce(after, '[]'), '$[*].project')
                     FROM todo.changes WHERE space_id = %s AND token_id = %s"""
        assert {project for (project,) in db.execute(query, self.person.user_id, self.token)} <= {*self.projects}
        tasks = """SELECT count(*) FROM todo.changes, jsonb_array_elements(coalesce(before, '[]') || after) AS task
                    WHERE space_id = %s AND token_id = %s AND task ->> 'project' IS NULL"""
        assert db.execute(tasks, self.person.user_id, self.token) == [(0,)]


class Hasty(Owner):
    """A user with a low limit, who adds as often as possible."""

    def once(self, backend: Any) -> None:
        """Add a task, and leave it where the limit refuses it."""
        request, key = self.add(), f"w{self.name}-{new_id()}"
        try:
            self.heard(request, key, backend.send_now(request, key))
        except TodoError:
            time.sleep(0.05)


class Talker(Owner):
    """Chats: the model adds one task in each turn."""

    def __init__(self, name: int, seed: int, person: Person, budget: Budget) -> None:
        super().__init__(name, seed, person, budget)
        self.turns: list[str] = []

    def work(self, url: str) -> None:
        """Send messages until the budget is used up; each is sent with its id until the turn has ended."""
        while self.budget.take():
            body = {"turn": new_id(), "conversation": new_id(), "text": "add a task"}
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not self._is_done(url, body):
                assert time.monotonic() < deadline, "a turn never ended"
                time.sleep(0.1)
            self.turns.append(body["turn"])

    def _is_done(self, url: str, body: dict[str, Any]) -> bool:
        try:
            frames = list(read_frames(url, "POST", "/v1/turns", body, token=self.person.token))
        except (OSError, http.client.HTTPException, AssertionError, ValueError, TypeError):
            return False
        return bool(frames) and frames[-1].event == "turn" and frames[-1].data["state"] == "done"


@dataclass
class Storm:
    """All parts of a run."""

    db: Database
    instances: list[Instance]
    seed: int
    operations: int
    kill_database: Callable[[], None]
    restart_valkey: Callable[[], None]
    kills: Counter[str] = field(default_factory=Counter)
    forgotten: list[datetime] = field(default_factory=list)
    """The moments at which Valkey lost its counts."""

    def run(self) -> None:
        """Run it to its end, print its figures, and settle the account."""
        print(f"TODO_TEST_SEED={self.seed} TODO_TEST_OPERATIONS={self.operations}")
        people = [self.db.person() for _ in range(4)]
        hasty = people[-1]
        self.db.execute("UPDATE todo.users SET per_minute = %s WHERE id = %s", LIMIT_PER_MINUTE, hasty.user_id)
        budget, names = Budget(self.operations), count()
        workers: list[Owner] = [Hasty(next(names), self.seed, hasty, budget)]
        for person in people[:-1]:
            kinds = (Owner, Owner, Agent, Watcher, Talker)
            workers += [kind(next(names), self.seed, person, budget) for kind in kinds]
        for instance in self.instances:
            instance.wait_until_ready()
        balancer, began = FaultyBalancer([instance.port for instance in self.instances], self.seed), time.monotonic()
        over_now = threading.Event()
        with ThreadPoolExecutor(len(workers) + 1) as pool:
            killing = pool.submit(self._kill, over_now)
            running = [pool.submit(worker.work, balancer.url) for worker in workers]
            try:
                for work in running:
                    work.result()
            finally:
                over_now.set()
            killing.result()
        balancer.close()
        seconds = time.monotonic() - began
        self._print_figures(workers, balancer, seconds)
        self._settle(people, workers)

    def _kill(self, over_now: threading.Event) -> None:
        """Kill the next part once the last one works again, so that the users get on."""
        chooser = random.Random(self.seed)
        pause = 0.3  # A short run has its kills, too.
        while not over_now.wait(pause):
            pause = chooser.uniform(1.0, 5.0)
            instance = chooser.choice(self.instances)
            part = chooser.random()
            if part < 0.2:
                self.kills["database"] += 1
                self.kill_database()
            elif part < 0.35:
                self.kills["valkey"] += 1
                self.restart_valkey()
                self.forgotten.append(datetime.now(UTC))
            else:
                self.kills["server"] += 1
                instance.kill()
                instance.start()
            wait_for(lambda instance=instance: over_now.is_set() or is_ready(instance.port), timeout=60)  # type: ignore[misc]

    def _print_figures(self, workers: list[Owner], balancer: FaultyBalancer, seconds: float) -> None:
        acknowledged = sum(len(worker.acknowledged) for worker in workers)
        turns = sum(len(worker.turns) for worker in workers if isinstance(worker, Talker))
        repeats = sum(worker.repeats for worker in workers)
        print(
            f"{self.operations} operations in {seconds:.0f} s: {acknowledged} changes, {turns} turns; {repeats} repeats"
        )
        print(f"killed: {dict(self.kills)}; faults: {dict(balancer.faults)}")

    def _settle(self, people: list[Person], workers: list[Owner]) -> None:
        for instance in self.instances:
            instance.wait_until_ready()
        for person in people:
            own = [worker for worker in workers if worker.person is person]
            settle_person(self.db, person, own)
        for person in people[:-1]:  # the last one is beyond the limit
            answers = [read_tasks(instance.url, person) for instance in self.instances]
            assert answers == [answers[0]] * len(answers), "instances differ"
        for worker in workers:
            if isinstance(worker, Agent):
                worker.settle(self.db)
        self._settle_limit(people[-1])
        self._settle_connections()
        print("lost 0, doubled 0, leaked 0")

    def _settle_limit(self, person: Person) -> None:
        """No 60 seconds have more changes of the hasty user than the limit allows, and it holds after the kills too.

        Each Valkey counts anew, and Postgres counts the requests of the moments without one.
        """
        moments = [
            at
            for (at,) in self.db.execute("SELECT at FROM todo.changes WHERE user_id = %s ORDER BY seq", person.user_id)
        ]
        for place, first in enumerate(moments):
            end = first + WINDOW
            counters = 2 + sum(first - RESTART <= moment <= end + RESTART for moment in self.forgotten)
            assert sum(at < end for at in moments[place:]) <= counters * LIMIT_PER_MINUTE
        instance = self.instances[0]
        answers = [ask(instance.url, "GET", "/v1/me", token=person.token) for _ in range(LIMIT_PER_MINUTE + 1)]
        assert answers[-1].status == 429

    def _settle_connections(self) -> None:
        """Running servers hold their pools at most, and killed ones nothing."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'todo_server'"
        assert self.db.execute(query)[0][0] <= POOL_SIZE * len(self.instances)
        for instance in self.instances:
            instance.kill()
        wait_for(lambda: self.db.execute(query) == [(0,)])


def settle_person(db: Database, person: Person, workers: list[Owner]) -> None:
    """Assert that every acknowledged change is there exactly once, and that the journal is whole."""
    changes = journal(db, person.user_id)
    assert replayed(changes) == present(db, person.user_id)
    every_number_once(changes)
    keys = Counter(change["key"] for change in changes)
    assert {*keys.values()} <= {1}, "doubled"
    told = {key: answer for worker in workers for key, answer in worker.acknowledged.items()}
    assert told.keys() <= keys.keys(), "lost"
    assert not keys.keys() & {key for worker in workers for key in worker.refused}, "refused, but done"
    if not any(isinstance(worker, Hasty) for worker in workers):  # who does not wait for answers
        own_keys = {key for key in keys if key.startswith("w")}
        assert own_keys <= told.keys(), "done, but not told"
    by_key = {change["key"]: change for change in changes}
    for key, answer in told.items():
        if by_key[key]["verb"] != "Undo":
            assert [task.number for task in tasks_of(answer)] == [task["number"] for task in by_key[key]["after"]]
    turns = [turn for worker in workers if isinstance(worker, Talker) for turn in worker.turns]
    per_turn = "SELECT turn_id::text, count(*) FROM todo.changes WHERE space_id = %s AND turn_id IS NOT NULL GROUP BY 1"
    counted = dict(db.execute(per_turn, person.user_id))
    assert {turn: counted.get(turn) for turn in turns} == dict.fromkeys(turns, 1), "a call of a turn is lost or doubled"


def read_tasks(url: str, person: Person) -> list[tuple[int, str, int]]:
    """Return the open tasks as one instance lists them."""
    with closing(over(url, person)) as client:
        return [(task.number, task.title, task.rev) for task in client.send_now(ListTasks(limit=200), None).tasks]


def read_seed() -> int:
    """Return the seed of this run, from TODO_TEST_SEED if it is set."""
    return int(os.environ.get("TODO_TEST_SEED") or random.randrange(10**6))


@contextmanager
def start_instances(
    directory: Path, database: Database, env: dict[str, str], number: int = 3
) -> Iterator[list[Instance]]:
    """Start servers over one database, and kill them at the end."""
    instances = [Instance(directory, database, env) for _ in range(number)]
    try:
        yield instances
    finally:
        for instance in instances:
            instance.kill()
