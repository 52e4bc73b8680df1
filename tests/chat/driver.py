"""A process that runs turns, and kills itself at a point that it is told: before or after any statement or model event.

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
from typing import Any

import msgspec
from psycopg.pq import TransactionStatus

import todo_cli.db.connect
from todo_cli.chat.assembler import Finished, Words
from todo_cli.chat.calls import Call
from todo_cli.chat.replay import faults
from todo_cli.chat.turn import Ended, Limits, run_turn
from todo_cli.contract.base import Caller, Secret
from todo_cli.contract.chat import BeginTurn
from todo_cli.contract.ids import new_id
from todo_cli.core.handlers import handle
from todo_cli.db.connect import BEGIN, Tx, connect
from todo_cli.errors import TodoError

ROOT = Path(__file__).parents[2]


class Script:
    """A model that says what is written for this round of this turn: so a process that goes on hears what comes next.

    A round is a list of words and of calls as [name, arguments]; `pause`: seconds before each event.
    """

    def __init__(self, rounds: Sequence[Sequence[Any]], *, pause: float = 0, point: Any = lambda: None) -> None:
        self.rounds, self.pause, self.point = rounds, pause, point
        self.asked: list[list[dict[str, Any]]] = []

    def __call__(self, messages: Sequence[Any], tools: Sequence[Any]) -> AsyncIterator[Any]:
        self.asked.append(list(messages))
        return self._answer(list(messages))

    async def _answer(self, messages: list[dict[str, Any]]) -> AsyncIterator[Any]:
        wrong = faults(messages)
        assert not wrong, wrong
        user = max(at for at, one in enumerate(messages) if one["role"] == "user")
        said = sum(one["role"] == "assistant" for one in messages[user:])
        calls = []
        for part in self.rounds[said] if said < len(self.rounds) else ["done"]:
            self.point()
            await asyncio.sleep(self.pause)
            if isinstance(part, str):
                yield Words(part)
            else:
                calls.append(Call(len(calls), f"c{len(calls)}", part[0], json.dumps(part[1])))
        for call in calls:
            self.point()
            yield call
        self.point()
        yield Finished("calls" if calls else "stop")
        self.point()


class Points:
    """Counts, and dies at the one that is named."""

    def __init__(self, at: int | None) -> None:
        self.at, self.count = at, 0

    def __call__(self) -> None:
        """One more point."""
        if self.reached():
            os.kill(os.getpid(), signal.SIGKILL)

    def reached(self) -> bool:
        """Whether this one is it."""
        self.count += 1
        return self.count == self.at

    def watch(self) -> None:
        """Before every statement, with those before it carried out, and after every answer that came."""
        send = todo_cli.db.connect.run

        async def counted(connection: Any, statements: list[Any]) -> Any:
            begun = connection.info.transaction_status == TransactionStatus.INTRANS or statements[0][0] is BEGIN
            for many in range(len(statements)):
                if self.reached():
                    if many and begun:  # else they are one implicit transaction, which ends with the last
                        await send(connection, statements[:many])
                    os.kill(os.getpid(), signal.SIGKILL)
            rows = await send(connection, statements)
            self()
            return rows

        todo_cli.db.connect.run = counted


async def drive(given: dict[str, Any]) -> dict[str, Any]:
    """Run the turn; say how it ended, what the model was asked, and how many points there were."""
    connection = await connect(given["url"])
    caller = Caller(token=Secret(given["token"]), zone="Europe/Berlin", way="test")
    points = Points(given.get("die"))
    points.watch()
    script = Script(given["rounds"], pause=given.get("pause", 0), point=points)

    async def send(request: Any) -> Any:
        return await handle(Tx(connection, caller, type(request)), request)

    begin = BeginTurn(conversation=given["conversation"], turn=given["turn"], runner=new_id(), text=given["text"])
    try:
        ended = msgspec.to_builtins(await run_turn(send, script, begin, limits=Limits(lease=given.get("lease", 30))),
                                    enc_hook=str)  # fmt: skip
    except TodoError as error:
        ended = {"error": error.as_problem()}
    await connection.close()
    return {"ended": ended, "asked": script.asked, "points": points.count}


def start(**given: Any) -> subprocess.Popen[str]:
    """The driver as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chat.driver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(json.dumps(given))
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: subprocess.Popen[str], *, killed: bool = False) -> dict[str, Any]:
    """What it said; nothing where it was killed, and nothing else may have ended it."""
    out, err = process.communicate(timeout=60)
    if killed and process.returncode == -signal.SIGKILL:
        return {}
    assert process.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


__all__ = ["Ended", "Script", "drive", "finish", "start"]

if __name__ == "__main__":
    print(json.dumps(asyncio.run(drive(json.loads(sys.stdin.read())))))
