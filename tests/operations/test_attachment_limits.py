"""The limits of attached files, and the states of a task that may have them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Database
from tests.support.ask import Ask
from tests.support.attachments import attach, read_back, start
from todo_cli.contract.attachments import AddAttachment, StartUpload
from todo_cli.contract.ids import new_id
from todo_cli.contract.limits import (
    ATTACHMENT_CHUNK_BYTES,
    MAX_ATTACHMENT_BYTES,
    MAX_ATTACHMENTS_PER_TASK,
    MAX_SPACE_ATTACHMENT_BYTES,
    MAX_UNFINISHED_UPLOADS,
    UPLOAD_HOURS,
)
from todo_cli.contract.tasks import CompleteTasks
from todo_cli.contract.trash import DeleteTasks
from todo_cli.db.schema import read_functions
from todo_cli.errors import Conflict, Invalid, NotFound, TodoError


@pytest.mark.parametrize("name", ["", " ", "a\0b", "x" * 256, "virus.EXE", "run.desktop. "])
def test_invalid_name_is_refused(ask: Ask, name: str) -> None:
    number = ask.add("x").number
    with pytest.raises(Invalid):
        start(ask, number, b"x", name)


def test_limits_of_files_are_kept(ask: Ask, db: Database) -> None:
    number = ask.add("x").number
    digest = "0" * 64
    with pytest.raises(Invalid, match="size"):
        ask(StartUpload(number=number, id=new_id(), name="big", size=MAX_ATTACHMENT_BYTES + 1, sha256=digest))
    for _ in range(MAX_UNFINISHED_UPLOADS):
        start(ask, number, b"x")
    with pytest.raises(Conflict, match="unfinished uploads"):
        start(ask, number, b"x")
    rows = [{"id": new_id(), "name": "f"} for _ in range(MAX_ATTACHMENTS_PER_TASK)]
    fill = """UPDATE todo.tasks SET attachments = (
        SELECT jsonb_agg(jsonb_build_object('id', id, 'name', 'f', 'type', 'a/b', 'size', 1, 'sha256', 'x',
          'at', now())) FROM unnest(%s::text[]) AS id)
      WHERE space_id = %s AND number = %s"""
    upload = db.execute("SELECT id::text FROM todo.attachments WHERE space_id = %s LIMIT 1", ask.who.user_id)[0][0]
    db.execute(fill, [row["id"] for row in rows], ask.who.user_id, number)
    db.execute("UPDATE todo.attachments SET verified_at = now() WHERE id = %s", upload)
    with pytest.raises(Conflict, match="which is the most"):
        ask(AddAttachment(number=number, id=upload))


def test_functions_have_the_limits_of_the_contract() -> None:
    text = "\n".join(read_functions("attachments"))
    assert f"> {MAX_SPACE_ATTACHMENT_BYTES} THEN" in text
    assert f">= {MAX_UNFINISHED_UPLOADS} THEN" in text
    assert f"bigint := {ATTACHMENT_CHUNK_BYTES};" in text
    assert f"interval '{UPLOAD_HOURS} hours'" in text


@pytest.mark.parametrize("state", ["missing", "done", "deleted"])
def test_file_is_attached_to_done_tasks_and_not_to_deleted_ones(ask: Ask, state: str) -> None:
    number = ask.add("x").number
    if state == "done":
        ask(CompleteTasks(numbers=(number,)))
        assert len(attach(ask, number).attachments) == 1
        return
    wanted: dict[str, type[TodoError]] = {"missing": NotFound, "deleted": Conflict}
    ask(DeleteTasks(numbers=(number,)))
    with pytest.raises(wanted[state]):
        start(ask, number if state == "deleted" else 99, b"x")


def test_id_of_another_file_is_refused(ask: Ask) -> None:
    number, id = ask.add("x").number, new_id()
    start(ask, number, b"one", id=id)
    changes: tuple[dict[str, Any], ...] = ({"data": b"two"}, {"data": b"one", "name": "other.txt"})
    for change in changes:
        with pytest.raises(Conflict, match="already exists"):
            start(ask, number, id=id, **change)


def test_empty_file_is_attached(ask: Ask) -> None:
    number = ask.add("x").number
    (file,) = attach(ask, number, b"").attachments
    assert (file.size, read_back(ask, number, file.id)) == (0, b"")
