"""A process that runs a turn or one request, and fails at a given point: around any statement or model event.

It kills itself ("kill"), or loses its database connection in the middle of a pipeline ("cut") or for ever ("gone").

It is started with one JSON object on its stdin, and prints one. The hooks are around what the loop is handed, and
around the connection: the product knows nothing of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import psycopg
from psycopg.pq import TransactionStatus

import todo_cli.clients.direct
import todo_cli.db.transaction
from tests.support.ask import settings_of
from todo_cli.agent.loop import Limits, TurnEnd, run_turn
from todo_cli.agent.messages import protocol_errors
from todo_cli.clients.direct import DirectClient
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id
from todo_cli.contract.registry import BY_VERB
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import BEGIN
from todo_cli.errors import TodoError
from todo_cli.llm.stream import Finished, TextDelta
from todo_cli.llm.tool_calls import ToolCall

ROOT = Path(__file__).parents[2]
TERMINATE = Sql("SELECT pg_terminate_backend(pg_backend_pid())")


class ScriptedModel:
    """A model that answers with the script of the turn's current round, so that another process can continue the turn.

    A round is a list of words and of calls as [name, arguments]; `pause`: seconds before each event.
    """

    def __init__(
        self, rounds: Sequence[Sequence[Any]], *, pause: float = 0, point: Any = lambda: None, summary: str = ""
    ) -> None:
        self.rounds, self.pause, self.point, self.summary = rounds, pause, point, summary
        self.asked: list[list[dict[str, Any]]] = []

    def __call__(self, messages: Sequence[Any], tools: Sequence[Any]) -> AsyncIterator[Any]:
        self.asked.append(list(messages))
        if self.summary and not tools:
            return self._summarised()
        return self._answer(list(messages))

    async def _summarised(self) -> AsyncIterator[Any]:
        self.point()
        yield TextDelta(self.summary)
        self.point()
        yield Finished("stop")

    async def _answer(self, messages: list[dict[str, Any]]) -> AsyncIterator[Any]:
        wrong = protocol_errors(messages)
        assert not wrong, wrong
        user = max(at for at, one in enumerate(messages) if one["role"] == "user")
        said = sum(one["role"] == "assistant" for one in messages[user:])
        calls = []
        for part in self.rounds[said] if said < len(self.rounds) else ["done"]:
            self.point()
            await asyncio.sleep(self.pause)
            if isinstance(part, str):
                yield TextDelta(part)
            else:
                calls.append(ToolCall(len(calls), f"c{len(calls)}", part[0], json.dumps(part[1])))
        for call in calls:
            self.point()
            yield call
        self.point()
        yield Finished("calls" if calls else "stop")
        self.point()


class FailurePoints:
    """Counts the points, and fails at the given one."""

    def __init__(self, at: int | None, how: str = "kill", gone: Any = lambda: None) -> None:
        self.at, self.how, self.gone, self.count = at, how, gone, 0

    def __call__(self) -> None:
        """Count a point, and kill the process if it is the given one."""
        if self.reached() and self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)

    def reached(self) -> bool:
        """Count a point; return True for the given one."""
        self.count += 1
        return self.count == self.at

    def watch(self) -> None:
        """Add a point before every statement and after every answer."""
        todo_cli.db.transaction.run = self._counted(todo_cli.db.transaction.run)

    def _counted(self, send: Any) -> Any:
        async def counted(connection: Any, statements: list[Any]) -> Any:
            for many in range(len(statements)):
                if self.reached():
                    await self._accident(connection, send, statements, many)
            answer = await send(connection, statements)
            if self.reached():
                await self._accident(connection, send, [], 0)
            return answer

        return counted

    async def _accident(self, connection: Any, send: Any, statements: list[Any], many: int) -> None:
        if self.how == "kill":
            begun = connection.info.transaction_status == TransactionStatus.INTRANS
            if many and (begun or statements[0][0] is BEGIN):  # else one implicit transaction, which ends with the last
                await send(connection, statements[:many])
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "gone":
            self.gone()
        if statements:
            await send(connection, [*statements[:many], (TERMINATE, []), *statements[many:]])
        await connection.close()
        raise psycopg.OperationalError("the answer was lost")


def _connected(given: dict[str, Any], points: FailurePoints) -> tuple[Any, Any]:
    """Return the functions that send a request directly and that close the client."""
    who: Any = SimpleNamespace(token=given["token"], database_url=given["url"])
    backend = DirectClient(settings_of(who, "direct"))
    nowhere = Secret("postgresql://nobody@127.0.0.1:1/none")

    def gone() -> None:
        backend._settings = backend._settings.replace(database_url=nowhere)
        todo_cli.clients.direct.MAX_ATTEMPTS_AFTER_LOSS = 2  # the real one waits for six seconds

    points.gone = gone
    return backend.send, backend.aclose


async def run_driver(given: dict[str, Any]) -> dict[str, Any]:
    """Run the turn; return its end, the model's requests and the number of points."""
    points = FailurePoints(given.get("die"), given.get("how", "kill"))
    points.watch()
    send, leave = _connected(given, points)
    if "request" in given:
        return await _requested(given, points, send, leave)
    script = ScriptedModel(given["rounds"], pause=given.get("pause", 0), point=points, summary=given.get("summary", ""))
    begin = BeginTurn(conversation=given["conversation"], turn=given["turn"], runner=new_id(), text=given["text"])
    limits = Limits(lease_seconds=given.get("lease", 30), budget_tokens=given.get("budget", 32_000))
    try:
        ended = msgspec.to_builtins(await run_turn(send, script, begin, limits=limits), enc_hook=str)
    except TodoError as error:
        ended = {"error": error.as_problem()}
    await leave()
    return {"ended": ended, "asked": script.asked, "points": points.count}


async def _requested(given: dict[str, Any], points: FailurePoints, send: Any, leave: Any) -> dict[str, Any]:
    kind = BY_VERB[given["request"]]
    try:
        answer = msgspec.to_builtins(await send(msgspec.convert(given["fields"], kind), given["key"]))
    except TodoError as error:
        return {"refused": error.as_problem(), "points": points.count}
    finally:
        await leave()
    return {"answer": answer, "points": points.count}


def start_driver(**given: Any) -> subprocess.Popen[str]:
    """Start the driver as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.turn_driver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin
    process.stdin.write(json.dumps(given))
    process.stdin.close()
    process.stdin = None
    return process


def finish_driver(process: subprocess.Popen[str], *, killed: bool = False) -> dict[str, Any]:
    """Return the driver's answer, or {} if it was killed. Nothing else may have ended it."""
    out, err = process.communicate(timeout=60)
    if killed and process.returncode == -signal.SIGKILL:
        return {}
    assert process.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


__all__ = ["ScriptedModel", "TurnEnd", "finish_driver", "run_driver", "start_driver"]

if __name__ == "__main__":
    print(json.dumps(asyncio.run(run_driver(json.loads(sys.stdin.read())))))
