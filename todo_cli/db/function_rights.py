"""Which roles may call each function of the database."""

from __future__ import annotations

CLIENTS = "todo_server, todo_worker, todo_person"
SERVICES = "todo_server, todo_worker"

_INTERNAL = ""  # only other functions and triggers call it

# Each function and procedure with the roles that may call it.
FUNCTIONS: dict[str, str] = {
    "current_user_id()": CLIENTS,
    "current_token_id()": CLIENTS,
    "current_way()": CLIENTS,
    "current_space(text)": CLIENTS,
    "enter(int, text, uuid, uuid, text, boolean, text)": CLIENTS,
    "record_request(uuid, text)": "todo_server",
    "limit_request(uuid, text, text)": "todo_server",
    "read_limits(uuid)": "todo_server",
    "count_request(uuid, int)": _INTERNAL,
    "count_refused_request(uuid)": "todo_server",
    "count_failure(uuid, text)": "todo_server",
    "end_idle_sessions(interval)": _INTERNAL,
    "bound_token_expiry()": _INTERNAL,
    "insert_acting_token(uuid, uuid, text, text, bytea)": _INTERNAL,
    "act_for(uuid, uuid, uuid, int, bytea)": SERVICES,
    "find_unfinished_turns(int)": SERVICES,
    "expire_acting_tokens()": _INTERNAL,
    "revoke_child_tokens()": _INTERNAL,
    "advance_task_number()": _INTERNAL,
    "advance_seq()": _INTERNAL,
    "number_conversation()": _INTERNAL,
    "bound_turn_lease()": _INTERNAL,
    "bound_claim_lease()": _INTERNAL,
    "keep_expired_token()": _INTERNAL,
    "count_attempt(text, int, interval)": _INTERNAL,
    "return_attempt(text)": _INTERNAL,
    "delete_old_attempts()": _INTERNAL,
    "begin_sign_in(text, text)": "todo_server",
    "return_sign_in(text, text)": _INTERNAL,
    "insert_session(uuid, text, text, text, uuid)": _INTERNAL,
    "open_session(text, text, text, text, text)": "todo_server",
    "renew_hash(text, text, text)": "todo_server",
    "end_sessions(uuid, uuid)": _INTERNAL,
    "end_current_session()": CLIENTS,
    "revoke_sessions(text)": CLIENTS,
    "current_full_user()": _INTERNAL,
    "begin_password_change()": "todo_server",
    "change_password(text, text[], text)": "todo_server",
    "create_reset_code(text, bytea, text)": CLIENTS,
    "reset_password(text, text, bytea, text, text)": "todo_server",
    "create_invitation(uuid, bytea, text, timestamp with time zone)": CLIENTS,
    "list_invitations()": CLIENTS,
    "delete_invitation(uuid)": CLIENTS,
    "begin_registration(text)": "todo_server",
    "register_user(uuid, text, text, text, text, uuid, bytea)": "todo_server",
    "start_device(bytea, text, text, text)": "todo_server",
    "find_device(text)": CLIENTS,
    "decide_device(text, boolean)": CLIENTS,
    "poll_device(text)": "todo_server",
    "space_members()": CLIENTS,
    "user_spaces()": CLIENTS,
    "create_user(uuid, text, boolean, uuid, bytea, text)": _INTERNAL,
    "is_admin()": _INTERNAL,
    "add_user(uuid, text, boolean, uuid, bytea, text)": CLIENTS,
    "list_users()": CLIENTS,
    "disable_user(text, boolean)": CLIENTS,
    "remove_tags(bigint[], text[])": CLIENTS,
    "remove_links(bigint[], bigint[])": CLIENTS,
    "delete_comment(bigint, uuid)": CLIENTS,
    "start_upload(bigint, uuid, text, text, bigint, bytea, text)": CLIENTS,
    "lock_upload(bigint, uuid)": CLIENTS,
    "store_chunk(bigint, uuid, int, bytea)": CLIENTS,
    "verify_upload(bigint, uuid, uuid)": CLIENTS,
    "reset_upload(bigint, uuid)": CLIENTS,
    "note_unused_files()": _INTERNAL,
    "sweep_attachments(interval, boolean, int)": "todo_server, todo_worker",
    "finish_sweep(uuid[], uuid[])": "todo_server, todo_worker",
    "delete_view(text)": CLIENTS,
    "set_default_view(text)": CLIENTS,
    "fold_text(text)": CLIENTS,
    "sort_key(text)": CLIENTS,
    "search_words(text)": _INTERNAL,
    "index_new_tasks()": _INTERNAL,
    "index_changed_task()": _INTERNAL,
    "index_comment()": _INTERNAL,
    "typo_pattern(text)": _INTERNAL,
    "match_words(uuid, text[], boolean)": _INTERNAL,
    "find_tasks(text, int, text[], boolean)": CLIENTS,
    "search_tasks(text, int, text, boolean)": CLIENTS,
    "message_words(uuid, uuid, text, text)": CLIENTS,
    "search_messages(text, int, bigint, text[], timestamp with time zone, timestamp with time zone, boolean)": CLIENTS,
    "delete_turn_events(uuid)": CLIENTS,
    "import_messages(uuid, text, text, timestamp with time zone, bigint, jsonb)": CLIENTS,
    "user_today(uuid)": _INTERNAL,
    "record_usage()": _INTERNAL,
    "token_budget()": CLIENTS,
    "set_token_budget(text, bigint)": CLIENTS,
}


def grant_functions() -> list[str]:
    """Return the statements that give every function to todo_auth and open it to its callers alone."""
    result = ["GRANT CREATE ON SCHEMA todo TO todo_auth"]
    for function, callers in FUNCTIONS.items():
        result.append(f"ALTER ROUTINE todo.{function} OWNER TO todo_auth")
        result.append(f"REVOKE ALL ON ROUTINE todo.{function} FROM PUBLIC")
        if callers:
            result.append(f"GRANT EXECUTE ON ROUTINE todo.{function} TO {callers}")
    return [*result, "REVOKE CREATE ON SCHEMA todo FROM todo_auth"]
