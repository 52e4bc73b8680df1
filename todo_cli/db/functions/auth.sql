-- Sign-in. Clients may SET anything, so nothing that they set is believed: policies and functions
-- look up the token again. Every function here and in the other files is owned by todo_auth, a role
-- without a login.

-- name: current_user_id
-- The user of this transaction's token; null without a valid token.
CREATE FUNCTION todo.current_user_id() RETURNS uuid LANGUAGE plpgsql STABLE
SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result uuid;
BEGIN
  SELECT t.user_id INTO result
    FROM todo.tokens t
    JOIN todo.users u ON u.id = t.user_id
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'))
     AND t.revoked_at IS NULL
     AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
     AND u.disabled_at IS NULL
     AND (pg_has_role(session_user, 'todo_server', 'MEMBER')
          OR (u.login = session_user AND 'all' = ANY (t.scopes)));
  RETURN result;
END $$;

-- name: current_token_id
-- The id of this transaction's token, for the journal's own columns: of an acting token the id of
-- the token that it acts for.
CREATE FUNCTION todo.current_token_id() RETURNS uuid LANGUAGE plpgsql STABLE
SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result uuid;
BEGIN
  SELECT CASE t.kind WHEN 'acting' THEN t.parent ELSE t.id END INTO result
    FROM todo.tokens t
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'));
  RETURN result;
END $$;

-- name: current_way
-- The way in, for the journal: the name that the server gives, always 'direct' for a person's own
-- login.
CREATE FUNCTION todo.current_way() RETURNS text LANGUAGE plpgsql STABLE
SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_has_role(session_user, 'todo_server', 'MEMBER') THEN
    RETURN coalesce(nullif(current_setting('app.way', true), ''), 'server');
  END IF;
  RETURN 'direct';
END $$;

-- name: current_space
-- The space of this transaction if its token has the permission there, else null; null for a token
-- with limits, which has limited_space(). Permissions: 'read' (any member with any token),
-- 'read:chat' (any member whose token has the scope chat), 'write' (a token with more than read, no
-- viewer), 'comment' (a token that may change tasks, no viewer), or a scope (a token that has it,
-- of an editor or owner).
CREATE FUNCTION todo.current_space(p_permission text) RETURNS uuid LANGUAGE plpgsql STABLE
SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result uuid;
BEGIN
  SELECT m.space_id INTO result
    FROM todo.tokens t
    JOIN todo.users u ON u.id = t.user_id
    JOIN todo.members m ON m.user_id = t.user_id
     AND m.space_id = nullif(current_setting('app.space', true), '')::uuid
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'))
     AND t.revoked_at IS NULL
     AND t.reach IS NULL
     AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
     AND u.disabled_at IS NULL
     AND CASE p_permission
           WHEN 'read' THEN true
           WHEN 'read:chat' THEN t.scopes && '{chat,all}'
           WHEN 'write' THEN m.role <> 'viewer' AND NOT t.scopes <@ '{read}'
           WHEN 'comment' THEN m.role <> 'viewer' AND t.scopes && '{tasks:write,all}'
           ELSE m.role IN ('editor', 'owner') AND t.scopes && ARRAY[p_permission, 'all']
         END
     AND (pg_has_role(session_user, 'todo_server', 'MEMBER')
          OR (u.login = session_user AND 'all' = ANY (t.scopes)));
  RETURN result;
END $$;

-- name: enter
-- Sign in: the first statement of every request's transaction. It refuses the request, slides a
-- session's expiry, locks the space of a write, and sets the token and the space for the policies
-- of this transaction. For a read it sets app.version too. Return the role that the rest of the
-- transaction must have: that of a token with limits, else null.
CREATE FUNCTION todo.enter(
  p_schema int, p_token text, p_user uuid, p_space uuid, p_scope text, p_write boolean, p_way text,
  p_verb text, p_knows_limits boolean
) RETURNS text LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  release record;
  t record;
  is_server boolean := pg_has_role(session_user, 'todo_server', 'MEMBER');
  moment timestamptz := clock_timestamp();
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
         k.reach, k.verbs, k.proposes, k.filter, k.per_minute AS token_per_minute,
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
            HINT = CASE WHEN t.reach IS NOT NULL
              THEN 'a token with limits works through a server, and not in the chat'
              ELSE 'direct access needs the person''s own login and a token of scope all;'
                || ' narrower ones need a server' END;
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
  IF p_write AND t.role = 'commenter'
     AND coalesce(p_verb, '') <> ALL ('{AddComment,EditComment,RemoveComment}') THEN
    RAISE EXCEPTION 'a commenter can only comment in this space' USING ERRCODE = 'TD403';
  END IF;

  IF t.reach IS NOT NULL THEN
    IF p_verb IS NULL THEN
      RAISE EXCEPTION 'this server is too old for a token with limits'
        USING ERRCODE = 'TD403', HINT = 'its operator upgrades it';
    END IF;
    IF p_scope NOT IN ('any', 'read') THEN
      -- A plan is checked by the verb of the planned change.
      IF p_verb <> ALL (t.verbs) AND p_verb <> ALL ('{MakePlan,ApplyPlan,RefusePlan}') THEN
        RAISE EXCEPTION 'the token may not run %', p_verb USING ERRCODE = 'TD403',
          HINT = format('it may run: %s', array_to_string(t.verbs, ', '));
      END IF;
      IF NOT p_knows_limits THEN
        RAISE EXCEPTION 'the token has limits' USING ERRCODE = 'TD001', DETAIL = json_build_object(
          'filter', t.filter, 'reach', t.reach, 'proposes', t.proposes)::text;
      END IF;
    END IF;
  END IF;
  IF t.token_per_minute IS NOT NULL AND is_server AND p_way IS DISTINCT FROM 'chat'
     AND p_verb <> ALL ('{WhoAmI,ReadVersion}')
     AND current_setting('app.token', true) IS DISTINCT FROM p_token THEN
    PERFORM todo.count_token_request(p_user, t.id, p_write);
  END IF;

  -- Newer servers call limit_request() in front. The steps of a turn belong to a counted request.
  IF p_schema < 11 AND is_server AND p_way IS DISTINCT FROM 'chat' THEN
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
  ELSIF is_server AND t.reach IS NULL THEN
    -- An answer about tasks holds until the next change, and until the next moment at which a task
    -- becomes due, or its claim, its deferral or its schedule ends.
    PERFORM set_config('app.version', (
      SELECT s.seq || ' ' || least(
               (SELECT min(k.due_sort) FROM todo.tasks k
                 WHERE k.space_id = p_space AND k.status = 'open' AND k.due_sort > moment),
               (SELECT min(k.claimed_until) FROM todo.tasks k
                 WHERE k.space_id = p_space AND k.claimed_until > moment),
               (SELECT min(k.defer_at) FROM todo.tasks k
                 WHERE k.space_id = p_space AND k.status = 'open' AND k.defer_at > moment),
               (SELECT min(k.scheduled_at) FROM todo.tasks k
                 WHERE k.space_id = p_space AND k.scheduled_at > moment),
               'infinity')
        FROM todo.spaces s
       WHERE s.id = p_space), true);
  END IF;
  RETURN CASE WHEN t.reach IS NOT NULL THEN 'todo_limited' END;
END $$;

-- name: enter_without_limits
-- For clients before schema 20, which know no limits of tokens.
CREATE FUNCTION todo.enter(
  p_schema int, p_token text, p_user uuid, p_space uuid, p_scope text, p_write boolean, p_way text
) RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT todo.enter(p_schema, p_token, p_user, p_space, p_scope, p_write, p_way, NULL, false)
$$;
