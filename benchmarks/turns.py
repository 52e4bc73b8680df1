"""Run turns in a process of their own and print the cost of each: ours without a server, or a plain loop.

python turns.py direct|plain        (a line of JSON on stdin for each batch)

The plain loop is the usual first program: the openai client with streaming, the same tools, and the history and the
tasks in lists in memory. It stores nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

RESET_HEAD = "UPDATE todo.conversations SET head = %s, head_of = NULL WHERE id = %s"
"""Each turn is measured at the same length of the conversation."""
TEXT = "put milk and a few other things on my list"


def time_turns(turn: Callable[[], None], turns: int, before: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """Return the CPU and wall seconds of each turn, without the time of `before`."""
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
    """Our turn as the command runs it: each turn has its own event loop and connection."""

    def __init__(self) -> None:
        import psycopg

        import todo_cli.db.transaction as connect
        from todo_cli.settings.settings import load_settings

        self.settings, self.trips = load_settings(), 0
        self.owner = psycopg.connect(os.environ["BENCHMARK_OWNER_URL"], autocommit=True)
        send = connect.run

        async def send_and_count(connection: Any, statements: Any) -> Any:
            self.trips += 1
            return await send(connection, statements)

        connect.run = send_and_count

    def batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Run a batch and return its costs and the round trips of a turn."""
        self.trips = 0
        again = [RESET_HEAD, (batch["head"], batch["conversation"])]
        found = time_turns(lambda: self.turn(batch["conversation"]), batch["turns"], lambda: self.owner.execute(*again))
        self.owner.execute("SELECT pg_stat_force_next_flush()")
        return found | {"trips": self.trips / batch["turns"]}

    def turn(self, conversation: str) -> None:
        """Run one turn to its end."""
        from todo_cli.contract.ids import new_id
        from todo_cli.contract.turn_steps import BeginTurn
        from todo_cli.turn_client.run import run_turn

        begin = BeginTurn(conversation=conversation, turn=new_id(), runner=new_id(), text=TEXT)

        async def run() -> Any:
            return await run_turn(self.settings, begin, lambda event: None, asyncio.Event())

        outcome = asyncio.run(run())
        if outcome.state != "done" or not outcome.text.startswith("It is on your list"):
            raise SystemExit(f"the turn is {outcome.state}: {outcome.error} {outcome.text}")


# -- the plain loop -----------------------------------------------------------------------------------


class Plain:
    """A loop with the history in one list and the tasks in another."""

    def __init__(self) -> None:
        import openai

        from todo_cli.tools.schemas import list_tools

        self.client, self.tools = openai.OpenAI(api_key="none"), list(list_tools())
        self.tasks: list[str] = []

    def batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Run a batch and return its costs."""
        history = batch["history"]

        def turn() -> None:
            messages = [*history]
            self.turn(messages)

        return time_turns(turn, batch["turns"])

    def turn(self, messages: list[dict[str, Any]]) -> None:
        """Ask the model and run its calls until an answer has none."""
        messages.append({"role": "user", "content": TEXT})
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
        """Return the text and the calls of one streamed answer."""
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
