"""Commands about the account: init, login with and without a keyring, logout, whoami, tokens, spaces, settings."""

from __future__ import annotations

import re
import stat
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.conftest import COMMAND, Database, Person, Server, Todo
from tests.operations.test_idempotency import shared_space
from tests.support.terminal import Terminal
from tests.support.terminal_output import ESCAPES, run_on_terminal
from todo_cli.contract.base import Secret
from todo_cli.errors import Unavailable
from todo_cli.settings import credentials

KEYRING = """
import json, os, pathlib, time
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    priority = 9
    path = pathlib.Path(os.environ["HOME"]) / "ring.json"
    def _all(self): return json.loads(self.path.read_text()) if self.path.exists() else {}
    def get_password(self, service, name): return self._all().get(service + name)
    def set_password(self, service, name, value): self.path.write_text(json.dumps({**self._all(), service + name: value}))
    def delete_password(self, service, name): self.path.write_text(json.dumps({k: v for k, v in self._all().items() if k != service + name}))

class Hanging(Keyring):
    def get_password(self, service, name): time.sleep(600)
    set_password = delete_password = get_password
"""


@pytest.fixture
def way() -> str:
    """Return a client kind that the fixtures need; these tests configure their own."""
    return "api"


@pytest.fixture
def newcomer() -> Iterator[Todo]:
    """A home directory that other accounts can enter: as root, Postgres runs as another account."""
    with tempfile.TemporaryDirectory(prefix="todo-init-") as home:
        Path(home).chmod(0o755)
        todo = Todo(Path(home))
        yield todo
        todo("init", "--destroy", "--yes")


def read_settings_file(todo: Todo) -> str:
    """Return the settings file's text; empty if there is no file."""
    path = todo.directory / ".config/todo/config.toml"
    return path.read_text() if path.exists() else ""


def test_init_on_a_new_machine_creates_a_working_list_and_destroy_removes_it(newcomer: Todo) -> None:
    made = newcomer("init", "--name", "ada", env={"TZ": "Asia/Tokyo"})
    assert made.code == 0, made
    assert [line.split(":")[0].split(".")[0] for line in made.lines] == [
        "Your list is ready",
        "Add a task",
        "List tasks",
    ]
    path = newcomer.directory / ".config/todo/config.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert newcomer("add", "Buy milk").out == "Added #1 Buy milk\n"
    before = path.read_bytes()
    again = newcomer("init")
    assert (again.code, again.out.startswith("Your list already exists in ")) == (0, True)
    assert path.read_bytes() == before
    me = newcomer("whoami", "--json").json
    assert (me["name"], me["admin"], me["timezone"]) == ("ada", True, "Asia/Tokyo")
    assert "timezone" not in read_settings_file(newcomer), "the zone is a preference, which applies everywhere"
    assert "ada (administrator)" in newcomer("whoami").out
    assert newcomer("init", "--status", "--json").json["running"]
    assert newcomer("init", "--stop").out == "Stopped.\n"
    assert newcomer("init", "--status", "--json").json["running"] is None
    assert newcomer("init", "--stop").out == "It was not running.\n"
    assert newcomer("list").lines == ["1\topen\t\t\t\t\tBuy milk"], "the next command starts it"
    shown = (
        newcomer("config", "show").out
        + newcomer("config", "show", "--json").out
        + newcomer("doctor").out
        + newcomer("whoami").out
    )
    kept = tomllib.loads(read_settings_file(newcomer))["profiles"]["default"]
    for secret in (kept["token"].split("_", 2)[2], kept["database_url"].split(":")[2].split("@")[0]):
        assert secret not in shown
    asked = newcomer("init", "--destroy")
    assert (asked.code, "--yes" in asked.err) == (10, True)
    child = newcomer.spawn("init", "--destroy")
    child.expect("cannot be undone.*y/N")
    child.sendline("n")
    child.expect("Nothing was deleted.")
    child.expect(pexpect.EOF)
    child.close()
    assert newcomer("list").code == 0
    assert newcomer("init", "--destroy", "--yes").out == "Deleted the local database.\n"
    assert newcomer("init", "--destroy", "--yes").out == "There is no local database to delete.\n"
    assert "token" not in read_settings_file(newcomer)
    assert newcomer("list").code == 4


def test_init_with_a_configured_server_is_refused(todo: Todo) -> None:
    refused = todo("init")
    assert (refused.code, "--profile NAME init" in refused.err) == (6, True)


