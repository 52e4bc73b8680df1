"""Model settings through the real command: preference, permission, price, key, and the report of `todo doctor`."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.test_account import read_settings_file, use_keyring
from tests.conftest import Database, Person, Server, Todo
from tests.support.chat_process import MODEL_ENVIRONMENT, ChatProcess, model_environment
from tests.support.fake_model import FakeModel, run_fake_model
from tests.support.model_answers import call_answer, error_answer, text_answer

KEY = "sk-of-the-keyring"


def asked_for(model: FakeModel) -> str:
    """The model of the newest request."""
    return str(model.asked[-1].body["model"])


def test_model_choice_prefers_named_then_preferred_then_configured(talker: ChatProcess) -> None:
    talker.model.otherwise = text_answer("Hi.")
    talker("ask", "hi")
    assert asked_for(talker.model) == MODEL_ENVIRONMENT["TODO_MODEL"]
    assert talker("prefs", "--model", "mine").out == "model\tmine\tpreference\n"
    assert talker.other("prefs", "--json").json["model"] == "mine"
    assert talker("ask", "hi").code == 0
    assert asked_for(talker.model) == "mine"
    done = talker("ask", "hi", "--model", "another", "--json")
    assert (done.code, asked_for(talker.model)) == (0, "another")
    assert talker("chat", "--model", "third", stdin="hi\n").code == 0
    assert asked_for(talker.model) == "third"
    stored = talker.db.execute(
        "SELECT model FROM todo.conversations WHERE space_id = %s ORDER BY number", talker.who.user_id
    )
    assert [row[0] for row in stored] == [MODEL_ENVIRONMENT["TODO_MODEL"], "mine", "another", "third"]
    assert talker("prefs", "--timezone", "Asia/Tokyo").out == "timezone\tEurope/Berlin\tTODO_TIMEZONE\n"
    cleared = talker("prefs", "--model", "").out
    assert cleared.startswith("model\t")
    assert "mine" not in cleared
    for wrong in ("", "x" * 101, "a\nb"):
        assert talker("ask", "hi", "--model", wrong).code == 2
    assert talker("prefs", "--model", "a\nb").code == 2


PAID = """
[model]
name = "{name}"
base_url = "{url}"
api_key = "sk-of-the-file"
allowed = ["other"]
input_price = 0.25
output_price = 2
currency = "EUR"
titles = false
"""


@pytest.fixture
def paying(
    person: Person,
    way: str,
    as_person: Callable[..., Todo],
    db: Database,
    tmp_path: Path,
    model: FakeModel,
    make_server: Callable[..., Server],
) -> Todo:
    """Somebody where a price is configured: in their own file, or in the server's."""
    path = tmp_path / "paid.toml"
    path.write_text(PAID.format(name="own", url=model.url))
    path.chmod(0o600)
    model.scripts.clear()
    if way == "direct":
        todo = as_person(person, way)
        todo.env["TODO_CONFIG"] = str(path)
        return todo
    return as_person(person, way, url=make_server(db, env={"TODO_CONFIG": str(path)}).url)


def test_cost_is_printed_only_with_a_configured_price(paying: Todo, model: FakeModel) -> None:
    model.add(call_answer(("list_tasks", {})), text_answer("None."))
    done = paying("ask", "list", "--json")
    assert done.code == 0, done.err
    usage = {"prompt": 14, "completion": 6, "cached": 0, "reasoning": 0}
    assert done.json["usage"] == usage | {"cost": "0.0000155", "currency": "EUR"}
    assert paying("chat", "show", "1").out.count("(0.00000775 EUR, 7 + 3 tokens)") == 2
    model.add(text_answer("Hi."))
    assert "cost" not in paying("ask", "hi", "--model", "other", "--json").json["usage"]
    assert "EUR" not in paying("chat", "show", "2").out
    refused = paying("ask", "hi", "--model", "expensive")
    assert (refused.code, "'expensive' is not allowed here" in refused.err) == (9, True)
    paying("prefs", "--model", "expensive")
    refused = paying("ask", "hi")
    assert (refused.code, "own, other" in refused.err, "todo prefs" in refused.err) == (9, True, True)
    assert "sk-of-the-file" not in refused.err


def test_cost_before_an_approval_is_counted(paying: Todo, model: FakeModel) -> None:
    paying("add", "one")
    model.add(call_answer(("delete_task", {"number": 1})))
    assert paying("ask", "delete task 1").code == 10
    model.add(text_answer("Gone."))
    done = paying("chat", "approve", "1", "--json")
    assert done.code == 0, done.err
    assert done.json["usage"]["cost"] == "0.0000155"


@pytest.fixture
def keyed(person: Person, as_person: Callable[..., Todo], model: FakeModel) -> Todo:
    """Somebody whose [model] names an address, with a keyring, and no key yet."""
    todo = use_keyring(as_person(person, "direct"), "Keyring")
    path = todo.directory / ".config/todo/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'# mine\n[model]\nname = "own"\nbase_url = "{model.url}"\ntitles = false\n')
    model.scripts.clear()
    return todo


