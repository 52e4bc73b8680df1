"""`todo open` starts a program with an address of a task and never a shell; `todo dup` prints its copies."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Todo

NOTE = "see (https://example.org/a?b=$(touch+x)&c=1;rm) and mailto:ada@example.org, not javascript:alert(1) file:///etc"
FIRST, SECOND = "https://example.org/a?b=$(touch+x)&c=1;rm", "mailto:ada@example.org"


def make_browser(todo: Todo) -> Path:
    """Return a program that writes its arguments into the file `opened`, one a line."""
    browser = todo.directory / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$#" "$@" >> "{todo.directory}/opened"\n')
    browser.chmod(0o755)
    return browser


def test_open_gives_the_address_to_the_browser_as_one_argument(todo: Todo) -> None:
    todo("add", "x", "--note", NOTE)
    browser = make_browser(todo)
    result = todo("open", "1", env={"BROWSER": str(browser)})
    assert (result.code, result.lines) == (0, [])
    assert result.err.splitlines() == [f"opening {FIRST}", "1 more: open all with --all, or see them with --print"]
    assert todo("open", "1", "--all", env={"BROWSER": f"{browser} --new %s:other"}).code == 0
    opened = (todo.directory / "opened").read_text().splitlines()
    assert opened == ["1", FIRST, "2", "--new", FIRST, "2", "--new", SECOND]


def test_open_without_a_desktop_prints_the_address(todo: Todo) -> None:
    todo("add", "read https://example.org/.")
    todo("add", "nothing")
    nothing = {"BROWSER": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    assert todo("open", "1", env=nothing).lines == ["https://example.org/"]
    assert todo("open", "1", "--print", env={"BROWSER": "/nowhere/browser"}).lines == ["https://example.org/"]
    failed = todo("open", "1", env={"BROWSER": "/nowhere/browser"})
    assert (failed.code, "'/nowhere/browser' cannot be started" in failed.err) == (7, True), failed.err
    assert todo("open", "2").code == 3


def test_dup_prints_the_copies_behind_their_originals(todo: Todo) -> None:
    todo("add", "Pay rent", "--project", "home")
    todo("add", "Call", "--parent", "1")
    assert todo("dup", "1", "--with-subtasks", "p1").lines == [
        "Copied #1 to #3 Pay rent (p1, #home)",
        "Copied #2 to #4 Call (subtask of #3)",
    ]
    assert todo("dup", "2", "no field").code == 2
    assert len(todo("undo").lines) == 3
