-- The counters of a space change only with the rows that they number, by triggers. Servers of
-- earlier versions set them themselves, and are refused.

GRANT CREATE ON SCHEMA todo TO todo_auth;
SET LOCAL check_function_bodies = off;

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

-- Trigger: let the numbers of inserted tasks follow the space's counter, and advance it.
CREATE FUNCTION todo.advance_task_number() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  added record;
BEGIN
  FOR added IN
    SELECT space_id, min(number) AS first, max(number) AS last, count(*) AS total
      FROM inserted_tasks GROUP BY space_id
  LOOP
    UPDATE todo.spaces s SET next_number = s.next_number + added.total
     WHERE s.id = added.space_id AND s.next_number = added.first
       AND added.last - added.first + 1 = added.total;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the numbers of new tasks must follow the last one of the space'
        USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- Trigger: let the seqs of inserted changes follow the space's counter, and advance it.
CREATE FUNCTION todo.advance_seq() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  added record;
BEGIN
  FOR added IN
    SELECT space_id, min(seq) AS first, max(seq) AS last, count(*) AS total
      FROM inserted_changes GROUP BY space_id
  LOOP
    UPDATE todo.spaces s SET seq = added.last
     WHERE s.id = added.space_id AND s.seq = added.first - 1
       AND added.last - added.first + 1 = added.total;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the seqs of new changes must follow the last one of the space'
        USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- Trigger: give a new conversation the space's next number.
CREATE FUNCTION todo.number_conversation() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE todo.spaces SET next_conversation = next_conversation + 1
   WHERE id = NEW.space_id RETURNING next_conversation - 1 INTO NEW.number;
  RETURN NEW;
END $$;

-- Sign in: the first statement of every request. It refuses or counts the request, slides a
-- session's expiry, locks the space of a write, and sets the token and the space for the policies
-- of this transaction.
CREATE OR REPLACE FUNCTION todo.enter(
  p_schema int, p_token text, p_user uuid, p_space uuid, p_scope text, p_write boolean, p_way text
) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  release record;
  t record;
  is_server boolean := pg_has_role(session_user, 'todo_server', 'MEMBER');
