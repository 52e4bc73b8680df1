"""Who may do what: roles, policies, grants and callers, as tables of words."""

from __future__ import annotations

ROLES = {
    "todo_auth": "owns the definer functions",
    "todo_server": "the servers",
    "todo_worker": "the workers",
    "todo_person": "what every person's own login is a member of",
}
CLIENTS = "todo_server, todo_worker, todo_person"
# idle below lock: a frozen process loses its locks before the others give up waiting for them
TIMEOUTS = {"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "5s"}

_READ, _MINE = "space_id = (SELECT todo.space('read'))", "user_id = (SELECT todo.me())"
_WRITE = "space_id = (SELECT todo.space('tasks:write'))"
_HEARD, _SAID = f"{_READ} AND {_MINE}", f"space_id = (SELECT todo.space('chat')) AND {_MINE}"


def _own(scope: str) -> str:
    # what is a person's own is written in their own space, whose id is theirs
    return f"{_MINE} AND user_id = (SELECT todo.space('{scope}'))"


# Every rule is an equality on what the table's indexes begin with. A rule with an OR is only a filter, and then
# EXPLAIN ANALYZE counts what it removed: anybody with a login could look for names, one comparison at a time.
# Hence no rule for users (see the functions), and no table-wide DELETE, which would allow LOCK TABLE.
POLICIES: dict[tuple[str, str], str] = {
    ("schema", "SELECT"): "true",
    ("spaces", "SELECT"): "id = (SELECT todo.space('read'))",
    ("spaces", "UPDATE"): "id = (SELECT todo.space('write'))",
    ("members", "SELECT"): _MINE,
    ("tokens", "SELECT"): _MINE,
    ("tokens", "INSERT"): _own("tokens:write"),
    ("tokens", "UPDATE"): _own("tokens:write"),
    ("preferences", "SELECT"): _MINE,
    ("preferences", "INSERT"): _own("prefs:write"),
    ("preferences", "UPDATE"): _own("prefs:write"),
    ("tasks", "SELECT"): _READ,
    ("tasks", "INSERT"): _WRITE,
    ("tasks", "UPDATE"): _WRITE,
    ("task_tags", "SELECT"): _READ,
    ("task_tags", "INSERT"): _WRITE,
    ("links", "SELECT"): _READ,
    ("links", "INSERT"): _WRITE,
    ("comments", "SELECT"): _READ,
    ("comments", "INSERT"): f"{_WRITE} AND {_MINE}",
    ("comments", "UPDATE"): f"{_WRITE} AND {_MINE}",
    ("views", "SELECT"): f"{_READ} AND {_MINE}",
    ("views", "INSERT"): f"{_WRITE} AND {_MINE}",
    ("views", "UPDATE"): f"{_WRITE} AND {_MINE}",
    ("plans", "SELECT"): f"{_READ} AND {_MINE}",
    ("plans", "INSERT"): f"{_WRITE} AND {_MINE}",
    ("plans", "UPDATE"): f"{_WRITE} AND {_MINE}",
    **{(table, "SELECT"): _HEARD for table in ("conversations", "turns", "messages", "events")},
    **{(table, "INSERT"): _SAID for table in ("conversations", "turns", "messages", "events")},
    **{(table, "UPDATE"): _SAID for table in ("conversations", "turns")},
    ("usage", "SELECT"): _MINE,
    ("changes", "SELECT"): _READ,
    ("changes", "INSERT"): f"space_id = (SELECT todo.space('write')) AND {_MINE}",
}  # fmt: skip

ONLY_WHILE = {("tokens", "UPDATE"): "revoked_at IS NULL"}  # a revoked token stays so

GRANTS: dict[str, str] = {
    "schema": "SELECT",
    "spaces": "SELECT, UPDATE (next_number, seq, next_conversation)",
    "members": "SELECT",
    "tokens": "SELECT (user_id, id, name, scopes, kind, created_at, last_used_at, expires_at, revoked_at),"
              " INSERT (user_id, id, name, hash, scopes, expires_at), UPDATE (revoked_at)",
    "preferences": "SELECT, INSERT, UPDATE (timezone, model, tokens_per_day)",
    "tasks": "SELECT, INSERT, UPDATE (title, note, status, priority, project, due_on, due_at, updated_at,"
             " completed_at, deleted_at, rev, parent, defer_on, defer_at, scheduled_on, scheduled_at, started_at,"
             " tracked, series, occurrence, repeat, claimed_by, claim_token, claimed_until)",
    "task_tags": "SELECT, INSERT",
    "links": "SELECT, INSERT",
    "comments": "SELECT, INSERT (space_id, number, id, text), UPDATE (text, edited_at)",
    "views": "SELECT, INSERT (space_id, name, filter, sort), UPDATE (filter, sort)",
    "plans": "SELECT, INSERT (space_id, id, verb, arguments, targets, differences, expires_at),"
             " UPDATE (state, decided_at)",
    "conversations": "SELECT, INSERT (space_id, id, number, title, model, head, head_of),"
                     " UPDATE (title, model, seq, head, head_of, turn_id, updated_at, deleted_at)",
    "turns": "SELECT, INSERT (space_id, id, conversation_id, runner, lease_until, asked),"
             " UPDATE (state, attempt, runner, lease_until, last, stop, held, approved, events, usage, error, ended_at)",
    "messages": "SELECT, INSERT (space_id, conversation_id, seq, parent, parent_of, turn_id, attempt, role, status, content,"
                " calls, call_seq, call_index, reaches, tokens, model, usage)",
    "events": "SELECT, INSERT (space_id, turn_id, n, attempt, after, batch)",
    "usage": "SELECT",
    "changes": "SELECT, INSERT (space_id, seq, key, request_hash, verb, request, before, after, answer,"
               " undoes, redo, group_id, turn_id)",
}  # fmt: skip

FUNCTIONS: dict[str, str] = {
    "me()": CLIENTS,
    "token()": CLIENTS,
    "way()": CLIENTS,
    "space(text)": CLIENTS,
    "count_request(uuid, int)": "",
    "enter(int, text, uuid, uuid, text, boolean, text)": CLIENTS,
    "count_failure(uuid, text)": "todo_server",
    "people()": CLIENTS,
    "my_spaces()": CLIENTS,
    "untag(bigint[], text[])": CLIENTS,
    "unlink(bigint[], bigint[])": CLIENTS,
    "words_of(text)": "",
    "keep_new_words()": "",
    "keep_words()": "",
    "keep_comment_words()": "",
    "mistyped(text)": "",
    "meant(uuid, text[], boolean)": "",
    "find(text, int, text, boolean)": CLIENTS,
    "uncomment(bigint, uuid)": CLIENTS,
    "forget_events(uuid)": CLIENTS,
    "forget_view(text)": CLIENTS,
    "choose_view(text)": CLIENTS,
    "said_words(uuid, uuid, text, text)": CLIENTS,
    "find_said(text, int, bigint, text[], timestamp with time zone, timestamp with time zone, boolean)": CLIENTS,
    "today_of(uuid)": "",
    "keep_usage()": "",
    "budget()": CLIENTS,
    "take_in(uuid, text, text, timestamp with time zone, bigint, jsonb)": CLIENTS,
    "make_user(uuid, text, boolean, uuid, bytea, text)": "",
    "is_admin()": "",
    "add_user(uuid, text, boolean, uuid, bytea, text)": CLIENTS,
    "list_users()": CLIENTS,
    "disable_user(text, boolean)": CLIENTS,
    "set_budget(text, bigint)": CLIENTS,
}


def role(name: str) -> str:
    """Make a role, unless there is one."""
    # another database of this cluster may be making the same role at this instant
    return (
        f"DO $$ BEGIN CREATE ROLE {name} {'LOGIN' if name in ('todo_server', 'todo_worker') else 'NOLOGIN'};"
        f" EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )


def timeouts(role: str) -> str:
    """Bounds for a service's statements in this database."""
    settings = " ".join(
        f"EXECUTE format('ALTER ROLE {role} IN DATABASE %I SET {name} = %L', current_database(), '{value}');"
        for name, value in TIMEOUTS.items()
    )
    return f"DO $$ BEGIN {settings} END $$"


def policies(tables: list[str]) -> list[str]:
    """Row-level security on every table, then the policies and grants."""
    made = []
    for table in tables:
        made.append(f"ALTER TABLE todo.{table} ENABLE ROW LEVEL SECURITY")
        made.append(f"CREATE POLICY auth ON todo.{table} TO todo_auth USING (true) WITH CHECK (true)")
        made.append(f"GRANT SELECT, INSERT, UPDATE, DELETE ON todo.{table} TO todo_auth")
    for (name, command), rule in POLICIES.items():
        before = ONLY_WHILE.get((name, command))
        form = {
            "INSERT": f"WITH CHECK ({rule})",
            "UPDATE": f"USING ({rule}{f' AND {before}' if before else ''}) WITH CHECK ({rule})",
        }
        made.append(
            f"CREATE POLICY may_{command.lower()} ON todo.{name} FOR {command} TO {CLIENTS} "
            + form.get(command, f"USING ({rule})")
        )
    return made + [f"GRANT {rights} ON todo.{name} TO {CLIENTS}" for name, rights in GRANTS.items()]


def ownership() -> list[str]:
    """Every function is todo_auth's, and only its callers may call it."""
    made = ["GRANT CREATE ON SCHEMA todo TO todo_auth"]
    for function, callers in FUNCTIONS.items():
        made.append(f"ALTER FUNCTION todo.{function} OWNER TO todo_auth")
        made.append(f"REVOKE ALL ON FUNCTION todo.{function} FROM PUBLIC")
        if callers:
            made.append(f"GRANT EXECUTE ON FUNCTION todo.{function} TO {callers}")
    return [*made, "REVOKE CREATE ON SCHEMA todo FROM todo_auth"]
