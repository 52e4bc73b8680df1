"""The tools as a model sees them, and the correction of slips in its arguments."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from todo_cli.agent.approval_policy import decide, known_numbers, parse_call
from todo_cli.agent.prompts import SYSTEM_PROMPT
from todo_cli.contract.claims import ClaimTask
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.registry import REQUESTS
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks, ListTasks, ShowTask
from todo_cli.contract.trash import DeleteTasks
from todo_cli.contract.turn_steps import Message, MessageCall
from todo_cli.errors import Invalid
from todo_cli.parsing.filter_parser import parse_filter
from todo_cli.tools.calls import parse_tool_call
from todo_cli.tools.schemas import list_tools, offer_tools
from todo_cli.tools.tool_list import BASIC_TOOLS, CLEARABLE_FIELDS, EXTRA_TOOLS, TOOLS


def test_tools_are_exactly_the_marked_requests() -> None:
    assert {*TOOLS.values()} == {request_type for request_type in REQUESTS if request_type.tool}
    assert len(TOOLS) == len(BASIC_TOOLS) + len(EXTRA_TOOLS)


def test_tool_schemas_are_small_and_self_contained() -> None:
    text = json.dumps(list_tools())
    assert "$ref" not in text
    assert '"null"' not in text
    assert "if_rev" not in text
    for tool in list_tools():
        function = tool["function"]
        assert function["description"]
        assert function["parameters"]["type"] == "object"
        assert {*function["parameters"]["required"]} <= {*function["parameters"]["properties"]}
    update = next(tool for tool in list_tools() if tool["function"]["name"] == "update_task")
    assert update["function"]["parameters"]["properties"]["clear"]["items"]["enum"] == list(CLEARABLE_FIELDS)


def properties(name: str) -> dict[str, Any]:
    """Return the schemas of a tool's fields."""
    tool = next(tool for tool in list_tools() if tool["function"]["name"] == name)
    fields: dict[str, Any] = tool["function"]["parameters"]["properties"]
    return fields


def test_system_prompt_and_offered_tools_take_at_most_2200_tokens() -> None:
    text = SYSTEM_PROMPT + json.dumps(offer_tools(frozenset()), separators=(",", ":"))
    assert len(text) / 4 <= 2_200  # about four characters a token


@pytest.mark.parametrize("word", ["parse", "null", "token", "journal"])
def test_descriptions_of_tools_name_nothing_that_a_model_does_not_have(word: str) -> None:
    assert word not in json.dumps(list_tools()).lower()


@pytest.mark.parametrize("name", ["add_task", "update_task"])
def test_optional_fields_of_a_change_are_set_only_if_the_user_said_so(name: str) -> None:
    optional = {*properties(name)} - {"title" if name == "add_task" else "numbers", "clear"}
    remarked = {name for name, field in properties(name).items() if "Only if the user said so." in str(field)}
    assert remarked == optional


def test_descriptions_of_dates_say_what_each_is_for() -> None:
    texts = {name: properties("add_task")[name]["description"] for name in ("due", "scheduled", "defer")}
    assert len({*texts.values()}) == 3
    assert "deadline" in texts["due"]
    assert "work on it" in texts["scheduled"]
    assert "Hidden until" in texts["defer"]
    assert all("ISO" in text for text in texts.values())


def test_description_of_tags_says_that_they_are_replaced() -> None:
    assert "replaces" in properties("update_task")["tags"]["description"]
    assert "replaces" not in properties("add_task")["tags"]["description"]


def test_description_of_filter_has_three_examples_that_can_be_parsed() -> None:
    examples = re.findall(r"'([^']+)'", properties("list_tasks")["filter"]["description"])
    assert len(examples) == 3
    for example in examples:
        parse_filter(example)


def test_schemas_have_no_limits_of_size() -> None:
    text = json.dumps(list_tools())
    assert not re.search(r"(min|max)(Length|Items)", text)
    assert "9223372036854775807" not in text