BEGIN
  SELECT version, oldest INTO release FROM todo.schema;
  IF p_schema IS NULL OR p_schema < release.oldest THEN
    RAISE EXCEPTION
      'this todo is too old for the database (it speaks schema %, the database serves % to %)',
      p_schema, release.oldest, release.version
      USING ERRCODE = 'TD503', HINT = 'upgrade todo on this machine';
  END IF;
  IF p_schema > release.version THEN
    RAISE EXCEPTION 'the database is older than this todo (it has schema %, % is needed)',
      release.version, p_schema
      USING ERRCODE = 'TD503', HINT = 'its operator runs: todo db migrate';
  END IF;

  SELECT k.id, k.scopes, k.kind, k.expires_at, k.last_used_at,
         u.login, u.admin, u.per_minute, m.role
    INTO t
    FROM todo.tokens k
    JOIN todo.users u ON u.id = k.user_id
    LEFT JOIN todo.members m ON m.user_id = k.user_id AND m.space_id = p_space
   WHERE k.user_id = p_user
     AND k.hash = sha256(convert_to(p_token, 'UTF8'))
     AND k.revoked_at IS NULL
     AND u.disabled_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the token is not known here, or was revoked' USING ERRCODE = 'TD401';
  END IF;
  IF t.expires_at <= clock_timestamp() THEN
    RAISE EXCEPTION 'the token has expired' USING ERRCODE = 'TD401';
  END IF;
  IF NOT is_server
     AND (t.login IS DISTINCT FROM session_user::text OR NOT 'all' = ANY (t.scopes)) THEN
    RAISE EXCEPTION 'this token cannot be used directly on the database'
      USING ERRCODE = 'TD403',
            HINT = 'direct access needs the person''s own login and a token of scope all;'
              || ' narrower ones need a server';
  END IF;
  IF p_scope IS NOT DISTINCT FROM 'admin' AND NOT t.admin THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  IF p_scope IS DISTINCT FROM 'any' AND NOT t.scopes && ARRAY[p_scope, 'all'] THEN
    RAISE EXCEPTION 'the token lacks the scope %', p_scope
      USING ERRCODE = 'TD403', HINT = 'make one that has it with: todo token create --scopes';
  END IF;
  IF t.role IS NULL THEN
    RAISE EXCEPTION 'no such space, or you are not a member of it'
      USING ERRCODE = 'TD403', HINT = 'see yours with: todo space list';
  END IF;
  IF p_write AND t.role = 'viewer' THEN
    RAISE EXCEPTION 'a viewer cannot change this space' USING ERRCODE = 'TD403';
  END IF;

  -- the steps of a turn belong to the request that started it, which was counted
  IF is_server AND p_way IS DISTINCT FROM 'chat' THEN
    PERFORM todo.count_request(p_user, t.per_minute);
  END IF;
  IF t.last_used_at IS NULL OR t.last_used_at < clock_timestamp() - interval '1 minute'
     OR (t.kind = 'session' AND t.expires_at < clock_timestamp() + interval '6 days') THEN
    UPDATE todo.tokens k
       SET last_used_at = clock_timestamp(),
           expires_at = CASE
             WHEN k.kind = 'session' AND k.expires_at < clock_timestamp() + interval '6 days'
             THEN clock_timestamp() + interval '7 days'
             ELSE k.expires_at
           END
     WHERE k.user_id = p_user
       AND k.id = (SELECT s.id FROM todo.tokens s WHERE s.user_id = p_user AND s.id = t.id
                      FOR NO KEY UPDATE SKIP LOCKED);
    PERFORM todo.end_idle_sessions('30 seconds');
  END IF;
  PERFORM set_config('app.token', p_token, true),
          set_config('app.user', p_user::text, true),
          set_config('app.space', p_space::text, true),
          set_config('app.way', p_way, true),
          -- to_json() writes timestamps in the session's zone
          set_config('TimeZone', 'UTC', true);
  IF p_write THEN
    PERFORM 1 FROM todo.spaces WHERE id = p_space FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
      PERFORM todo.end_idle_sessions('5 seconds');
      PERFORM 1 FROM todo.spaces WHERE id = p_space FOR NO KEY UPDATE;
    END IF;
  END IF;
END $$;

-- Store messages of an exported conversation after its first p_first messages; those that are
-- stored already stay as they are. A function, since clients may not set the time of a message. All
-- imported turns have ended.
CREATE OR REPLACE FUNCTION todo.import_messages(
  p_id uuid, p_title text, p_model text, p_at timestamptz, p_first bigint, p_rows jsonb
) RETURNS TABLE (number bigint, stored bigint, deleted boolean) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  space uuid := todo.current_space('chat');
  caller uuid := todo.current_user_id();
  last_seq bigint := p_first + jsonb_array_length(p_rows);
  new_number bigint;
  conversation record;
