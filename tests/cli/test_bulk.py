"""Changes by filter, claims and waiting, over HTTP and directly."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from contextlib import closing

import pexpect
import pytest

from tests.conftest import COMMAND, Person, Server, Todo, wait_for
from tests.support.tcp_proxy import open_server_proxy


@pytest.fixture
def home(todo: Todo) -> Todo:
    """Six tasks: 1 to 3 are #old @phone, 4 and 5 are #old, 6 is neither."""
    return add_six_tasks(todo)


@pytest.fixture
def there(person: Person, as_person: Callable[..., Todo]) -> Todo:
    """The same tasks over HTTP only, for tests of the command line itself."""
    return add_six_tasks(as_person(person, "api"))


def add_six_tasks(todo: Todo) -> Todo:
    """Add the six tasks."""
    todo("add", "-", stdin="a #old @phone\nb #old @phone\nc #old @phone\nd #old\ne #old\nf\n")
    return todo


def run_on_terminal(todo: Todo, *arguments: str, answer: str) -> tuple[str, int | None]:
    """Answer the question on a terminal; return the output and the exit code."""
    child = todo.spawn(*arguments, rows=50, columns=120, env={"TERM": "dumb"})
    child.expect(r"\[y/N\] ")
    shown = str(child.before)
    child.send(answer)
    child.expect(pexpect.EOF)
    child.close()
    return (shown + str(child.before)).replace("\r\n", "\n"), child.exitstatus


def list_open_numbers(todo: Todo) -> list[int]:
    """Return the numbers of the open tasks."""
    return [task["number"] for task in todo("list", "--json").json["tasks"]]


def test_filter_of_few_tasks_changes_them_without_asking(home: Todo) -> None:
    done = home("done", "project:old", "@phone")
    assert [line.split()[:2] for line in done.lines] == [["Done", "#1"], ["Done", "#2"], ["Done", "#3"]]
    assert list_open_numbers(home) == [4, 5, 6]
    assert home("undo").code == 0
    assert list_open_numbers(home) == [1, 2, 3, 4, 5, 6]
    assert home("edit", "#old -@phone", "--project", "new").code == 0
    assert [home("show", n, "--json").json["project"] for n in ("3", "4", "5")] == ["old", "new", "new"]
    assert home("apply").err.startswith("No plans are open"), "no plan is left open"


def test_filter_of_many_tasks_asks_once(there: Todo) -> None:
    refused = there("rm", "#old")
    assert (refused.code, refused.out) == (10, "")
    assert "this would change 5 tasks" in refused.err
    assert "--yes" in refused.err
    assert "--plan" in refused.err
    assert there("apply").err.startswith("No plans are open"), "a declined plan is refused"
    for answer in ("n\r", "\r", "what\r", "\x04"):
        shown, code = run_on_terminal(there, "rm", "#old", answer=answer)
        assert (code, "Nothing was changed." in shown) == (0, True), shown
    assert list_open_numbers(there) == [1, 2, 3, 4, 5, 6]
    shown, code = run_on_terminal(there, "rm", "#old", answer="y\r")
    assert code == 0
    assert "#5 e: status open -> deleted" in shown
    assert "Change 5 tasks?" in shown
    assert list_open_numbers(there) == [6]
    assert there("undo").code == 0
    assert there("rm", "#old", "--yes", "--json").json["seq"] > 0
    assert list_open_numbers(there) == [6]


def test_deletion_by_filter_asks_even_for_one_task(there: Todo) -> None:
    there("edit", "6", "--project", "single")
    refused = there("rm", "#single")
    assert (refused.code, refused.out) == (10, "")
    assert "this would change 1 task," in refused.err
    shown, code = run_on_terminal(there, "rm", "#single", answer="y\r")
    assert (code, "Change 1 task?" in shown) == (0, True)
    assert list_open_numbers(there) == [1, 2, 3, 4, 5]


def test_ctrl_c_at_the_question_exits_with_130(there: Todo) -> None:
    _, code = run_on_terminal(there, "rm", "#old", answer="\x03")
    assert code == 130
    assert list_open_numbers(there) == [1, 2, 3, 4, 5, 6]
    assert there("apply").err.startswith("No plans are open")


def test_numbers_of_many_tasks_change_them_without_asking(there: Todo) -> None:
    assert there("rm", "1-5").code == 0
    assert there("restore", "#1", "2,3", "4-5").code == 0
    assert list_open_numbers(there) == [1, 2, 3, 4, 5, 6]


