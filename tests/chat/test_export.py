"""Export and import restore a conversation exactly once in any space. An invalid file is refused with its line number."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Database
from tests.support.chat import Chat
from tests.support.chat_process import ChatProcess
from tests.support.model_answers import call_answer, text_answer
from todo_cli.agent.import_file import ExportReader
from todo_cli.agent.messages import build_request, protocol_errors
from todo_cli.contract.conversation_export import ImportMessages
from todo_cli.contract.conversations import AnswerTurn, ForkConversation, ShowConversation
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_steps import ReadReplay
from todo_cli.contract.usage import ReadUsage
from todo_cli.errors import Conflict, Invalid


@pytest.fixture
def talked(talker: ChatProcess) -> ChatProcess:
    """A conversation with a call, and a second turn."""
    talker.script(
        call_answer(("add_task", {"title": "Buy `milk`"}), text="At once."),
        text_answer("Added #1."),
        text_answer("You're welcome."),
    )
    assert talker("ask", "put milk\non it").code == 0
    assert talker("ask", "-c", "1", "thanks").code == 0
    return talker


def test_export_as_markdown_is_readable(talked: ChatProcess) -> None:
    done = talked("chat", "export", "1")
    assert done.code == 0, done.err
    lines = done.lines
    assert lines[0] == "# put milk"
    assert lines[2].startswith("Conversation 1, started 20")
    assert lines[2].endswith(" UTC, with test-model.")
    assert [line.partition(",")[0] for line in lines if line.startswith("##")] == [
        "## You",
        "### todo",
        "### todo",
        "## You",
        "### todo",
    ]
    assert "Calls `add_task`:" in lines
    assert lines.count("*7 + 3 tokens*") == 3
    assert '"title":"Buy `milk`"' in done.out
    assert lines[-3:] == ["You're welcome.", "", "*7 + 3 tokens*"]
    assert (talked("chat", "export", "9").code, talked("chat", "export", "1", "-o", "/nowhere/x.md").code) == (3, 7)


def test_export_as_json_lines_is_imported_unchanged(
    talked: ChatProcess, make_talker: Callable[..., ChatProcess]
) -> None:
    path = talked.todo.directory / "milk.jsonl"
    done = talked("chat", "export", "1", "-o", str(path))
    assert (done.code, done.out) == (0, "")
    header, *messages = [json.loads(line) for line in path.read_text().splitlines()]
    assert (header["kind"], header["version"], header["number"], header["title"]) == ("conversation", 1, 1, "put milk")
    assert [(message["seq"], message["role"], message["call_seq"], message["call_index"]) for message in messages] == [
        (1, "user", None, None),
        (2, "assistant", None, None),
        (3, "tool", 2, 0),
        (4, "assistant", None, None),
        (5, "user", None, None),
        (6, "assistant", None, None),
    ]
    assert messages[1]["usage"] == {"prompt": 7, "completion": 3, "cached": 0, "reasoning": 0}
    other = make_talker(talked.way)
    taken = other("chat", "import", str(path))
    assert (taken.out, taken.code) == ("Imported conversation 1: put milk (6 messages)\n", 0), taken.err
    again = other.other("chat", "import", "-", stdin=path.read_text())
    assert again.out == "Already imported: conversation 1: put milk (6 messages)\n"
    assert other.tasks() == []  # nothing of it acts
    back = other("chat", "export", "1", "--format", "jsonl").lines
    told = [json.loads(line) for line in back[1:]]
    assert [{**message, "turn": ""} for message in told] == [{**message, "turn": ""} for message in messages]
    other.script(text_answer("Of course."))
    assert other("ask", "-c", "1", "go on").out == "Of course.\n"
    assert [message["content"] for message in other.model.asked[-1].body["messages"]][1] == "put milk\non it"
    other.model.assert_valid()
    assert other("chat", "usage", "1", "--json").json["total"]["calls"] == 1  # what the import tells was used elsewhere


def export(chat: Chat, number: int) -> list[str]:
    """The lines, without a process."""
    from todo_cli.cli.commands.chat_export import json_lines, read_conversation

    class Session:
        send = staticmethod(chat)

    return list(json_lines(*read_conversation(Session(), number)))  # type: ignore[arg-type]


def take_in(chat: Chat, lines: list[str], size: int = 500) -> list[Any]:
    """In parts of that many; the answers."""
    reading = ExportReader([line.encode() for line in lines])
    messages = tuple(reading.messages())
    return [
        chat(ImportMessages(conversation=reading.header, first=at, messages=messages[at : at + size]))
        for at in range(0, len(messages), size)
    ]


@pytest.fixture
def long(chat: Chat) -> Chat:
    """All that a line may have: a fork's past, results out of order, a no, a failed turn, an interrupted one."""
    for number in range(1, 4):
        chat.say(f"add {number}", [["add_task", {"title": f"t{number}"}], ["list_tasks", {}]], [f"Added {number}."])
    turn = new_id()
    wished = [["delete_task", {"number": 1}], ["list_tasks", {}], ["no_such_tool", {}]]
    assert chat.say("delete it", wished, turn=turn).state == "awaiting"
    chat(AnswerTurn(turn=turn, yes=False))
    chat.say("delete it", [], ["Then not."], turn=turn)
    chat.start("die now", [["add_task", {"title": "x"}]], ["Half a word"], die=30).communicate()
    chat.lapse()
    chat.say("   still there?", ["Yes."])
    return chat


