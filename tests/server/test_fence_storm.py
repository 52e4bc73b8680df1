"""Workers that share one token claim tasks, take them from each other and write late, through servers and directly.

The token cannot tell them apart: only the fence can. The journal must show no write with a fence that was not the task's
last one at that moment.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable

import pytest

from tests.conftest import Database, Person, Server
from tests.support.ask import settings_of
from todo_cli.clients.base import Client
from todo_cli.clients.open import open_client
from todo_cli.contract.claims import ClaimTask, RenewClaims, TakeTask
from todo_cli.contract.comments import AddComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTasks, EditTasks, NewTask, ReopenTasks, Task
from todo_cli.errors import Conflict

WORKERS, TASKS = 8, 3


class FencedWorker:
    """One of the workers. `counts` has the outcomes of its writes."""

    def __init__(self, client: Client, seed: int) -> None:
        self.client, self.random = client, random.Random(seed)
        self.claims: list[Task] = []
        self.counts: Counter[str] = Counter()

    async def run(self, steps: int) -> None:
        """Claim, take over and write, in no order; old claims are used again and again."""
        for _ in range(steps):
            if not self.claims or self.random.random() < 0.3:
                await self.claim()
            else:
                await self.write(self.random.choice(self.claims[-6:]))
        await self.client.aclose()

    async def claim(self) -> None:
        """Take over the claim of any task, or renew it, as another process with the same token would."""
        number = self.random.randint(1, TASKS)
        kind = self.random.choice((TakeTask(number=number, reason="storm"), ClaimTask(number=number)))
        self.claims.append(await self.client.send(kind))

    async def write(self, claim: Task) -> None:
        """Write to the task with the fence of the claim, which may be old; the write says which fence it named."""
        fence = claim.fence or 0
        request = self.random.choice(
            (
                EditTasks(numbers=(claim.number,), note=f"fence {fence} {self.random.random()}"),
                AddComment(number=claim.number, id=new_id(), text=f"fence {fence}"),
                RenewClaims(numbers=(claim.number,)),
                ReopenTasks(numbers=(claim.number,)),
            )
        )
        try:
            await self.client.send(request, f"fence-{fence}-{new_id()}", (fence,))
            self.counts["landed"] += 1
        except Conflict as error:
            self.counts["refused" if "was lost" in error.detail else error.detail] += 1


def run_storm(db: Database, person: Person, urls: list[str], steps: int) -> None:
    """Run the workers and hold their writes against the journal."""
    seed = int(os.environ.get("TODO_TEST_SEED") or random.randrange(10**6))
    print(f"TODO_TEST_SEED={seed}")

    def open_worker(place: int) -> FencedWorker:
        way = "direct" if place % 3 == 2 else "api"
        return FencedWorker(open_client(settings_of(person, way, server=urls[place % len(urls)])), seed * 100 + place)

    async def run_all() -> Counter[str]:
        workers = [open_worker(place) for place in range(WORKERS)]
        await workers[0].client.send(AddTasks(tasks=tuple(NewTask(title="shared") for _ in range(TASKS))))
        await asyncio.gather(*(worker.run(steps) for worker in workers))
        return sum((worker.counts for worker in workers), Counter())

    counts = asyncio.run(run_all())
    print(counts)
    assert {*counts} == {"landed", "refused"}
    rows = db.execute(
        "SELECT verb, key, request, after FROM todo.changes WHERE space_id = %s ORDER BY seq", person.user_id
    )
    fences: dict[int, int] = {}
    landed = 0
    for verb, key, request, after in rows:
        if verb in ("ClaimTask", "TakeTask"):
            number, fence = after[0]["number"], after[0]["fence"]
            assert fence >= fences.get(number, 0), "a fence only grows"
            fences[number] = fence
        elif key.startswith("fence-"):
            number = request.get("number") or request["numbers"][0]
            assert int(key.split("-")[1]) == fences[number], (verb, request)
            landed += 1
    assert landed == counts["landed"]


def test_workers_of_one_token_never_write_with_an_old_fence(db: Database, person: Person, server: Server) -> None:
    run_storm(db, person, [server.url], 15)


@pytest.mark.long
def test_workers_of_one_token_never_write_with_an_old_fence_for_long(
    db: Database, person: Person, server: Server, make_server: Callable[..., Server]
) -> None:
    run_storm(db, person, [server.url, make_server(db).url], 1_000)
