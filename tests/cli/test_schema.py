"""`todo schema`: the JSON Schema of each command holds for what the command prints."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from functools import cache
from typing import Any

import jsonschema
import pytest

from tests.conftest import Database, Todo
from todo_cli.cli.json_schemas import list_commands, make_json_schema

make_schema = cache(make_json_schema)

INVOCATIONS = (
    "add milk", "add bread --key k", "add 'every day' --due 2030-01-07 --every day", "comment 1 hello", "comment 1",
    "list", "list --sort urgency", "next", "today", "overdue", "upcoming", "ready", "ready --explain", "show 1",
    "search milk", "tags", "projects", "stats", "calendar", "edit 1 --title x", "edit 1 --title y --plan", "note 1 text",
    "note 1", "claim 1", "claims", "heartbeat 1", "claim 1 --take --reason x", "release 1", "start 1", "stop 1", "defer 1 2031-01-01",
    "remind 3 '1h before'", "remind --list", "wait 1 --until open", "skip 3", "done 1", "reopen 1", "rm 1", "restore 1", "dup 1", "move 1 --last", "sort --by title",
    "apply", "log", "undo", "redo", "view save soon due:today", "view list", "view default soon", "view rm soon", "space list",
    "token create --name agent", "token list", "token revoke agent", "session list", "prefs", "whoami", "jobs list",
    "jobs retry", "chat list", "chat usage", "channel add desk desktop", "channel list", "channel rm desk",
    "config show", "doctor", "proposals", "attachment list 1", "admin user list", "admin invitation create",
    "admin invitation list", "admin stats", "space create team --use", "space members", "space invite", "space invitations",
    "space rename crew", "space rm crew --yes",
)  # fmt: skip  # a list of command lines


def test_each_command_with_json_has_a_schema() -> None:
    for name in list_commands():
        jsonschema.Draft202012Validator.check_schema(make_schema(name))


def validate(name: str, document: Any) -> None:
    """Raise for a document that does not match, and for one with a field that the schema does not name."""
    schema = make_schema(name)
    jsonschema.validate(document, schema)
    definitions = schema["$defs"]
    kinds = schema.get("anyOf", [schema])
    known = [definitions[kind["$ref"].rpartition("/")[2]]["properties"] for kind in kinds if "$ref" in kind]
    if isinstance(document, dict) and name not in ("prefs", "config show"):
        assert any(set(document) <= set(properties) for properties in known), (name, document)


def test_output_of_commands_matches_their_schemas(
    db: Database, as_person: Callable[..., Todo], subtests: pytest.Subtests
) -> None:
    todo = as_person(db.person(admin=True), "api")
    names = list_commands()
    for line in INVOCATIONS:
        words = shlex.split(line)
        name = " ".join(
            words[:3] if " ".join(words[:3]) in names else words[:2] if " ".join(words[:2]) in names else words[:1]
        )
        with subtests.test(line):
            result = todo(*words, "--json")
            assert result.code == 0, result
            validate(name, json.loads(result.out))


def test_schema_command_prints_schemas_and_names(bare: Todo) -> None:
    assert bare("schema", "token", "create").json == make_schema("token create")
    assert "claims" in bare("schema").lines
    assert bare("schema", "nothing").code == 2
