"""Bodies of a model server that grow when they are decompressed are not decompressed."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc

import pytest

from tests.support.fake_model import run_fake_model
from tests.support.model_answers import Script
from tests.support.model_client import ask_model, endpoint
from todo_cli.errors import ModelFailed
from todo_cli.llm.catalog import fetch_models

BOMB_BYTES = 100 * 1024 * 1024
MAX_PEAK_BYTES = 8 * 1024 * 1024
ENCODINGS = ("gzip", "gzip, gzip", "deflate")


def bomb(status: int, encoding: str) -> Script:
    """Return an answer of a few bytes that decompresses to 100 MB."""
    body = gzip.compress(gzip.compress(bytes(BOMB_BYTES), 1))
    return [{"open": {"status": status, "headers": {"Content-Encoding": encoding}}}, {"hex": body.hex()}]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("status", "detail"), [(400, "refused the request with status 400"), (200, "sent a compressed answer")]
)
def test_compressed_answer_is_not_decompressed(encoding: str, status: int, detail: str) -> None:
    script = bomb(status, encoding)
    with run_fake_model(script) as server:
        tracemalloc.start()
        try:
            with pytest.raises(ModelFailed, match=detail):
                ask_model(server.url)
            assert tracemalloc.get_traced_memory()[1] < MAX_PEAK_BYTES
        finally:
            tracemalloc.stop()
        assert server.asked[0].headers["accept-encoding"] == "identity"


def test_compressed_list_of_models_is_refused() -> None:
    with run_fake_model() as server:
        server.models = bomb(200, "gzip")
        with pytest.raises(ModelFailed, match="sent a compressed answer"):
            asyncio.run(fetch_models(endpoint(server.url), 5.0))
