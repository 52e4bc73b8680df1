"""Row-level security of tokens with limits, whose requests a server runs as the role `todo_limited`.

Tokens without limits have the policies of `policies.py` alone, so that limits cost them nothing. A table without a rule
here shows a token with limits nothing. Only servers take on the role, so that no user can explain its queries.
"""

from __future__ import annotations

LIMITED = "todo_limited"

_SPACE = "space_id = (SELECT todo.limited_space('{permission}'))"
_READER = _SPACE.format(permission="read")
_COMMENTER = _SPACE.format(permission="comment")
_EDITOR = _SPACE.format(permission="tasks:write")
_WRITER = _SPACE.format(permission="write")
_SELF = "user_id = (SELECT todo.current_user_id())"
_OWN_ROWS = "token_id = (SELECT todo.current_token_id())"
_REACH = "(SELECT todo.current_reach())"
# A row of the change that is being stored; its journal row is judged by todo.may_store_change().
_IS_NEW = "rev > (SELECT s.seq FROM todo.spaces s WHERE s.id = (SELECT todo.limited_space('read')))"
# The two commonest reaches are judged without a call for each row.
_MATCHES = f"""CASE
    WHEN (SELECT todo.current_reach() = '["and", []]') THEN true
    WHEN (SELECT todo.current_reach() ->> 0 = 'project')
      THEN project = (SELECT todo.current_reach() ->> 1)
    ELSE todo.matches_reach({_REACH}, number, project, priority, parent, NULL, space_id)
  END"""
_MAY_STORE = f"todo.may_store_task({_REACH}, number, project, priority, parent)"
_OWN_CHILD = "(SELECT todo.current_token_id()) IN (id, parent)"


def _of_visible_task(table: str) -> str:
    """Return the rule for the rows of a table that belong to a task which the token sees."""
    return f"""{_READER} AND EXISTS (
    SELECT FROM todo.tasks t WHERE t.space_id = {table}.space_id AND t.number = {table}.number)"""


def _of_reached_task(column: str = "number") -> str:
    return f"todo.is_reached({_REACH}, space_id, {column})"


LIMITED_POLICIES: dict[tuple[str, str], str] = {
    ("schema", "SELECT"): "true",
    ("spaces", "SELECT"): "id = (SELECT todo.limited_space('read'))",
    ("members", "SELECT"): _SELF,
    ("tokens", "SELECT"): f"{_SELF} AND {_OWN_CHILD}",
    ("tokens", "INSERT"): f"{_SELF} AND user_id = (SELECT todo.limited_space('tokens:write'))",
    ("tokens", "UPDATE"): f"{_SELF} AND {_OWN_CHILD} AND user_id = (SELECT todo.limited_space('tokens:write'))",
    ("preferences", "SELECT"): _SELF,
    ("tasks", "SELECT"): f"{_READER} AND ({_MATCHES} OR {_IS_NEW})",
    ("tasks", "INSERT"): f"{_EDITOR} AND {_IS_NEW} AND {_MAY_STORE}",
    ("tasks", "UPDATE"): f"{_EDITOR} AND {_IS_NEW} AND {_MAY_STORE}",
    ("task_tags", "SELECT"): _of_visible_task("task_tags"),
    ("task_tags", "INSERT"): f"{_EDITOR} AND {_of_reached_task()}",
    ("links", "SELECT"): _of_visible_task("links"),
    ("links", "INSERT"): f"{_EDITOR} AND {_of_reached_task()} AND {_of_reached_task('after')}",
    ("task_sources", "SELECT"): _of_visible_task("task_sources"),
    ("task_sources", "INSERT"): f"{_EDITOR} AND {_of_reached_task()}",
    ("task_sources", "UPDATE"): f"{_EDITOR} AND {_of_reached_task()}",
    ("comments", "SELECT"): _of_visible_task("comments"),
    ("comments", "INSERT"): f"{_COMMENTER} AND {_SELF} AND {_of_reached_task()}",
    ("comments", "UPDATE"): f"{_COMMENTER} AND {_SELF} AND {_of_reached_task()}",
    ("attachments", "SELECT"): _of_visible_task("attachments"),
    ("attachment_chunks", "SELECT"): f"""{_READER} AND EXISTS (
    SELECT FROM todo.attachments a
     WHERE a.space_id = attachment_chunks.space_id AND a.id = attachment_chunks.attachment_id)""",
    ("plans", "SELECT"): f"{_READER} AND {_SELF} AND {_OWN_ROWS}",
    ("plans", "INSERT"): f"{_EDITOR} AND {_SELF}",
    ("plans", "UPDATE"): f"{_EDITOR} AND {_SELF} AND {_OWN_ROWS}",
    ("proposals", "SELECT"): f"{_READER} AND {_OWN_ROWS}",
    ("proposals", "INSERT"): f"""{_SPACE.format(permission="propose")} AND {_SELF}
    AND todo.may_store_change(space_id, verb, before, after)""",
    ("changes", "SELECT"): f"""{_READER} AND ({_OWN_ROWS}
    OR before IS NOT NULL AND todo.matches_snapshots({_REACH}, before || after))""",
    ("changes", "INSERT"): f"""{_WRITER} AND {_SELF}
    AND todo.may_store_change(space_id, verb, before, after)""",
}

LIMITED_UPDATABLE_ROWS = {"tasks": f"{_EDITOR} AND {_MATCHES}"}
"""The rule for the row before an UPDATE, where it is another than the one for the row behind it."""

GRANT_MEMBERSHIP = f"""DO $$ BEGIN
  IF NOT pg_has_role('todo_server', '{LIMITED}', 'MEMBER') THEN
    -- A server takes the role on, and must not have its policies besides its own.
    IF current_setting('server_version_num')::int >= 160000 THEN
      EXECUTE 'GRANT {LIMITED} TO todo_server WITH INHERIT FALSE';
    ELSE
      ALTER ROLE todo_server NOINHERIT;
      GRANT {LIMITED} TO todo_server;
    END IF;
  END IF;
EXCEPTION WHEN unique_violation THEN NULL;
END $$"""
