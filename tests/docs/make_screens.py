"""Draw the pictures of `docs/screens/` from the real program: `python -m tests.docs.make_screens`.

Each scene runs real commands in a pseudo-terminal, against a new local Postgres and a scripted model. The screen becomes an SVG file with rich.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pyte.screens
from rich.console import Console
from rich.text import Text

from tests.cli.test_calendar_and_stats import MONTHS
from tests.cli.test_project_bars import PROJECTS
from tests.conftest import Todo
from tests.support.doc_pages import ROOT
from tests.support.fake_model import FakeModel, run_fake_model
from tests.support.list_samples import EXPLAINED, TASKS, VIEW
from tests.support.model_answers import call_answer, text_answer
from tests.support.terminal import Terminal
from todo_cli.cli.render.calendar_screen import format_calendar
from todo_cli.cli.render.colors import choose_paint
from todo_cli.cli.render.name_table import format_names
from todo_cli.cli.render.stats_screen import format_stats
from todo_cli.cli.render.urgency_parts import format_explained
from todo_cli.contract.stats import ProjectTime, Stats, StatsDay
from todo_cli.contract.tasks import TaskPage
from todo_cli.core.tasks.stats import find_streak, sum_weeks
from todo_cli.local_postgres.cluster import LocalPostgres

SCREENS = ROOT / "docs" / "screens"
COLUMNS, ROWS = 84, 40

ADDED = (
    "Pay rent tomorrow 9am #home @bank p1 every month",
    "Call the dentist today @phone p2",
    "Write the offer today #work p1",
    "Water the plants every! 3 days",
)
OTHERS = (
    "Buy milk @shop",
    "Rent a van in 2 days #move",
    "Pack the books in 5 days #move after:6",
    "Send the tax papers due:yesterday #home @post",
)
MESSAGE = "move everything due today to next week, except the dentist"
ANSWER = "I moved two tasks to next week. The dentist stays today."

# Words that depend on the moment of the drawing, in this order.
_MOMENTS = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
    (r"\([0-9a-f]{6}\)", "(ID)"),
    (r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)?)?", "TIME"),
    (r"(just now|\d+ ?(s|sec|seconds?|m|min|minutes?) ago|\d\d:\d\d:\d\d)", "TIME"),
    (r"\b(today|tomorrow|yesterday|(Mon|Tue|Wed|Thu|Fri|Sat|Sun)|\d+ days ago|in \d+ days)\b", "TIME"),
    (r"\b\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)( \d{4})?\b", "TIME"),
    (r"\b\d\d:\d\d\b", "TIME"),
    (r"(?i)\b(mon|tue|wed|thu|fri|sat|sun)\b", "TIME"),
    (r"TIME(,? TIME)+", "TIME"),
    (r"· \d+s\b", "· TIME"),
    (r"[─━═ ]+", " "),
)


class Stage:
    """A home directory with a list, and the screens that are drawn in it."""

    def __init__(self, todo: Todo, model: FakeModel) -> None:
        self.todo, self.model = todo, model

    def run(self, *arguments: str) -> None:
        """Run a command that no picture shows."""
        done = self.todo(*arguments)
        assert done.code == 0, done.err

    def draw_commands(self, *commands: tuple[str, ...]) -> Text:
        """Draw commands below each other, each behind its prompt."""
        picture = Text()
        for arguments in commands:
            picture.append_text(draw_prompt(arguments))
            terminal = Terminal(self.todo, *arguments, columns=COLUMNS, rows=ROWS)
            terminal.ended()
            picture.append_text(read_screen(terminal)).append("\n")
        return picture

    def draw_chat(self) -> Text:
        """Draw a message, the approval of its changes, and the answer."""
        self.model.add(
            call_answer(("list_tasks", {"filter": "due:today"})),
            call_answer(("update_task", {"numbers": [3, 4], "due": "next week"})),
            text_answer(*re.findall(r"\S+ ?", ANSWER)),
        )
        terminal = Terminal(self.todo, "chat", columns=COLUMNS, rows=ROWS)
        terminal.prompted()
        terminal.keys(MESSAGE)
        terminal.child.send("\r")
        terminal.until("Do it?")
        terminal.child.send("y\r")
        terminal.until(ANSWER)
        terminal.prompted()
        terminal.settle()
        picture = draw_prompt(("chat",))
        picture.append_text(read_screen(terminal, terminal.screen.cursor.y + 1))
        terminal.child.close(force=True)
        return picture

    def draw_watch(self) -> Text:
        """Draw a watched list at the moment in which another program completes a task that recurs."""
        created = self.todo("token", "create", "--name", "worker-1", "--json")
        terminal = Terminal(self.todo, "watch", "#home", columns=COLUMNS, rows=ROWS)
        terminal.until("Ctrl-C ends")
        done = self.todo("done", "1", env={"TODO_TOKEN": created.json["token"]})
        assert done.code == 0, done.err
        terminal.until("· changed ")
        picture = draw_prompt(("watch", "#home"))
        picture.append_text(read_screen(terminal))
        terminal.child.close(force=True)
        return picture


def draw_prompt(arguments: tuple[str, ...]) -> Text:
    """Draw the prompt of a shell with a command behind it."""
    return Text().append("$ ", "bold green").append(f"todo {quote_words(arguments)}\n")


def quote_words(arguments: tuple[str, ...]) -> str:
    """Write arguments as a person types them."""
    return " ".join(f"'{word}'" if re.search(r"[ #!]", word) else word for word in arguments)


def read_screen(terminal: Terminal, rows: int = ROWS) -> Text:
    """Read the first rows of the screen with their colours, without the blank lines at the end."""
    lines = [read_line(terminal.screen, row) for row in range(rows)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    return Text("").join([line.append("\n") for line in lines])


def read_line(screen: pyte.screens.HistoryScreen, row: int) -> Text:
    """Read one row of the screen, without the blanks at its end."""
    characters = [screen.buffer[row][column] for column in range(screen.columns)]
    line = Text()
    for style, run in groupby(characters, name_style):
        line.append("".join(character.data for character in run), style)
    line.rstrip()
    return line


def name_style(character: pyte.screens.Char) -> str:
    """Name the style of a character as rich does."""
    words = [
        name
        for name, is_on in (
            ("bold", character.bold),
            ("italic", character.italics),
            ("underline", character.underscore),
            ("strike", character.strikethrough),
            ("reverse", character.reverse),
        )
        if is_on
    ]
    foreground = name_color(character.fg)
    background = name_color(character.bg)
    return " ".join([*words, foreground, *(["on", background] if background != "default" else [])])


def name_color(name: str) -> str:
    """Translate a colour of pyte to rich."""
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return name.replace("brown", "yellow").replace("bright", "bright_")


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Create a list with a model, and remove both at the end."""
    home = Path(tempfile.mkdtemp(prefix="todo-screens-"))
    home.chmod(0o755)
    try:
        with run_fake_model() as model:
            variables = {"TODO_MODEL": "test-model", "TODO_TITLES": "false", "OPENAI_BASE_URL": model.url}
            todo = Todo(home, variables | {"TODO_TIMEZONE": "UTC"})
            stage = Stage(todo, model)
            stage.run("init", "--name", "ada")
            yield stage
    finally:
        LocalPostgres(home / "pg").destroy()
        shutil.rmtree(home)


