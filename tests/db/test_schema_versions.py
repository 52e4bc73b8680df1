"""Which clients a database serves: it compares their schema version with its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.conftest import Database, Server, Todo
from tests.support.connections import Line
from todo_cli.contract.journal import ListChanges, Undo
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks, ListTasks
from todo_cli.contract.users import ListUsers, WhoAmI
from todo_cli.db.schema import metadata
from todo_cli.db.schema_version import SCHEMA_VERSION

NOW = SCHEMA_VERSION
# version and oldest client of a database that this client meets
OLDER, NEWER, BETWEEN = (
    (NOW + 2, NOW + 1),
    (NOW - 1, 0),
    (NOW + 5, NOW),
)


def _set_schema(database: Database, version: int, oldest: int) -> None:
    database.execute("UPDATE todo.schema SET version = %s, oldest = %s", version, oldest)


@pytest.mark.parametrize(("found", "sentence"), [(OLDER, "too old"), (NEWER, "older than this todo"), (BETWEEN, None)])
def test_client_of_another_schema_version_is_served_or_refused(
    fresh_db: Database,
    make_server: Callable[..., Server],
    as_person: Callable[..., Todo],
    found: tuple[int, int],
    sentence: str | None,
) -> None:
    ada = fresh_db.person()
    server = make_server(fresh_db)
    _set_schema(fresh_db, *found)
    ways = [as_person(ada, "direct"), as_person(ada, "api", url=server.url)]
    for todo in ways:
        done = todo("add", "x")
        assert (done.code, "Traceback" in done.err) == (7 if sentence else 0, False), done.err
        assert (sentence or "") in done.err
    if sentence is None:
        assert urlopen(server.url + "/readyz").status == 200
        return
    with pytest.raises(HTTPError) as refused:
        urlopen(server.url + "/readyz")
    assert (refused.value.code, f"schema {NOW}".encode() in refused.value.read()) == (503, True)
    refused.value.close()
    assert fresh_db.execute("SELECT count(*) FROM todo.tasks") == [(0,)]


def test_new_column_does_not_disturb_running_clients(fresh_db: Database) -> None:
    """What a forward migration may do while they run, on connections that have prepared everything already."""
    ada = fresh_db.person(admin=True)
    with closing(Line(ada.database_url, ada)) as direct, closing(Line(fresh_db.server_url, ada)) as served:
        lines = (direct, served)
        for line in lines:
            _everything(line)
        for table in metadata.sorted_tables:
            if table.name != "schema":
                fresh_db.execute(f"ALTER TABLE todo.{table.name} ADD COLUMN brand_new text DEFAULT 'x' NOT NULL")
        _set_schema(fresh_db, NOW + 1, NOW)
        for line in lines:
            _everything(line)


def _everything(line: Line) -> None:
    number = line(AddTask(title="a", tags=("t",))).number
    assert line(EditTasks(numbers=(number,), title="b", tags=("u",))).tasks[0].title == "b"
    assert line(CompleteTasks(numbers=(number,))).tasks[0].status == "done"
    assert line(Undo()).differences[0].fields["status"] == ("done", "open")
    assert number in {task.number for task in line(ListTasks()).tasks}
    assert line(ListChanges()).changes[0].verb == "Undo"
    assert line(WhoAmI()).admin
    assert len(line(ListUsers()).users) == 1
