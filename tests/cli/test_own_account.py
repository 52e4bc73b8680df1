"""`todo account`: the export writes a file, and the deletion asks for the name."""

from __future__ import annotations

import json

import pexpect
import pytest

from tests.conftest import COMMAND, Todo


@pytest.fixture(params=["api", "direct"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_export_writes_all_rows_and_the_deletion_asks_for_the_name(todo: Todo) -> None:
    todo("add", "Buy milk")
    name = todo("whoami", "--json").json["name"]
    exported = todo("account", "export", "me.jsonl")
    assert (exported.code, exported.out) == (0, "")
    rows = [json.loads(line) for line in (todo.directory / "me.jsonl").read_text().splitlines()]
    assert exported.err == f"Wrote {len(rows)} rows to me.jsonl.\n"
    assert [row["row"]["title"] for row in rows if row["table"] == "tasks"] == ["Buy milk"]
    assert len(todo("account", "export", "-").lines) == len(rows)
    refused = todo("account", "delete")
    assert (refused.code, refused.err) == (10, "todo: --yes is required where there is no terminal to ask on\n")
    environment = todo.environment({"TERM": "xterm"})
    for answer, said in (("no", "Nothing was deleted."), (name, f"Deleted the account {name}: 1 task")):
        terminal = pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], "account", "delete"],
            env=environment,
            encoding="utf-8",
            timeout=60,
            cwd=str(todo.directory),
        )
        terminal.expect("Type the name of the account to delete it: ")
        terminal.sendline(answer)
        terminal.expect_exact(said)
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 0
    assert todo("list").code == 4
    assert not (todo.directory / ".config/todo/config.toml").exists(), "the token came from the environment"
