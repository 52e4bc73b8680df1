"""Turns in a process of its own, which says what each has cost it: ours straight to the database, or a plain loop.

python turns.py direct|plain        (a line of JSON for each batch)

The plain loop is what most would write: the openai client, its streaming, the tools of the same form, the history and
the tasks in a list in memory. It stores nothing, asks nobody, and forgets all of it when it ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

BACK = "UPDATE todo.conversations SET head = %s, head_of = NULL WHERE id = %s"
"""To where the conversation was: every turn is measured at the same length of it."""
SAID = "put milk and a few other things on my list"


def told(turn: Callable[[], None], turns: int, before: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """CPU and wall seconds of each turn; not of what is done before it."""
    found: dict[str, Any] = {"cpu": [], "wall": []}
    for _ in range(turns):
        before()
        wall, cpu = time.perf_counter(), time.process_time()
        turn()
        found["cpu"].append(time.process_time() - cpu)
        found["wall"].append(time.perf_counter() - wall)
    return found


# -- ours ---------------------------------------------------------------------------------------------


class Direct:
    """Our turn, as the command runs it: a loop and a connection a turn."""

    def __init__(self) -> None:
        import psycopg

        import todo_cli.db.transaction as connect
        from todo_cli.settings.settings import load_settings

        self.settings, self.trips = load_settings(), 0
        self.owner = psycopg.connect(os.environ["BENCHMARK_OWNER_URL"], autocommit=True)
        send = connect.run

        async def counted(connection: Any, statements: Any) -> Any:
            self.trips += 1
            return await send(connection, statements)

        connect.run = counted

    def batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What it has cost, and how often the database was waited for."""
        self.trips = 0
        again = [BACK, (asked["head"], asked["conversation"])]
        found = told(lambda: self.turn(asked["conversation"]), asked["turns"], lambda: self.owner.execute(*again))
        self.owner.execute("SELECT pg_stat_force_next_flush()")
        return found | {"trips": self.trips / asked["turns"]}

    def turn(self, conversation: str) -> None:
        """One, to its end."""
        from todo_cli.contract.ids import new_id
        from todo_cli.contract.turn_steps import BeginTurn
        from todo_cli.turn_client.run import run_turn

        begin = BeginTurn(conversation=conversation, turn=new_id(), runner=new_id(), text=SAID)

        async def run() -> Any:
            return await run_turn(self.settings, begin, lambda event: None, asyncio.Event())

        outcome = asyncio.run(run())
        if outcome.state != "done" or not outcome.text.startswith("It is on your list"):
            raise SystemExit(f"the turn is {outcome.state}: {outcome.error} {outcome.text}")


# -- the plain loop -----------------------------------------------------------------------------------


class Plain:
    """The history in a list, the tasks in another."""

    def __init__(self) -> None:
        import openai

        from todo_cli.tools import list_tools

        self.client, self.tools = openai.OpenAI(api_key="none"), list(list_tools())
        self.tasks: list[str] = []

    def batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What it has cost."""
        history = asked["history"]

        def turn() -> None:
            messages = [*history]
            self.turn(messages)

        return told(turn, asked["turns"])

    def turn(self, messages: list[dict[str, Any]]) -> None:
        """Ask, do what it wishes, until it wishes nothing more."""
        messages.append({"role": "user", "content": SAID})
        while True:
            text, calls = self.answer(messages)
            if not calls:
                messages.append({"role": "assistant", "content": text})
                return
            messages.append({"role": "assistant", "content": text or None, "tool_calls": calls})
            for call in calls:
                self.tasks.append(json.loads(call["function"]["arguments"])["title"])
                result = json.dumps({"task": {"number": len(self.tasks), "title": self.tasks[-1], "status": "open"}})
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})

    def answer(self, messages: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
        """One streamed answer, put together."""
        stream = self.client.chat.completions.create(
            model=os.environ["TODO_MODEL"],
            messages=messages,
            tools=self.tools,
            stream=True,  # type: ignore[arg-type]
            stream_options={"include_usage": True},
        )
        text, calls = "", dict[int, dict[str, Any]]()
        for chunk in stream:
            for choice in chunk.choices:
                text += choice.delta.content or ""
                for part in choice.delta.tool_calls or ():
                    call = calls.setdefault(
                        part.index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
                    )
                    call["id"] = part.id or call["id"]
                    call["function"]["name"] += part.function.name or "" if part.function else ""
                    call["function"]["arguments"] += part.function.arguments or "" if part.function else ""
        return text, list(calls.values())


if __name__ == "__main__":
    ways: dict[str, Any] = {"direct": Direct, "plain": Plain}
    way = ways[sys.argv[1]]()
    for line in sys.stdin:
        print(json.dumps(way.batch(json.loads(line))), flush=True)
