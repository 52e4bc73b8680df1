-- What runs with more rights than its caller. All are owned by todo_auth, which nobody can log in as.

-- The user of this transaction's token. Nothing a client can SET is trusted: the token is looked up each time.
CREATE FUNCTION todo.me() RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
DECLARE found uuid;
BEGIN
  SELECT t.user_id INTO found FROM todo.tokens t JOIN todo.users u ON u.id = t.user_id
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'))
     AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
     AND u.disabled_at IS NULL
     AND (pg_has_role(session_user, 'todo_server', 'MEMBER') OR (u.login = session_user AND 'all' = ANY (t.scopes)));
  RETURN found;
END $$;

-- The token itself, for the journal's own columns.
CREATE FUNCTION todo.token() RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
DECLARE found uuid;
BEGIN
  SELECT t.id INTO found FROM todo.tokens t
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'));
  RETURN found;
END $$;

-- The way in: what the server says of itself; a person's own login is always 'direct'.
CREATE FUNCTION todo.way() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_has_role(session_user, 'todo_server', 'MEMBER') THEN
    RETURN coalesce(nullif(current_setting('app.way', true), ''), 'server');
  END IF;
  RETURN 'direct';
END $$;

-- The space of this transaction, if its token reaches there; need: 'read' (any scope sees), 'write' (any scope but
-- 'read' changes something) or a scope.
CREATE FUNCTION todo.space(need text) RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
DECLARE found uuid;
BEGIN
  SELECT m.space_id INTO found FROM todo.tokens t
    JOIN todo.users u ON u.id = t.user_id
    JOIN todo.members m ON m.user_id = t.user_id AND m.space_id = nullif(current_setting('app.space', true), '')::uuid
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'))
     AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
     AND u.disabled_at IS NULL
     AND (need = 'read' OR (m.role <> 'viewer'
          AND CASE need WHEN 'write' THEN NOT t.scopes <@ ARRAY['read'] ELSE t.scopes && ARRAY[need, 'all'] END))
     AND (pg_has_role(session_user, 'todo_server', 'MEMBER') OR (u.login = session_user AND 'all' = ANY (t.scopes)));
  RETURN found;
END $$;

-- Count one request of a user in a sliding minute. A user has as many slots as requests ever ran at once: each takes
-- one that nobody holds, or makes one, so that none waits for another, a read never for a slow write. Requests that run
-- at once do not see each other: the limit may be passed by as many. A refusal raises, which undoes its own count.
CREATE FUNCTION todo.count_request(p_user uuid, p_limit int) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  moment float8 := extract(epoch FROM clock_timestamp()) / 60;
  this bigint := floor(moment);
  now_hits bigint; then_hits bigint;
BEGIN
  SELECT coalesce(sum(hits) FILTER (WHERE minute = this), 0),
         coalesce(sum(CASE minute WHEN this THEN before WHEN this - 1 THEN hits ELSE 0 END), 0)
    INTO now_hits, then_hits FROM todo.buckets WHERE user_id = p_user;
  IF now_hits + then_hits * (1 - (moment - this)) >= p_limit THEN
    RAISE EXCEPTION 'more than % requests in a minute', p_limit USING ERRCODE = 'TD429',
      DETAIL = json_build_object('retry_after', CASE WHEN now_hits >= p_limit THEN ceil((1 - (moment - this)) * 60)
        ELSE greatest(1, ceil((now_hits + then_hits * (1 - (moment - this)) - p_limit + 1) / then_hits * 60)) END)::text;
  END IF;
  UPDATE todo.buckets SET hits = CASE minute WHEN this THEN hits ELSE 0 END + 1, minute = this,
         before = CASE minute WHEN this THEN before WHEN this - 1 THEN hits ELSE 0 END
   WHERE user_id = p_user AND slot = (SELECT slot FROM todo.buckets WHERE user_id = p_user ORDER BY slot LIMIT 1
                                      FOR NO KEY UPDATE SKIP LOCKED);
  IF NOT FOUND THEN
    INSERT INTO todo.buckets VALUES (p_user, floor(random() * 2147483647)::int, this, 1, 0) ON CONFLICT DO NOTHING;
  END IF;
END $$;

-- Sign in: every request's first statement. It refuses, counts, locks a write's space, and leaves the token and the
-- space for this transaction's policies to look up again.
CREATE FUNCTION todo.enter(p_schema int, p_token text, p_user uuid, p_space uuid, p_scope text, p_write boolean,
                           p_way text) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE v record; t record; served boolean := pg_has_role(session_user, 'todo_server', 'MEMBER');