def test_filter_with_search_words_asks_even_for_few_tasks(there: Todo) -> None:
    """The search tolerates typos, so it may match other tasks than the person means."""
    refused = there("done", "f")
    assert (refused.code, "1 task" in refused.err) == (10, True)
    assert there("done", "f", "--yes").lines == ["Done #6 f"]


def test_plan_by_filter_applies_to_the_planned_tasks_only(home: Todo) -> None:
    planned = home("edit", "project:old @phone", "--project", "new", "--plan")
    assert planned.code == 0
    assert "  #2 b: project old → new" in planned.lines
    home("add", "late #old @phone")
    assert home("apply", planned.lines[-1].split()[-1]).code == 0
    assert [home("show", n, "--json").json["project"] for n in ("3", "7")] == ["new", "old"]
    planned = home("done", "#new", "--plan", "--json")
    assert planned.json["arguments"]["numbers"] == [1, 2, 3]
    home("edit", "2", "--title", "B")
    moved = home("apply", planned.json["id"])
    assert (moved.code, "#2 has moved on" in moved.err) == (6, True)


def test_plan_of_many_tasks_shows_the_first_ones(person: Person, as_person: Callable[..., Todo]) -> None:
    todo = as_person(person, "api")
    todo("add", "-", stdin="".join(f"t{n} #p\n" for n in range(1_500)))
    planned = todo("done", "#p", "--plan")
    assert len(planned.lines) == 22
    assert planned.lines[20] == "  … and 1,480 more, 1,500 in all"
    assert len(todo("apply").lines) == 22
    assert len(todo("apply", planned.lines[-1].split()[-1]).lines) == 1_500


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("rm", ""), 2, "no tasks are named"),
    (("rm", " ", "\t"), 2, "no tasks are named"),
    (("rm",), 2, "argument"),
    (("rm", "()"), 2, "at character"),
    (("done", "is:opne"), 2, "at character 4"),
    (("done", "projct:old"), 2, "at character 1"),
    (("done", "#nowhere"), 3, "no task matches"),
    (("done", "x" * 10_001), 2, "10,000"),
    (("edit", "#old"), 2, "no change was given"),
    (("done", "#old", "--key", "k"), 2, "--key with a filter needs --yes"),
    (("defer", "#old"), 2, "the date is missing"),
    (("claim",), 2, "name one task"),
    (("claim", "#old @x"), 2, "name one task"),
    (("claim", "1-2"), 2, "name one task"),
    (("claim", "1", "--lease", "soon"), 2, "is not a duration"),
    (("claim", "1", "--lease", "8d"), 2, "at most 7 days"),
    (("claim", "--next", "#nowhere"), 11, "nothing to claim"),
    (("release", "1", "--lease", "1m"), 2, "no such option"),
    (("wait", "99"), 3, "task #99 does not exist"),
    (("wait", "1", "--until", "never"), 2, "never"),
    (("wait", "1", "--timeout", "0"), 2, "is not between 0 and one year"),
    (("wait", "1", "--since", "1"), 2, "--until changed"),
    (("done", "--", "-1"), 2, "'-1' is not a task number"),
    (("apply", "nosuch"), 2, "'nosuch' is not a plan id (list the open plans with: todo apply)"),
    (("edit", "1", "--due", ""), 2, "--clear due"),
    (("edit", "1", "--parent", "1"), 2, "would be a subtask of itself"),
    (("note", "1", ""), 2, "--clear note"),
    (("list", "p1 due<31feb"), 2, "the filter, at character 8: '31feb' is not a date"),
    (("add", "--raw", "x", "--every", "\u65e5\u672c"), 2, "'\u65e5\u672c' is not understood"),
    (("wait", "1", "--timeout", "0.2s"), 11, "was not done within 0.2s"),
    (("wait", "1", "--until", "changed", "--timeout", "0.2s"), 11, "did not change within 0.2s"),
)


def test_refused_commands_change_nothing(there: Todo) -> None:
    for arguments, code, says in REFUSED:
        refused = there(*arguments)
        assert (refused.code, refused.out) == (code, ""), refused
        assert len(refused.err.splitlines()) == 1
        assert says in refused.err
    assert list_open_numbers(there) == [1, 2, 3, 4, 5, 6]


def test_ctrl_c_at_the_question_ends_the_line_and_changes_nothing(there: Todo) -> None:
    shown, code = run_on_terminal(there, "edit", "#old or is:open", "--priority", "1", answer="\x03")
    assert (code, shown.endswith("\n")) == (130, True)
    assert there("list", "p1", "--json").json["tasks"] == []