def test_login_with_a_wrong_token_stores_nothing(bare: Todo, person: Person, server: Server) -> None:
    for wrong in (person.token[:-1], "nonsense", person.token + "\n" + person.token, ""):
        failed = bare("login", server.url, stdin=wrong)
        assert failed.code in (2, 4), wrong
        assert read_settings_file(bare) == ""
    signed = bare("login", server.url, stdin=f"  {person.token}\n")
    assert (signed.code, f"Signed in as {person.name} (token first)" in signed.out) == (0, True), signed
    assert person.token in read_settings_file(bare), "no keyring here: stored in the file"
    assert stat.S_IMODE((bare.directory / ".config/todo/config.toml").stat().st_mode) == 0o600
    assert "timezone" not in read_settings_file(bare)
    assert bare("add", "a").code == 0
    wrong = bare("login", server.url, stdin="todo_wrong")
    assert wrong.code == 4
    assert bare("list").code == 0, "a failed login changes nothing"
    assert bare("logout").code == 0
    assert person.token not in read_settings_file(bare)
    assert bare("list").code == 4
    assert bare("logout").out == "You are not signed in.\n"


def test_login_at_a_prompt_does_not_echo_the_token(bare: Todo, person: Person, server: Server) -> None:
    child = bare.spawn("login", server.url)
    child.expect("E-mail .empty to sign in with a token.: ")
    child.sendline("")
    child.expect("Token: ")
    child.waitnoecho(10)
    child.sendline(person.token)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert person.token not in str(child.before)
    assert bare("whoami").code == 0


def use_keyring(todo: Todo, name: str) -> Todo:
    """Return the same person with this class as the system keyring."""
    (todo.directory / "rings.py").write_text(KEYRING)
    todo.env |= {"PYTHONPATH": str(todo.directory), "PYTHON_KEYRING_BACKEND": f"rings.{name}"}
    return todo


def test_login_with_a_keyring_keeps_the_token_out_of_the_file(bare: Todo, person: Person, server: Server) -> None:
    todo = use_keyring(bare, "Keyring")
    signed = todo("login", server.url, stdin=person.token)
    assert "stored in the system keyring" in signed.out
    assert person.token not in read_settings_file(todo)
    assert todo("whoami").code == 0
    assert todo("logout").code == 0
    assert person.token not in (todo.directory / "ring.json").read_text()
    assert todo("whoami").code == 4
    todo("login", server.url, "--no-keyring", stdin=person.token)
    assert person.token in read_settings_file(todo)


def test_login_with_a_hanging_keyring_falls_back_to_the_file(bare: Todo, person: Person, server: Server) -> None:
    todo = use_keyring(bare, "Hanging")
    start = time.monotonic()
    signed = todo("login", server.url, stdin=person.token)
    assert signed.code == 0
    assert time.monotonic() - start < credentials.KEYRING_TIMEOUT_SECONDS + 5
    assert person.token in read_settings_file(todo)
    assert todo("whoami").code == 0


def test_read_token_with_a_hanging_keyring_raises_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    monkeypatch.setattr(credentials, "KEYRING_TIMEOUT_SECONDS", 0.2)
    for work in ("get_password", "set_password"):
        monkeypatch.setattr(keyring, work, lambda *_: time.sleep(5))
    with pytest.raises(Unavailable, match="no answer") as caught:
        credentials.read_token("default")
    assert "--no-keyring" in caught.value.hint
    with pytest.raises(Unavailable):
        credentials.delete_token("default")
    assert credentials.store_token("default", Secret("x")) is False


def test_profiles_have_separate_tokens_and_settings(bare: Todo, db: Database, server: Server) -> None:
    one, two = db.person(), db.person()
    bare("login", server.url, stdin=one.token)
    assert bare("--profile", "work", "login", server.url, stdin=two.token).code == 0
    names = [
        bare("whoami", "--json", *more, env=env).json["name"]
        for more, env in (
            ((), {}),
            (("--profile", "work"), {}),
            ((), {"TODO_PROFILE": "work"}),
            (("--profile=default",), {"TODO_PROFILE": "work"}),
        )
    ]
    assert names == [one.name, two.name, two.name, one.name]
    missing = bare("--profile", "wrok", "list")
    assert (missing.code, "profiles: default, work" in missing.err) == (2, True)


