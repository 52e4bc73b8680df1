"""The choice of the model endpoint: settings, environment variables and local servers."""

from __future__ import annotations

import pytest

from tests.support.fake_model import FakeModel, run_fake_model
from tests.support.model_answers import body_answer, error_answer
from todo_cli.contract.base import Secret
from todo_cli.errors import ModelFailed, from_problem
from todo_cli.llm.endpoints import (
    OPENAI_URL,
    OPENROUTER_URL,
    LocalServer,
    ModelEndpoint,
    find_endpoint,
    find_local_servers,
    no_model_error,
    resolve_endpoint,
)

LOCAL = "http://127.0.0.1:11434/v1"
M = {"TODO_MODEL": "m"}
FOUND = {
    "openai's key": (M | {"OPENAI_API_KEY": "k"}, {}, (OPENAI_URL, "m", "k")),
    "another server": (M | {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://a/v1/"}, {}, ("http://a/v1", "m", "k")),
    "a server without a key": (M | {"OPENAI_BASE_URL": LOCAL}, {}, (LOCAL, "m", None)),
    "openrouter": (M | {"OPENROUTER_API_KEY": "r"}, {}, (OPENROUTER_URL, "m", "r")),
    "both keys": (M | {"OPENROUTER_API_KEY": "r", "OPENAI_API_KEY": "k"}, {}, (OPENAI_URL, "m", "k")),
    "openrouter by address": (
        M | {"OPENROUTER_API_KEY": "r", "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": OPENROUTER_URL},
        {},
        (OPENROUTER_URL, "m", "r"),
    ),
    "openai's names for openrouter": (
        M | {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": OPENROUTER_URL},
        {},
        (OPENROUTER_URL, "m", "k"),
    ),
    "given wins": (
        M | {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://a/v1"},
        {"model": "n", "base_url": "http://b/v1", "api_key": Secret("g")},
        ("http://b/v1", "n", "g"),
    ),
    "a given address gets no key of another": (
        M | {"OPENAI_API_KEY": "k", "OPENROUTER_API_KEY": "r"},
        {"base_url": LOCAL},
        (LOCAL, "m", None),
    ),
    "a given openai address": (M | {"OPENAI_API_KEY": "k"}, {"base_url": OPENAI_URL}, (OPENAI_URL, "m", "k")),
    "a given key alone": ({}, {"model": "n", "api_key": Secret("g")}, (OPENAI_URL, "n", "g")),
    "blanks and line ends": (
        {"TODO_MODEL": " m\n", "OPENAI_API_KEY": " k\n", "OPENAI_BASE_URL": " "},
        {},
        (OPENAI_URL, "m", "k"),
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_endpoint_from_settings_or_environment_is_found(name: str) -> None:
    environ, more, (base_url, model, key) = FOUND[name]
    given = {"model": None, "base_url": None, "api_key": None} | more
    found = find_endpoint(environ, **given)  # type: ignore[arg-type]
    assert (found.base_url, found.model, found.api_key and found.api_key.reveal()) == (base_url, model, key)


@pytest.mark.parametrize(
    ("environ", "detail"),
    [
        ({}, "no model is configured"),
        ({"OPENAI_API_KEY": "k"}, "no model is set for api.openai.com"),
        (M, "the model m has no address and no key"),
        ({"OPENAI_BASE_URL": "http://u:p@h/v1"}, "no model is set for h"),
        ({"OPENAI_API_KEY": "", "TODO_MODEL": " "}, "no model is configured"),
    ],
)
def test_endpoint_without_settings_reports_the_three_ways(environ: dict[str, str], detail: str) -> None:
    with pytest.raises(ModelFailed, match=detail) as caught:
        find_endpoint(environ, model=None, base_url=None, api_key=None)
    assert (caught.value.exit_code, caught.value.extra) == (9, {"kind": "missing"})
    for way in ("TODO_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENROUTER_API_KEY", "Ollama"):
        assert way in caught.value.hint


@pytest.mark.parametrize(
    "base",
    [
        "ftp://a/v1",
        "a/v1",
        "localhost:1234",
        "http://",
        "http://[::1",
        "http://a:99999/v1",
        "http://a/v1?k=1",
        "http://a\x1b/",
    ],
)
def test_invalid_address_is_refused(base: str) -> None:
    with pytest.raises(ModelFailed) as caught:
        find_endpoint(M, model=None, base_url=base, api_key=None)
    assert caught.value.extra["kind"] == "endpoint"


@pytest.mark.parametrize("key", ["a b", "a\nb", "ключ", "a\x00b"])
def test_invalid_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ModelFailed) as caught:
        find_endpoint(M, model=None, base_url=LOCAL, api_key=Secret(key))
    assert caught.value.extra["kind"] == "key"
    assert key not in str(caught.value.as_problem())


def test_endpoint_repr_shows_no_secret() -> None:
    endpoint = ModelEndpoint(base_url="http://user:sesame@h:1/v1", model="m", api_key=Secret("k-1"))
    assert "k-1" not in repr(endpoint)
    assert endpoint.address == "h:1"


def test_model_failed_as_a_problem_is_restored() -> None:
    error = ModelFailed("it refused", kind="overflow", overflow=True)
    again = from_problem(error.as_problem())
    assert type(again) is ModelFailed
    assert again.extra == {"kind": "overflow", "overflow": True}


def test_local_model_server_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    with run_fake_model() as server:
        server.models = body_answer({"data": [{"id": "llama3.2:3b"}, {"id": "a\x1bb"}, {"id": 3}, None]})
        for form in (
            f"127.0.0.1:{server.port}",
            f"http://127.0.0.1:{server.port}/",
            f"0.0.0.0:{server.port}",
            f":{server.port}",
        ):
            monkeypatch.setenv("OLLAMA_HOST", form)
            found = [server for server in find_local_servers() if server.name == "Ollama"]
            assert found == [LocalServer("Ollama", server.url, ("llama3.2:3b",))]
    hint = no_model_error(found).hint
    assert f"running here: OPENAI_BASE_URL={server.url} TODO_MODEL=llama3.2:3b" in hint
    assert "running here" not in no_model_error([LocalServer("Ollama", LOCAL, ())]).hint


@pytest.mark.parametrize(
    "answer",
    [
        error_answer(401),
        error_answer(404),
        body_answer("<h1>"),
        body_answer("[]"),
        body_answer({"data": 3}),
        body_answer("[" * 9000),
        [{"cut": True}],
        [{"stall": True}],
    ],
)
def test_other_local_server_is_not_offered(answer: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch) -> None:
    server: FakeModel
    with run_fake_model() as server:
        server.models = answer
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{server.port}")
        assert [server for server in find_local_servers(0.2) if server.name == "Ollama"] == []


@pytest.mark.parametrize("host", ["", "x:y:z", "[::1", "http://", "127.0.0.1:9"])
def test_local_servers_with_an_invalid_host_are_still_listed(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)
    assert isinstance(find_local_servers(0.2), list)


def configured(environ: dict[str, str], base_url: str | None = None, api_key: str | None = None) -> ModelEndpoint:
    key = Secret(api_key) if api_key else None
    return resolve_endpoint(environ | {"TODO_MODEL": "m"}, model=None, base_url=base_url, api_key=key)


def test_environment_overrides_the_file() -> None:
    found = configured({"OPENAI_BASE_URL": "http://env/v1", "OPENAI_API_KEY": "env"}, "http://file/v1", "file")
    assert (found.base_url, found.api_key) == ("http://env/v1", Secret("env"))
    assert configured({}, "http://file/v1", "file").api_key == Secret("file")
    assert configured({"OPENAI_API_KEY": "env"}, None, "file").api_key == Secret("env")


def test_key_of_the_file_is_sent_to_the_address_of_the_file_only() -> None:
    assert configured({"OPENAI_BASE_URL": "http://env/v1"}, "http://file/v1", "file").api_key is None
    assert configured({"OPENAI_BASE_URL": "http://env/v1"}, None, "file").api_key is None
    assert configured({"OPENAI_BASE_URL": "http://file/v1"}, "http://file/v1", "file").api_key == Secret("file")