BEGIN
  IF space IS NULL OR caller IS NULL THEN
    RAISE EXCEPTION 'the token lacks the scope chat' USING ERRCODE = 'TD403';
  END IF;
  SELECT c.number, c.seq, c.deleted_at,
         coalesce((SELECT m.attempt FROM todo.messages m
                    WHERE m.space_id = c.space_id AND m.user_id = c.user_id
                      AND m.conversation_id = c.id AND m.seq = c.seq), 0) AS attempt
    INTO conversation
    FROM todo.conversations c
   WHERE c.space_id = space AND c.user_id = caller AND c.id = p_id
     FOR NO KEY UPDATE OF c;
  IF NOT FOUND THEN
    IF p_first > 0 THEN
      RAISE EXCEPTION 'an earlier part is missing'
        USING ERRCODE = 'TD409', HINT = 'begin with the first';
    END IF;
    INSERT INTO todo.conversations (space_id, user_id, id, title, model, created_at)
    VALUES (space, caller, p_id, p_title, p_model, p_at)
    RETURNING number INTO new_number;
    SELECT new_number AS number, 0::bigint AS seq, NULL::timestamptz AS deleted_at, 0 AS attempt
      INTO conversation;
  END IF;
  IF conversation.seq < p_first THEN
    RAISE EXCEPTION 'an earlier part is missing'
      USING ERRCODE = 'TD409', HINT = 'begin with the first';
  END IF;
  IF conversation.seq < last_seq THEN
    IF conversation.attempt > 0 THEN
      RAISE EXCEPTION 'the conversation has gone on since' USING ERRCODE = 'TD409';
    END IF;
    INSERT INTO todo.messages (
        space_id, user_id, conversation_id, seq, parent, turn_id, attempt, role, status, content,
        calls, call_seq, call_index, tokens, model, usage, at)
    SELECT space, caller, p_id, message.seq, nullif(message.seq - 1, 0), (r ->> 'turn')::uuid, 0,
           r ->> 'role', r ->> 'status', r ->> 'content',
           r -> 'calls', (r ->> 'call_seq')::bigint, (r ->> 'call_index')::int,
           (r ->> 'tokens')::int, r ->> 'model', r -> 'usage', (r ->> 'at')::timestamptz
      FROM (
        SELECT r, p_first + ordinal AS seq
          FROM jsonb_array_elements(p_rows) WITH ORDINALITY AS element(r, ordinal)
      ) AS message
     WHERE message.seq > conversation.seq;
    INSERT INTO todo.turns AS t (
        space_id, user_id, id, conversation_id, state, runner, lease_until,
        asked, last, began_at, ended_at)
    SELECT space, caller, m.turn_id, p_id, 'done', p_id, max(m.at),
           min(m.seq), max(m.seq), min(m.at), max(m.at)
      FROM todo.messages m
     WHERE m.space_id = space AND m.user_id = caller AND m.conversation_id = p_id
       AND m.seq > conversation.seq AND m.seq <= last_seq
     GROUP BY m.turn_id
    ON CONFLICT (space_id, user_id, id) DO UPDATE
       SET last = excluded.last, ended_at = excluded.ended_at
     WHERE t.conversation_id = p_id;
    UPDATE todo.conversations c
       SET seq = m.seq, head = m.seq, turn_id = m.turn_id, updated_at = m.at
      FROM todo.messages m
     WHERE c.space_id = space AND c.user_id = caller AND c.id = p_id
       AND m.space_id = space AND m.user_id = caller
       AND m.conversation_id = p_id AND m.seq = last_seq;
  END IF;
  RETURN QUERY
  SELECT conversation.number,
         greatest(last_seq - conversation.seq, 0),
         conversation.deleted_at IS NOT NULL;
END $$;

ALTER FUNCTION todo.end_idle_sessions(interval) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.end_idle_sessions(interval) FROM PUBLIC;
ALTER FUNCTION todo.advance_task_number() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.advance_task_number() FROM PUBLIC;
ALTER FUNCTION todo.advance_seq() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.advance_seq() FROM PUBLIC;
ALTER FUNCTION todo.number_conversation() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.number_conversation() FROM PUBLIC;

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

CREATE TRIGGER tasks_numbered AFTER INSERT ON todo.tasks
  REFERENCING NEW TABLE AS inserted_tasks FOR EACH STATEMENT
  EXECUTE FUNCTION todo.advance_task_number();

CREATE TRIGGER changes_numbered AFTER INSERT ON todo.changes
  REFERENCING NEW TABLE AS inserted_changes FOR EACH STATEMENT
  EXECUTE FUNCTION todo.advance_seq();

CREATE TRIGGER conversations_numbered BEFORE INSERT ON todo.conversations FOR EACH ROW
  EXECUTE FUNCTION todo.number_conversation();

DROP POLICY may_update ON todo.spaces;

REVOKE UPDATE (next_number, seq, next_conversation) ON todo.spaces
  FROM todo_server, todo_worker, todo_person;

REVOKE INSERT (number) ON todo.conversations FROM todo_server, todo_worker, todo_person;

-- Each login of a user: a limit of connections, and todo_auth may end its sessions.
DO $$
DECLARE
  login record;
BEGIN
  FOR login IN
    SELECT r.oid::regrole AS name FROM todo.users u JOIN pg_roles r ON r.rolname = u.login
  LOOP
    EXECUTE format('ALTER ROLE %s CONNECTION LIMIT 20', login.name);
    EXECUTE format('GRANT %s TO todo_auth', login.name);
  END LOOP;
END $$;

UPDATE todo.schema SET version = 7, oldest = 7;
