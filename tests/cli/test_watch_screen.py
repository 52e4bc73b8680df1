"""`todo watch` on a terminal: the list in place, what has just changed, the status line, and the screen it leaves."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import closing

from tests.conftest import Database, Person, Server, Todo
from tests.support.connections import Line
from tests.support.tcp_proxy import open_server_proxy
from tests.support.terminal import Terminal
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, EditTasks, NewTask


def find_row(screen: Terminal, text: str) -> int | None:
    return next((place for place, line in enumerate(screen.screen.display) if text in line), None)


def has_style(screen: Terminal, text: str, style: str) -> bool:
    """Whether the whole of the text is drawn so: reverse, or strikethrough."""
    row = find_row(screen, text)
    if row is None:
        return False
    start = screen.screen.display[row].index(text)
    return all(getattr(screen.screen.buffer[row][start + place], style) for place in range(len(text)))


def last_line(screen: Terminal) -> str:
    return next(line.rstrip() for line in reversed(screen.screen.display) if line.strip())


def test_screen_follows_another_machine_and_marks_what_has_changed(
    person: Person, as_person: Callable[..., Todo], line: Callable[..., Line]
) -> None:
    other = line(person)
    other(AddTask(title="Stand-up", project="work"))
    other(AddTask(title="Paint", project="home"))
    screen = Terminal(as_person(person, "direct"), "watch")
    screen.until("Ctrl-C ends")
    assert last_line(screen) == "2 open · Ctrl-C ends"
    assert not has_style(screen, "Paint", "reverse")
    screen.settle()
    before = len(screen.raw)
    other(AddTask(title="Milk"))
    screen.until(lambda: has_style(screen, "Milk", "reverse"))
    screen.until("3 open · changed ")
    assert "Paint" not in screen.raw[before:], "only rows that differ are written"
    screen.until(lambda: find_row(screen, "Milk") and not has_style(screen, "Milk", "reverse"))
    other(CompleteTasks(numbers=(2,)))
    screen.until(lambda: has_style(screen, "Paint", "strikethrough"))
    assert find_row(screen, "Stand-up") < find_row(screen, "Paint") < find_row(screen, "Milk"), "it keeps its place"
    screen.until(lambda: find_row(screen, "Paint") is None)
    assert last_line(screen).startswith("2 open · changed ")
    screen.child.sendintr()
    screen.ended(130)
    assert screen.screen.cursor.hidden is False
    assert [line for line in screen.lines if line.strip()][-1].startswith("2 open")
    assert "^C" not in screen.text


def test_screen_that_is_too_low_counts_the_rest_and_a_resize_draws_all_again(
    person: Person, as_person: Callable[..., Todo], line: Callable[..., Line]
) -> None:
    other = line(person)
    other(AddTasks(tasks=tuple(NewTask(title=f"Task number {n}", project="home") for n in range(60))))
    screen = Terminal(as_person(person, "direct"), "watch", "#home", rows=10)
    screen.until("Ctrl-C ends")
    assert "54 more" in screen.text
    assert last_line(screen) == "#home · 60 tasks · Ctrl-C ends"
    screen.resize(40, 20)
    screen.until(lambda: find_row(screen, "Task number 7") is not None)
    screen.settle()
    shown = [row.rstrip() for row in screen.screen.display]
    assert sum("Task number 0" in row for row in shown) == 1, "nothing is left of the former size"
    other(EditTasks(numbers=(1,), title="Changed \x1b[31mtitle"))
    screen.until(lambda: find_row(screen, "Changed \\x1b[31mtitle") is not None)
    screen.child.kill(signal.SIGTERM)
    screen.ended(143)


def test_screen_without_colours_marks_rows_with_signs(
    person: Person, as_person: Callable[..., Todo], line: Callable[..., Line]
) -> None:
    other = line(person)
    other(AddTask(title="Stand-up"))
    screen = Terminal(as_person(person, "direct"), "watch", NO_COLOR="1")
    screen.until("Ctrl-C ends")
    other(AddTask(title="Milk"))
    screen.until("* 2 Milk")
    assert not has_style(screen, "Milk", "reverse")
    other(CompleteTasks(numbers=(2,)))
    screen.until("✓ 2 Milk")
    assert not has_style(screen, "Milk", "strikethrough")
    screen.child.sendintr()
    screen.ended(130)


def test_screen_says_that_the_server_is_away_and_goes_on_afterwards(
    db: Database, person: Person, as_person: Callable[..., Todo], line: Callable[..., Line], server: Server
) -> None:
    other = line(person)
    other(AddTask(title="Stand-up"))
    with closing(open_server_proxy(server.url)) as proxy:
        screen = Terminal(as_person(person, "api", url=proxy.url), "watch")
        screen.until("Ctrl-C ends")
        proxy.down = True
        proxy.cut()
        screen.until("1 open · no connection since ")
        screen.until("trying again in ")
        other(AddTask(title="Milk"))
        proxy.down = False
        screen.until(lambda: "2 open · changed " in last_line(screen))
        assert find_row(screen, "Milk") is not None
        screen.child.sendintr()
        screen.ended(130)
