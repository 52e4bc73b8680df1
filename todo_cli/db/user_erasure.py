"""Erase one user from a database, as its owner, in one transaction.

The personal space goes with everything in it, and so do spaces without another member. In other shared spaces tasks and
files stay, since they belong to the space; comments and journal lose what the user wrote and is called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from todo_cli.contract.codec import normalize_text
from todo_cli.db.errors import translate_error
from todo_cli.db.user_rows import OwnerConnection, UserAccount, UserTable, find_account, read_user_tables
from todo_cli.errors import Conflict

ERASED_COMMENT = "The author of this comment has been erased."
ERASED_NAME = "erased user"
NAME_KEYS = frozenset({"name", "user", "email", "member", "claimed_by", "assigned_to", "by"})
"""Keys under which the journal has the name or the address of a user."""
COMMENT_VERBS = ["AddComment", "EditComment", "RemoveComment"]
ACCOUNT_VERBS = ["AddUser", "DisableUser", "SetBudget", "CreateResetCode", "CreateInvitation"]
"""Changes in the space of an administrator that name other users."""
SHARED_TABLES = frozenset({"changes", "comments", "attachments"})
"""A row of them in a shared space belongs to the space."""

_LONELY_SPACES = """
SELECT m.space_id::text FROM todo.members m
 WHERE m.user_id = %(user)s
   AND NOT EXISTS (
     SELECT FROM todo.members o WHERE o.space_id = m.space_id AND o.user_id <> m.user_id)"""

_SPACES_WITHOUT_OWNER = """
SELECT s.name FROM todo.members m
  JOIN todo.spaces s ON s.id = m.space_id
 WHERE m.user_id = %(user)s AND m.role = 'owner' AND m.space_id <> m.user_id
   AND NOT (m.space_id::text = ANY (%(lonely)s))
   AND NOT EXISTS (
     SELECT FROM todo.members o
      WHERE o.space_id = m.space_id AND o.user_id <> m.user_id AND o.role = 'owner')
 ORDER BY 1"""

_KEEP_OBJECTS = """
UPDATE todo.attachments
   SET name = 'erased', type = 'application/octet-stream', unused_since = '-infinity'
 WHERE space_id::text = ANY (%(spaces)s)
   AND (object IS NOT NULL OR incoming IS NOT NULL)"""

_FREE_CLAIMS = """
UPDATE todo.tasks SET claimed_by = NULL, claim_token = NULL, claimed_until = NULL
 WHERE claimed_until IS NOT NULL
   AND claim_token IN (SELECT id FROM todo.tokens WHERE user_id = %(user)s)"""

_DROP_REMINDERS = """
UPDATE todo.tasks t
   SET remind = (
     SELECT jsonb_agg(r) FROM jsonb_array_elements(t.remind) r WHERE r ->> 'user' <> %(user)s)
 WHERE t.remind @> jsonb_build_array(jsonb_build_object('user', %(user)s::text))"""

# The trigger of `members` frees the open tasks, with a change in the journal, at the end of the transaction: ask for it
# while the user still has the name.
_FREE_TASKS = "SET CONSTRAINTS todo.members_unassigned IMMEDIATE"

_ERASE_ASSIGNEE = """
UPDATE todo.tasks SET assigned_to = NULL
 WHERE space_id::text = ANY (%(spaces)s) AND assigned_to = %(name)s"""

_ERASE_COMMENTS = "UPDATE todo.comments SET text = %(text)s WHERE user_id = %(user)s"

_ERASE_OWN_CHANGES = """
UPDATE todo.changes
   SET key = NULL, token_id = %(nobody)s,
       request = CASE WHEN verb = ANY (%(comments)s) THEN request - 'text' ELSE request END,
       answer = CASE WHEN verb = ANY (%(comments)s) THEN NULL ELSE answer END,
       request_hash = ''
 WHERE user_id = %(user)s"""

_NAMING_CHANGES = """
SELECT space_id::text, seq, request, before, after, answer FROM todo.changes
 WHERE (user_id = %(user)s OR verb = ANY (%(accounts)s) OR space_id::text = ANY (%(spaces)s))
   AND concat(request::text, before::text, after::text, answer::text) LIKE ANY (%(patterns)s)"""

_REDACT_CHANGE = """
UPDATE todo.changes SET request = %s, before = %s, after = %s, answer = %s
 WHERE space_id = %s AND seq = %s"""

_ERASE_INVITATIONS = """
DELETE FROM todo.invitations WHERE email = %(email)s AND used_by IS NULL"""

_ERASE_USED_INVITATIONS = """
UPDATE todo.invitations SET email = NULL WHERE used_by = %(user)s"""

_ERASE_ACCOUNT = """
UPDATE todo.users
   SET name = %(name)s, email = NULL, login = NULL, admin = false, disabled_at = clock_timestamp()
 WHERE id = %(user)s"""

NOBODY = "00000000-0000-0000-0000-000000000000"


@contextmanager
def erase_user(url: str, name: str) -> Iterator[Counter[str]]:
    """Erase a user and give the number of erased rows by table; committed at the end of the block without an error.

    Raises NotFound, and Conflict where the user is the only owner of a space that others use.
    """
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            yield _erase(connection, find_account(connection, normalize_text(name)))
    except psycopg.Error as error:
        raise translate_error(error) from error


def _erase(connection: OwnerConnection, account: UserAccount) -> Counter[str]:
    values: dict[str, Any] = {"user": account.id, "email": account.email, "nobody": NOBODY}
    connection.execute("SELECT FROM todo.spaces WHERE id = %(user)s FOR UPDATE", values)
    dying = [space for (space,) in connection.execute(_LONELY_SPACES, values).fetchall()]
    dying = [*{*dying, account.id}]
    _raise_for_spaces_without_owner(connection, account, dying)
    shared = [
        str(space)
        for (space,) in connection.execute("SELECT space_id FROM todo.members WHERE user_id = %(user)s", values)
        if str(space) not in dying
    ]
    tables = read_user_tables(connection)
    for statement in (_FREE_CLAIMS, _DROP_REMINDERS, _ERASE_INVITATIONS, _ERASE_USED_INVITATIONS):
        connection.execute(statement, values)
    counts = _delete_rows(connection, tables, account, dying)
    connection.execute(_FREE_TASKS)
    connection.execute(_ERASE_ASSIGNEE, {"spaces": shared, "name": account.name})
    connection.execute(_ERASE_COMMENTS, values | {"text": ERASED_COMMENT})
    connection.execute(_ERASE_OWN_CHANGES, values | {"comments": COMMENT_VERBS})
    _redact_journal(connection, account, shared)
    connection.execute(_ERASE_ACCOUNT, values | {"name": f"{ERASED_NAME} {account.id}"})
    if account.login:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(account.login)))
    return counts


def _raise_for_spaces_without_owner(connection: OwnerConnection, account: UserAccount, lonely: list[str]) -> None:
    rows = connection.execute(_SPACES_WITHOUT_OWNER, {"user": account.id, "lonely": lonely}).fetchall()
    if rows:
        names = ", ".join(name for (name,) in rows)
        raise Conflict(
            f"{account.name} is the only owner of spaces that others use: {names}; nothing was erased",
            hint="make another member an owner of each of them first",
        )


def _delete_rows(
    connection: OwnerConnection, tables: list[UserTable], account: UserAccount, spaces: list[str]
) -> Counter[str]:
    """Delete the rows of dying spaces and the user's own rows elsewhere; return their numbers by table."""
    counts: Counter[str] = Counter()
    values = {"spaces": spaces, "user": account.id}
    connection.execute(_KEEP_OBJECTS, values)
    for table in tables:
        if table.name == "users":
            continue
        conditions = []
        if table.name == "spaces":
            conditions.append("id::text = ANY (%(spaces)s)")
        if table.has_space:
            conditions.append("space_id::text = ANY (%(spaces)s)")
        if table.has_user and table.name not in SHARED_TABLES:
            conditions.append("user_id = %(user)s")
        # the objects of a file go first: the sweep removes them, then the row
        kept = " AND unused_since IS DISTINCT FROM '-infinity'" if table.name == "attachments" else ""
        statement = sql.SQL("DELETE FROM {} WHERE ({})" + kept).format(
            sql.Identifier("todo", table.name),
            sql.SQL(" OR ".join(conditions)),
        )
        counts[table.name] = connection.execute(statement, values).rowcount
    return counts


