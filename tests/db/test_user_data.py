"""The rows of one user: all of them are exported, and after an erasure nothing has the user's words or name."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Database, Person, Todo
from tests.support.connections import Line
from todo_cli.contract.channels import AddChannel
from todo_cli.contract.claims import ClaimTask
from todo_cli.contract.comments import AddComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks, ListTasks, ShowTask
from todo_cli.contract.tokens import CreateToken
from todo_cli.contract.users import AddUser
from todo_cli.contract.views import SaveView

MARK = "zebrafinch"
"""A word that only the erased user writes and is called."""

COLUMNS = """SELECT table_name, array_agg(column_name::text) FROM information_schema.columns
 WHERE table_schema = 'todo' GROUP BY 1"""


def read_texts(db: Database) -> dict[str, list[str]]:
    """Return every row of every table as text."""
    return {
        name: [row for (row,) in db.execute(f"SELECT t::text FROM todo.{name} AS t")] for name, _ in db.execute(COLUMNS)
    }


def find_mark(db: Database) -> set[str]:
    """Return the tables that have the mark."""
    return {name for name, rows in read_texts(db).items() if any(MARK in row for row in rows)}


@pytest.fixture
def shared_space(fresh_db: Database) -> tuple[Person, Person, str]:
    """A user to erase, a friend who is an administrator, and the space that both own."""
    victim, friend = fresh_db.person(MARK), fresh_db.person("friend", admin=True)
    space = new_id()
    fresh_db.execute("INSERT INTO todo.spaces (id, name) VALUES (%s, 'home')", space)
    for person in (victim, friend):
        fresh_db.execute("INSERT INTO todo.members VALUES (%s, %s, 'owner')", space, person.user_id)
    return victim, friend, space


def write_everywhere(db: Database, victim: Person, friend: Person, space: str) -> int:
    """Let the user write into both spaces; return the number of a task in the shared one."""
    mine, theirs = Line(db.server_url, victim), Line(db.server_url, friend)
    try:
        number = mine(AddTask(title=f"{MARK} title", note=f"{MARK} " * 100, due="2030-01-07", remind=("1h",))).number
        mine(EditTasks(numbers=(number,), note=f"{MARK} again " * 100))
        mine(AddComment(number=number, id=new_id(), text=f"{MARK} comment"))
        mine(SaveView(name=MARK, filter=f"'{MARK}'"))
        mine(CreateToken(id=new_id(), name=MARK, hash="a" * 64, scopes=("read",)))
        mine(AddChannel(name=MARK, kind="email", target=f"{MARK}@example.org"))
        common = theirs(AddTask(title="Paint the fence", due="2030-01-07"), space=space).number
        mine(EditTasks(numbers=(common,), remind=("2h",)), space=space, key=f"{MARK}-key")
        mine(AddComment(number=common, id=new_id(), text=f"{MARK} in the shared space"), space=space)
        mine(ClaimTask(number=common), space=space)
        theirs(EditTasks(numbers=(common,), assigned_to=MARK), space=space)
        done = theirs(AddTask(title="Buy paint", assigned_to=MARK), space=space).number
        theirs(CompleteTasks(numbers=(done,)), space=space)
        theirs(AddComment(number=common, id=new_id(), text="the friend's own"), space=space)
        theirs(AddUser(id=new_id(), name="other", token_id=new_id(), token_hash="b" * 64))
    finally:
        mine.close(), theirs.close()
    db.execute("UPDATE todo.users SET email = %s WHERE id = %s", f"{MARK}@example.org", victim.user_id)
    # an administrator has added the user
    db.execute(
        "UPDATE todo.changes SET request = jsonb_set(request, '{name}', %s), answer = jsonb_set(answer, '{name}', %s)"
        " WHERE verb = 'AddUser'",
        json.dumps(MARK),
        json.dumps(MARK),
    )
    conversation = new_id()
    db.execute(
        "INSERT INTO todo.conversations (space_id, user_id, id, number, title) VALUES (%s, %s, %s, 0, %s)",
        space,
        victim.user_id,
        conversation,
        MARK,
    )
    db.execute(
        "INSERT INTO todo.messages (space_id, user_id, conversation_id, seq, turn_id, attempt, role, content, tokens)"
        " VALUES (%s, %s, %s, 1, gen_random_uuid(), 1, 'user', %s, 1)",
        space,
        victim.user_id,
        conversation,
        f"{MARK} message",
    )
    return common


def test_erased_user_leaves_no_word_and_the_shared_space_works(
    fresh_db: Database, shared_space: tuple[Person, Person, str], bare: Todo
) -> None:
    victim, friend, space = shared_space
    number = write_everywhere(fresh_db, victim, friend, space)
    assert find_mark(fresh_db) >= {"users", "tasks", "changes", "comments", "words", "tokens", "channels", "messages"}
    owner = {"TODO_OWNER_URL": fresh_db.owner_url}
    counted = bare("admin", "user", "erase", MARK, "--dry-run", env=owner)
    assert counted.code == 0
    assert "1 conversations" in counted.err
    assert "users" in find_mark(fresh_db), "a dry run erases nothing"
    assert bare("admin", "user", "erase", MARK, env=owner).code == 10, "it asks, and there is no terminal"
    erased = bare("admin", "user", "erase", MARK, "--yes", env=owner)
    assert erased.code == 0, erased.err
    assert find_mark(fresh_db) == set()
    for name, columns in fresh_db.execute(COLUMNS):
        if name not in ("changes", "comments"):
            for column in {"user_id", "space_id"} & set(columns):
                assert fresh_db.execute(f"SELECT FROM todo.{name} WHERE {column} = %s", victim.user_id) == [], name
    assert not fresh_db.execute("SELECT FROM pg_roles WHERE rolname = %s", f"todo_{victim.user_id.replace('-', '')}")
    line = Line(fresh_db.server_url, friend)
    try:
        (task,) = line(ListTasks(), space=space).tasks
        assert (task.number, task.claimed_by, task.assigned_to, task.remind or ()) == (number, None, None, ())
        shown = line(ShowTask(number=number), space=space)
        assert [comment.text for comment in shown.comments] == [
            "The author of this comment has been erased.",
            "the friend's own",
        ]
        line(EditTasks(numbers=(number,), title="Paint it"), space=space)
    finally:
        line.close()
    logged = bare(
        "log", "--json", env={"TODO_DATABASE_URL": friend.database_url, "TODO_TOKEN": friend.token, "TODO_SPACE": space}
    )
    assert logged.code == 0, logged.err
    refused = bare("list", env={"TODO_DATABASE_URL": fresh_db.server_url, "TODO_TOKEN": victim.token})
    assert refused.code == 4
    assert bare("admin", "user", "erase", MARK, "--yes", env=owner).code == 3


def test_only_owner_of_a_space_that_others_use_is_not_erased(
    fresh_db: Database, shared_space: tuple[Person, Person, str], bare: Todo
) -> None:
    _, friend, space = shared_space
    fresh_db.execute(
        "UPDATE todo.members SET role = 'editor' WHERE user_id = %s AND space_id = %s", friend.user_id, space
    )
    refused = bare("admin", "user", "erase", MARK, "--yes", env={"TODO_OWNER_URL": fresh_db.owner_url})
    assert refused.code == 6
    assert "only owner of spaces that others use: home" in refused.err
    assert "users" in find_mark(fresh_db)


def test_export_has_every_row_with_the_mark_and_no_secret(
    fresh_db: Database, shared_space: tuple[Person, Person, str], bare: Todo
) -> None:
    victim, friend, space = shared_space
    write_everywhere(fresh_db, victim, friend, space)
    exported = bare("admin", "user", "export", MARK, env={"TODO_OWNER_URL": fresh_db.owner_url})
    assert exported.code == 0, exported.err
    rows = [json.loads(line) for line in exported.lines]
    marked = {row["table"] for row in rows if MARK in json.dumps(row)}
    assert marked >= find_mark(fresh_db) - {"words"}
    assert "the friend's own" not in exported.out
    secrets = [
        value.hex()
        for query in (
            "SELECT hash FROM todo.tokens",
            "SELECT sha256(secret::bytea) FROM todo.channels WHERE secret <> ''",
        )
        for (value,) in fresh_db.execute(query)
    ]
    assert not [value for value in secrets if value in exported.out]
