-- name: end_idle_sessions
-- End direct logins' sessions that hold locks in a transaction and have been idle for so long, or
-- have had the transaction open for a minute. A direct login can lift its own time limits, and this
-- one it cannot. todo_auth is a member of the logins, so that it may end their sessions.
CREATE FUNCTION todo.end_idle_sessions(p_idle interval) RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT pg_terminate_backend(a.pid)
    FROM pg_stat_activity a
    JOIN pg_auth_members m ON m.member = a.usesysid AND m.roleid = to_regrole('todo_person')
   WHERE a.datname = current_database()
     AND a.pid <> pg_backend_pid()
     AND a.backend_xid IS NOT NULL
     AND pg_has_role(a.usesysid, 'USAGE')
     AND (a.state LIKE 'idle in transaction%' AND a.state_change < clock_timestamp() - p_idle
          OR a.xact_start < clock_timestamp() - interval '1 minute')
$$;
