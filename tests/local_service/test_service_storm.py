"""Many commands while the local service is killed and stopped at random moments: each acts exactly once."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.support.local_list import LocalList, create_local_list

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform != "linux", reason="the tests read /proc")]

COMMANDS = 200
THREADS = 4


def test_commands_over_a_dying_service_act_once() -> None:
    seed = int(os.environ.get("TODO_TEST_SEED") or random.randrange(10**6))
    print(f"TODO_TEST_SEED={seed}")
    with create_local_list() as local_list:
        is_over = threading.Event()
        killer = threading.Thread(target=_kill_often, args=(local_list, random.Random(seed), is_over))
        killer.start()
        names = [f"storm {number}" for number in range(COMMANDS)]
        try:
            with ThreadPoolExecutor(THREADS) as pool:
                results = list(pool.map(lambda name: local_list.todo("add", name, env={"TODO_TIMEOUT": "20"}), names))
        finally:
            is_over.set()
            killer.join()
        assert [result.err for result in results if result.code] == []
        tasks = local_list.todo("list", "--limit", "1000", "--json").json["tasks"]
        counts = Counter(task["title"] for task in tasks)
        assert counts == dict.fromkeys(names, 1)
        ways = Counter(local_list.ways().values())
        assert ways["api"] > 0, ways
        assert ways["direct"] > 0, ways
        local_list.forget_last_start()
        local_list.todo("list")
        pid = local_list.wait_for_service()
        assert local_list.service_processes() == [pid]


def _kill_often(local_list: LocalList, random_numbers: random.Random, is_over: threading.Event) -> None:
    while not is_over.wait(random_numbers.uniform(0.2, 2.0)):
        local_list.forget_last_start()
        if pid := local_list.service():
            with suppress(ProcessLookupError):
                os.kill(pid, random_numbers.choice([signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM]))
