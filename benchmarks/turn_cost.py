"""What a turn has cost: in our process, in Postgres, and until its end, whichever process runs it."""

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
from server import cpu_of
from talks import Talk, history, talk
from turns import BACK, SAID

REPLAYED = (10, 1_000)
"""Messages that the model is sent: of a conversation so long, or of a long one's end."""


class Cost(NamedTuple):
    """Milliseconds of one turn: of our process, of Postgres, and until its end."""

    own: float
    postgres: float
    wall: float


# -- one turn after another ---------------------------------------------------------------------------


class Bench:
    """The list with its conversations, the model, the server, and the processes that run turns themselves."""

    def __init__(self, home: House, long: int) -> None:
        import psycopg

        from todo_cli.local_postgres.cluster import LocalPostgres

        self.home, postgres = home, LocalPostgres(home.home / "pg")
        self.connection = psycopg.connect(postgres.owner_url(), autocommit=True)
        self.postmaster = postgres.running() or 0
        self.me = str(self._one("SELECT user_id FROM todo.members LIMIT 1"))
        self.connection.execute("UPDATE todo.users SET per_minute = 1000000000")
        self.talks = self._stored(long)
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

    def _stored(self, long: int) -> dict[str, Talk]:
        print(f"storing conversations of up to {long:,} messages …", file=sys.stderr)
        cases = [(length, replayed) for replayed in REPLAYED for length in (replayed, long)]
        found = [talk(self.connection, self.me, 1 + at, *case) for at, case in enumerate(cases)]
        return {
            f"{length:,} messages, {replayed:,} sent": one for (length, replayed), one in zip(cases, found, strict=True)
        }

    def _one(self, statement: str, *values: Any) -> Any:
        found = self.connection.execute(statement, values).fetchone()
        return found[0] if found else None

    def _runner(self, way: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "benchmarks" / "turns.py"), way]
        return subprocess.Popen(
            command, env=self.environment, cwd=self.home.home, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def close(self) -> None:
        """End what was started here."""
        self.connection.close()
        for one in self.runners.values():
            one.communicate()

    def run(self, way: str, talk: Talk, turns: int) -> Cost:
        """So many turns, each from the same point of the conversation."""
        before = self._postgres()
        if way == "server":
            own, wall = self._served(talk, turns)
        else:
            asked = {"conversation": talk.id, "head": talk.messages, "turns": turns}
            found = self.told(way, asked | ({"history": history(talk.replayed)} if way == "plain" else {}))
            own, wall = median(found["cpu"]), median(found["wall"])
        used = (self._postgres() - before) / turns if way != "plain" else 0.0
        return Cost(own * 1000, used * 1000, wall * 1000)

    def told(self, way: str, asked: dict[str, Any]) -> dict[str, Any]:
        """A batch in another process, and what it says of it."""
        runner = self.runners[way]
        assert runner.stdin
        assert runner.stdout
        runner.stdin.write(json.dumps(asked) + "\n")
        runner.stdin.flush()
        line = runner.stdout.readline()
        if not line:
            raise SystemExit(f"{way}: no answer")
        found: dict[str, Any] = json.loads(line)
        return found

    def _served(self, talk: Talk, turns: int) -> tuple[float, float]:
        before, walls = nanoseconds(self.pid), []
        for _ in range(turns):
            self.connection.execute(BACK, [talk.messages, talk.id])
            started = time.perf_counter()
            self._turn(talk.id)
            walls.append(time.perf_counter() - started)
        return (nanoseconds(self.pid) - before) / turns / 1e9, median(walls)

    def _turn(self, conversation: str) -> None:
        there = urlsplit(self.url)
        client = http.client.HTTPConnection(there.hostname or "", there.port, timeout=60)
        body = json.dumps({"turn": str(uuid4()), "conversation": conversation, "text": SAID})
        head = {"Authorization": f"Bearer {self.home.profile()['token']}", "Content-Type": "application/json"}
        client.request("POST", "/v1/turns", body, head)
        answer = client.getresponse().read()
        client.close()
        if b'"state":"done"' not in answer:
            raise SystemExit(f"the turn did not end: {answer.decode()[-500:]}")

    def _postgres(self) -> float:
        """CPU seconds of all of Postgres, of those who have left, too."""
        children = Path(f"/proc/{self.postmaster}/task/{self.postmaster}/children")
        if not children.exists():
            return 0.0
        gone = Path(f"/proc/{self.postmaster}/stat").read_text().rpartition(")")[2].split()[13:15]
        own = sum(nanoseconds(int(pid)) for pid in children.read_text().split())
        return own / 1e9 + sum(map(int, gone)) / os.sysconf("SC_CLK_TCK")

    def rows(self) -> dict[str, int]:
        """Rows of all tables read and written so far, by who has gone and by us."""
        time.sleep(0.5)  # a connection that is closed counts what it has done a moment later
        self.connection.execute("SELECT pg_stat_force_next_flush()")
        statement = """SELECT sum(idx_tup_fetch + seq_tup_read), sum(n_tup_ins + n_tup_upd + n_tup_del)
          FROM pg_stat_user_tables WHERE schemaname = 'todo'"""
        read, written = self.connection.execute(statement).fetchone() or (0, 0)
        return {"read": int(read), "written": int(written)}


def nanoseconds(pid: int) -> float:
    """CPU of a process so far, finer than clock ticks where the system tells."""
    found = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
    try:
        return sum(int(one.read_text().split()[0]) for one in found) or cpu_of(pid) * 1e9
    except (OSError, subprocess.CalledProcessError):  # a worker that has just left
        return 0.0


def middle(runs: list[Cost]) -> Cost:
    """The median of each."""
    return Cost(*(median(one) for one in zip(*runs, strict=True)))


def times(runs: list[Cost], base: list[Cost]) -> Cost:
    """As a multiple: the median of what each round says, whose two batches met the same load."""
    both = zip(runs, base, strict=True)
    return middle(
        [
            Cost(one.own / other.own, (one.own + one.postgres) / (other.own + other.postgres), one.wall / other.wall)
            for one, other in both
        ]
    )
