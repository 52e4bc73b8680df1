"""Twenty machines at once add, edit, complete and claim tasks, by number and by filter.

Twenty workers with a token each, through two servers and directly, and real `todo` processes among them. What they were
told is held against the journal, and the journal against what is stored.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest

from tests.conftest import Database, Person, Server, Todo
from tests.server.test_concurrency import journal, present, replayed
from tests.support.thread_clients import over, straight
from todo_cli.contract.base import Request
from todo_cli.contract.claims import ClaimTask, ReleaseTasks
from todo_cli.contract.ids import new_id, new_token
from todo_cli.contract.journal import Undo
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks, ReopenTasks, Task
from todo_cli.contract.tokens import CreateToken
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import Conflict, NotFound, NotNow

WORKERS, TYPISTS = 20, 3
GROUPS, MARKS = 5, 4
REFUSALS = {3, 6, 11}


def members(person: Person, many: int) -> list[Person]:
    """The same person with as many tokens."""
    made = []
    with closing(straight(person)) as backend:
        for place in range(many):
            token = new_token(person.user_id).reveal()
            hash = sha256(token.encode()).hexdigest()
            backend.send_now(CreateToken(id=new_id(), hash=hash, name=f"w{place}", scopes=("all",)), new_id())
            made.append(replace(person, token=token))
    return made


class Worker:
    """One machine: what it was told stands in `acknowledged`, by key."""

    def __init__(self, name: int, seed: int) -> None:
        self.name, self.random = name, random.Random(seed * 1_000 + name)
        self.acknowledged: dict[str, Any] = {}
        self.refused: set[str] = set()
        self.known: list[int] = []
        self.held: list[int] = []

    def run(self, backend: Any, until: float) -> None:
        """Work until then."""
        with closing(backend):
            while time.monotonic() < until:
                self.once(backend)

    def once(self, backend: Any) -> None:
        """One request; now and then it is sent again, as after a lost answer: it must change nothing."""
        request, key = self.wish(), f"w{self.name}-{new_id()}"
        try:
            answer = backend.send_now(request, key)
        except (Conflict, NotFound, NotNow):
            self.refused.add(key)
            return
        self.heard(request, key, answer)
        if self.random.random() < 0.05:
            again = backend.send_now(request, key)
            assert again.new is False, request
            assert [task.number for task in tasks_of(again)] == [task.number for task in tasks_of(answer)]

    def heard(self, request: Request[Any], key: str, answer: Any) -> None:
        """Kept for the account."""
        self.acknowledged[key] = answer
        numbers = [task.number for task in tasks_of(answer)]
        self.known = [*self.known, *numbers][-50:]
        if isinstance(request, ClaimTask):
            self.held = [*self.held, *numbers][-5:]

    def wish(self) -> Request[Any]:
        """What to ask next."""
        kinds = {
            self.add: 20,
            self.edit: 15,
            self.bulk: 6,
            self.done: 12,
            self.claim: 25,
            self.let_go: 15,
            self.other: 7,
        }
        chosen: Callable[[], Request[Any]] = self.random.choices([*kinds], [*kinds.values()])[0]
        return chosen()

    def number(self) -> int:
        """One that it has heard of, or one of the first, which all know."""
        return self.random.choice(self.known or [1]) if self.random.random() < 0.7 else self.random.randint(1, 30)

    def group(self) -> str:
        """A project that others work in, too."""
        return f"g{self.random.randrange(GROUPS)}"

    def add(self) -> Request[Any]:
        """A task; some recur."""
        more = {"every": "every day", "due": "2030-01-07"} if self.random.random() < 0.1 else {}
        return AddTask(title=f"w{self.name} {self.random.random()}", project=self.group(), **more)  # type: ignore[arg-type]

    def edit(self) -> Request[Any]:
        """One task."""
        return EditTasks(numbers=(self.number(),), note=f"by {self.name}", priority=self.random.choice([1, 2, 3]))

    def bulk(self) -> Request[Any]:
        """All of a group that lack a mark."""
        mark = f"m{self.random.randrange(MARKS)}"
        filter = f"#{self.group()} -@{mark}"
        if self.random.random() < 0.5:
            return EditTasks(filter=filter, add_tags=(mark,))
        return CompleteTasks(filter=f"{filter} due:any" if self.random.random() < 0.5 else f"{filter} p1")

    def done(self) -> Request[Any]:
        """A few, recurring ones among them."""
        return CompleteTasks(numbers=tuple({self.number() for _ in range(3)}))

    def claim(self) -> Request[Any]:
        """The next of a group, or one that was held already; for a second, so that leases run out."""
        if self.held and self.random.random() < 0.2:
            return ClaimTask(number=self.random.choice(self.held), lease=1)
        return ClaimTask(filter=f"#{self.group()}", lease=self.random.choice([1, 1, 2, 30]))

    def let_go(self) -> Request[Any]:
        """Finish or release what was claimed, late at times."""
        if not self.held:
            return self.claim()
        number = self.held.pop(self.random.randrange(len(self.held)))
        if self.random.random() < 0.6:
            return CompleteTasks(numbers=(number,), if_claimed=True)
        return ReleaseTasks(numbers=(number,))

    def other(self) -> Request[Any]:
        """The rest."""
        if self.random.random() < 0.3:
            return Undo(partial=True)
        return self.random.choice([ReopenTasks, DeleteTasks, RestoreTasks])(numbers=(self.number(),))


class Typist(Worker):
    """The same by real processes: the command, its exit codes, its JSON."""

    def run(self, backend: Any, until: float) -> None:
        """Work until then; `backend` is the command."""
        todo: Todo = backend
        while time.monotonic() < until:
            key = f"t{self.name}-{new_id()}"
            words = self.words()
            ended = todo(*words, "--json", "--key", key)
            if ended.code:
                assert ended.code in REFUSALS, ended
                self.refused.add(key)
                continue
            numbers = [one["number"] for one in ended.json.get("tasks", [ended.json])]
            self.acknowledged[key] = numbers
            if words[0] == "claim":
                self.held += numbers

    def words(self) -> list[str]:
        """A command line."""
        if self.held and self.random.random() < 0.6:
            return ["done", str(self.held.pop()), "--if-claimed"]
        return self.random.choice(
            [
                ["add", f"t{self.name} #{self.group()}"],
                ["claim", "--next", f"#{self.group()}", "--lease", "1s"],
                ["edit", f"#{self.group()} -@typed", "--tag", "typed", "--yes"],
            ]
        )


def tasks_of(answer: Any) -> list[Task]:
    """Of whatever was answered."""
    if isinstance(answer, Task):
        return [answer]
    return [*getattr(answer, "tasks", ())]


def test_twenty_machines_at_once_agree_with_the_journal(
    db: Database, person: Person, server: Server, make_server: Callable[..., Server], as_person: Callable[..., Todo]
) -> None:
    storm(db, person, [server.url, make_server(db).url], as_person, 4)


@pytest.mark.long
def test_twenty_machines_for_a_minute_agree_with_the_journal(
    db: Database, person: Person, server: Server, make_server: Callable[..., Server], as_person: Callable[..., Todo]
) -> None:
    storm(db, person, [server.url, make_server(db).url], as_person, 60)


def storm(db: Database, person: Person, urls: list[str], as_person: Callable[..., Todo], seconds: float) -> None:
    """So long, then every account."""
    seed = int(os.environ.get("TODO_TEST_SEED") or random.randrange(10**6))
    print(f"TODO_TEST_SEED={seed}")
    who = members(person, WORKERS)
    workers = [Worker(name, seed) for name in range(WORKERS - TYPISTS)]
    workers += [Typist(name, seed) for name in range(WORKERS - TYPISTS, WORKERS)]
    backends: list[Any] = [
        straight(one) if name % 3 == 2 else over(urls[name % 3], one) for name, one in enumerate(who[:-TYPISTS])
    ]
    backends += [
        as_person(replace(one, name=f"t{place}"), "direct" if place == 2 else "api", url=urls[place % 2])
        for place, one in enumerate(who[-TYPISTS:])
    ]
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(WORKERS) as pool:
        running = [pool.submit(one.run, backend, until) for one, backend in zip(workers, backends, strict=True)]
        for one in running:
            one.result(seconds + 120)
    settle(db, person, workers)


def settle(db: Database, person: Person, workers: list[Worker]) -> None:
    """Nothing lost, nothing doubled, numbers distinct, every claim held by one."""
    changes = journal(db, person.user_id)[WORKERS:]  # without the making of tokens
    rows = db.execute("SELECT seq, token_id::text FROM todo.changes WHERE space_id = %s", person.user_id)
    tokens: dict[int, str] = dict(rows)
    told = {key: answer for worker in workers for key, answer in worker.acknowledged.items()}
    keys = Counter(change["key"] for change in changes)
    assert set(keys) == set(told), "what was acknowledged was done, what was refused was not"
    assert set(keys.values()) == {1}
    assert not set(keys) & {key for worker in workers for key in worker.refused}
    assert replayed(changes) == present(db, person.user_id)
    verbs = Counter(change["verb"] for change in changes)
    print(f"{len(changes)} changes: {dict(verbs)}")
    assert {"AddTask", "EditTasks", "CompleteTasks", "ClaimTask", "ReleaseTasks"} <= {*verbs}
    every_number_once(changes)
    what_was_told_was_done(changes, told)
    filters_found_all(changes)
    every_claim_was_one_token_s(changes, tokens)
    no_write_followed_a_lost_claim(changes, tokens)
    every_occurrence_once(db, person)


def every_number_once(changes: list[dict[str, Any]]) -> None:
    """Numbers are given in order, each to one task."""
    ids: dict[int, str] = {}
    for change in changes:
        for image in change["after"] or ():
            assert ids.setdefault(image["number"], image["id"]) == image["id"], change["seq"]
    assert [*ids] == list(range(1, len(ids) + 1))
    assert len({*ids.values()}) == len(ids)


def what_was_told_was_done(changes: list[dict[str, Any]], told: dict[str, Any]) -> None:
    """Each answer names the tasks of its change."""
    for change in changes:
        if change["verb"] != "Undo":
            answer = told[change["key"]]
            numbers = answer if isinstance(answer, list) else [task.number for task in tasks_of(answer)]
            assert numbers == [image["number"] for image in change["after"]], change


def filters_found_all(changes: list[dict[str, Any]]) -> None:
    """A bulk edit has touched exactly what matched at its place in the order of all changes."""
    now: dict[int, dict[str, Any]] = {}
    counted = 0
    for change in changes:
        filter = change["request"].get("filter")
        if change["verb"] == "EditTasks" and filter:
            project, mark = filter.split()
            matching = [
                number
                for number, task in sorted(now.items())
                if task["project"] == project[1:] and task["status"] == "open" and mark[2:] not in task["tags"]
            ]
            assert [image["number"] for image in change["before"]] == matching, change["seq"]
            counted += 1
        for image in change["after"] or ():
            now[image["number"]] = image
    assert counted


def every_claim_was_one_token_s(changes: list[dict[str, Any]], tokens: dict[int, str]) -> None:
    """Spans of claims by different tokens do not overlap, and only who holds a task finishes it as its own."""
    holder: dict[int, tuple[str, datetime]] = {}
    spans: dict[int, list[tuple[str, datetime, datetime]]] = defaultdict(list)
    for change in changes:
        me = tokens[change["seq"]]
        for image in change["after"] or ():
            number, at = image["number"], datetime.fromisoformat(image["updated_at"])
            if change["verb"] == "ClaimTask":
                held = holder.get(number)
                assert held is None or held[0] == me or held[1] <= at, change
                until = datetime.fromisoformat(image["claimed_until"])
                _shorten(spans[number], at)
                spans[number].append((me, at, until))
                holder[number] = (me, until)
            elif change["verb"] == "ReleaseTasks" and number in holder:
                assert holder[number][0] == me or holder[number][1] <= at, change
            elif change["request"].get("if_claimed") and image["status"] == "done":
                assert holder[number][0] == me, change
            if not image.get("claimed_by"):
                _shorten(spans[number], at)
                holder.pop(number, None)
    assert spans
    for found in spans.values():
        for (_, _, until), (_, at, _) in pairwise(found):
            assert until <= at
    print(
        f"{sum(map(len, spans.values()))} claims of {sum(map(bool, spans.values()))} tasks, {_taken_over(spans)} taken over"
    )


def no_write_followed_a_lost_claim(changes: list[dict[str, Any]], tokens: dict[int, str]) -> None:
    """No token wrote to a task after another token had claimed it from it, unless it claimed it again."""
    holder: dict[int, str] = {}
    lost: dict[int, set[str]] = defaultdict(set)
    for change in changes:
        me = tokens[change["seq"]]
        for image in change["after"] or ():
            number = image["number"]
            if change["verb"] == "ClaimTask":
                if holder.get(number, me) != me:
                    lost[number].add(holder[number])
                lost[number].discard(me)
            assert me not in lost[number], change
            if image.get("claim_token"):
                holder[number] = image["claim_token"]
            else:
                holder.pop(number, None)
    print(f"{sum(map(len, lost.values()))} tokens have lost a claim")


def _shorten(spans: list[tuple[str, datetime, datetime]], at: datetime) -> None:
    """The last one ends here, if it has not ended: it was renewed or let go of. By another it must have ended."""
    if spans and spans[-1][2] > at:
        spans[-1] = (*spans[-1][:2], at)


def _taken_over(spans: dict[int, list[tuple[str, datetime, datetime]]]) -> int:
    return sum(one[0] != other[0] for found in spans.values() for one, other in pairwise(found))


def every_occurrence_once(db: Database, person: Person) -> None:
    """Of each series every occurrence is one task, without a hole; what is done has its next."""
    rows = db.execute(
        """SELECT series, array_agg(occurrence ORDER BY occurrence), max(occurrence) FILTER (WHERE status = 'done')
        FROM todo.tasks WHERE space_id = %s AND series IS NOT NULL GROUP BY series""",
        person.user_id,
    )
    assert rows
    for _, occurrences, last_done in rows:
        assert occurrences == list(range(1, len(occurrences) + 1))
        assert last_done is None or last_done < len(occurrences)