def test_export_of_any_messages_is_imported_unchanged(long: Chat, make_chat: Callable[..., Chat], db: Database) -> None:
    fork = long(ForkConversation(number=1, id=new_id(), at=5))
    used = """UPDATE todo.messages SET usage = '{"prompt": 5}' WHERE role = 'assistant' AND conversation_id = %s"""
    db.execute(used, long.id)
    elsewhere = make_chat(db.person())
    for number in (1, fork.number):
        lines = export(long, number)
        (done,) = take_in(elsewhere, lines)
        assert done.stored == len(lines) - 1
        assert [json.loads(line)["content"] for line in lines[1:]] == [
            message.content for message in shown(elsewhere, done.number)
        ]
        again = export(elsewhere, done.number)
        assert [{**json.loads(line), "turn": ""} for line in again[1:]] == [
            {**json.loads(line), "turn": ""} for line in lines[1:]
        ]
        replay = elsewhere(ReadReplay(conversation=done.id))
        said = build_request(replay.messages, None, "")
        assert protocol_errors([*said, {"role": "user", "content": "x"}]) == []
    assert elsewhere.tasks() == []
    assert elsewhere(ReadUsage()).total.calls == 0


def shown(chat: Chat, number: int) -> tuple[Any, ...]:
    return chat(ShowConversation(number=number, limit=1_000)).messages


def test_import_that_is_restarted_adds_nothing_twice(long: Chat, make_chat: Callable[..., Chat], db: Database) -> None:
    lines = export(long, 1)
    count = len(lines) - 1
    chat = make_chat(db.person())
    reading = ExportReader([line.encode() for line in lines])
    messages = tuple(reading.messages())
    with pytest.raises(Conflict, match="earlier part"):
        chat(ImportMessages(conversation=reading.header, first=3, messages=messages[3:6]))
    chat(ImportMessages(conversation=reading.header, messages=messages[:7]))  # and there it broke off
    done = take_in(chat, lines, size=5)
    assert sum(answer.stored for answer in done) == count - 7
    assert {answer.number for answer in done} == {1}
    assert sum(answer.stored for answer in take_in(chat, lines, size=4)) == 0
    assert len(shown(chat, 1)) == count
    turns = db.execute("SELECT state, asked, last FROM todo.turns WHERE space_id = %s ORDER BY asked", chat.who.user_id)
    assert [state for state, _, _ in turns] == ["done"] * len(turns)
    assert [last + 1 for _, _, last in turns[:-1]] == [asked for _, asked, _ in turns[1:]]
    chat.id = done[0].id
    chat.say("go on", ["Yes."])
    assert sum(answer.stored for answer in take_in(chat, lines)) == 0
    assert chat.history()[-2:] == [("user", "go on"), ("assistant", "Yes.")]
    # another point of the same conversation is another import
    long.say("more", ["More."])
    assert take_in(chat, export(long, 1))[0].number == 2