def test_filter_terms_that_begin_with_a_minus_are_no_flags(there: Todo) -> None:
    assert there("defer", "#old", "-@phone", "2099-01-01").code == 0
    assert list_open_numbers(there) == [1, 2, 3, 6]
    assert there("start", "-#old").lines[0].startswith("Started #6")
    assert there("stop", "-#old", "--json").json["tasks"][0]["number"] == 6
    assert there("done", "defer>2098-01-01").code == 0
    assert there("reopen", "#old", "-@phone").lines[1].startswith("Reopened #5")


def test_claim_next_and_release_work(home: Todo) -> None:
    claimed = home("claim", "--next", "#old", "-@phone", "--lease", "1h30m", "--json").json
    assert (claimed["number"], claimed["new"]) == (4, True)
    again = home("claim", "--next", "#old -@phone", "--key", "k")
    assert again.lines == ["Claimed #5 e (#old)"], again
    assert "yours until" in again.err
    assert home("claim", "--next", "#old -@phone", "--key", "k").lines == again.lines
    assert home("claim", "--next", "#old -@phone").code == 11
    assert home("claim", "5").lines == again.lines, "renewed"
    assert "claimed" in home("show", "5").out
    assert home("release", "claimed:me").code == 0
    assert home("list", "is:claimed").out == ""
    fenced = home("done", "5", "--if-claimed")
    assert (fenced.code, "no longer yours" in fenced.err) == (6, True)
    home("claim", "5")
    assert home("done", "5", "--if-claimed").code == 0


def start_wait(todo: Todo, *arguments: str) -> subprocess.Popen[str]:
    """Start `todo wait`."""
    return subprocess.Popen(
        [*COMMAND, "wait", *arguments],
        env=todo.environment(),
        cwd=todo.directory,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )


def test_wait_ends_when_the_task_reaches_the_state(home: Todo) -> None:
    rev = str(home("show", "2", "--json").json["rev"])  # the change may come before the command has started
    until = (("1", "done"), ("2", "changed", "--since", rev), ("3", "claimed"), ("4", "deleted"))
    running = {
        words[0]: start_wait(home, number, "--until", *words, "--timeout", "50s", "--json") for number, *words in until
    }
    assert [one.poll() for one in running.values()] == [None] * 4
    home("done", "1")
    home("edit", "2", "--note", "x")
    home("claim", "3")
    home("rm", "4")
    answers = {word: one.communicate(timeout=40) for word, one in running.items()}
    assert {one.returncode for one in running.values()} == {0}, answers
    assert [json.loads(out)["number"] for out, _ in answers.values()] == [1, 2, 3, 4]
    home("claim", "3", "--lease", "1s")
    assert home("wait", "3", "--until", "unclaimed", "--timeout", "40s").lines == ["open #3 c (#old, @phone)"], (
        "its lease ran out"
    )
    assert home("wait", "5", "--until", "open").code == 0
    assert home("wait", "2", "--until", "changed", "--since", "1", "--json").json["rev"] > 1


def test_wait_interrupted_by_ctrl_c_exits_with_130(
    server: Server, person: Person, as_person: Callable[..., Todo]
) -> None:
    with closing(open_server_proxy(server.url, b"GET ")) as proxy:
        todo = as_person(person, "api", url=proxy.url)
        todo("add", "a")
        running = start_wait(todo, "1")
        wait_for(lambda: proxy.marked > 1)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)
    assert (running.returncode, out, "Traceback" in err) == (130, "", False)


def test_wait_during_a_server_outage_continues(person: Person, as_person: Callable[..., Todo], server: Server) -> None:
    with closing(open_server_proxy(server.url, b"GET ")) as proxy:
        todo = as_person(person, "api", url=proxy.url)
        todo("add", "a")
        running = start_wait(todo, "1", "--timeout", "50s")
        wait_for(lambda: proxy.marked > 1)
        proxy.down = True
        proxy.cut()
        seen = proxy.connections
        wait_for(lambda: proxy.connections > seen)
        as_person(person, "api", url=server.url)("done", "1")
        proxy.down = False
        out, err = running.communicate(timeout=40)
    assert (running.returncode, out) == (0, "done #1 a\n"), err
    with closing(open_server_proxy(server.url, b"GET ")) as proxy:
        todo = as_person(person, "api", url=proxy.url)
        todo("add", "b")
        running = start_wait(todo, "2", "--timeout", "3s")
        wait_for(lambda: proxy.marked > 1)
        proxy.down = True
        proxy.cut()
        out, err = running.communicate(timeout=40)
    assert (running.returncode, out) == (11, ""), err
    assert "was not done within 3s" in err
