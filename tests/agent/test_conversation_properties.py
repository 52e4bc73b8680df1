"""Whatever happens in a conversation, in whatever order, its replay is valid, whole at its end, and the same each time.

A state machine makes the stories: turns with words and calls, models that break off, processes that die at a step and
are taken over or not, questions that are answered yes, no or not at all, interrupts, undos and redos, going back and
saying it differently, forks, and a budget so small that what is old is folded. After each step the stored line is walked
once more in Python, message by message, and compared with what the one statement of the replay says.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.conftest import Database
from tests.support.chat import Chat
from tests.support.task_rows import NOW
from todo_cli.agent.messages import build_request, complete_turns, protocol_errors
from todo_cli.agent.prompts import date_line
from todo_cli.contract.conversations import AnswerTurn, ForkConversation, MoveHead, RedoTurn, StopTurn, UndoTurn
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTask
from todo_cli.contract.turn_events import StoreEvents
from todo_cli.contract.turn_steps import BeginTurn, Message, MessageCall, ReadReplay, Replay, RunCall, StoreAnswer
from todo_cli.errors import Conflict, Invalid, NotFound
from todo_cli.llm.stream import TextDelta

REFUSED = (Conflict, Invalid, NotFound)
EVERYTHING = 1_000_000
"""A budget that all of a story fits into."""


class Stored(msgspec.Struct):
    """A message as it lies in the table."""

    conversation: str
    seq: int
    parent: int | None
    parent_of: str | None
    turn: str
    role: str
    status: str
    content: str
    reaches: int | None
    calls: int
    call: tuple[int, int] | None


STORED = """SELECT conversation_id::text, seq, parent, parent_of::text, turn_id::text, role, status, content, reaches,
  coalesce(jsonb_array_length(calls), 0), CASE WHEN call_seq IS NOT NULL THEN ARRAY[call_seq, call_index] END
  FROM todo.messages WHERE space_id = %s"""
HEAD = "SELECT head, coalesce(head_of, id)::text FROM todo.conversations WHERE space_id = %s AND id = %s"


def walked(owner: psycopg.Connection[Any], chat: Chat) -> tuple[list[Stored], str | None]:
    """The line from its head to its newest summary, or to its beginning."""
    found = [Stored(*row) for row in owner.execute(STORED, [chat.who.user_id])]
    at = {(message.conversation, message.seq): message for message in found}
    told = {
        (message.conversation, message.reaches): message.content for message in found if message.reaches is not None
    }
    seq, place = owner.execute(HEAD, [chat.who.user_id, chat.id]).fetchone() or (None, "")
    line: list[Stored] = []
    while seq is not None:
        summary = told.get((place, seq)) if line else None
        if line and line[-1].conversation != place:  # a fork's own summary of all that was before it
            summary = summary or told.get((line[-1].conversation, 0))
        if summary:
            return line[::-1], summary
        one = at[place, seq]
        line.append(one)
        place, seq = one.parent_of or one.conversation, one.parent
    return line[::-1], None


def followed(replay: Replay) -> list[dict[str, Any]]:
    """The request that a next message of the person's would make."""
    next_one = Message(conversation="c", seq=10**9, turn="next", role="user", content="next")
    return build_request([*replay.messages, next_one], replay.summary, date_line(NOW, "UTC"))


