"""`todo attachment`: names from others are data, no file is overwritten, and a kill in the middle loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import COMMAND, Database, Person, Todo, wait_for
from todo_cli.cli.attachment_download import MAX_FILE_NAME_BYTES, choose_local_name

DATA = os.urandom(1_500_000)


def write(todo: Todo, name: str, data: bytes) -> str:
    """Write a file into the command's directory and return its path."""
    path = todo.directory / name
    path.write_bytes(data)
    return str(path)


def test_attachment_is_added_listed_got_and_removed(todo: Todo) -> None:
    todo("add", "x")
    assert todo("attachment", "add", "1", write(todo, "a.txt", b"one"), write(todo, "b.bin", DATA)).lines == [
        "Attached a.txt (3 B) to #1",
        "Attached b.bin (1.5 MB) to #1",
    ]
    rows = [line.split("\t") for line in todo("attachment", "list", "1").lines]
    assert [row[:3] for row in rows] == [
        ["a.txt", "3", "text/plain"],
        ["b.bin", "1500000", "application/octet-stream"],
    ]
    assert "  b.bin (1.5 MB), just now" in todo("show", "1").out
    assert todo("attachment", "get", "1", "b.bin", "-o", "-").code == 0
    (todo.directory / "out").mkdir()
    got = todo("attachment", "get", "1", "--all", "--dir", "out")
    assert (got.code, got.lines) == (0, ["out/a.txt", "out/b.bin"]), got.err
    assert (todo.directory / "out" / "b.bin").read_bytes() == DATA
    again = todo("attachment", "get", "1", "a.txt", "--dir", "out")
    assert (again.code, "out/a.txt already exists" in again.err) == (6, True)
    (todo.directory / "out" / "a.txt").write_text("mine")
    assert todo("attachment", "get", "1", "a.txt", "--dir", "out", "--force").code == 0
    assert (todo.directory / "out" / "a.txt").read_bytes() == b"one"
    assert todo("attachment", "rm", "1", "b.bin", "--json").json["attachments"][0]["name"] == "a.txt"
    assert "attachments" in todo("undo").out
    assert sorted(path.name for path in (todo.directory / "out").iterdir()) == ["a.txt", "b.bin"], "no parts are left"


def test_attachment_from_stdin_needs_a_name(todo: Todo) -> None:
    todo("add", "x")
    unnamed = todo("attachment", "add", "1", "-", stdin="text")
    assert (unnamed.code, "--name" in unnamed.err) == (2, True)
    assert todo("attachment", "add", "1", "-", "--name", "log.txt", stdin="text").code == 0
    with open(todo.directory / "out", "wb") as out:
        command = [*COMMAND, "attachment", "get", "1", "-o", "-"]
        subprocess.run(command, env=todo.environment(), cwd=todo.directory, stdout=out, check=True)
    assert (todo.directory / "out").read_text() == "text"


