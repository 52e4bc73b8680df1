"""What models have used, by day, model and conversation, counted as it is stored; and a budget that stops with a clear word."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Database, Person
from tests.support.chat import Chat
from tests.support.chat_process import ChatProcess
from tests.support.model_answers import call_answer, text_answer
from tests.support.turn_driver import ScriptedModel
from todo_cli.contract.ids import new_id
from todo_cli.contract.preferences import SetPreferences
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.contract.usage import ReadUsage, SetBudget, UsageRow
from todo_cli.errors import Invalid, NotAllowed, NotFound, TooMany
from todo_cli.llm.stream import Finished, TokenUsage


class Counting(ScriptedModel):
    """A model that tells of each answer what it has used."""

    used = TokenUsage(100, 20, cached=50, reasoning=5, cost="0.25", currency="EUR")

    async def _counted(self, events: Any) -> Any:
        async for event in events:
            yield Finished(event.reason, self.used) if isinstance(event, Finished) else event

    def __call__(self, messages: Any, tools: Any) -> Any:
        return self._counted(super().__call__(messages, tools))


def say(chat: Chat, text: str, *rounds: Any, model: str = "m1", **more: Any) -> Any:
    """A turn with that model."""
    return chat.say(text, answer=_named(Counting(rounds, **more), model))


def _named(script: ScriptedModel, model: str) -> ScriptedModel:
    script.model = model  # type: ignore[attr-defined]
    return script


def of(one: UsageRow) -> tuple[int, int, int, int, int, dict[str, str]]:
    return one.calls, one.prompt, one.completion, one.cached, one.reasoning, one.costs


def test_usage_counts_each_answer_once_by_day_model_and_conversation(
    chat: Chat, make_chat: Callable[..., Chat]
) -> None:
    say(chat, "add", [["add_task", {"title": "x"}]], ["Done."])
    second = make_chat(chat.who)
    say(second, "hello", ["Hi."])
    chat.db.execute("UPDATE todo.usage SET model = 'm2' WHERE conversation_id = %s", second.id)
    page = chat(ReadUsage())
    assert of(page.total) == (3, 300, 60, 150, 15, {"EUR": "0.75"})
    assert [of(row) for row in page.used] == [of(page.total)]
    assert page.used[0].day
    assert page.budget is None
    assert [(row.model, of(row)[:3]) for row in chat(ReadUsage(by="model")).used] == [
        ("", (2, 200, 40)),
        ("m2", (1, 100, 20)),
    ]
    by = chat(ReadUsage(by="conversation")).used
    assert [(row.conversation, row.title, row.calls) for row in by] == [(1, "add", 2), (2, "hello", 1)]
    assert of(chat(ReadUsage(number=2)).total)[:3] == (1, 100, 20)
    assert chat(ReadUsage(since="tomorrow")).total.calls == 0
    assert chat(ReadUsage(since="today")).total.calls == 3
    with pytest.raises(NotFound):
        chat(ReadUsage(number=9))
    with pytest.raises(Invalid):
        chat(ReadUsage(since="never"))


def test_usage_with_unknown_costs_or_other_currencies_keeps_them_apart(chat: Chat) -> None:
    say(chat, "a", ["b"])
    for used in (TokenUsage(1, 1, cost="1.50", currency="USD"), TokenUsage(1, 1)):
        script = Counting([["c"]])
        script.used = used
        chat.say("b", answer=script)
    assert chat(ReadUsage()).total.costs == {"EUR": "0.25", "USD": "1.5"}
    assert len(chat(ReadUsage()).used) == 1


def test_usage_of_summaries_is_counted(chat: Chat) -> None:
    for number in range(6):
        say(chat, f"{number} " + "long " * 40, ["Yes."])
    before = chat(ReadUsage()).total.calls
    script = Counting([["Yes."]], summary="They spoke.")
    chat.say("more", answer=script, budget_tokens=300)
    assert chat(ReadUsage()).total.calls == before + 2


def test_usage_of_another_user_is_hidden(chat: Chat, make_chat: Callable[..., Chat], db: Database) -> None:
    say(chat, "a", ["b"])
    other = make_chat(db.person())
    assert other(ReadUsage()).total.calls == 0
    rows = db.execute("SELECT has_table_privilege('todo_person', 'todo.usage', 'INSERT, UPDATE, DELETE')")
    assert rows == [(False,)]  # only what is stored is counted, and it is always counted


# -- a budget ---------------------------------------------------------------------------------------


def refused(chat: Chat) -> TooMany:
    with pytest.raises(TooMany) as caught:
        say(chat, "more", ["More."])
    return caught.value


def test_lower_of_two_budgets_applies(chat: Chat, make_chat: Callable[..., Chat], db: Database) -> None:
    boss = make_chat(db.person(admin=True))
    assert boss(SetBudget(name=chat.who.name, tokens_per_day=1_000)).tokens_per_day == 1_000
    chat(SetPreferences(budget=100))
    say(chat, "hello", ["Hi."])  # 120 of 100: an answer is not cut
    error = refused(chat)
    assert error.detail == "the budget of 100 tokens in 24 hours is spent (120 used)"
    assert error.extra["reason"] == "budget"
    assert 0 < error.extra["retry_after"] <= 90_000
    assert "wait 24 h" in error.hint
    chat(SetPreferences(budget=None))
    assert chat(ReadUsage()).budget.allowed == 1_000  # type: ignore[union-attr]
    say(chat, "hello", ["Hi."])
    boss(SetBudget(name=chat.who.name, tokens_per_day=10))
    chat(SetPreferences(budget=10**6))
    assert refused(chat).extra["allowed"] == 10
    boss(SetBudget(name=chat.who.name))
    say(chat, "hello", ["Hi."])
    with pytest.raises(NotAllowed):
        chat(SetBudget(name=chat.who.name))
    with pytest.raises(NotFound):
        boss(SetBudget(name="nobody"))


def test_budget_counts_the_last_24_hours_in_every_zone(chat: Chat) -> None:
    chat(SetPreferences(budget=200))
    say(chat, "hello", ["Hi."])
    age_usage(chat, 20)
    say(chat, "hello", ["Hi."])  # 120 tokens 20 hours ago, and 120 now
    age_usage(chat, 3)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"):  # never the same day
        chat(SetPreferences(timezone=zone))
        assert 3_000 < refused(chat).extra["retry_after"] <= 4_200
    age_usage(chat, 2)
    say(chat, "hello", ["Hi."])
    assert chat.db.execute("SELECT count(*) FROM todo.recent_usage WHERE user_id = %s", chat.who.user_id) == [(2,)]


def age_usage(chat: Chat, hours: int) -> None:
    """Let the usage of the user be this much older."""
    chat.db.execute(
        "UPDATE todo.recent_usage SET slot = slot - make_interval(hours => %s) WHERE user_id = %s",
        hours,
        chat.who.user_id,
    )


def test_usage_day_is_the_day_of_the_user(chat: Chat) -> None:
    """In the zone of their preferences, wherever they are."""
    days = []
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # never the same day
        chat(SetPreferences(timezone=zone))
        (found,) = chat.db.execute(
            "SELECT day, ends - clock_timestamp() <= interval '1 day' FROM todo.user_today(%s)", chat.who.user_id
        )
        days.append(found)
    assert days[0][0] > days[1][0]
    assert (days[0][1], days[1][1]) == (True, True)
    chat(SetPreferences(budget=None))
    chat.db.execute("UPDATE todo.preferences SET timezone = 'No/Where' WHERE user_id = %s", chat.who.user_id)
    say(chat, "hello", ["Hi."])


def test_spent_budget_stops_the_turn_and_keeps_its_changes(chat: Chat) -> None:
    chat(SetPreferences(budget=100))
    ended = say(chat, "add two", [["add_task", {"title": "one"}]], [["add_task", {"title": "two"}]], ["Done."])
    assert (ended.state, type(ended.error)) == ("failed", TooMany)
    assert chat.tasks() == [(1, "one", "open")]
    assert chat.history()[-1] == (
        "assistant",
        "(not finished: the budget of 100 tokens in 24 hours is spent (120 used))",
    )
    assert len(chat.replay()) == 4
    chat(SetPreferences(budget=None))
    assert say(chat, "go on", ["Yes."]).state == "done"


def test_running_turn_with_a_spent_budget_can_be_continued(chat: Chat) -> None:
    """A turn that has begun is attached to, whatever the budget; it ends at its next answer."""
    begin = BeginTurn(conversation=chat.id, turn=new_id(), runner=new_id(), text="hello")
    chat(begin)
    chat(SetPreferences(budget=0))
    chat.lapse()
    assert chat.say("hello", ["Hi."], turn=begin.turn).state == "failed"
    refused(chat)


@pytest.fixture
def boss(db: Database) -> Person:
    return db.person(admin=True)


def test_usage_command_prints_counts_and_costs(
    talker: ChatProcess, boss: Person, make_talker: Callable[..., ChatProcess]
) -> None:
    chief = make_talker(talker.way, boss)
    done = chief("admin", "user", "budget", talker.who.name, "--tokens-per-day", "2k")
    assert (done.out, done.code) == (f"{talker.who.name} has a budget of 2,000 tokens in any 24 hours.\n", 0), done.err
    assert talker("prefs", "--budget", "15").out == "budget\t15\tpreference\n"
    assert talker("prefs", "--budget", "few").code == 2
    talker.script(call_answer(("add_task", {"title": "x"})), text_answer("Done."))
    assert talker("ask", "add x").code == 0
    stopped = talker("ask", "and y")
    assert (stopped.code, stopped.out) == (8, "")
    assert stopped.err.startswith("todo: the budget of 15 tokens in 24 hours is spent (20 used) (wait ")
    told = json.loads(talker.other("ask", "and y", "--json").err)["error"]
    assert (told["type"], told["reason"]) == ("urn:todo:too-many", "budget")
    assert len(talker.model.asked) == 2
    day = str(talker.db.execute("SELECT day FROM todo.user_today(%s)", talker.who.user_id)[0][0])
    assert talker("chat", "usage").out == f"{day}\t2\t14\t6\t\n"
    assert talker("chat", "usage", "1", "--by", "model").out == "test-model\t2\t14\t6\t\n"
    assert talker("chat", "usage", "1", "--by", "message").out == "2\ttest-model\t7\t3\t\n4\ttest-model\t7\t3\t\n"
    document = talker("chat", "usage", "--by", "conversation", "--json").json
    assert (document["used"][0]["title"], document["total"]["prompt"], document["budget"]["spent"]) == ("add x", 14, 20)
    assert talker("prefs", "--budget", "", "--json").json["budget"] is None
    assert chief("admin", "user", "budget", talker.who.name, "--tokens-per-day", "").out.endswith(
        "has no daily token limit.\n"
    )


def test_usage_on_a_terminal_draws_days(talker: ChatProcess) -> None:
    talker.script(text_answer("Hi."))
    assert talker("ask", "hello").code == 0
    talker.db.execute(
        """INSERT INTO todo.usage SELECT user_id, day - 1, space_id, conversation_id, model, currency, 1, 100, 0, 0, 0, 0 FROM todo.usage
        WHERE user_id = %s""",
        talker.who.user_id,
    )
    shown = talker.spawn("chat", "usage")
    # a dumb terminal has no blocks
    shown.expect(r"Day +Calls +Read +Written")
    shown.expect(r"1 +7 +3 +### *\r?\n")
    shown.expect(r"1 +100 +0 +#{30}")
    shown.expect("Total: 2 calls, 107 tokens read, 3 written.")