def draw_scenes(stage: Stage) -> Iterator[tuple[str, Text]]:
    """Draw every scene: its name and its picture."""
    yield "add", stage.draw_commands(*(("add", text) for text in ADDED))
    for text in OTHERS:
        stage.run("add", text)
    stage.run("note", "1", "The IBAN is in the safe")
    stage.run("comment", "1", "Asked the landlord for a receipt")
    yield "list", stage.draw_commands(("list",), ("list", "#home or @phone"))
    yield "show", stage.draw_commands(("show", "1"))
    stage.run("edit", "2", "--tag", "health", "--due", "tomorrow")
    stage.run("edit", "2", "--due", "today")
    stage.run("done", "5")
    stage.run("undo")
    yield "log", stage.draw_commands(("log", "-n", "6"))
    yield "chat", stage.draw_chat()
    yield "watch", stage.draw_watch()
    yield from draw_samples()


def draw_samples() -> Iterator[tuple[str, Text]]:
    """Draw the screens that show more than a new list has, from samples of a fixed day."""
    explained = TaskPage(tasks=tuple(EXPLAINED))
    screens = {
        "next": (("next", "--explain"), format_explained(explained, VIEW._replace(as_tree=False), COLUMNS)),
        "calendar": (("calendar",), format_calendar(TASKS, MONTHS, VIEW, COLUMNS)),
        "projects": (("projects",), format_names(PROJECTS, "Project", VIEW, COLUMNS, with_bars=True)),
        "stats": (("stats",), format_stats(make_stats(VIEW.now.date()), VIEW, COLUMNS)),
    }
    paint = choose_paint(colored=True)
    for name, (arguments, lines) in screens.items():
        drawn = Text.from_ansi("\n".join(map(paint, lines)))
        yield name, Text.assemble(draw_prompt(arguments), drawn)


