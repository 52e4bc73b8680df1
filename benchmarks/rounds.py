"""Count the rounds (answers of the model) that requests to the chat take, with a model that follows the results only.

python rounds.py        (the project's root in PYTHONPATH; prints one JSON object for each request)

The model looks a task up with find_tasks and changes it if there is one full match. Where there is none it reads the
list first, and where a result does not show a field that it set it looks at the task: each costs a round more.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from statistics import mean
from typing import Any, NamedTuple

TITLES = (
    "Iron shirts",
    "Mow lawn",
    "Meet accountant",
    "Pay electricity bill",
    "Prepare slides for Anna",
    "Call the dentist",
    "Submit grant application",
    "Buy milk and bread",
    "Renew passport",
    "Clean the garage",
    "Plan birthday party",
    "Write thank-you letters",
    "Fix the leaking tap",
    "Return library books",
    "Book flights to Lisbon",
    "Water the plants",
)


class ChatRequest(NamedTuple):
    """A request of a user: `words` to look the task up, its title, and the call that answers the request."""

    kind: str
    text: str
    words: str
    title: str
    tool: str
    arguments: dict[str, Any]


def _change(text: str, words: str, title: str, tool: str, **arguments: Any) -> ChatRequest:
    return ChatRequest("change a task", text, words, title, tool, arguments)


REQUESTS = (
    _change("the ironing is done", "ironing", "Iron shirts", "complete_task"),
    _change("mowing can wait until saturday", "mowing", "Mow lawn", "update_task", defer="2030-06-01"),
    _change("my meeting is on june 3rd at 9", "meeting", "Meet accountant", "update_task", due="2030-06-03 09:00"),
    _change("paid the electricity", "paid the electricity", "Pay electricity bill", "complete_task"),
    _change("the slides are ready", "the slides", "Prepare slides for Anna", "complete_task"),
    _change("I rang the dentist", "dentist", "Call the dentist", "complete_task"),
    _change("the grant is urgent", "grant", "Submit grant application", "update_task", priority=1),
    _change("tag the milk with shop", "milk", "Buy milk and bread", "update_task", add_tags=["shop"]),
    _change(
        "renewing the passport is for june", "renewing passport", "Renew passport", "update_task", due="2030-06-30"
    ),
    _change("start cleaning the garage", "cleaning garage", "Clean the garage", "start_task"),
    _change("the party is on july 1st", "the party", "Plan birthday party", "update_task", due="2030-07-01"),
    _change("do the letters on monday", "letters", "Write thank-you letters", "update_task", scheduled="2030-06-03"),
    _change("fixed the leak", "fixed leak", "Fix the leaking tap", "complete_task"),
    _change("drop the library books", "library books", "Return library books", "delete_task"),
    _change(
        "booking the flights: project travel",
        "booking flights",
        "Book flights to Lisbon",
        "update_task",
        project="travel",
    ),
    _change(
        "water the plants every 3 days",
        "plants",
        "Water the plants",
        "update_task",
        every="every 3 days",
        due="2030-06-01",
    ),
    ChatRequest("add a task", "add eggs", "", "", "add_task", {"title": "Eggs"}),
    ChatRequest(
        "add a task",
        "rent on june 1st, monthly",
        "",
        "",
        "add_task",
        {"title": "Rent", "due": "2030-06-01", "every": "every month"},
    ),
    ChatRequest(
        "add a task", "tax return, project money", "", "", "add_task", {"title": "Tax return", "project": "money"}
    ),
    ChatRequest("ask about the list", "what is open?", "", "", "list_tasks", {}),
    ChatRequest("ask about the list", "what is overdue?", "", "", "list_tasks", {"filter": "is:overdue"}),
    ChatRequest(
        "ask about the list",
        "did I pay the electricity?",
        "",
        "",
        "find_tasks",
        {"words": "electricity", "status": "all"},
    ),
)


class CarefulModel:
    """A model that answers one request from the results alone."""

    def __init__(self, request: ChatRequest) -> None:
        self._request, self._has_changed = request, False
        self.rounds = 0

    def __call__(self, messages: Sequence[Any], tools: Sequence[Any]) -> AsyncIterator[Any]:
        """Answer one round."""
        self.rounds += 1
        results = [json.loads(message["content"]) for message in messages if message["role"] == "tool"]
        return self._answer(self._next_call(results))

    async def _answer(self, call: tuple[str, dict[str, Any]] | None) -> AsyncIterator[Any]:
        from todo_cli.llm.stream import Finished, TextDelta
        from todo_cli.llm.tool_calls import ToolCall

        if call is None:
            yield TextDelta("Done.")
        else:
            yield ToolCall(0, f"c{self.rounds}", call[0], json.dumps(call[1]))
        yield Finished("stop" if call is None else "calls")

    def _next_call(self, results: list[dict[str, Any]]) -> tuple[str, dict[str, Any]] | None:
        request = self._request
        if self._has_changed:
            is_shown = self._shows_what_was_set(results[-1])
            return None if is_shown else ("show_task", {"number": results[-1]["tasks"][0]["number"]})
        if request.words and not results:
            return "find_tasks", {"words": request.words}
        if request.words and not self._finds_task(results[-1]):
            return "list_tasks", {}
        self._has_changed = True
        numbers = {"numbers": [self._find_number(results[-1])]} if request.words else {}
        return request.tool, numbers | request.arguments

    def _finds_task(self, result: dict[str, Any]) -> bool:
        """Whether the result is the list, or has one full match."""
        tasks = result.get("tasks", [])
        full = [task for task in tasks if task.get("match") != "weak"]
        return len(tasks) > 5 or [task["title"] for task in full] == [self._request.title]

    def _find_number(self, result: dict[str, Any]) -> int:
        return next(int(task["number"]) for task in result["tasks"] if task["title"] == self._request.title)

    def _shows_what_was_set(self, result: dict[str, Any]) -> bool:
        if not self._request.tool.startswith(("add", "update")):
            return True
        task = result["task"] if "task" in result else result.get("tasks", [{}])[0]
        return {name.removeprefix("add_") for name in self._request.arguments} <= {*task}


async def count_rounds() -> list[dict[str, Any]]:
    """Return the kind, the text and the rounds of each request, on a list with all titles."""
    from todo_cli.agent.loop import run_turn
    from todo_cli.clients.direct import DirectClient
    from todo_cli.contract.ids import new_id
    from todo_cli.contract.tasks import AddTasks, NewTask
    from todo_cli.contract.turn_steps import BeginTurn
    from todo_cli.settings.settings import load_settings

    client = DirectClient(load_settings())
    found = []
    try:
        await client.send(AddTasks(tasks=tuple(NewTask(title=title) for title in TITLES)))
        for request in REQUESTS:
            model = CarefulModel(request)
            begin = BeginTurn(conversation=new_id(), turn=new_id(), runner=new_id(), text=request.text)
            end = await run_turn(client.send, model, begin)
            found.append({"kind": request.kind, "text": request.text, "rounds": model.rounds, "state": end.state})
    finally:
        await client.aclose()
    return found


def summarize_rounds(found: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Return the rows of a table: the rounds of each kind of request."""
    rows: list[tuple[str, ...]] = [("rounds of a request", "requests", "mean", "most", "waiting for a yes")]
    kinds = [*dict.fromkeys(request["kind"] for request in found), "all"]
    for kind in kinds:
        requests = [request for request in found if kind in (request["kind"], "all")]
        rounds = [request["rounds"] for request in requests]
        waiting = sum(request["state"] == "awaiting" for request in requests)
        rows.append((kind, f"{len(requests)}", f"{mean(rounds):.2f}", f"{max(rounds)}", f"{waiting}"))
    return rows


if __name__ == "__main__":
    for request in asyncio.run(count_rounds()):
        print(json.dumps(request), flush=True)