BEGIN
  SELECT version, oldest INTO v FROM todo.schema;
  IF p_schema IS NULL OR p_schema < v.oldest THEN
    RAISE EXCEPTION 'this todo is too old for the database (it speaks schema %, the database serves % to %)', p_schema, v.oldest, v.version
      USING ERRCODE = 'TD503', HINT = 'upgrade todo on this machine'; END IF;
  IF p_schema > v.version THEN
    RAISE EXCEPTION 'the database is older than this todo (it has schema %, % is needed)', v.version, p_schema
      USING ERRCODE = 'TD503', HINT = 'its operator runs: todo db migrate'; END IF;
  SELECT k.id, k.scopes, k.kind, k.expires_at, k.last_used_at, u.login, u.admin, u.per_minute, m.role INTO t
    FROM todo.tokens k JOIN todo.users u ON u.id = k.user_id
    LEFT JOIN todo.members m ON m.user_id = k.user_id AND m.space_id = p_space
   WHERE k.user_id = p_user AND k.hash = sha256(convert_to(p_token, 'UTF8')) AND k.revoked_at IS NULL AND u.disabled_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the token is not known here, or was revoked' USING ERRCODE = 'TD401'; END IF;
  IF t.expires_at <= clock_timestamp() THEN
    RAISE EXCEPTION 'the token has expired' USING ERRCODE = 'TD401'; END IF;
  IF NOT served AND (t.login IS DISTINCT FROM session_user::text OR NOT 'all' = ANY (t.scopes)) THEN
    RAISE EXCEPTION 'this token cannot be used directly on the database' USING ERRCODE = 'TD403',
      HINT = 'direct access needs the person''s own login and a token of scope all; narrower ones need a server'; END IF;
  IF p_scope IS NOT DISTINCT FROM 'admin' AND NOT t.admin THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403'; END IF;
  IF p_scope IS DISTINCT FROM 'any' AND NOT t.scopes && ARRAY[p_scope, 'all'] THEN
    RAISE EXCEPTION 'the token lacks the scope %', p_scope USING ERRCODE = 'TD403',
      HINT = 'make one that has it with: todo token create --scopes'; END IF;
  IF t.role IS NULL THEN
    RAISE EXCEPTION 'no such space, or you are not a member of it' USING ERRCODE = 'TD403',
      HINT = 'see yours with: todo space list'; END IF;
  IF p_write AND t.role = 'viewer' THEN
    RAISE EXCEPTION 'a viewer cannot change this space' USING ERRCODE = 'TD403'; END IF;
  -- the steps of a turn are one request: a person's, which was counted when it came
  IF served AND p_way IS DISTINCT FROM 'chat' THEN PERFORM todo.count_request(p_user, t.per_minute); END IF;
  IF t.last_used_at IS NULL OR t.last_used_at < clock_timestamp() - interval '1 minute'
     OR (t.kind = 'session' AND t.expires_at < clock_timestamp() + interval '6 days') THEN
    UPDATE todo.tokens k SET last_used_at = clock_timestamp(),
           expires_at = CASE WHEN k.kind = 'session' AND k.expires_at < clock_timestamp() + interval '6 days'
                             THEN clock_timestamp() + interval '7 days' ELSE k.expires_at END
     WHERE k.user_id = p_user AND k.id = (SELECT s.id FROM todo.tokens s WHERE s.user_id = p_user AND s.id = t.id
                                          FOR NO KEY UPDATE SKIP LOCKED);
  END IF;
  PERFORM set_config('app.token', p_token, true), set_config('app.user', p_user::text, true),
          set_config('app.space', p_space::text, true), set_config('app.way', p_way, true),
          set_config('TimeZone', 'UTC', true);  -- to_json() writes timestamps in the session's zone
  IF p_write THEN PERFORM 1 FROM todo.spaces WHERE id = p_space FOR NO KEY UPDATE; END IF;
END $$;

-- Failed sign-ins are counted apart, by account and address, outside the refused transaction.
-- Guessed accounts count as one, and what is over is removed: nobody fills the table.
CREATE FUNCTION todo.count_failure(p_user uuid, p_address text) RETURNS int LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  this bigint := floor(extract(epoch FROM clock_timestamp()) / 60);
  account uuid := coalesce((SELECT id FROM todo.users WHERE id = p_user), '00000000-0000-0000-0000-000000000000');
  count int;
BEGIN
  DELETE FROM todo.failures WHERE (user_id, address) IN (SELECT user_id, address FROM todo.failures
    WHERE user_id = account AND minute < this FOR UPDATE SKIP LOCKED);
  INSERT INTO todo.failures AS f VALUES (account, coalesce(p_address, ''), this, 1)
    ON CONFLICT (user_id, address) DO UPDATE
    SET hits = CASE f.minute WHEN excluded.minute THEN f.hits ELSE 0 END + 1, minute = excluded.minute
    RETURNING hits INTO count;
  RETURN count;
END $$;

-- Who is in this transaction's space: all that anybody sees of others.
CREATE FUNCTION todo.people() RETURNS TABLE (id uuid, name text, admin boolean, role text) LANGUAGE plpgsql STABLE
SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT u.id, u.name, u.admin, m.role FROM todo.members m JOIN todo.users u ON u.id = m.user_id
    WHERE m.space_id = (SELECT todo.space('read'));