def make_stats(today: date) -> Stats:
    """Make the statistics of a year in which more is done in each month than in the one before."""
    dice = Random(8)
    heat = {}
    for place in range(365):
        done = int(dice.random() ** 3 * (3 + place / 60)) if (today - timedelta(days=364 - place)).weekday() < 6 else 0
        heat |= {f"{today - timedelta(days=364 - place)}": done} if done else {}
    opened, days = 32, []
    for place in range(60):
        day = today - timedelta(days=59 - place)
        added = int(dice.random() * 2.4)
        opened = max(4, opened + added - heat.get(f"{day}", 0) // 2)
        days.append(StatsDay(day=day, open=opened, added=added, done=heat.get(f"{day}", 0)))
    done_on = {date.fromisoformat(day): done for day, done in heat.items()}
    times = (("Work.Offers", 68_700), ("House", 34_800), ("Home", 22_200))
    return Stats(
        burndown=tuple(days),
        heat=heat,
        weeks=sum_weeks(done_on, today),
        streak=find_streak(done_on, today),
        time=tuple(ProjectTime(project=project, seconds=seconds) for project, seconds in times),
    )


def render_svg(name: str, picture: Text) -> str:
    """Render a picture as an SVG file that loads nothing from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    picture.rstrip()
    console.print(picture, soft_wrap=True)
    svg = console.export_svg(title="todo", unique_id=f"screen-{name}")
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def read_svg_lines(svg: str) -> list[str]:
    """Read the lines of text in a picture."""
    lines: dict[str, list[tuple[float, str]]] = {}
    for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        if clip := element.get("clip-path"):
            piece = (float(element.get("x", 0)), (element.text or "").replace("\xa0", " "))
            lines.setdefault(clip, []).append(piece)
    return ["".join(text for _, text in sorted(pieces)) for pieces in lines.values()]


def hide_moments(lines: list[str]) -> list[str]:
    """Replace what differs from one drawing to the next, and the widths of columns."""
    hidden = []
    for line in lines:
        for pattern, word in _MOMENTS:
            line = re.sub(pattern, word, line)
        hidden.append(line.strip())
    return [line for line in hidden if line]


def main() -> None:
    """Draw every scene into `docs/screens/`."""
    SCREENS.mkdir(exist_ok=True)
    with open_stage() as stage:
        for name, picture in draw_scenes(stage):
            (SCREENS / f"{name}.svg").write_text(render_svg(name, picture))
            sys.stderr.write(f"docs/screens/{name}.svg\n")


if __name__ == "__main__":
    main()