def test_token_create_list_and_revoke_work(todo: Todo) -> None:
    made = todo("token", "create", "--name", "cron", "--scopes", "read, tasks:write", "--expires", "90d")
    token = made.out.strip()
    assert token.startswith("todo_")
    assert "will not be shown again" in made.err
    assert todo("list", env={"TODO_TOKEN": token}).code == 0
    listed = todo("token", "list")
    assert [line.split("\t")[:2] for line in listed.lines] == [["first", "all"], ["cron", "read,tasks:write"]]
    assert listed.lines[0].split("\t")[4:] == ["current", ""]
    everything = listed.out + todo("token", "list", "--all", "--json").out + todo("log").out
    assert token.split("_", 2)[2] not in everything
    assert todo("token", "revoke", "cron").out == "Revoked cron.\n"
    assert todo("list", env={"TODO_TOKEN": token}).code == 4
    assert [line.split("\t")[4] for line in todo("token", "list", "--all").lines] == ["current", "revoked"]
    shown = todo("token", "create", "--name", "j", "--json").json
    assert {"token", "id", "scopes", "expires_at"} <= shown.keys()


def test_space_use_switches_the_space_of_the_profile(bare: Todo, person: Person, server: Server, db: Database) -> None:
    space = shared_space(db, person)
    bare("login", server.url, stdin=person.token)
    assert bare("add", "home").out == "Added #1 home\n"
    assert bare("space", "use", "team").out == "The current space is team.\n"
    assert bare("add", "there").out == "Added #1 there\n"
    assert [line.split("\t")[0] for line in bare("space", "list").lines] == ["", "*"]
    assert bare("list", env={"TODO_SPACE": person.user_id}).out.endswith("home\n")
    assert f'space = "{space}"' in read_settings_file(bare)
    assert bare("space", "use", "nowhere").code == 3
    assert bare("space", "use", person.user_id).code == 0
    assert bare("list").out.endswith("home\n")


def test_admin_user_commands_add_disable_and_enable(db: Database, server: Server, bare: Todo) -> None:
    boss = db.person(admin=True)
    bare.env |= {"TODO_SERVER": server.url, "TODO_TOKEN": boss.token}
    name = f"{boss.name}-new"
    token = bare("admin", "user", "add", name).out.strip()
    assert bare("whoami", "--json", env={"TODO_TOKEN": token}).json["name"] == name
    assert bare("admin", "user", "add", name).code == 6
    assert bare("admin", "user", "disable", name).out == f"Disabled {name}.\n"
    assert bare("whoami", env={"TODO_TOKEN": token}).code == 4
    assert bare("admin", "user", "enable", name).code == 0
    assert bare("whoami", env={"TODO_TOKEN": token}).code == 0
    assert name in [line.split("\t")[0] for line in bare("admin", "user", "list").lines]
    direct = bare("admin", "user", "add", f"{name}-2", "--direct", "--json", env={"TODO_OWNER_URL": db.owner_url}).json
    env = {"TODO_SERVER": "", "TODO_DATABASE_URL": direct["database_url"], "TODO_TOKEN": direct["token"]}
    assert bare("add", "a", env=env).out == "Added #1 a\n"


def test_admin_user_add_acts_in_the_list_that_is_named(fresh_db: Database, db: Database, bare: Todo) -> None:
    """A profile and an owner URL of different databases: the command asks which is meant, and says where it acted."""
    boss = fresh_db.person(admin=True)
    bare.env |= {"TODO_DATABASE_URL": boss.database_url, "TODO_TOKEN": boss.token, "TODO_OWNER_URL": db.owner_url}
    names = [f"{boss.name}-{number}" for number in range(4)]
    here, there = (
        f"the database {url.split('?')[0].rpartition('/')[2]} at " for url in (fresh_db.owner_url, db.owner_url)
    )
    unclear = bare("admin", "user", "add", names[0])
    assert (unclear.code, unclear.out) == (6, "")
    assert here in unclear.err
    assert there in unclear.err
    assert "--as-owner" in unclear.err
    as_owner = bare("admin", "user", "add", names[1], "--admin", "--as-owner")
    assert f"Added {names[1]} to {there}" in as_owner.err
    direct = bare("admin", "user", "add", names[2], "--direct")
    assert [line.partition("=")[0] for line in direct.lines] == ["TODO_TOKEN", "TODO_DATABASE_URL"]
    profile = bare("admin", "user", "add", names[3], env={"TODO_OWNER_URL": ""})
    assert f"Added {names[3]} to {here}" in profile.err
    for database, expected in ((fresh_db, [names[3]]), (db, names[1:3])):
        rows = database.execute("SELECT name FROM todo.users WHERE name = ANY (%s) ORDER BY name", names)
        assert [row[0] for row in rows] == expected
    signed_in = bare("whoami", "--json", env={"TODO_DATABASE_URL": "", "TODO_TOKEN": as_owner.out.strip()})
    assert signed_in.code == 4


