"""The turn loop with the real model client and a scripted server."""

from __future__ import annotations

import json
from typing import Any

from tests.support.chat import Chat
from tests.support.fake_model import run_fake_model
from tests.support.model_answers import call_answer, text_answer
from todo_cli.contract.tasks import AddTask
from todo_cli.llm.client import stream_answer
from todo_cli.llm.endpoints import ModelEndpoint


def speaking(url: str) -> Any:
    """The model at that address."""
    endpoint = ModelEndpoint(
        base_url=url,
        model="m",
        api_key=None,
        first_content_seconds=5,
        idle_seconds=5,
        total_seconds=20,
        backoff_seconds=0.02,
    )

    def ask(messages: Any, tools: Any) -> Any:
        return stream_answer(endpoint, messages, tools)

    return ask


def test_turn_over_the_protocol_runs_tools_and_answers(chat: Chat) -> None:
    chat(AddTask(title="Report"))
    with run_fake_model(
        call_answer(("list_tasks", {})),
        text_answer("There is ", "#1 Report."),
        call_answer(("complete_task", {"number": 1}), text="I will."),
        text_answer("Done: #1 Report."),
    ) as server:
        assert chat.say("what is there?", answer=speaking(server.url)).text == "There is #1 Report."
        ended = chat.say("mark it as done", answer=speaking(server.url))
        assert (ended.state, ended.text) == ("done", "Done: #1 Report.")
        assert [request.as_json()["faults"] for request in server.asked] == [[]] * 4
    assert chat.tasks() == [(1, "Report", "done")]
    usage = chat.db.execute(
        "SELECT usage FROM todo.messages WHERE usage IS NOT NULL AND space_id = %s", chat.who.user_id
    )
    assert len(usage) == 4
    total = chat.db.execute("SELECT usage FROM todo.turns WHERE space_id = %s ORDER BY began_at", chat.who.user_id)
    assert total[0][0]["prompt"] == 14
    assert json.loads(json.dumps(total[1][0])) == total[1][0]