@pytest.mark.parametrize(
    ("name", "local_name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\a.txt", "a.txt"),
        ("/", "attachment"),
        ("..", "attachment"),
        (".bashrc", "_bashrc"),
        ("a\x1b]0;x\x07b.txt", "a_]0;x_b.txt"),
        ("a\u202egpj.exe", "a_gpj.exe"),
        ("con.txt", "_con.txt"),
        ("übrig 東京.png", "übrig 東京.png"),
        ("é" * 250 + ".jpeg", "é" * ((MAX_FILE_NAME_BYTES - 5) // 2) + ".jpeg"),
    ],
)
def test_name_from_others_becomes_a_harmless_file_name(name: str, local_name: str) -> None:
    assert choose_local_name(name) == local_name


def test_hostile_name_is_escaped_and_written_into_the_chosen_directory(
    db: Database, person: Person, as_person: Callable[..., Todo]
) -> None:
    todo = as_person(person, "direct")
    todo("add", "x")
    todo("attachment", "add", "1", write(todo, "a", b"one"), "--name", "../a\x1b[31m")
    todo("attachment", "add", "1", write(todo, "a", b"two"), "--name", "../../a\x1b[31m")
    for command in (("attachment", "list", "1"), ("show", "1"), ("log", "1")):
        assert "\x1b" not in todo(*command).out
    (todo.directory / "in").mkdir()
    got = todo("attachment", "get", "1", "--all", "--dir", "in")
    assert (got.code, len(list((todo.directory / "in").iterdir()))) == (0, 2), got.err
    target = todo.directory / "in" / "link"
    target.symlink_to(todo.directory / "a")
    assert todo("attachment", "get", "1", "../a\x1b[31m", "-o", str(target)).code == 6
    assert (todo.directory / "a").read_bytes() == b"two"


def test_upload_that_was_killed_continues_with_the_same_command(
    db: Database, person: Person, as_person: Callable[..., Todo]
) -> None:
    todo = as_person(person, "direct")
    todo("add", "x")
    path = write(todo, "big.bin", os.urandom(16 * 2**20))
    count = "SELECT count(*) FROM todo.attachment_chunks WHERE space_id = %s"
    process = subprocess.Popen(
        [*COMMAND, "attachment", "add", "1", path], env=todo.environment(), cwd=todo.directory, stdin=subprocess.DEVNULL
    )
    wait_for(lambda: db.execute(count, person.user_id)[0][0] >= 2, "the first chunks are stored")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert todo("attachment", "list", "1").lines == []
    done = todo("attachment", "add", "1", path)
    assert (done.code, len(todo("attachment", "list", "1").lines)) == (0, 1), done.err
    assert db.execute(count, person.user_id) == [(16,)]


def test_attachment_is_opened_as_a_copy_that_cannot_be_changed(todo: Todo) -> None:
    todo("add", "x")
    todo("attachment", "add", "1", write(todo, "a.txt", b"one"))
    opener = todo.directory / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" > "{todo.directory}/opened"\n')
    opener.chmod(0o755)
    env = {"PATH": f"{todo.directory}:{os.environ['PATH']}", "TMPDIR": str(todo.directory)}
    assert todo("attachment", "open", "1", env=env).code == 0
    opened = Path((todo.directory / "opened").read_text().strip())
    assert (opened.read_bytes(), opened.stat().st_mode & 0o777, opened.parent.stat().st_mode & 0o777) == (
        b"one",
        0o400,
        0o700,
    )


def test_mistake_has_its_exit_code(person: Person, as_person: Callable[..., Todo]) -> None:
    todo = as_person(person, "direct")
    todo("add", "x")
    path = write(todo, "file.txt", b"x")
    for arguments, code in (
        (("add", "1", "missing.txt"), 2),
        (("add", "1", path, path, "--name", "x"), 2),
        (("add", "1", path, "--type", "no type"), 2),
        (("get", "1", "nothing"), 3),
    ):
        result = todo("attachment", *arguments)
        assert (result.code, len(result.err.splitlines()) <= 2) == (code, True), result.err


@pytest.mark.long
def test_hundred_megabytes_need_little_memory(db: Database, person: Person, as_person: Callable[..., Todo]) -> None:
    todo = as_person(person, "api")
    todo("add", "x")
    path = todo.directory / "big.bin"
    with path.open("wb") as out:
        for _ in range(100):
            out.write(os.urandom(2**20))
    # the peak of the process itself: that of getrusage begins with its parent's
    code = """
import re, sys
from todo_cli.main import main
try:
    main()
finally:
    sys.stderr.write("peak " + re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""
    measure = ["-c", code]
    for arguments in (("add", "1", str(path)), ("get", "1", "--output", "copy.bin")):
        begun = time.monotonic()
        ended = subprocess.run(
            [COMMAND[0], *measure, "attachment", *arguments],
            env=todo.environment(),
            cwd=todo.directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        peak = int(ended.stderr.rpartition("peak ")[2])
        print(f"{arguments[0]}: {time.monotonic() - begun:.1f} s, peak {peak} kB")
        assert peak < 120_000, "kB"
    assert (todo.directory / "copy.bin").read_bytes() == path.read_bytes()
