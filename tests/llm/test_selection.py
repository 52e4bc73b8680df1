"""The selection of a model: permitted choices, keys and costs, in this process."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_model import run_fake_model
from tests.support.model_answers import Script, body_answer, call_answer, error_answer, text_answer
from tests.support.model_client import KEY, endpoint, stream_events
from todo_cli.errors import Invalid, ModelFailed
from todo_cli.llm.catalog import fetch_models, is_listed
from todo_cli.llm.client import Finished
from todo_cli.llm.endpoints import OPENAI_URL, ModelEndpoint
from todo_cli.llm.pricing import Price, add_cost, make_price, sum_usage, usage_fields
from todo_cli.llm.selection import select_endpoint
from todo_cli.llm.stream import TokenUsage
from todo_cli.settings.settings import Settings, load_settings

FILE = """
[model]
name = "own"
base_url = "http://file/v1"
api_key = "of-the-file"
allowed = ["other", "third"]
input_price = 0.25
output_price = 2
currency = "EUR"
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of a file and the environment: settings(text, **environment)."""
    for name in ("TODO_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    def load(text: str = FILE, **environment: str) -> Settings:
        path = tmp_path / "config.toml"
        path.write_text(text)
        path.chmod(0o600)
        monkeypatch.setenv("TODO_CONFIG", str(path))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return load


def test_model_choice_prefers_requested_then_preferred_then_configured(settings: Any) -> None:
    those = settings()
    assert select_endpoint(those).model == "own"
    assert select_endpoint(those, preferred="other").model == "other"
    assert select_endpoint(those, requested="third", preferred="other").model == "third"
    assert select_endpoint(those, requested="own", preferred="other").model == "own"
    environment = settings(TODO_MODEL="of-the-environment")
    assert select_endpoint(environment).model == "of-the-environment"
    assert select_endpoint(environment, preferred="other").model == "other"


def test_model_that_is_not_allowed_is_refused(settings: Any) -> None:
    for how in ({"requested": "gpt-9"}, {"preferred": "gpt-9"}):
        with pytest.raises(ModelFailed, match="'gpt-9' is not allowed here") as caught:
            select_endpoint(settings(), **how)
        assert (caught.value.exit_code, caught.value.extra["kind"]) == (9, "name")
        assert "own, other, third" in caught.value.hint
        assert "--model" in caught.value.hint
    assert select_endpoint(settings(FILE.replace('["other", "third"]', "[]")), requested="gpt-9").model == "gpt-9"


def test_request_of_a_user_chooses_the_model_only(settings: Any) -> None:
    found = select_endpoint(settings(FILE.replace('["other", "third"]', "[]")), preferred="http://evil/v1")
    assert (found.base_url, found.model) == ("http://file/v1", "http://evil/v1")


def test_price_applies_to_its_own_model_only(settings: Any) -> None:
    price = Price(Decimal("0.25"), Decimal("2.0"), "EUR")
    assert select_endpoint(settings()).price == price
    assert select_endpoint(settings(), requested="other").price is None
    assert select_endpoint(settings(TODO_MODEL="own")).price == price
    assert select_endpoint(settings(TODO_MODEL="another")).price is None
    assert select_endpoint(settings(TODO_MODEL="own", OPENAI_BASE_URL="http://elsewhere/v1")).price is None
    bare = '[model]\nname = "own"\nbase_url = "http://file/v1"\n'
    assert select_endpoint(settings(bare, OPENAI_BASE_URL="")).price is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("input_price = -1", "0 to 1,000,000"),
        ('input_price = "1"', "a number"),
        ("allowed = [1]", "a list of names"),
        ('allowed = "x"', "a list"),
        ('currency = ""', "a word"),
        ('currency = "a\\nb"', "a word"),
        ("keyring = 1", "true or false"),
    ],
)
def test_invalid_model_settings_are_refused(settings: Any, line: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        settings(f"[model]\n{line}\n")


def test_cost_of_an_answer_is_computed_on_arrival() -> None:
    price = make_price(0.25, 2, "EUR")
    end = stream_events(text_answer("Hi"), price=price)[-1]
    assert end == Finished("stop", TokenUsage(7, 3, cost="0.00000775", currency="EUR"))
    assert stream_events(call_answer(("add_task", {})), price=price)[-1].usage.cost == "0.00000775"  # type: ignore[union-attr]
    assert stream_events(text_answer("Hi", usage="none"), price=price)[-1] == Finished("stop")
    assert usage_fields(stream_events(text_answer("Hi"))[-1].usage) == {
        "prompt": 7,
        "completion": 3,
        "cached": 0,
        "reasoning": 0,
    }  # type: ignore[union-attr]
    assert make_price(None, None, "EUR") is None
    assert make_price(None, 1, "EUR") == Price(Decimal(0), Decimal(1), "EUR")


COUNTS = st.integers(0, 10**9)
PRICES = st.decimals(0, 1000, places=4)


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=8), PRICES, PRICES)
def test_sum_of_costs_equals_the_cost_of_the_sum(
    counts: list[tuple[int, int]], given_: Decimal, taken: Decimal
) -> None:
    price = Price(given_, taken, "EUR")
    total = sum_usage(usage_fields(add_cost(TokenUsage(*count), price)) for count in counts)
    whole = usage_fields(add_cost(TokenUsage(sum(one for one, _ in counts), sum(two for _, two in counts)), price))
    assert total == whole


def test_sum_with_an_unknown_cost_has_no_cost() -> None:
    paid = usage_fields(add_cost(TokenUsage(1, 1), Price(Decimal(1), Decimal(1), "EUR")))
    other = usage_fields(add_cost(TokenUsage(1, 1), Price(Decimal(1), Decimal(1), "USD")))
    free = usage_fields(TokenUsage(1, 1))
    assert sum_usage([paid, None, paid]) == {
        "prompt": 2,
        "completion": 2,
        "cached": 0,
        "reasoning": 0,
        "cost": "0.000004",
        "currency": "EUR",
    }
    assert "cost" not in (sum_usage([paid, free]) or {})
    assert "cost" not in (sum_usage([paid, other]) or {})
    assert sum_usage([None]) is None


def listed(*scripts: Script, **more: Any) -> tuple[str, ...] | None:
    """What a server lists."""
    with run_fake_model() as server:
        server.models = scripts[0]
        return asyncio.run(fetch_models(endpoint(server.url, **more), 1.0))


def test_model_list_is_read() -> None:
    assert listed(body_answer({"data": [{"id": "a"}, {"id": "maker/b:3"}, {"no": 1}]})) == ("a", "maker/b:3")
    for nothing in (
        error_answer(404),
        body_answer("", 405),
        body_answer("{"),
        body_answer([]),
        body_answer({"models": []}),
        body_answer(""),
    ):
        assert listed(nothing) is None
    assert is_listed(("a", "llama3.2:3b", "maker/b"), "llama3.2")
    assert is_listed(("maker/b",), "b")
    assert not is_listed(("a", "ab"), "b")


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (error_answer(401, f"bad {KEY}"), "key"),
        (body_answer("<h1>Hello"), "endpoint"),
        (body_answer("", 301, Location="/x"), "endpoint"),
        (error_answer(500), "broken"),
        ([{"stall": True}], "endpoint"),
        ([{"cut": True}], "broken"),
    ],
)
def test_model_list_that_fails_raises_model_failed(script: Script, kind: str) -> None:
    with pytest.raises(ModelFailed) as caught:
        listed(script)
    assert caught.value.extra["kind"] == kind
    assert caught.value.__context__ is None
    assert KEY not in str(caught.value.as_problem())


def test_key_in_the_keyring_without_an_address_is_for_openai(settings: Any) -> None:
    """Without an address beside it, as with a key in the file."""
    found: ModelEndpoint = select_endpoint(settings('[model]\nname = "own"\napi_key = "k"\nkeyring = true\n'))
    assert (found.base_url, found.api_key and found.api_key.reveal()) == (OPENAI_URL, "k")
