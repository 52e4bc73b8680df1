"""Wrong settings are refused with a sentence that names the setting, and no output shows a password."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.conftest import Todo
from tests.support.fake_server import run_fake_server

PASSWORD = "s3cret-Word"  # looked for in all output
TOKEN = f"todo_{'0' * 32}_x"
COMMANDS = (("list",), ("--debug", "list"), ("config", "show"), ("doctor",), ("--debug", "whoami"))


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("TODO_SERVER", f"http://u:{PASSWORD}@host", "TODO_SERVER must not contain a user or a password"),
        ("TODO_SERVER", f"https://{PASSWORD}@host/path", "TODO_SERVER must not contain a user or a password"),
        ("TODO_SERVER", "ftp://host", "TODO_SERVER must begin with http://, https:// or unix://"),
        ("TODO_DATABASE_URL", f"mysql://u:{PASSWORD}@host/db", "TODO_DATABASE_URL must be the URL of a Postgres"),
        ("TODO_DATABASE_URL", f"sqlite:///{PASSWORD}", "TODO_DATABASE_URL must be the URL of a Postgres"),
        ("TODO_OWNER_URL", f"mysql://u:{PASSWORD}@host/db", "TODO_OWNER_URL must be the URL of a Postgres"),
        ("TODO_SERVER_DATABASE_URL", PASSWORD, "TODO_SERVER_DATABASE_URL must be the URL of a Postgres"),
        ("TODO_DATABASE_URL", f"postgresql://u:{PASSWORD}@x@host/db", "TODO_DATABASE_URL cannot be read as a URL"),
        ("TODO_DATABASE_URL", f"postgresql://u:{PASSWORD}/x@host/db", "TODO_DATABASE_URL cannot be read as a URL"),
        ("TODO_DATABASE_URL", f"postgresql://u:{PASSWORD}%zz@host/db", "TODO_DATABASE_URL cannot be read as a URL"),
        ("TODO_DATABASE_URL", f"postgresql://u:{PASSWORD}?x@host/db", "TODO_DATABASE_URL cannot be read as a URL"),
        ("TODO_SPACE", "xyz", "TODO_SPACE must be the id of a space"),
    ],
)
def test_command_with_a_wrong_setting_names_it_and_shows_no_password(
    bare: Todo, arguments: tuple[str, ...], variable: str, value: str, says: str
) -> None:
    base = {} if variable == "TODO_SERVER" else {"TODO_SERVER": "http://127.0.0.1:1"}
    result = bare(*arguments, env=base | {"TODO_TOKEN": TOKEN, variable: value})
    assert PASSWORD not in result.out + result.err
    assert says in result.out + result.err
    assert result.code == (1 if arguments == ("doctor",) else 2)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_command_with_an_unreachable_database_shows_no_password(bare: Todo, arguments: tuple[str, ...]) -> None:
    env = {"TODO_DATABASE_URL": f"postgresql://u:{PASSWORD}@127.0.0.1:1/db", "TODO_TOKEN": f"{TOKEN}{PASSWORD}"}
    result = bare(*arguments, env=env)
    assert PASSWORD not in result.out + result.err
    assert result.code == {"doctor": 1, "config": 0}.get(arguments[0], 7)


def test_login_with_a_password_in_the_address_is_refused(bare: Todo) -> None:
    result = bare("login", f"http://u:{PASSWORD}@127.0.0.1:1", stdin=TOKEN)
    assert result.code == 2
    assert "must not contain a user or a password" in result.err
    assert PASSWORD not in result.out + result.err


def test_config_show_hides_the_password_of_a_model_address(bare: Todo) -> None:
    write_settings(bare, f'[model]\nbase_url = "https://u:{PASSWORD}@models.example.org/v1"\n'.encode())
    for options in ((), ("--json",)):
        shown = bare("config", "show", *options)
        assert shown.code == 0
        assert PASSWORD not in shown.out
        assert "models.example.org" in shown.out


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'\xef\xbb\xbfprofile = "default"\n', "begins with a byte order mark (BOM)"),
        ('profile = "default"\n'.encode("utf-16"), "is not UTF-8"),
        (b'[profiles.default]\nspace = "xyz"\n', "space must be the id of a space"),
        (b'[profiles.default]\nserver = "http://u:s3cret-Word@host"\n', "server must not contain a user or a password"),
    ],
)
def test_settings_file_with_a_fault_is_named(bare: Todo, data: bytes, says: str) -> None:
    path = write_settings(bare, data)
    result = bare("list")
    assert (result.code, result.out) == (2, "")
    assert str(path) in result.err
    assert says in result.err
    assert PASSWORD not in result.err


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "502 Bad Gateway", "200 OK"])
def test_answer_of_a_proxy_names_the_proxy_without_its_password(bare: Todo, status: str) -> None:
    def answer_html(sock: socket.socket, request: bytes) -> None:
        page = "<html>who are you?</html>"
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n"
        sock.sendall(f"{head}Connection: close\r\n\r\n{page}".encode())

    with run_fake_server(answer_html) as proxy:
        for server in ("http://todo.example.org", "https://todo.example.org"):
            url = proxy.url.replace("://", f"://u:{PASSWORD}@")
            env = {
                "TODO_SERVER": server,
                "TODO_TOKEN": TOKEN,
                "HTTP_PROXY": url,
                "HTTPS_PROXY": url,
                "TODO_TIMEOUT": "5",
            }
            result = bare("--debug", "list", env=env)
            assert result.code == 7
            assert f"the proxy {proxy.url.replace('://', '://…@')}" in result.err
            if server.startswith("http:") or not status.startswith("200"):
                assert status[:3] in result.err
            assert PASSWORD not in result.out + result.err


def test_answer_of_another_program_is_named(bare: Todo) -> None:
    def answer_html(sock: socket.socket, request: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")

    with run_fake_server(answer_html) as server:
        result = bare("list", env={"TODO_SERVER": server.url, "TODO_TOKEN": TOKEN})
    assert result.code == 7
    assert "answered 200 with text/html, which no todo server does" in result.err
    assert "another program or a proxy" in result.err


def write_settings(todo: Todo, data: bytes) -> Path:
    """Write the settings file of this machine."""
    path = todo.directory / ".config" / "todo" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def test_doctor_as_json_with_a_wrong_setting_shows_no_password(bare: Todo) -> None:
    result = bare("doctor", "--json", env={"TODO_SERVER": f"http://u:{PASSWORD}@host", "TODO_TOKEN": TOKEN})
    assert result.code == 1
    assert json.loads(result.out)["ok"] is False
    assert PASSWORD not in result.out + result.err


def test_config_show_names_the_keys_of_the_settings_file(bare: Todo) -> None:
    write_settings(bare, b'[profiles.work]\nserver = "http://h"\n[model]\nname = "m"\n')
    env = {"TODO_PROFILE": "work", "TODO_POOL_SIZE": "7", "TODO_TOKEN": TOKEN}
    lines = dict(line.split(maxsplit=1) for line in bare("config", "show", env=env).lines)
    assert lines["profiles.work.server"] == "http://h"
    assert lines["profiles.work.token"] == "(set)"
    assert (lines["server.pool_size"], lines["model.name"], lines["server.owner_url"]) == ("7", "m", "-")
    example = (Path(__file__).parents[2] / "config.example.toml").read_text()
    document = bare("config", "show", "--json", env=env).json
    sections = [
        document,
        document["profiles"]["work"],
        *(document[name] for name in ("server", "worker", "store", "model")),
    ]
    names = [name for section in sections for name, value in section.items() if not isinstance(value, dict)]
    keys = [line.lstrip("# ").split(" =")[0] for line in example.splitlines() if " = " in line]
    assert names == ["path", *keys]