def broken(lines: list[str]) -> dict[str, tuple[list[str], str]]:
    def without(*places: int) -> list[str]:
        return [line for place, line in enumerate(lines) if place not in places]

    def changed(place: int, **fields: Any) -> list[str]:
        return [json.dumps(json.loads(line) | fields) if at == place else line for at, line in enumerate(lines)]

    renumbered = [json.dumps(json.loads(line) | ({"seq": at} if at else {})) for at, line in enumerate(without(4))]
    return {
        "no header": (lines[1:], "line 1 is not the beginning"),
        "nothing": ([], "line 1 is not the beginning"),
        "another file": (['{"title": "a task"}'], "line 1 is not the beginning"),
        "a newer one": (changed(0, version=2), "has version 2"),
        "no JSON": ([*lines[:3], "{", *lines[4:]], "line 4: "),
        "a line is missing": (without(4), "line 5: message 5 is in place 4"),
        "a line twice": ([*lines[:3], lines[2], *lines[3:]], "line 4: message 2 is in place 3"),
        "a result is missing": (renumbered, "line "),
        "the end is missing": (lines[:3], "line 3: "),
        "another role": (changed(2, role="user"), "line 3: user after user"),
        "a role of ours": (changed(2, role="system"), "line 3: role"),
        "a result of nothing": (changed(3, call_index=9), "line 4: a result without its call"),
        "a result twice": (changed(5, role="tool", call_seq=2, call_index=0), "line 6: a result without its call"),
        "a turn in two": (changed(8, turn=json.loads(lines[1])["turn"]), "line "),
    }


def test_import_of_an_invalid_file_names_the_line(long: Chat) -> None:
    lines = export(long, 1)
    assert len(list(ExportReader([line.encode() for line in lines]).messages())) == len(lines) - 1
    for name, (wrong, sentence) in broken(lines).items():
        told = "taken"
        try:
            list(ExportReader([line.encode() for line in wrong]).messages())
        except Invalid as error:
            told = error.detail
        assert sentence in told, name


def test_import_of_an_invalid_file_sends_nothing(talked: ChatProcess, tmp_path: Path) -> None:
    lines = talked("chat", "export", "1", "--format", "jsonl").lines
    path = tmp_path / "broken.jsonl"
    path.write_text("\n".join([*lines[:5], *lines[6:]]))
    done = talked("chat", "import", str(path))
    assert (done.code, done.out) == (2, "")
    assert "line 6: message 6 is in place 5" in done.err
    assert len(talked("chat", "list").lines) == 1
    assert talked("chat", "import", str(tmp_path / "none")).code == 2


def test_import_of_invalid_messages_is_refused_by_the_server(chat: Chat, long: Chat) -> None:
    reading = ExportReader([line.encode() for line in export(long, 1)])
    messages = tuple(reading.messages())
    for wrong in (messages[1:3], messages[:1] * 2, (messages[2],)):
        with pytest.raises(Invalid):
            chat(ImportMessages(conversation=reading.header, messages=wrong))


def test_export_in_pages_of_any_size_is_the_same(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oldest first, with no more than a page in hand."""
    for number in range(4):
        chat.say(f"say {number}", [f"said {number}"])
    expected = [line.partition('"seq"')[2] for line in export(chat, 1)]
    for size in (1, 2, 3, 8):
        monkeypatch.setattr("todo_cli.cli.commands.chat_export.MAX_PAGE_ITEMS", size)
        assert [line.partition('"seq"')[2] for line in export(chat, 1)] == expected


def test_export_omits_an_unanswered_turn(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    chat.say("hello", ["Hi."])
    chat.say("add", [["add_task", {"title": "x"}]], ["ok"])
    assert chat.say("delete 1", [["delete_task", {"number": 1}]]).state == "awaiting"
    assert [json.loads(line).get("role") for line in export(chat, 1)] == [
        None,
        "user",
        "assistant",
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert "no complete answer yet" in capsys.readouterr().err
