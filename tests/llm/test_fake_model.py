"""The scripted model server, on which the other tests rely."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

from tests.support.dialects import TWO_CALLS
from tests.support.model_answers import call_answer, text_answer
from tests.support.model_client import ADD_ARGUMENTS, ask_model, join_text
from tests.support.replay_errors import replay_errors
from todo_cli.llm.client import ToolCall

RESULT = {"role": "tool", "tool_call_id": "a", "content": "done"}
MADE = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "a", "type": "function", "function": {"name": "add_task", "arguments": "{}"}}],
}
USER = {"role": "user", "content": "x"}


def test_replay_errors_of_an_invalid_replay_name_each_fault() -> None:
    assert (
        replay_errors(
            [{"role": "system", "content": "s"}, USER, MADE, RESULT, {"role": "assistant", "content": "ok"}, USER]
        )
        == []
    )
    assert replay_errors([USER, MADE, RESULT]) == []
    for wrong in (
        [USER, MADE],
        [USER, MADE, USER],
        [USER, RESULT],
        [USER, MADE, RESULT, RESULT],
        [],
        [USER, MADE, RESULT, MADE, RESULT],
        [USER, {"role": "assistant", "content": ""}, USER],
        [USER, {"role": "assistant", "content": "x"}],
        [{"role": "user", "content": ""}],
        [USER, {"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}, USER],
    ):
        assert replay_errors(wrong), wrong


def test_fake_model_as_a_process_answers(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    file.write_text(
        json.dumps(
            {
                "scripts": [{"when": {"role": "tool"}, "steps": text_answer("Done.")}, call_answer(TWO_CALLS[0])],
                "otherwise": text_answer("What?"),
                "models": ["tiny"],
            }
        )
    )
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.fake_model", "--script", file, "--strict"],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    try:
        assert process.stdout
        url = process.stdout.readline().split()[1]
        patience = {"first_content_seconds": 5.0, "total_seconds": 5.0, "idle_seconds": 5.0}
        assert ask_model(url, **patience)[0] == ToolCall(0, "call_0", "add_task", ADD_ARGUMENTS)
        assert join_text(ask_model(url, **patience)) == "What?"
        root_url = url.removesuffix("/v1")
        added = json.dumps([text_answer("Added.")]).encode()
        urlopen(Request(f"{root_url}/scripts", data=added, method="POST"), timeout=5).close()
        assert join_text(ask_model(url, **patience)) == "Added."
        with urlopen(f"{root_url}/requests", timeout=5) as response:
            assert [asked["faults"] for asked in json.load(response)] == [[], [], []]
        with urlopen(f"{url}/models", timeout=5) as response:
            assert json.load(response)["data"] == [{"id": "tiny"}]
    finally:
        process.kill()
        process.communicate()
