"""Search in conversations: by words, date and role, each way in; nobody's but one's own, and no more work than that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.conftest import Database, Person
from tests.support.chat import Chat
from tests.support.chat_process import ChatProcess
from tests.support.model_answers import call_answer, text_answer
from todo_cli.contract.conversations import RemoveConversation, RestoreConversation
from todo_cli.contract.ids import new_id
from todo_cli.contract.message_search import MessageHit, SearchConversations
from todo_cli.contract.tasks import AddTask


def found(chat: Chat, words: str, **more: Any) -> list[tuple[str, str]]:
    """Role and marked words of each hit."""
    return [(hit.role, marked(hit)) for hit in chat(SearchConversations(words=words, **more)).hits]


def marked(hit: MessageHit) -> str:
    return "|".join(hit.passage.text[start:end] for start, end in hit.passage.parts)


@pytest.fixture
def talks(make_chat: Callable[..., Chat]) -> Chat:
    """Two conversations of somebody's; the first is handed out."""
    first = make_chat()
    first.say("When is the rent due?", ["On the first of the month."])
    first.say("Remind me of the dentist", [["add_task", {"title": "Zahnärztin anrufen"}]], ["Done."])
    first.say("das Café in 東京駅", ["Très bien: \x1b[31mCAFÉ\x1b[0m *<b>x</b>*"])
    second = make_chat(first.who)
    second.say("rent a car, the rental car", [["list_tasks", {}]], ["Which one?"])
    return first


def test_message_search_by_words_and_prefixes_ignores_accents(talks: Chat) -> None:
    assert found(talks, "month") == [("assistant", "month")]
    assert found(talks, "cafe", role="user") == [("user", "Café")]
    assert found(talks, "東京", sort="newest") == [("user", "東京")]
    assert found(talks, "denti") == [("user", "denti")]
    assert found(talks, "zahnarzt") == [("tool", "Zahnärzt")]  # the title of the task that was made
    assert found(talks, "rent due") == [("user", "rent|due")]
    assert found(talks, "dentist xyzzy") == [("user", "dentist")]  # where no message has all of them
    assert found(talks, "xyzzy") == []
    assert found(talks, "?!") == []


def test_title_of_a_task_that_a_call_changed_is_found(make_chat: Callable[..., Chat]) -> None:
    chat = make_chat()
    chat(AddTask(title="Zahnärztin anrufen"))
    chat.say("1 is done", [["complete_task", {"number": 1}]], ["Good."])
    assert found(chat, "zahnarzt") == [("tool", "Zahnärzt")]


def test_message_search_sorts_by_rank_or_by_date(talks: Chat) -> None:
    best = talks(SearchConversations(words="rent")).hits
    assert [hit.conversation for hit in best] == [1, 2]  # shorter, so more to the point
    assert best[0].score > best[1].score
    assert [hit.conversation for hit in talks(SearchConversations(words="rent", sort="newest")).hits] == [2, 1]
    whole = talks(SearchConversations(words="the rent due")).hits
    assert (whole[0].conversation, whole[0].role, whole[0].seq) == (1, "user", 1)
    assert len(talks(SearchConversations(words="rent", limit=1)).hits) == 1


def test_message_search_by_conversation_role_and_date_narrows(talks: Chat) -> None:
    assert [hit.conversation for hit in talks(SearchConversations(words="rent", number=2)).hits] == [2]
    assert found(talks, "done", role="user") == []
    assert found(talks, "zahnarzt", role="assistant") == [("tool", "Zahnärzt")]
    talks.db.execute(
        "UPDATE todo.messages SET at = '2030-06-01 22:30Z' WHERE conversation_id = %s AND seq = 1", talks.id
    )
    assert found(talks, "rent", since="2030-06-01", until="2030-06-01") == []  # in Berlin it was the next day
    assert found(talks, "rent", since="2030-06-02", until="2030-06-02") == [("user", "rent")]
    assert found(talks, "rent", since="2030-06-02 00:31") == []
    assert len(found(talks, "rent", until="today")) == 1


def test_message_search_skips_trashed_conversations(talks: Chat) -> None:
    talks(RemoveConversation(number=2))
    assert [hit.conversation for hit in talks(SearchConversations(words="rent")).hits] == [1]
    talks(RestoreConversation(number=2))
    assert len(talks(SearchConversations(words="rent")).hits) == 2