def _redact_journal(connection: OwnerConnection, account: UserAccount, spaces: list[str]) -> None:
    """Replace the user's name and address in the changes of other users, and in the user's own in shared spaces."""
    names = {name for name in (account.name, account.email) if name}
    quoted = [msgspec.json.encode(text).decode().replace("\\", "\\\\") for text in (*names, account.id)]
    patterns = [f"%{text}%" for text in quoted]
    values = {"user": account.id, "accounts": ACCOUNT_VERBS, "spaces": spaces, "patterns": patterns}
    for space, seq, *columns in connection.execute(_NAMING_CHANGES, values).fetchall():
        redacted = [None if value is None else Jsonb(redact(value, account.id, names)) for value in columns]
        connection.execute(_REDACT_CHANGE, [*redacted, space, seq])


def redact(value: Any, user: str, names: set[str]) -> Any:
    """Return JSON of the journal without the user's names under the keys that have names, and without reminders."""
    if isinstance(value, list):
        kept = [entry for entry in value if not (isinstance(entry, dict) and entry.get("user") == user)]
        return [redact(entry, user, names) for entry in kept]
    if not isinstance(value, dict):
        return value
    return {
        key: ERASED_NAME if key in NAME_KEYS and entry in names else redact(entry, user, names)
        for key, entry in value.items()
    }
