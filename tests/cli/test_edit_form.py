"""`todo edit N` and `todo add` in a text editor: a script is the editor, on a real terminal."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.conftest import Todo
from tests.support.command_server import COMMAND
from tests.support.terminal import Terminal

EDITOR = """#!{python}
import pathlib, subprocess, sys
here, path = pathlib.Path({here!r}), pathlib.Path(sys.argv[-1])
count = len(list(here.glob("seen-*")))
text = path.read_bytes().decode(errors="surrogateescape")
(here / f"seen-{{count}}").write_bytes(path.read_bytes())
(here / "opened").write_text(f"{{path}} {{path.stat().st_mode & 0o777:o}} {{path.parent.stat().st_mode & 0o777:o}}")
def todo(*arguments):
    subprocess.run([*{command!r}, *arguments], check=True, stdout=subprocess.DEVNULL)
exec({steps!r}[count])
path.write_bytes(text.encode(errors="surrogateescape"))
"""


class EditedTodo:
    """`todo` on a terminal, with a script as its editor: at its n-th start it runs the n-th step on `text`."""

    def __init__(self, todo: Todo) -> None:
        self.todo = todo
        self.directory = todo.directory / "editor"

    def __call__(
        self, *arguments: str, steps: tuple[str, ...], code: int = 0, command: tuple[str, ...] = COMMAND, **env: str
    ) -> str:
        """Run a command, expect the exit code, and return what it prints."""
        self.directory.mkdir(exist_ok=True)
        for seen in self.directory.glob("seen-*"):
            seen.unlink()
        script = self.directory / "editor.py"
        values = {"python": sys.executable, "here": str(self.directory), "command": list(COMMAND), "steps": steps}
        script.write_text(EDITOR.format(**values))
        script.chmod(0o755)
        terminal = Terminal(
            self.todo,
            *arguments,
            columns=160,
            command=command,
            **({"EDITOR": str(script), "TMPDIR": str(self.directory)} | env),
        )
        terminal.ended(code)
        assert len(list(self.directory.glob("seen-*"))) == len(steps), terminal.text
        return terminal.text

    def read_seen(self, count: int) -> str:
        """Return the text that the editor was given at a start, counted from 0."""
        return (self.directory / f"seen-{count}").read_text()

    @property
    def path(self) -> Path:
        """The file that the editor opened last."""
        return Path((self.directory / "opened").read_text().split()[0])

    def read_task(self, number: int) -> dict[str, object]:
        """Return the task as JSON."""
        task: dict[str, object] = self.todo("show", str(number), "--json").json
        return task


@pytest.fixture
def edited(todo: Todo) -> EditedTodo:
    """The command of a new user in the time zone of Berlin."""
    todo("prefs", "--timezone", "Europe/Berlin")
    return EditedTodo(todo)


def replace(*pairs: tuple[str, str]) -> str:
    """Return a step that replaces the first occurrence of texts, each of which must be there."""
    return "\n".join(f"assert {old!r} in text, text\ntext = text.replace({old!r}, {new!r}, 1)" for old, new in pairs)


def test_edit_of_several_tasks_is_one_change_of_what_was_edited(edited: EditedTodo) -> None:
    edited.todo("add", "Pay rent", "--due", "2030-06-01 09:00", "--tag", "bank", "--remind", "1h before")
    edited.todo("add", "Odd \x1b[31m title", "--note", "# Head\n\n=== #1 is no part\n")
    step = replace(
        ("title: Pay rent", "title: Pay the rent"), ("tags: bank", "tags: home, bank"), ("# Head", "# Heading")
    )
    shown = edited("edit", "1", "2", steps=(step,))
    form = edited.read_seen(0)
    assert "\n=== #1 Pay rent\ntitle: Pay rent\ndue: 2030-06-01 09:00\nproject:\ntags: bank\n" in form
    assert "\nremind: 1h before\n" in form
    assert "\ntitle: Odd \\x1b[31m title\n" in form
    assert form.endswith("\n\n# Head\n\n\\=== #1 is no part\n")
    assert "Changed #1 Pay the rent" in shown
    path, *modes = (edited.directory / "opened").read_text().split()
    assert (modes, Path(path).parent.exists()) == (["600", "700"], False)
    first, second = edited.read_task(1), edited.read_task(2)
    assert (first["title"], first["tags"], first["due"]) == ("Pay the rent", ["bank", "home"], "2030-06-01T07:00:00Z")
    assert (second["title"], second["note"]) == ("Odd \x1b[31m title", "# Heading\n\n=== #1 is no part")
    [change] = edited.todo("log", "-n", "1", "--json").json["changes"]
    fields = {each["number"]: sorted(each["fields"]) for each in change["differences"]}
    assert fields == {1: ["tags", "title"], 2: ["note"]}
    edited.todo("undo")
    assert (edited.read_task(1)["title"], edited.read_task(2)["note"]) == ("Pay rent", "# Head\n\n=== #1 is no part\n")


def test_editor_that_fails_changes_nothing_and_keeps_the_text(edited: EditedTodo) -> None:
    edited.todo("add", "a")
    step = f"{replace(('title: a', 'title: b'))}\npath.write_text(text); sys.exit(3)"
    shown = edited("edit", "1", steps=(step,), code=1)
    message = " ".join(shown.split())
    assert f"failed with exit code 3; nothing was changed (your text is kept in {edited.path})" in message
    assert "title: b" in edited.path.read_text()
    assert edited.read_task(1)["title"] == "a"
    edited("edit", "1", steps=("sys.exit(1)",), code=1)
    assert not edited.path.parent.exists(), "a text without changes is not kept"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("text = ''", "The text is empty: nothing was changed."),
        ("path.unlink(); sys.exit()", "The text is empty: nothing was changed."),
        ("text = text.replace('\\n', '  \\r\\n').replace('title:  ', 'Title:')", "Unchanged."),
    ],
    ids=["emptied", "removed", "unchanged"],
)
def test_text_without_changes_changes_nothing_and_says_so(edited: EditedTodo, step: str, message: str) -> None:
    edited.todo("add", "a", "--note", "n\n\nm")
    assert message in edited("edit", "1", steps=(step,))
    assert not edited.path.parent.exists()
    assert len(edited.todo("log", "--json").json["changes"]) == 2


def test_mistakes_open_the_text_again_until_they_are_corrected(edited: EditedTodo) -> None:
    edited.todo("add", "a")
    edited.todo("add", "b")
    wrong = replace(("title: a", "titel: a"), ("\ndue:", "\ndue: frday"), ("=== #2", "=== #1"))
    right = replace(("titel: a", "title: A"), ("due: frday", "due: 2030-01-02"), ("=== #1 b", "=== #2"))
    shown = edited("edit", "1", "2", steps=(wrong, right))
    form = edited.read_seen(1).split("\n")
    assert [line for line in form if line.startswith("#! ")] == [
        "#! the part of #2 is missing: its line `=== #2` and the lines below it",
        "#! line 11: 'titel' is not a field; did you mean title?",
        "#! line 26: #1 is here twice",
    ]
    assert (form[10], form[25]) == ("titel: a", "=== #1 b")
    assert "Changed #1 A" in shown
    assert edited.read_task(1)["due"] == "2030-01-02"


def test_giving_up_after_a_mistake_keeps_the_text(edited: EditedTodo) -> None:
    edited.todo("add", "a")
    steps = (
        replace(("\ndue:", "\ndue: frday"), ("\nparent:", "\nparent: 99")),
        replace(("due: frday", "due:")),
        "pass",
    )
    shown = edited("edit", "1", steps=steps, code=3)
    assert edited.read_seen(1).startswith("#! line 8: due: 'frday' is not a date")
    assert edited.read_seen(2).startswith("#! task #99 does not exist; nothing was changed\n#! the newest is #1")
    assert "#99 does not exist" in shown
    assert "parent: 99" in edited.path.read_text()
    assert edited.read_task(1)["parent"] is None


def test_change_by_somebody_else_is_kept_or_must_be_decided(edited: EditedTodo) -> None:
    edited.todo("add", "a", "--due", "2030-01-01", "--tag", "x", "--tag", "y")
    others = "todo('edit', '1', '--priority', '1', '--tag', 'theirs', '--untag', 'x')"
    shown = edited(
        "edit",
        "1",
        steps=(f"{others}\n{replace(('due: 2030-01-01', 'due: 2030-01-02'), ('tags: x y', 'tags: x mine'))}",),
    )
    assert "was changed meanwhile" in shown
    task = edited.read_task(1)
    assert (task["due"], task["priority"], task["tags"]) == ("2030-01-02", 1, ["mine", "theirs"])
    others = "todo('edit', '1', '--due', '2030-03-03', '--note', 'theirs')"
    mine = replace(("due: 2030-01-02", "due: 2030-02-02"), ("title: a", "title: b"))
    marks = "<<<<<<< yours\ndue: 2030-02-02\n=======\ndue: 2030-03-03\n>>>>>>> theirs\n"
    shown = edited("edit", "1", steps=(f"{others}\n{mine}", "text += ' '", replace((marks, "due: 2030-02-02\n"))))
    assert "has changed meanwhile: due of #1. Nothing was changed yet." in edited.read_seen(1)
    assert "#! line 8: choose one of the two values" in edited.read_seen(2)
    assert "Changed #1 b" in shown
    task = edited.read_task(1)
    assert (task["title"], task["due"], task["note"]) == ("b", "2030-02-02", "theirs")


def test_text_of_another_encoding_is_refused_by_its_line_and_kept(edited: EditedTodo) -> None:
    edited.todo("add", "a")
    latin = f"{replace(('title: a', 'title: Käse'))}\npath.write_bytes(text.encode('latin-1')); sys.exit()"
    shown = edited("edit", "1", steps=(latin, "pass"), code=2)
    assert "line 7: not valid UTF-8" in shown
    assert "title: Käse".encode("latin-1") in edited.path.read_bytes()
    bom = f"{replace(('title: a', 'title: Käse'))}\npath.write_bytes(b'\\xef\\xbb\\xbf' + text.encode()); sys.exit()"
    edited("edit", "1", steps=(bom,))
    assert edited.read_task(1)["title"] == "Käse"


def test_editor_is_visual_with_its_arguments_and_never_opens_without_a_terminal(edited: EditedTodo) -> None:
    edited.todo("add", "a")
    environment = {"VISUAL": f"'{edited.directory / 'editor.py'}' --wait", "EDITOR": "false"}
    edited("edit", "1", steps=(replace(("title: a", "title: b")),), **environment)
    assert edited.read_task(1)["title"] == "b"
    for arguments in (("edit", "1"), ("edit", "1", "--this"), ("add",), ("add", "--project", "home")):
        result = edited.todo(*arguments, env={"EDITOR": "false"})
        assert (result.code, result.out) == (2, ""), arguments
    assert "--title, --due" in edited.todo("edit", "1").err


def test_edit_prints_json_into_a_file_and_plans(edited: EditedTodo) -> None:
    edited.todo("add", "a", "--tag", "later", "--defer", "2030-01-01")
    step = replace(("title: a", "title: b"))
    shown = edited("edit", "@later", "--plan", steps=(step,))
    assert "#1 b: title a → b" in shown
    assert edited.read_task(1)["title"] == "a"
    line = f"{shlex.join(COMMAND)} edit 1 --json > {edited.todo.directory}/out"
    edited(steps=(f"assert sys.stdout.isatty()\n{step}",), command=("sh", "-c", line))
    assert json.loads((edited.todo.directory / "out").read_text())["tasks"][0]["title"] == "b"


def test_add_without_words_adds_the_task_of_the_form(edited: EditedTodo) -> None:
    assert "No title: nothing was added." in edited("add", steps=(replace(("\npriority:", "\npriority: 1")),))
    step = replace(("title:", "title: Buy milk p1"), ("\nevery:", "\nevery: 2 weeks on mon"))
    shown = edited("add", "--due", "2030-01-07", "--tag", "shop", steps=(f"{step}\ntext += '\\nTwo litres\\n'",))
    assert "\ndue: 2030-01-07\nproject:\ntags: shop\npriority:\n" in edited.read_seen(0)
    assert "Added #1 Buy milk p1 (due Mon 7 Jan 2030, @shop, every 2 weeks on monday)" in shown
    task = edited.read_task(1)
    assert (task["note"], task["priority"]) == ("Two litres", None)
    edited("edit", "1", "--this", steps=(replace(("title: Buy milk p1", "title: Buy oat milk")),))
    edited.todo("done", "1")
    assert [edited.read_task(number)["title"] for number in (1, 2)] == ["Buy oat milk", "Buy milk p1"]
