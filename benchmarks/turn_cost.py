"""Measure turns of the chat: the CPU of the process that runs them, the CPU of Postgres, and the wall time."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

from measure import ROOT, House
from server import cpu_seconds
from talks import Talk, make_history, store_talk
from turns import RESET_HEAD, TEXT

REPLAYED = (10, 1_000)
"""How many messages the model is sent: a whole short conversation, or the end of a long one."""


class Cost(NamedTuple):
    """Milliseconds of one turn: CPU of our process, CPU of Postgres, and wall time."""

    own: float
    postgres: float
    wall: float


# -- the turns ----------------------------------------------------------------------------------------


class Bench:
    """A list with its conversations, the model, the server, and the processes that run turns without a server."""

    def __init__(self, home: House, long: int) -> None:
        import psycopg

        from todo_cli.local_postgres.cluster import LocalPostgres

        self.home, postgres = home, LocalPostgres(home.home / "pg")
        self.connection = psycopg.connect(postgres.owner_url(), autocommit=True)
        self.postmaster = postgres.running() or 0
        self.me = str(self._value("SELECT user_id FROM todo.members LIMIT 1"))
        self.connection.execute("UPDATE todo.users SET per_minute = NULL, turns_per_minute = NULL")
        self.talks = self._store(long)
        self.connection.execute("VACUUM ANALYZE")
        self.connection.execute("CHECKPOINT")
        model, _ = home.serve([sys.executable, str(ROOT / "benchmarks" / "model.py")], "/", {"PYTHONPATH": str(ROOT)})
        self.environment = home.environment | {
            "OPENAI_BASE_URL": f"{model}/v1",
            "TODO_MODEL": "m",
            "BENCHMARK_OWNER_URL": postgres.owner_url(),
        }
        self.url, self.pid = home.serve([str(home.bin / "todo"), "serve", "--port"], "/readyz", self.environment)
        self.runners = {way: self._runner(way) for way in ("direct", "plain")}

    def _store(self, long: int) -> dict[str, Talk]:
        print(f"storing conversations of up to {long:,} messages …", file=sys.stderr)
        cases = [(length, replayed) for replayed in REPLAYED for length in (replayed, long)]
        found = [store_talk(self.connection, self.me, 1 + at, *case) for at, case in enumerate(cases)]
        return {
            f"{length:,} messages, {replayed:,} sent": talk
            for (length, replayed), talk in zip(cases, found, strict=True)
        }

    def _value(self, statement: str, *values: Any) -> Any:
        found = self.connection.execute(statement, values).fetchone()
        return found[0] if found else None

    def _runner(self, way: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "benchmarks" / "turns.py"), way]
        return subprocess.Popen(
            command, env=self.environment, cwd=self.home.home, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def close(self) -> None:
        """Close the connection and end the processes."""
        self.connection.close()
        for runner in self.runners.values():
            runner.communicate()

    def run(self, way: str, talk: Talk, turns: int) -> Cost:
        """Run turns, each from the same point of the conversation, and return the cost of one."""
        before = self._postgres_seconds()
        if way == "server":
            own, wall = self._run_on_server(talk, turns)
        else:
            batch = {"conversation": talk.id, "head": talk.messages, "turns": turns}
            found = self.run_batch(way, batch | ({"history": make_history(talk.replayed)} if way == "plain" else {}))
            own, wall = median(found["cpu"]), median(found["wall"])
        used = (self._postgres_seconds() - before) / turns if way != "plain" else 0.0
        return Cost(own * 1000, used * 1000, wall * 1000)

    def run_batch(self, way: str, batch: dict[str, Any]) -> dict[str, Any]:
        """Run a batch of turns in its own process and return the costs that it reports."""
        runner = self.runners[way]
        assert runner.stdin
        assert runner.stdout
        runner.stdin.write(json.dumps(batch) + "\n")
        runner.stdin.flush()
        line = runner.stdout.readline()
        if not line:
            raise SystemExit(f"{way}: no answer")
        found: dict[str, Any] = json.loads(line)
        return found

    def _run_on_server(self, talk: Talk, turns: int) -> tuple[float, float]:
        before, walls = nanoseconds(self.pid), []
        for _ in range(turns):
            self.connection.execute(RESET_HEAD, [talk.messages, talk.id])
            started = time.perf_counter()
            self._send_turn(talk.id)
            walls.append(time.perf_counter() - started)
        return (nanoseconds(self.pid) - before) / turns / 1e9, median(walls)

    def _send_turn(self, conversation: str) -> None:
        address = urlsplit(self.url)
        client = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        body = json.dumps({"turn": str(uuid4()), "conversation": conversation, "text": TEXT})
        head = {"Authorization": f"Bearer {self.home.profile()['token']}", "Content-Type": "application/json"}
        client.request("POST", "/v1/turns", body, head)
        answer = client.getresponse().read()
        client.close()
        if b'"state":"done"' not in answer:
            raise SystemExit(f"the turn did not end: {answer.decode()[-500:]}")

    def _postgres_seconds(self) -> float:
        """Return the CPU seconds of all processes of Postgres, ended ones included."""
        children = Path(f"/proc/{self.postmaster}/task/{self.postmaster}/children")
        if not children.exists():
            return 0.0
        gone = Path(f"/proc/{self.postmaster}/stat").read_text().rpartition(")")[2].split()[13:15]
        own = sum(nanoseconds(int(pid)) for pid in children.read_text().split())
        return own / 1e9 + sum(map(int, gone)) / os.sysconf("SC_CLK_TCK")

    def rows(self) -> dict[str, int]:
        """Return how many rows of all tables were read and written so far."""
        time.sleep(0.5)  # a closed connection reports its counts a moment later
        self.connection.execute("SELECT pg_stat_force_next_flush()")
        statement = """SELECT sum(idx_tup_fetch + seq_tup_read), sum(n_tup_ins + n_tup_upd + n_tup_del)
          FROM pg_stat_user_tables WHERE schemaname = 'todo'"""
        read, written = self.connection.execute(statement).fetchone() or (0, 0)
        return {"read": int(read), "written": int(written)}


def nanoseconds(pid: int) -> float:
    """Return the CPU time of a process, finer than clock ticks where the system reports it."""
    try:
        files = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
        return sum(int(file.read_text().split()[0]) for file in files) or cpu_seconds(pid) * 1e9
    except (OSError, subprocess.CalledProcessError):  # the process has just ended
        return 0.0


def median_cost(runs: list[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(*(median(figures) for figures in zip(*runs, strict=True)))


def median_ratio(runs: list[Cost], base: list[Cost]) -> Cost:
    """Return the median of each round's ratio to its base. Both batches of a round met the same load."""
    rounds = zip(runs, base, strict=True)
    return median_cost(
        [
            Cost(run.own / other.own, (run.own + run.postgres) / (other.own + other.postgres), run.wall / other.wall)
            for run, other in rounds
        ]
    )