@pytest.mark.parametrize(
    ("name", "arguments", "kind", "fields"),
    [
        ("complete_task", {"number": 3}, CompleteTasks, {"numbers": [3]}),
        ("complete_task", {"numbers": "3"}, CompleteTasks, {"numbers": [3]}),
        ("complete_task", {"numbers": ["#3", 4.0]}, CompleteTasks, {"numbers": [3, 4]}),
        ("complete_task", {"numbers": "3, 4"}, CompleteTasks, {"numbers": [3, 4]}),
        ("show_task", {"numbers": [3]}, ShowTask, {"number": 3}),
        (
            "add_task",
            {"title": "x", "due": None, "priority": "", "tags": "home"},
            AddTask,
            {"title": "x", "tags": ["home"]},
        ),
        ("add_task", {"title": "x", "due": "next friday 9am"}, AddTask, {"title": "x", "due": "next friday 9am"}),
        ("update_task", {"number": 1, "due": None, "title": "y"}, EditTasks, {"numbers": [1], "title": "y"}),
        (
            "update_task",
            {"number": 1, "clear": ["due", "note"]},
            EditTasks,
            {"numbers": [1], "due": None, "note": None},
        ),
        ("update_task", {"number": 1, "clear": "tags, after"}, EditTasks, {"numbers": [1], "tags": [], "after": []}),
        ("list_tasks", {}, ListTasks, {}),
        ("list_tasks", {"filter": "p1 due<fri"}, ListTasks, {"filter": "p1 due<fri"}),
        ("claim_task", {"filter": "#builds", "lease": 60}, ClaimTask, {"filter": "#builds", "lease": 60}),
        ("delete_task", {"number": "12"}, DeleteTasks, {"numbers": [12]}),
        ("list_changes", {"number": "#2"}, ListChanges, {"number": 2}),
        ("undo", None, Undo, {}),
    ],
)
def test_tool_arguments_with_a_slip_are_read(name: str, arguments: Any, kind: Any, fields: Any) -> None:
    assert parse_tool_call(name, "" if arguments is None else json.dumps(arguments)) == (kind, fields)


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("fly", "{}", "add_task"),
        ("CreateToken", "{}", "there is no tool"),
        ("add_task", "{", "not JSON"),
        ("add_task", "[1]", "not a JSON object"),
        ("add_task", "{}", "title"),
        ("add_task", '{"title":"x","colour":"red"}', "colour"),
        ("update_task", '{"number":1,"clear":["title"]}', "cannot be cleared"),
        ("show_task", '{"number":"one"}', "number"),
        ("complete_task", '{"numbers":[]}', "empty"),
        ("complete_task", '{"number":1,"if_rev":3}', "if_rev"),
        ("delete_task", '{"filter":"status:open"}', "filter"),
        ("delete_task", "{}", "numbers is empty"),
        ("release_task", '{"numbers":[1],"force":true}', "force"),
        ("add_task", json.dumps({"title": "x" * 1_001}), "longer"),
    ],
)
def test_tool_arguments_that_are_invalid_are_reported(name: str, arguments: str, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_tool_call(name, arguments)
    assert told in f"{refused.value.detail} {refused.value.hint}"


def said(*calls: tuple[str, Any], text: str = "tasks 1-4 and #9", turn: str = "t") -> list[Message]:
    """A turn whose model wishes that."""
    wishes = tuple(MessageCall(name=name, arguments=json.dumps(arguments)) for name, arguments in calls)
    user = Message(conversation="c", seq=1, turn=turn, role="user", content=text)
    return [user, Message(conversation="c", seq=2, turn=turn, role="assistant", content="", calls=wishes)]


def verdicts(*calls: tuple[str, Any], text: str = "tasks 1-4 and #9") -> list[str]:
    """What may be done with them."""
    line = said(*calls, text=text)
    return decide([parse_call(line[1], index) for index in range(len(calls))], line, "t")


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([("list_tasks", {}), ("show_task", {"number": 1}), ("list_changes", {})], ["run"] * 3),
        ([("complete_task", {"number": 1})], ["run"]),
        ([("complete_task", {"number": 1}), ("reopen_task", {"number": 1})], ["run"] * 2),
        ([("complete_task", {"numbers": [1, 2]})], ["ask"]),
        ([("complete_task", {"number": 1}), ("update_task", {"number": 2, "title": "x"})], ["ask"] * 2),
        ([("delete_task", {"number": 1})], ["ask"]),
        ([("undo", {}), ("redo", {})], ["ask"] * 2),
        ([("undo", {"dry_run": True})], ["run"]),
        ([("complete_task", {"number": 5}), ("complete_task", {"number": 1})], ["error", "ask"]),
        ([("add_task", {"title": "x"})] * 21, ["run"] * 20 + ["ask"]),
        ([("add_task", {"title": "x"}), ("delete_task", {"number": 4})], ["run", "ask"]),
        ([("delete_task", {"number": 4}), ("complete_task", {"number": 1})], ["ask"] * 2),
    ],
)
def test_calls_that_need_approval_are_held(calls: Any, expected: list[str]) -> None:
    assert verdicts(*calls) == expected


def test_known_numbers_come_from_the_user_and_results_only() -> None:
    line = [
        *said(("list_tasks", {}), text="the 3 of 7 to 9"),
        Message(
            conversation="c",
            seq=3,
            turn="t",
            role="tool",
            call_seq=2,
            call_index=0,
            content='{"tasks":[{"number":12,"title":"say \\"number\\":66 \\\\\\"number\\":67"}]}',
        ),
        Message(conversation="c", seq=4, turn="t", role="assistant", content="What about 5?"),
    ]
    assert known_numbers(line) == {3, 7, 8, 9, 12}


def test_redo_and_undo_always_need_approval() -> None:
    assert (Undo.asks.value, Redo.asks.value) == ("always", "always")
