"""The results of tool calls as the model reads them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.chat import Chat
from todo_cli.contract.conversations import AnswerTurn
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTask, CompleteTasks


def results(chat: Chat) -> list[dict[str, Any]]:
    """Return the results of all tool calls of the conversation, in order."""
    return [json.loads(text) for role, text in chat.history() if role == "tool"]


def test_add_task_with_every_field_echoes_what_was_set_without_the_note(chat: Chat) -> None:
    chat(AddTask(title="house"))
    fields = {
        "title": "Water plants",
        "due": "2030-06-03",
        "scheduled": "2030-06-02",
        "defer": "2030-06-01",
        "every": "every 2 weeks",
        "parent": 1,
        "project": "home",
        "tags": ["garden"],
        "priority": 2,
        "note": "use rain water",
    }
    chat.say("below 1: water the plants", [["add_task", fields]], ["Added."])
    shown = {name: value for name, value in fields.items() if name != "note"}
    assert results(chat) == [{"task": {"number": 2, "status": "open"} | shown}]


def test_update_task_echoes_dates_and_blockers(chat: Chat) -> None:
    for title in ("milk", "bread"):
        chat(AddTask(title=title, note="secret"))
    call = ["update_task", {"number": 2, "after": [1], "defer": "2030-06-01", "scheduled": "2030-06-02"}]
    chat.say("2 waits for 1", [call], ["Changed."])
    [result] = results(chat)
    task = {"number": 2, "title": "bread", "status": "open", "scheduled": "2030-06-02", "defer": "2030-06-01"}
    assert result == {"ok": True, "changed": 1, "tasks": [task | {"after": [1]}]}


def test_complete_task_of_a_recurring_task_shows_the_next_occurrence_apart(chat: Chat) -> None:
    chat(AddTask(title="rent", due="2030-06-03", every="every month"))
    chat.say("1 is done", [["complete_task", {"number": 1}]], ["Done."])
    [result] = results(chat)
    assert (result["ok"], result["changed"]) == (True, 1)
    assert [(task["number"], task["status"], task["due"]) for task in result["tasks"]] == [(1, "done", "2030-06-03")]
    assert [(task["number"], task["status"], task["due"]) for task in result["next"]] == [(2, "open", "2030-07-03")]
    assert result["next"][0]["every"].startswith("every month")


def test_show_task_shows_note_and_list_tasks_does_not(chat: Chat) -> None:
    chat(AddTask(title="milk", note="oat", due="2030-06-03", every="every week"))
    chat.say("1?", [["show_task", {"number": 1}], ["list_tasks", {}]], ["Milk."])
    shown, listed = results(chat)
    assert (shown["task"]["note"], shown["task"]["status"]) == ("oat", "open")
    assert {"due", "every", "created_at"} <= {*shown["task"]}
    assert "note" not in listed["tasks"][0]
    assert listed["tasks"][0]["every"] == "every week"


def test_undo_counts_the_changed_tasks(chat: Chat) -> None:
    chat(AddTask(title="milk"))
    chat.say("would an undo touch 1?", [["undo", {"dry_run": True}]], ["Yes."])
    [result] = results(chat)
    assert "ok" not in result
    assert result["would_change"] == 1


def test_update_task_with_clear_empties_tags_and_blockers(chat: Chat) -> None:
    chat(AddTask(title="milk"))
    chat(AddTask(title="bread", tags=("shop",), after=(1,)))
    chat.say(
        "2 needs no tags and waits for nothing", [["update_task", {"number": 2, "clear": ["tags", "after"]}]], ["OK."]
    )
    assert results(chat) == [{"ok": True, "changed": 1, "tasks": [{"number": 2, "title": "bread", "status": "open"}]}]


@pytest.mark.parametrize(
    ("arguments", "hidden"), [({}, 2), ({"project": "home"}, 1), ({"filter": "is:deferred"}, None)]
)
def test_list_tasks_says_how_many_deferred_tasks_it_hides(chat: Chat, arguments: dict[str, str], hidden: int) -> None:
    for title, defer in (("milk", None), ("bread", "2030-01-01"), ("rent", "2030-01-01T10:00")):
        chat(AddTask(title=title, defer=defer, project="home" if title == "rent" else None))
    chat.say("what is there?", [["list_tasks", arguments]], ["That."])
    assert results(chat)[0].get("hidden_deferred") == hidden


def test_refused_call_tells_the_model_not_to_ask_again(chat: Chat) -> None:
    chat(AddTask(title="milk"))
    turn = new_id()
    assert chat.say("delete 1", [["delete_task", {"number": 1}]], turn=turn).state == "awaiting"
    chat(AnswerTurn(turn=turn, yes=False))
    assert results(chat)[-1]["hint"] == "do not ask again"


def test_find_tasks_marks_weak_matches_and_counts_the_others(chat: Chat) -> None:
    for title in ("Iron shirts", "Iron trousers", "Environment report"):
        chat(AddTask(title=title))
    chat(CompleteTasks(numbers=(2,)))
    calls: list[Any] = [["find_tasks", {"words": words}] for words in ("ironing", "irom report", "unicorn", "trousers")]
    chat.say("the ironing?", calls, ["Here."])
    found, weak, nothing, done = results(chat)
    assert found == {"tasks": [{"number": 1, "title": "Iron shirts"}], "also": {"done": 1}}
    assert [task["match"] for task in weak["tasks"]] == ["weak"] * len(weak["tasks"])
    assert (nothing["tasks"], "list_tasks" in nothing["hint"]) == ([], True)
    assert (done["tasks"], done["also"], "list_tasks" in done["hint"]) == ([], {"done": 1}, True)


def test_add_task_with_a_known_key_adds_nothing_and_without_one_names_the_task_like_it(chat: Chat) -> None:
    milk: dict[str, Any] = {"title": "milk"}
    calls: list[Any] = [["add_task", milk | {"key": "k"}], ["add_task", milk | {"key": "k"}], ["add_task", milk]]
    chat.say("milk, and milk", calls, ["Added."])
    chat.say("milk again", [["add_task", milk]], ["Added."])
    first, known, plain, twin = results(chat)
    assert (first, known) == ({"task": plain["task"] | {"number": 1}}, {"task": first["task"], "new": False})
    assert "similar" not in plain
    assert (twin["task"]["number"], twin["similar"]["number"]) == (3, 2)
    assert 0 <= twin["similar"]["seconds_ago"] < 60


def test_results_show_instants_in_the_users_time_zone(chat: Chat) -> None:
    calls: list[Any] = [
        [
            "add_task",
            {"title": "call", "due": "2030-06-03T07:00:00Z", "scheduled": "2030-01-03 9am", "defer": "2030-01-02"},
        ],
        ["update_task", {"number": 1, "due": "2030-06-04T07:00:00Z"}],
        ["show_task", {"number": 1}],
        ["list_changes", {}],
    ]
    chat.say("call on june 3rd, no, the 4th", calls[:1], calls[1:], ["Added."])
    added, changed, shown, log = results(chat)
    dates = {name: added["task"][name] for name in ("due", "scheduled", "defer")}
    assert dates == {"due": "2030-06-03T09:00+02:00", "scheduled": "2030-01-03T09:00+01:00", "defer": "2030-01-02"}
    assert changed["tasks"][0]["due"] == shown["task"]["due"] == "2030-06-04T09:00+02:00"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?\+0[12]:00", shown["task"]["created_at"])
    assert log["changes"][0]["differences"][0]["fields"]["due"] == ["2030-06-03T09:00+02:00", "2030-06-04T09:00+02:00"]


def test_list_tasks_says_that_a_sorted_list_is_cut(chat: Chat) -> None:
    for title in ("milk", "bread"):
        chat(AddTask(title=title))
    calls: list[Any] = [["list_tasks", {"sort": "urgency", "limit": 1}], ["list_tasks", {"sort": "urgency"}]]
    chat.say("the most urgent?", calls, ["Milk."])
    cut, whole = results(chat)
    assert (len(cut["tasks"]), cut["cut"], "cut" in whole) == (1, True, False)
