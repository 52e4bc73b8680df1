"""Rights in the database: roles, row-level security policies, and grants of columns."""

from __future__ import annotations

from todo_cli.db.function_rights import CLIENTS
from todo_cli.db.limited_policies import GRANT_MEMBERSHIP, LIMITED, LIMITED_POLICIES, LIMITED_UPDATABLE_ROWS

ROLES = {
    "todo_auth": "owns the functions",
    "todo_server": "login of the servers",
    "todo_worker": "login of the workers",
    "todo_person": "group of the logins of persons",
    "todo_limited": "role that a server takes on for a token with limits",
}

SERVICE_LOGINS = ("todo_server", "todo_worker")

# The idle limit is below the lock limit: a frozen process loses its locks before others stop waiting for them.
TIMEOUTS = {"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "5s"}
# Defaults, which a user with psql can change; todo.end_idle_sessions() bounds what their locks cost others.
PERSON_TIMEOUTS = TIMEOUTS | {"idle_in_transaction_session_timeout": "60s"}

MAX_CONNECTIONS_PER_LOGIN = 20  # of a user with direct access

_READER = "space_id = (SELECT todo.current_space('read'))"
_COMMENTER = "space_id = (SELECT todo.current_space('comment'))"
_EDITOR = "space_id = (SELECT todo.current_space('tasks:write'))"
_WRITER = "space_id = (SELECT todo.current_space('write'))"
_CHAT_READER = "space_id = (SELECT todo.current_space('read:chat'))"
_CHAT_WRITER = "space_id = (SELECT todo.current_space('chat'))"
_SELF = "user_id = (SELECT todo.current_user_id())"


def _in_personal_space(scope: str) -> str:
    """Return the rule for a user's own rows, which are written in the personal space, whose id is the user's."""
    return f"{_SELF} AND user_id = (SELECT todo.current_space('{scope}'))"


# Every rule is an equality on the first columns of the table's indexes. A rule with OR would be only a filter, and
# EXPLAIN ANALYZE counts the rows that a filter removes: any login could probe for names, one comparison at a time.
# Hence there is no rule for users (functions read them), and no grant of DELETE, which would allow LOCK TABLE.
POLICIES: dict[tuple[str, str], str] = {
    ("schema", "SELECT"): "true",
    ("spaces", "SELECT"): "id = (SELECT todo.current_space('read'))",
    ("members", "SELECT"): _SELF,
    ("tokens", "SELECT"): _SELF,
    ("tokens", "INSERT"): _in_personal_space("tokens:write"),
    ("tokens", "UPDATE"): _in_personal_space("tokens:write"),
    ("preferences", "SELECT"): _SELF,
    ("preferences", "INSERT"): _in_personal_space("prefs:write"),
    ("preferences", "UPDATE"): _in_personal_space("prefs:write"),
    ("tasks", "SELECT"): _READER,
    ("tasks", "INSERT"): _EDITOR,
    ("tasks", "UPDATE"): _EDITOR,
    ("task_tags", "SELECT"): _READER,
    ("task_tags", "INSERT"): _EDITOR,
    ("links", "SELECT"): _READER,
    ("links", "INSERT"): _EDITOR,
    ("task_sources", "SELECT"): _READER,
    ("task_sources", "INSERT"): _EDITOR,
    ("task_sources", "UPDATE"): _EDITOR,
    ("comments", "SELECT"): _READER,
    ("comments", "INSERT"): f"{_COMMENTER} AND {_SELF}",
    ("comments", "UPDATE"): f"{_COMMENTER} AND {_SELF}",
    ("attachments", "SELECT"): _READER,
    ("attachment_chunks", "SELECT"): _READER,
    ("views", "SELECT"): f"{_READER} AND {_SELF}",
    ("views", "INSERT"): f"{_EDITOR} AND {_SELF}",
    ("views", "UPDATE"): f"{_EDITOR} AND {_SELF}",
    ("plans", "SELECT"): f"{_READER} AND {_SELF}",
    ("plans", "INSERT"): f"{_EDITOR} AND {_SELF}",
    ("plans", "UPDATE"): f"{_EDITOR} AND {_SELF}",
    ("conversations", "SELECT"): f"{_CHAT_READER} AND {_SELF}",
    ("conversations", "INSERT"): f"{_CHAT_WRITER} AND {_SELF}",
    ("conversations", "UPDATE"): f"{_CHAT_WRITER} AND {_SELF}",
    ("turns", "SELECT"): f"{_CHAT_READER} AND {_SELF}",
    ("turns", "INSERT"): f"{_CHAT_WRITER} AND {_SELF}",
    ("turns", "UPDATE"): f"{_CHAT_WRITER} AND {_SELF}",
    ("messages", "SELECT"): f"{_CHAT_READER} AND {_SELF}",
    ("messages", "INSERT"): f"{_CHAT_WRITER} AND {_SELF}",
    ("events", "SELECT"): f"{_CHAT_READER} AND {_SELF}",
    ("events", "INSERT"): f"{_CHAT_WRITER} AND {_SELF}",
    ("proposals", "SELECT"): _READER,
    ("usage", "SELECT"): _SELF,
    ("channels", "SELECT"): _SELF,
    ("deliveries", "SELECT"): f"{_READER} AND {_SELF}",
    ("changes", "SELECT"): _READER,
    ("changes", "INSERT"): f"{_WRITER} AND {_SELF}",
}

# A rule for the row before an UPDATE, beside the one above for both: a revoked token stays revoked.
UPDATABLE_ROWS = {"tokens": "revoked_at IS NULL"}

GRANTS: dict[str, str] = {
    "schema": "SELECT",
    "spaces": "SELECT",
    "members": "SELECT",
    "tokens": """SELECT (
    user_id, id, name, scopes, kind, created_at, last_used_at, expires_at, revoked_at, parent,
    address, filter, reach, verbs, per_minute, proposes),
  INSERT (
    user_id, id, name, hash, scopes, expires_at, filter, reach, verbs, per_minute, proposes),
  UPDATE (revoked_at)""",
    "preferences": """SELECT, INSERT, UPDATE (
    timezone, model, tokens_per_day, show_usage, week_start, dates, language, theme, signs, project,
    sort, confirm, pager, remind, rev, hints)""",
    "tasks": """SELECT, INSERT, UPDATE (
    title, note, status, priority, project, due_on, due_at, updated_at, completed_at, deleted_at,
    rev, parent, defer_on, defer_at, scheduled_on, scheduled_at, started_at, tracked, series,
    occurrence, repeat, claimed_by, claim_token, claimed_until, attachments, remind,
    fence, lost_claims, discovered_from, position, assigned_to)""",
    "task_tags": "SELECT, INSERT",
    "links": "SELECT, INSERT",
    "task_sources": """SELECT, INSERT, UPDATE (
    seq, digest, kept_format, kept_id, kept, series, left_out, pending, has_created_at)""",
    "comments": "SELECT, INSERT (space_id, number, id, text, imported), UPDATE (text, edited_at)",
    "attachments": "SELECT",
    "attachment_chunks": "SELECT",
    "views": "SELECT, INSERT (space_id, name, filter, sort), UPDATE (filter, sort)",
    "plans": """SELECT,
  INSERT (space_id, id, verb, arguments, targets, differences, expires_at),
  UPDATE (state, decided_at)""",
    "proposals": "SELECT, INSERT (space_id, id, verb, arguments, before, after, expires_at)",
    "conversations": """SELECT,
  INSERT (space_id, id, title, model, head, head_of),
  UPDATE (title, model, seq, head, head_of, turn_id, updated_at, deleted_at)""",
    "turns": """SELECT,
  INSERT (space_id, id, conversation_id, runner, lease_until, asked, zone),
  UPDATE (
    state, attempt, runner, lease_until, last, stop, held, approved, events, usage, error,
    ended_at)""",
    "messages": """SELECT, INSERT (
    space_id, conversation_id, seq, parent, parent_of, turn_id, attempt, role, status, content,
    calls, call_seq, call_index, reaches, tokens, model, usage)""",
    "events": "SELECT, INSERT (space_id, turn_id, n, attempt, after, batch)",
    "usage": "SELECT",
    "channels": "SELECT (user_id, name, kind, shown, space_id, verbs, seq, created_at)",
    "deliveries": "SELECT",
    "changes": """SELECT, INSERT (
    space_id, seq, key, request_hash, verb, request, before, after, texts, answer, undoes, redo,
    group_id, turn_id)""",
}


def create_role(name: str) -> str:
    """Return the statement that creates a role unless it exists."""
    login = "LOGIN" if name in SERVICE_LOGINS else "NOLOGIN"
    # another database of the cluster may be creating the same role at this instant
    return f"""DO $$ BEGIN
  CREATE ROLE {name} {login};
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$"""


def set_timeouts(login: str) -> str:
    """Return the statement that limits a service's statements in this database."""
    settings = "\n".join(
        f"  EXECUTE format('ALTER ROLE {login} IN DATABASE %I SET {name} = %L',\n    current_database(), '{value}');"
        for name, value in TIMEOUTS.items()
    )
    return f"DO $$ BEGIN\n{settings}\nEND $$"


def grant_schema() -> list[str]:
    """Return the statements that open the database and the schema `todo` to the clients, and to nobody else."""
    return [
        # an owner with CREATEROLE may give functions only to a role that it is a member of
        """DO $$ BEGIN
  GRANT todo_auth TO CURRENT_USER;
EXCEPTION WHEN unique_violation THEN NULL;
END $$""",
        f"""DO $$ BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO {CLIENTS}', current_database());
END $$""",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "CREATE SCHEMA IF NOT EXISTS todo",
        f"GRANT USAGE ON SCHEMA todo TO todo_auth, {CLIENTS}, {LIMITED}",
        GRANT_MEMBERSHIP,
    ]


def create_policies(tables: list[str]) -> list[str]:
    """Return the statements for row-level security on every table, then the policies and grants."""
    result = []
    for table in tables:
        result.append(f"ALTER TABLE todo.{table} ENABLE ROW LEVEL SECURITY")
        result.append(f"CREATE POLICY auth ON todo.{table} TO todo_auth USING (true) WITH CHECK (true)")
        result.append(f"GRANT SELECT, INSERT, UPDATE, DELETE ON todo.{table} TO todo_auth")
    for (table, command), rule in POLICIES.items():
        before = f"{rule} AND {UPDATABLE_ROWS[table]}" if table in UPDATABLE_ROWS else rule
        result.append(_create_policy(f"may_{command.lower()}", table, command, CLIENTS, before, rule))
    for (table, command), rule in LIMITED_POLICIES.items():
        before = LIMITED_UPDATABLE_ROWS.get(table, rule)
        before = f"{before} AND {UPDATABLE_ROWS[table]}" if table in UPDATABLE_ROWS else before
        result.append(_create_policy(f"limited_may_{command.lower()}", table, command, LIMITED, before, rule))
    grants = [f"GRANT {rights}\n  ON todo.{table} TO {CLIENTS}, {LIMITED}" for table, rights in GRANTS.items()]
    return result + grants


def _create_policy(name: str, table: str, command: str, roles: str, before: str, after: str) -> str:
    """Return the statement for one policy; `before` is its rule for stored rows, `after` the one for new rows."""
    clauses = {
        "INSERT": f"WITH CHECK ({after})",
        "UPDATE": f"USING ({before})\n  WITH CHECK ({after})",
        "SELECT": f"USING ({after})",
    }[command]
    return f"CREATE POLICY {name} ON todo.{table} FOR {command} TO {roles}\n  {clauses}"