def test_key_in_the_keyring_is_sent_to_its_address_only(keyed: Todo, model: FakeModel) -> None:
    made = keyed("config", "set-key", stdin=f"{KEY}\n")
    assert (made.code, f"127.0.0.1:{model.port} in the system keyring" in made.out) == (0, True), made.err
    assert "keyring = true" in read_settings_file(keyed)
    assert read_settings_file(keyed).startswith("# mine\n[model]")
    assert KEY not in read_settings_file(keyed) + made.out
    model.add(text_answer("Hi."), text_answer("Hi."))
    assert keyed("ask", "hi").out == "Hi.\n"
    assert model.asked[-1].headers["authorization"] == f"Bearer {KEY}"
    assert keyed("ask", "hi", env={"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-env"}).code == 0
    assert model.asked[-1].headers["authorization"] == "Bearer sk-env"
    with run_fake_model(text_answer("Hi.")) as elsewhere:
        assert keyed("ask", "hi", env={"OPENAI_BASE_URL": elsewhere.url}).code == 0
        assert "authorization" not in elsewhere.asked[0].headers
    for shown in (
        keyed("config", "show"),
        keyed("config", "show", "--json"),
        keyed("doctor"),
        keyed("doctor", "--json"),
    ):
        assert KEY not in shown.out + shown.err


def test_key_moved_to_the_file_is_forgotten_on_request(keyed: Todo) -> None:
    keyed("config", "set-key", stdin=KEY)
    assert keyed("config", "set-key", "--no-keyring", stdin="sk-two").code == 0
    assert 'api_key = "sk-two"' in read_settings_file(keyed)
    assert stat.S_IMODE((keyed.directory / ".config/todo/config.toml").stat().st_mode) == 0o600
    assert json.loads((keyed.directory / "ring.json").read_text()) == {}, "the old one is gone"
    assert "sk-two" not in keyed("config", "show").out
    keyed("config", "set-key", stdin=KEY)
    assert "sk-two" not in read_settings_file(keyed)
    assert keyed("config", "set-key", "--forget").code == 0
    assert json.loads((keyed.directory / "ring.json").read_text()) == {}
    assert "keyring" not in read_settings_file(keyed)


@pytest.mark.parametrize(("key", "code"), [("", 2), ("a b", 2), ("ключ", 9), ("\x01\x02", 9)])
def test_invalid_key_is_refused(keyed: Todo, key: str, code: int) -> None:
    done = keyed("config", "set-key", stdin=key)
    assert (done.code, done.out) == (code, "")
    assert not (key and key in done.err)
    assert "keyring" not in read_settings_file(keyed)


def test_missing_keyring_falls_back_to_the_file(keyed: Todo) -> None:
    del keyed.env["PYTHON_KEYRING_BACKEND"]
    none = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    assert keyed("config", "set-key", "--keyring", stdin=KEY, env=none).code == 2
    made = keyed("config", "set-key", stdin=KEY, env=none)
    assert (made.code, "config.toml; it is sent nowhere else" in made.out) == (0, True)


def test_server_reads_its_key_from_a_keyring(
    keyed: Todo,
    db: Database,
    person: Person,
    model: FakeModel,
    make_server: Callable[..., Server],
    as_person: Callable[..., Todo],
) -> None:
    keyed("config", "set-key", stdin=KEY)
    names = ("PYTHONPATH", "PYTHON_KEYRING_BACKEND")
    server = make_server(db, env={name: keyed.env[name] for name in names} | {"HOME": str(keyed.directory)})
    model.add(text_answer("Hi."))
    assert as_person(person, "api", url=server.url)("ask", "hi").out == "Hi.\n"
    assert model.asked[-1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("way", ["direct"])
def test_doctor_reports_the_model(talker: ChatProcess, model: FakeModel) -> None:
    well = talker("doctor", "--json").json["checks"][-1]
    assert (well["name"], well["ok"]) == ("model", True)
    assert well["detail"] == f"test-model at 127.0.0.1:{model.port}, with a key"
    wrong = talker("doctor", env={"TODO_MODEL": "gpt-9"})
    assert (wrong.code, "does not list the model 'gpt-9'" in wrong.out, "test-model" in wrong.out) == (1, True, True)
    kept, model.models = model.models, error_answer(401, f"bad {MODEL_ENVIRONMENT['OPENAI_API_KEY']}")
    refused = talker("doctor")
    model.models = kept
    assert (refused.code, "refused the API key" in refused.out) == (1, True)
    assert MODEL_ENVIRONMENT["OPENAI_API_KEY"] not in refused.out
    gone = talker("doctor", env={"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})
    assert (gone.code, "cannot be reached" in gone.out) == (1, True)
    none = dict.fromkeys(model_environment(model), "") | {"OLLAMA_HOST": f"127.0.0.1:{model.port}"}
    free = talker("doctor", env=none)
    assert (free.code, f"running here: OPENAI_BASE_URL={model.url}" in free.out) == (0, True), free.out
    assert "the server's default" in talker.other("doctor").out


def test_ollama_and_llama_cpp_are_found_at_default_addresses(person: Person, as_person: Callable[..., Todo]) -> None:
    with ExitStack() as stack:
        try:
            for port in (11434, 8080):
                stack.enter_context(run_fake_model(port=port))
        except OSError:
            pytest.skip("something else listens there")
        done = as_person(person, "direct")("ask", "hi")
    assert done.code == 9
    for port in (11434, 8080):
        assert f"OPENAI_BASE_URL=http://127.0.0.1:{port}/v1 TODO_MODEL=test-model" in done.err