END $$;

CREATE FUNCTION todo.my_spaces() RETURNS TABLE (id uuid, name text, role text) LANGUAGE plpgsql STABLE
SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT s.id, s.name, m.role FROM todo.members m JOIN todo.spaces s ON s.id = m.space_id
    WHERE m.user_id = (SELECT todo.me());
END $$;

-- Take tags off tasks, pair by pair. A function, since whoever may DELETE may also lock the whole table.
CREATE FUNCTION todo.untag(p_numbers bigint[], p_tags text[]) RETURNS void LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.task_tags g USING unnest(p_numbers, p_tags) AS gone(number, tag)
   WHERE g.space_id = (SELECT todo.space('tasks:write')) AND g.number = gone.number AND g.tag = gone.tag
$$;

-- Take links off tasks, pair by pair: what a task no longer waits for. A function, as untag is.
CREATE FUNCTION todo.unlink(p_numbers bigint[], p_after bigint[]) RETURNS void LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.links l USING unnest(p_numbers, p_after) AS gone(number, after)
   WHERE l.space_id = (SELECT todo.space('tasks:write')) AND l.number = gone.number AND l.after = gone.after
$$;

-- The events of a turn that has ended: its messages tell the same.
CREATE FUNCTION todo.forget_events(p_turn uuid) RETURNS void LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.events e USING todo.turns t WHERE e.space_id = (SELECT todo.space('chat'))
     AND e.user_id = (SELECT todo.me()) AND e.turn_id = p_turn AND t.space_id = e.space_id AND t.id = e.turn_id
     AND t.state IN ('done', 'stopped', 'failed')
$$;

-- Take away a view: one's own. A function, since whoever may DELETE may also lock the whole table.
CREATE FUNCTION todo.forget_view(p_name text) RETURNS SETOF todo.views LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.views v WHERE v.space_id = (SELECT todo.space('tasks:write')) AND v.user_id = (SELECT todo.me())
     AND v.name = p_name RETURNING *
$$;

-- Make that view of one's own the default, or with no name none; all of one's views as they then are, none where there is no such one.
CREATE FUNCTION todo.choose_view(p_name text) RETURNS SETOF todo.views LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.views v SET is_default = coalesce(v.name = p_name, false)
   WHERE v.space_id = (SELECT todo.space('tasks:write')) AND v.user_id = (SELECT todo.me()) AND (p_name IS NULL OR EXISTS (
     SELECT FROM todo.views o WHERE o.space_id = v.space_id AND o.user_id = v.user_id AND o.name = p_name)) RETURNING *
$$;

-- A person: the user, the personal space (its id is the user's), membership, preferences, a first token.
CREATE FUNCTION todo.make_user(p_id uuid, p_name text, p_admin boolean, p_token_id uuid, p_token_hash bytea, p_zone text)
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO todo.users (id, name, admin) VALUES (p_id, p_name, p_admin);
  INSERT INTO todo.spaces (id, name) VALUES (p_id, p_name);
  INSERT INTO todo.members (space_id, user_id, role) VALUES (p_id, p_id, 'owner');
  INSERT INTO todo.preferences (user_id, timezone) VALUES (p_id, p_zone);
  INSERT INTO todo.tokens (user_id, id, name, hash, scopes) VALUES (p_id, p_token_id, 'first', p_token_hash, '{all}');
$$;

CREATE FUNCTION todo.is_admin() RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE found boolean;
BEGIN
  SELECT u.admin INTO found FROM todo.users u JOIN todo.tokens t ON t.user_id = u.id
   WHERE u.id = todo.me() AND t.id = todo.token() AND t.scopes && '{admin,all}';
  RETURN coalesce(found, false);
END $$;

CREATE FUNCTION todo.add_user(p_id uuid, p_name text, p_admin boolean, p_token_id uuid, p_token_hash bytea, p_zone text)
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403'; END IF;
  PERFORM todo.make_user(p_id, p_name, p_admin, p_token_id, p_token_hash, p_zone);
END $$;

CREATE FUNCTION todo.list_users() RETURNS SETOF todo.users LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403'; END IF;
  RETURN QUERY SELECT * FROM todo.users ORDER BY name;
END $$;

CREATE FUNCTION todo.disable_user(p_name text, p_disabled boolean) RETURNS SETOF todo.users
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403'; END IF;
  IF EXISTS (SELECT FROM todo.users WHERE name = p_name AND id = todo.me()) THEN
    RAISE EXCEPTION 'you cannot disable yourself' USING ERRCODE = 'TD409'; END IF;
  RETURN QUERY UPDATE todo.users SET disabled_at = CASE WHEN p_disabled THEN coalesce(disabled_at, clock_timestamp()) END
    WHERE name = p_name RETURNING *;
END $$;