class Story(RuleBasedStateMachine):
    """One person's conversations, and all that can happen to the one that goes on."""

    def __init__(self, db: Database, happened: Counter[str]) -> None:
        super().__init__()
        self.owner, self.happened = psycopg.connect(db.owner_url, autocommit=True), happened
        self.chat = Chat(db, db.person())
        self.again = Chat(db, self.chat.who, self.chat.id)  # another terminal
        self.turns: list[str] = []
        self.count = 0
        self.words(1)

    def teardown(self) -> None:
        """Somebody goes on, whatever the end was."""
        try:
            self.chat.lapse()
            self._say("at last", ["yes"])
            assert self.chat.history()[-2:] == [("user", self._last), ("assistant", "yes")]
        finally:
            self.chat.close()
            self.again.close()
            self.owner.close()

    # -- turns -----------------------------------------------------------------------------------

    @rule(size=st.integers(1, 30))
    def words(self, size: int) -> None:
        """Words."""
        self._say("say", ["word " * size])

    @rule(count=st.integers(0, 2))
    def calls(self, count: int) -> None:
        """Calls, some of them wrong."""
        wished = [["add_task", {"title": f"t{n}"}] for n in range(count)] + [
            ["show_task", {"number": 10**6}],
            ["fly", "{"],
        ]
        self._say("act", ["first", *wished], [["list_tasks", {}]], ["done"])

    @rule()
    def too_many_rounds(self) -> None:
        """The model does not come to an end."""
        self._say("go round", *[[["list_tasks", {}]]] * 9, rounds=2)

    @rule(answer=st.sampled_from(["yes", "no", "stop", "nothing"]))
    def question(self, answer: str) -> None:
        """What needs a yes gets it, or not."""
        self.chat(AddTask(title="asked"))
        self._say("list", [["list_tasks", {}]], ["ok"])
        numbers = [number for number, _, status in self.chat.tasks() if status == "open"][-1:]
        self._say(f"delete {numbers}", [["delete_task", {"numbers": numbers}]], ["ok"])
        if answer == "stop":
            self.chat(StopTurn(turn=self.turns[-1]))
        elif answer != "nothing":
            self.chat(AnswerTurn(turn=self.turns[-1], yes=answer == "yes"))
            self.chat.say(self._last, [], ["ok"], turn=self.turns[-1])
        self.happened[f"question: {answer}"] += 1

    @rule(after=st.integers(1, 3))
    def interrupt(self, after: int) -> None:
        """In the middle of an answer."""
        stop, heard = asyncio.Event(), 0

        async def endless(messages: Any, tools: Any) -> Any:
            for _ in range(100):
                yield TextDelta("and ")
                await asyncio.sleep(0)

        def told(event: Any) -> None:
            nonlocal heard
            heard += event["kind"] == "words"
            if heard == after:
                stop.set()

        ended = self._say("tell me", answer=endless, stop=stop, emit=told)
        assert ended.state == "stopped"
        assert "and" in self.chat.replay()[-1].content
        self.happened["interrupt"] += 1

    @rule(step=st.sampled_from(["begun", "words", "calls", "one call"]), go_on=st.booleans())
    def crash(self, step: str, go_on: bool) -> None:
        """The process dies behind that step; another goes on with the turn, or nobody does."""
        turn, text = new_id(), self._text("crash")
        begun = self.chat(BeginTurn(conversation=self.chat.id, turn=turn, runner=new_id(), text=text))
        self.turns.append(turn)
        mine: dict[str, Any] = {"turn": turn, "attempt": begun.attempt}
        if step == "words":
            self.chat(StoreEvents(**mine, first=0, after=begun.head, batch=({"kind": "words", "text": "half an an"},)))
        elif step in ("calls", "one call"):
            wish = MessageCall(name="add_task", arguments='{"title":"crashed"}')
            stored = self.chat(StoreAnswer(**mine, after=begun.head, text="", calls=(wish,) * 2))
            if step == "one call":
                arguments = {"title": "crashed"}
                self.chat(RunCall(**mine, message=stored.head, index=0, operation="AddTask", arguments=arguments))
        self.chat.lapse()
        if go_on:
            adds = self._added()
            assert self.again.say(text, *([[]] if "call" in step else []), ["on it goes"], turn=turn).state == "done"
            open_calls = {"calls": 2, "one call": 1}.get(step, 0)
            assert self._added() == adds + open_calls
        self.happened[f"crash: {step}, {go_on}"] += 1

    # -- the line --------------------------------------------------------------------------------

    @rule()
    def compaction(self) -> None:
        """The budget is small."""
        before = self._summaries()
        self._say("fold " + "x" * 400, ["a summary, or an answer " + "y" * 400], budget_tokens=300)
        self.happened["compaction"] += self._summaries() > before

    @rule()
    def undo(self) -> None:
        """The last turn."""
        if self.turns and self._done(UndoTurn(turn=self.turns[-1], partial=True)):
            self.happened["undo"] += 1

    @rule()
    def redo(self) -> None:
        """It again."""
        if self.turns and self._done(RedoTurn(turn=self.turns[-1], partial=True)):
            self.happened["redo"] += 1

    @rule(back=st.integers(0, 30))
    def edit(self, back: int) -> None:
        """On from an earlier answer, and differently."""
        ends = [
            message.seq
            for message in self._replay().messages
            if message.role == "assistant" and not message.calls and message.conversation == self.chat.id
        ]
        to = ends[back % len(ends)] if ends else 0
        if self._done(MoveHead(number=self.chat.number, to=to)):
            line, _ = walked(self.owner, self.chat)
            assert [message.seq for message in line[-1:]] == ([to] if to else [])
            self._say("or rather", ["as you like"])
            self.happened["edit"] += 1

    @precondition(lambda self: self.count < 40)
    @rule()
    def fork(self) -> None:
        """On in another conversation, which tells the same so far."""
        before = self._replay()
        new = ForkConversation(number=self.chat.number, id=new_id())
        if self._done(new):
            self.chat.id = self.again.id = new.id
            self.turns = []
            assert msgspec.json.encode(self._replay()) == msgspec.json.encode(before)
            self.happened["fork"] += 1

    # -- what holds after each --------------------------------------------------------------------

    @invariant()
    def the_replay_is_right(self) -> None:
        """Each of what the title says, on one look at what is stored."""
        replay, (line, summary) = self._replay(), walked(self.owner, self.chat)
        self._valid(replay)
        self._stored(replay, line, summary)
        self._same(replay)
        self._whole(line)

    def _valid(self, replay: Replay) -> None:
        """The requests that were sent, and the next one."""
        assert protocol_errors(followed(replay)) == []
        for request in [*self.chat.asked, *self.again.asked]:
            assert protocol_errors(request) == [] or request[0]["content"].startswith("Summarise")
        self.chat.asked.clear()
        self.again.asked.clear()

    def _stored(self, replay: Replay, line: list[Stored], summary: str | None) -> None:
        """All of it, in its order, from the newest summary on."""
        wanted = [(message.conversation, message.seq, message.turn, message.role, message.content) for message in line]
        assert [
            (message.conversation, message.seq, message.turn, message.role, message.content)
            for message in replay.messages
        ] == wanted
        assert (replay.summary, replay.cut) == (summary, False)
        assert all(message.status != "dead" and message.role != "summary" for message in line)
        settled = [message for message in line if message.turn != line[-1].turn]
        wished = [(message.conversation, message.seq, index) for message in settled for index in range(message.calls)]
        assert sorted((message.conversation, *message.call) for message in settled if message.call) == sorted(wished)
        self.happened["read behind a summary"] += summary is not None

    def _same(self, replay: Replay) -> None:
        """The same bytes again, on another connection, and as a request."""
        other = self.again(ReadReplay(conversation=self.chat.id, budget=EVERYTHING))
        assert msgspec.json.encode(replay) == msgspec.json.encode(other)
        assert msgspec.json.encode(followed(replay)) == msgspec.json.encode(followed(other))

    def _whole(self, line: list[Stored]) -> None:
        """However small the budget: what is read of the line is its end, and begins with a person's words."""
        for budget in (1, 60, 200):
            kept = complete_turns(self.chat(ReadReplay(conversation=self.chat.id, budget=budget)).messages)
            places = [(message.conversation, message.seq) for message in kept]
            assert places == [(message.conversation, message.seq) for message in line[len(line) - len(kept) :]]
            if line:
                newest = [(message.conversation, message.seq) for message in line if message.turn == line[-1].turn]
                assert places[-len(newest) :] == newest
                assert kept[0].role == "user"

    # -- small parts ------------------------------------------------------------------------------

    def _text(self, words: str) -> str:
        self.count += 1
        self._last = f"{words} ({self.count})"
        return self._last

    def _say(self, words: str, *rounds: Any, **given: Any) -> Any:
        """A turn, by somebody who waits until the conversation is free; its words are the line's newest."""
        turn, text = new_id(), self._text(words)
        ended = self.chat.say(text, *rounds, turn=turn, **given)
        self.turns.append(turn)
        assert [message.content for message in self._replay().messages if message.role == "user"][-1:] == [text]
        return ended

    def _replay(self) -> Replay:
        return self.chat(ReadReplay(conversation=self.chat.id, budget=EVERYTHING))

    def _done(self, request: Any) -> bool:
        """Whether it was; refused, it has changed nothing."""
        before = msgspec.json.encode(self._replay())
        with suppress(*REFUSED):
            self.chat(request)
            return True
        assert msgspec.json.encode(self._replay()) == before
        return False

    def _added(self) -> int:
        return sum(title == "crashed" for _, title, _ in self.chat.tasks())

    def _summaries(self) -> int:
        counted = "SELECT seq FROM todo.messages WHERE space_id = %s AND role = 'summary'"
        return len(self.owner.execute(counted, [self.chat.who.user_id]).fetchall())


KINDS = {
    "undo",
    "redo",
    "edit",
    "fork",
    "compaction",
    "interrupt",
    "read behind a summary",
    *(f"question: {answer}" for answer in ("yes", "no", "stop", "nothing")),
    *(f"crash: {step}, {go_on}" for step in ("begun", "words", "calls", "one call") for go_on in (True, False)),
}


def told(db: Database, stories: int, steps: int) -> Counter[str]:
    """So many stories; what has happened in them."""
    happened: Counter[str] = Counter()
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Story(db, happened),
        settings=settings(
            max_examples=stories,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return happened


def test_replay_after_any_sequence_of_steps_is_valid(db: Database) -> None:
    happened = told(db, stories=12, steps=12)
    assert len(KINDS & happened.keys()) >= 5  # which ones, the long form sees to


@pytest.mark.long
def test_replay_after_many_long_sequences_is_valid(db: Database) -> None:
    happened = told(db, stories=60, steps=25)
    assert KINDS - {kind for kind, times in happened.items() if times} == set()