def test_message_search_finds_own_messages_only(talks: Chat, make_chat: Callable[..., Chat], db: Database) -> None:
    """Neither a person nor a space sees another's, and every word in the index begins with the mark of both."""
    stranger = make_chat(db.person())
    stranger.say("the rent is secret", ["Fine."])
    assert [hit.conversation for hit in stranger(SearchConversations(words="rent secret")).hits] == [1]
    assert found(stranger, "dentist") == []
    assert found(talks, "secret") == []
    rows = db.execute(
        """SELECT tsvector_to_array(todo.message_words(space_id, user_id, role, content)), user_id FROM todo.messages
      WHERE user_id = ANY (%s::uuid[]) AND role <> 'tool'""",
        [talks.who.user_id, stranger.who.user_id],
    )
    marks: dict[str, set[str]] = {}
    for words, user in rows:
        marks.setdefault(str(user), set()).update(word[:6] for word in words)
    assert sorted(len(one) for one in marks.values()) == [1, 1]
    assert len(set.union(*marks.values())) == 2


def test_message_search_uses_the_index_and_logins_cannot(talks: Chat) -> None:
    plan = """EXPLAIN SELECT FROM todo.messages m WHERE role <> 'summary' AND status <> 'dead' AND content <> ''
      AND todo.message_words(m.space_id, m.user_id, m.role, m.content) @@ '''x'''::tsquery"""
    with psycopg.connect(talks.db.owner_url) as owner:
        assert any("messages_words" in line for (line,) in owner.execute(plan))
    with psycopg.connect(talks.who.database_url) as own:
        own.execute("SET enable_seqscan = off")
        assert not any("Cond" in line and "said_words" in line for (line,) in own.execute(plan))


def test_message_search_command_prints_text_and_json(talker: ChatProcess) -> None:
    talker.script(call_answer(("add_task", {"title": "Pay \x1b[31mthe rent"})), text_answer("Added ", "#1."))
    assert talker("ask", "rent is due").code == 0
    lines = [line.split("\t") for line in talker("chat", "search", "rent").lines]
    assert sorted((cells[0], cells[2], cells[4], cells[5]) for cells in lines) == [
        ("1", "tasks", "rent is due", "Pay \\x1b[31mthe rent"),
        ("1", "you", "rent is due", "rent is due"),
    ]
    document = talker("chat", "search", "rent", "--role", "user", "--json").json
    assert [(hit["seq"], hit["passage"]) for hit in document["hits"]] == [
        (1, {"text": "rent is due", "parts": [[0, 4]]})
    ]
    assert talker.other(
        "chat", "search", "rent", "-c", "1", "--since", "yesterday", "--newest", "-n", "1"
    ).out.startswith("1\t")
    assert (talker("chat", "search", " ").code, talker("chat", "search", "x", "--since", "never").code) == (2, 2)
    shown = talker.spawn("chat", "search", "rent")
    shown.expect_exact("1  rent is due")  # the message is the title, which is shown once
    shown.expect_exact("3 tasks, just now: Pay ")
    shown.wait()


@pytest.mark.parametrize("text", ["x" * 100_000 + " needle", "needle " + "y" * 99_000, "a\nb needle\n" * 8_000])
def test_message_search_of_long_messages_finds_words(chat: Chat, text: str) -> None:
    chat.say(text[:100_000], ["Yes."])
    assert len(found(chat, "needle")) == ("needle" in text[:100_000])
    assert found(chat, "n" * 10_000) == []


@pytest.mark.long
def test_message_search_in_100_000_messages_finds_rare_and_common_words(fresh_db: Database) -> None:
    """A rare word reads few rows, and a common one no more than the newest thousand are ranked."""
    who: Person = fresh_db.person()
    chat = Chat(fresh_db, who)
    chat.say("first", ["ok"])
    fresh_db.execute(
        """INSERT INTO todo.messages (space_id, conversation_id, seq, user_id, turn_id, attempt, role, content, tokens)
        SELECT space_id, id, n + 10, user_id, id, 1, 'user', 'common word' || n, 9 FROM todo.conversations, generate_series(1, 100000) n
         WHERE id = %s""",
        chat.id,
    )
    assert len(chat(SearchConversations(words="common", limit=200, sort="newest")).hits) == 200
    assert [hit.seq for hit in chat(SearchConversations(words="word77777")).hits] == [77787]
    chat.close()


def test_message_search_skips_tool_results(chat: Chat) -> None:
    chat(AddTask(title="Quince jam"), new_id())
    chat.say("list", [["list_tasks", {}]], ["One."])
    assert found(chat, "quince") == []
