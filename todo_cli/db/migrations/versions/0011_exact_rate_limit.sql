-- An exact rate limit: the moments of each user's requests of the last minute, recorded in front of
-- the request. The default sinks to 100 a minute, and turns of the chat have a limit of their own.

GRANT CREATE ON SCHEMA todo TO todo_auth;

CREATE TABLE todo.recent_requests (
  user_id UUID NOT NULL,
  policy TEXT COLLATE "C" NOT NULL,
  moments TIMESTAMP WITH TIME ZONE[] NOT NULL,
  PRIMARY KEY (user_id, policy)
)
WITH (fillfactor=50);

ALTER TABLE todo.recent_requests
  ALTER COLUMN user_id SET STATISTICS 0,
  ALTER COLUMN policy SET STATISTICS 0,
  ALTER COLUMN moments SET STATISTICS 0;

COMMENT ON COLUMN todo.recent_requests.policy IS 'user: all requests but turns; chat: turns';

COMMENT ON COLUMN todo.recent_requests.moments
  IS 'of at most a minute, up to the limit, in order';

ALTER TABLE todo.recent_requests ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.recent_requests TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.recent_requests TO todo_auth;

ALTER TABLE todo.users
  ALTER COLUMN per_minute DROP NOT NULL,
  ALTER COLUMN per_minute SET DEFAULT 100,
  ADD COLUMN turns_per_minute integer DEFAULT 30;

ALTER TABLE todo.users ALTER COLUMN turns_per_minute SET STATISTICS 0;

UPDATE todo.users
   SET per_minute = CASE WHEN per_minute = 600 THEN 100 WHEN per_minute > 10000 THEN NULL ELSE 1 END
 WHERE per_minute = 600 OR per_minute NOT BETWEEN 1 AND 10000;

ALTER TABLE todo.users
  ADD CONSTRAINT users_per_minute CHECK (per_minute BETWEEN 1 AND 10000),
  ADD CONSTRAINT users_turns_per_minute CHECK (turns_per_minute BETWEEN 1 AND 10000);

COMMENT ON COLUMN todo.users.per_minute IS 'requests through a server; null: no limit';

COMMENT ON COLUMN todo.users.turns_per_minute IS 'of the chat; null: no limit';

-- Record one request of a user under a policy, 'user' or 'chat', and return what is left of it as
-- JSON; null for a user without a limit. The row has the newest moments up to the limit, those of
-- refused requests too. Each is taken while the row is locked, so they stand in order, and the
-- request is let in if fewer than the limit lie in the 60 seconds before it.
CREATE FUNCTION todo.record_request(p_user uuid, p_policy text) RETURNS text
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  allowed int;
  recent timestamptz[];
  moment timestamptz;
  used int;
BEGIN
  SELECT CASE p_policy WHEN 'chat' THEN turns_per_minute ELSE per_minute END INTO allowed
    FROM todo.users
   WHERE id = p_user;
  IF allowed IS NULL THEN
    RETURN NULL;
  END IF;
  -- No request waits for the disk. A crash of Postgres may forget the counts of its last moment.
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT moments INTO recent FROM todo.recent_requests
   WHERE user_id = p_user AND policy = p_policy
     FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    INSERT INTO todo.recent_requests (user_id, policy, moments) VALUES (p_user, p_policy, '{}')
    ON CONFLICT DO NOTHING;
    SELECT moments INTO recent FROM todo.recent_requests
     WHERE user_id = p_user AND policy = p_policy
       FOR NO KEY UPDATE;
  END IF;
  moment := clock_timestamp();
  recent := recent[width_bucket(moment - interval '60 seconds', recent) + 1:];
  used := cardinality(recent);
  recent := recent[greatest(1, used - allowed + 2):] || moment;
  UPDATE todo.recent_requests SET moments = recent WHERE user_id = p_user AND policy = p_policy;
  RETURN json_build_object(
    'policy', p_policy,
    'limit', allowed,
    'remaining', greatest(0, allowed - used - 1),
    'refused', used >= allowed,
    'reset', 60 - extract(epoch FROM moment - recent[1]),
    'at', extract(epoch FROM moment));
END $$;

-- Record one request in a transaction of its own, and raise beyond the limit. Sent in front of the
-- statements of a request, in the same pipeline: the record is committed whatever becomes of the
-- request, its lock lasts less than a millisecond, and an error here keeps the rest from running.
CREATE PROCEDURE todo.limit_request(p_user uuid, p_policy text, INOUT p_rate text)
LANGUAGE plpgsql AS $$
DECLARE
  wait_seconds int;
BEGIN
  p_rate := todo.record_request(p_user, p_policy);
  COMMIT;
  IF (p_rate::json->>'refused')::boolean THEN
    wait_seconds := greatest(1, ceil((p_rate::json->>'reset')::float8));
    RAISE EXCEPTION 'more than % % in a minute', p_rate::json->>'limit',
      CASE p_policy WHEN 'chat' THEN 'turns' ELSE 'requests' END
      USING ERRCODE = 'TD429',
            HINT = format('wait %s seconds; refused requests count too', wait_seconds),
            DETAIL = json_build_object('retry_after', wait_seconds, 'rate', p_rate::json)::text;
  END IF;
END $$;

-- Sign in: the first statement of every request's transaction. It refuses the request, slides a
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
  END IF;
END $$;

ALTER ROUTINE todo.record_request(uuid, text) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.record_request(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.record_request(uuid, text) TO todo_server;

ALTER ROUTINE todo.limit_request(uuid, text, text) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.limit_request(uuid, text, text) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.limit_request(uuid, text, text) TO todo_server;

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

UPDATE todo.schema SET version = 11;
