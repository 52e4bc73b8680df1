"""A pending approval is answered from two machines: one has the database's address, the other only a server's.

Each answer is a process of its own. Where they race, both are let go when both wait for the same row.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import psycopg
import pytest

from tests.conftest import COMMAND, Todo
from tests.support.chat_process import ChatProcess, wait_until
from tests.support.fake_model import FakeModel
from tests.support.model_answers import call_answer, text_answer
from todo_cli.agent.messages import protocol_errors

OPEN = [(1, "one", "open"), (2, "two", "open"), (3, "three", "open")]
DONE = [(1, "one", "deleted"), (2, "two", "done"), (3, "three", "done")]


@pytest.fixture
def talker(make_talker: Callable[..., ChatProcess], model: FakeModel) -> ChatProcess:
    """Somebody whose turn waits to delete task 1 and to finish tasks 2 and 3."""
    model.scripts.clear()
    model.asked.clear()
    talker = make_talker("direct")
    for title in ("one", "two", "three"):
        assert talker("add", title).code == 0
    talker.script(
        call_answer(("list_tasks", {})),
        call_answer(("delete_task", {"number": 1}), ("complete_task", {"numbers": [2, 3]})),
    )
    asked = talker("ask", "delete 1, finish 2 and 3")
    assert (asked.code, talker.turns()[0][1]) == (10, "awaiting"), asked.err
    return talker


def at_once(talker: ChatProcess, *each: tuple[Todo, tuple[str, ...]]) -> list[tuple[int, str, str]]:
    """Code, output and errors of the commands, which have all waited for the conversation when the first goes on."""
    running = []
    with psycopg.connect(talker.db.owner_url) as held:
        held.execute("SELECT 1 FROM todo.conversations WHERE space_id = %s FOR UPDATE", [talker.who.user_id])
        for todo, arguments in each:
            running.append(
                subprocess.Popen(
                    [*COMMAND, *arguments],
                    env=todo.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        held_by = held.info.backend_pid
        waiting = """WITH RECURSIVE w AS (SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))
          UNION SELECT a.pid FROM w, pg_stat_activity a WHERE w.pid = ANY (pg_blocking_pids(a.pid))) SELECT pid FROM w"""
        wait_until(lambda: len(talker.db.execute(waiting, held_by)) >= len(each))
    return [(process.wait(30), *process.communicate()) for process in running]


def verbs(talker: ChatProcess) -> list[str]:
    """What was changed since the tasks were added."""
    rows = talker.db.execute("SELECT verb FROM todo.changes WHERE space_id = %s ORDER BY seq", talker.who.user_id)
    return [verb for (verb,) in rows if verb != "AddTask"]


YES, NO = ("chat", "approve", "1"), ("chat", "approve", "1", "--no")


def test_two_approvals_at_once_act_once(talker: ChatProcess) -> None:
    talker.script(text_answer("Done."))
    found = at_once(talker, (talker.todo, YES), (talker.other, YES))
    assert (0, "Done.\n") in [ended[:2] for ended in found], found
    assert {ended[0] for ended in found} <= {0, 6}, found
    assert (talker.tasks(), verbs(talker)) == (DONE, ["DeleteTasks", "CompleteTasks"])
    assert [role for role, _ in talker.said()] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "tool",
        "assistant",
    ]
    talker.model.assert_valid()


def test_approval_and_rejection_at_once_apply_the_first(talker: ChatProcess) -> None:
    talker.script(text_answer("As you say."))
    found = at_once(talker, (talker.todo, YES), (talker.other, NO))
    assert sorted(ended[0] for ended in found) == [0, 6], found
    lost = next(err for code, _, err in found if code == 6)
    if found[0][0] == 0:
        assert (talker.tasks(), verbs(talker), "approved already" in lost) == (
            DONE,
            ["DeleteTasks", "CompleteTasks"],
            True,
        )
    else:
        assert (talker.tasks(), verbs(talker), "refused already" in lost) == (OPEN, [], True)


def test_approval_and_new_message_at_once_act_at_most_once(talker: ChatProcess) -> None:
    """The message means no, where it came first; else it finds that the turn goes on, or that it has ended."""
    talker.script(text_answer("One."), text_answer("Two."))
    yes, said = at_once(talker, (talker.todo, YES), (talker.other, ("ask", "-c", "1", "never mind")))
    acted = verbs(talker) != []
    assert (talker.tasks(), verbs(talker)) == ((DONE, ["DeleteTasks", "CompleteTasks"]) if acted else (OPEN, []))
    # Between the approval and the model's answer the message may come first: the changes stay, the answer is interrupted.
    was_interrupted = yes[0] == 9 and "interrupted" in yes[2] and said[0] == 0
    assert not acted or yes[0] == 0 or was_interrupted, (yes, said)
    assert acted or (yes[0] == 6 and "refused already" in yes[2]), yes
    assert acted or said[0] == 0, said
    messages = talker.model.asked[-1].body["messages"]
    assert protocol_errors(messages) == []


def test_approval_after_a_task_changed_skips_it(talker: ChatProcess) -> None:
    assert talker.other("edit", "1", "--title", "one, but another").code == 0
    talker.script(text_answer("Only the second."))
    assert talker.other(*YES).code == 6, "a stale approval is a conflict for the person"
    assert talker.tasks() == [(1, "one, but another", "open"), *DONE[1:]]
    told = [str(message["content"]) for message in talker.model.asked[-1].body["messages"] if message["role"] == "tool"]
    assert "#1 has moved on since the plan was made; nothing was changed" in told[-2]


def test_approval_after_the_expiry_changes_nothing(talker: ChatProcess) -> None:
    talker.db.execute("UPDATE todo.plans SET expires_at = now() WHERE space_id = %s", talker.who.user_id)
    talker.script(text_answer("Too late."))
    assert talker.other(*YES).out == "Too late.\n"
    assert (talker.tasks(), verbs(talker)) == (OPEN, [])


def test_approval_after_a_new_message_is_refused(talker: ChatProcess) -> None:
    talker.script(text_answer("Fine."))
    assert talker.other("ask", "-c", "1", "never mind").out == "Fine.\n"
    late = talker(*YES)
    assert (late.code, "is not waiting for approval" in late.err) == (6, True), late
    assert (talker.tasks(), verbs(talker)) == (OPEN, [])