def test_admin_user_add_as_owner_with_a_server_never_falls_back_to_the_local_postgres(newcomer: Todo) -> None:
    assert newcomer("init", "--name", "ada").code == 0
    at_a_server = {"TODO_SERVER": "http://127.0.0.1:1", "TODO_CONFIG": str(newcomer.directory / "none.toml")}
    for options in (("--direct",), ("--as-owner",)):
        refused = newcomer("admin", "user", "add", "bob", *options, env=at_a_server)
        assert (refused.code, refused.out) == (2, "")
        assert "TODO_OWNER_URL" in refused.err
    assert newcomer("admin", "user", "add", "bob", "--as-owner").code == 0
    assert "bob" in newcomer("admin", "user", "list").out


def test_config_show_and_edit_work_without_printing_secrets(bare: Todo) -> None:
    path = bare.directory / ".config/todo/config.toml"
    assert bare("config", "path").out == f"{path}\n"
    assert bare("config", "show").code == 0
    assert not path.exists(), "config show writes nothing"
    assert bare("config", "edit", env={"EDITOR": "true"}).code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    broken = bare("config", "edit", env={"EDITOR": "sh -c 'echo = >> \"$0\"'"})
    assert broken.code == 2
    path.unlink()
    assert bare("config", "edit", env={"EDITOR": "false"}).code == 1
    assert bare("config", "edit", env={"EDITOR": "/no/such/editor"}).code == 2


def test_login_on_a_full_disk_leaves_the_settings_file_unchanged(bare: Todo, person: Person, server: Server) -> None:
    bare("login", server.url, stdin=person.token)
    before = read_settings_file(bare)
    line = f"ulimit -f 0; exec {COMMAND[0]} -c 'import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); {COMMAND[2]}' logout"
    full = subprocess.run(
        ["bash", "-c", line], env=bare.environment(), capture_output=True, text=True, check=False, cwd=bare.directory
    )
    assert full.returncode == 7, full
    assert "cannot write" in full.stderr
    assert read_settings_file(bare) == before
    assert [path.name for path in (bare.directory / ".config/todo").iterdir()] == ["config.toml"]


def test_init_with_another_todo_home_than_the_profile_is_refused(newcomer: Todo) -> None:
    first, second = newcomer.directory / "pg", newcomer.directory / "second"
    assert newcomer("init", "--name", "ada").code == 0
    refused = newcomer("init", env={"TODO_HOME": str(second)})
    assert (refused.code, refused.out) == (6, "")
    assert str(first) in refused.err
    assert str(second) in refused.err
    assert not second.exists()
    assert newcomer("--profile", "other", "init", "--name", "ada", env={"TODO_HOME": str(second)}).code == 0
    claimed = newcomer("init", env={"TODO_HOME": str(second)})
    assert (claimed.code, claimed.out) == (6, "")
    for home, options in ((first, ()), (second, ("--profile", "other"))):
        status = newcomer(*options, "init", "--status", env={"TODO_HOME": ""})
        assert re.match(rf"Postgres [\d.]+ in {home}: running, \d+ MB \(process \d+\)\n", status.out)
        assert newcomer(*options, "init", "--destroy", "--yes", env={"TODO_HOME": ""}).code == 0


@pytest.mark.parametrize("way", ["api"])
def test_whoami_and_members_fit_a_narrow_terminal(todo: Todo, way: str) -> None:
    terminal = Terminal(todo, "whoami", columns=40)
    terminal.ended()
    shown = [line for line in terminal.lines if line.strip()]
    assert {line[:9].strip() for line in shown} == {"name", "space", "token", "server", "timezone", "profile", ""}
    members = ESCAPES.sub("", run_on_terminal(todo, "space", "members"))
    assert members.splitlines()[0].split() == ["Name", "Role"]
