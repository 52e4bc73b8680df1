"""The calendar and the statistics in a pipe, and the bars of projects."""

from __future__ import annotations

from tests.conftest import Todo
from tests.support.list_samples import VIEW, draw_lines
from todo_cli.cli.render.name_table import add_totals, format_names
from todo_cli.contract.views import NameCount


def test_calendar_and_stats_in_a_pipe_and_in_json(todo: Todo) -> None:
    todo("add", "Pay", "--due", "2027-03-05", "--defer", "2027-03-01", "--tag", "phone")
    todo("add", "Other", "--due", "2027-03-06")
    assert [line.split("\t")[6] for line in todo("calendar", "2027-03", "@phone").lines] == ["Pay"]
    assert [task["title"] for task in todo("calendar", "2027-03", "--json").json["tasks"]] == ["Pay", "Other"]
    assert "  1  2  3  4  5· 6· 7" in todo("calendar", "2027-03", "--format", "table").out
    assert todo("calendar", "2027-13").code == 2
    todo("done", "2")
    assert todo("stats").lines[:5] == ["open\t1", "added\t2", "done\t1", "streak\t1", "longest\t1"]
    assert todo("stats", "--format", "table").lines[0].startswith("Last 60 days")
    assert len(todo("stats", "--json").json["burndown"]) == 60


PROJECTS = [
    NameCount(name="Büro", tasks=1, done=3, overdue=0, next_due="2026-11-28T08:00:00Z"),
    NameCount(name="Home", tasks=0, done=12, overdue=0),
    NameCount(name="Home.Bills", tasks=2, done=4, overdue=2, next_due="2026-11-25"),
    NameCount(name="Work.Offers", tasks=1, done=0, overdue=0, next_due="2026-11-27"),
    NameCount(name="No project", tasks=3, done=1009, overdue=0, next_due=None),
]

PROJECTS_AT_80 = """\
Project      Open  Overdue   Done                                     Next due
Büro            1        ·      3  ███████████████░░░░░   75 %  tomorrow 09:00
Home            ·        ·     12  ████████████████████  100 %
  Bills         2        2      4  █████████████▍░░░░░░   66 %      2 days ago
Work.Offers     1        ·      ·  ░░░░░░░░░░░░░░░░░░░░    0 %           today
No project      3        ·  1,009  ████████████████████   99 %"""

PROJECTS_AT_40 = """\
Project      Open  Overdue   Done
Büro            1        ·      3   75 %
Home            ·        ·     12  100 %
  Bills         2        2      4   66 %
Work.Offers     1        ·      ·    0 %
No project      3        ·  1,009   99 %"""


def test_projects_have_bars_and_stand_below_their_parents() -> None:
    assert draw_lines(format_names(PROJECTS, "Project", VIEW, 80, with_bars=True)) == PROJECTS_AT_80
    assert draw_lines(format_names(PROJECTS, "Project", VIEW, 40, with_bars=True)) == PROJECTS_AT_40
    home = add_totals(PROJECTS)[1]
    assert (home.tasks, home.done, home.overdue, home.next_due) == (2, 16, 2, "2026-11-25")


def test_projects_count_what_is_open_done_and_overdue(todo: Todo) -> None:
    todo("add", "-", "--project", "home", stdin="a\nb\nc\n")
    todo("add", "d", "--due", "2020-01-02", "--tag", "x")
    todo("edit", "1", "--due", "2099-01-02")
    todo("edit", "2", "--due", "2099-01-02 09:00")
    todo("done", "3")
    assert todo("projects").lines == ["home\t2\t1\t0\t2099-01-02T08:00:00Z"]
    assert todo("tags").lines == ["x\t1\t0\t1\t2020-01-02"]
    rest = todo("projects", "--json").json["rest"]
    assert rest == {"name": "", "tasks": 1, "done": 0, "overdue": 1, "next_due": "2020-01-02"}
    assert todo("projects", "--format", "table").lines[-1] == "3 open in 1 project"
