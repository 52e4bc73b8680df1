-- name: record_request
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

-- name: read_limits
-- The limits of a user by policy as JSON, for a server that counts elsewhere; 0 is no limit.
CREATE FUNCTION todo.read_limits(p_user uuid) RETURNS text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT json_build_object(
           'user', coalesce(max(per_minute), 0), 'chat', coalesce(max(turns_per_minute), 0))::text
    FROM todo.users
   WHERE id = p_user
$$;

-- name: set_rate_limit
-- Set the limits of a user that the JSON names, on behalf of an administrator; null is no limit.
CREATE FUNCTION todo.set_rate_limit(p_name text, p_limits jsonb) RETURNS SETOF todo.users
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  RETURN QUERY
  UPDATE todo.users
     SET per_minute = CASE WHEN p_limits ? 'requests'
           THEN (p_limits ->> 'requests')::int ELSE per_minute END,
         turns_per_minute = CASE WHEN p_limits ? 'turns'
           THEN (p_limits ->> 'turns')::int ELSE turns_per_minute END
   WHERE name = p_name
  RETURNING *;
END $$;

-- name: limit_request
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

-- name: count_request
-- For servers before schema 11: count one request of a user in a sliding minute; raise if the limit
-- is reached, which undoes the count. A user has as many rows in todo.buckets as requests ever ran
-- at once. Each request takes a row that no other locks, or adds one, so that none waits. Requests
-- that run at once do not see each other and may exceed the limit by their number.
CREATE FUNCTION todo.count_request(p_user uuid, p_limit int) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  now_minutes float8 := extract(epoch FROM clock_timestamp()) / 60;
  this_minute bigint := floor(now_minutes);
  hits_this_minute bigint;
  hits_last_minute bigint;
  weighted_hits float8;
BEGIN
  SELECT coalesce(sum(hits) FILTER (WHERE minute = this_minute), 0),
         coalesce(sum(CASE minute
           WHEN this_minute THEN before WHEN this_minute - 1 THEN hits ELSE 0 END), 0)
    INTO hits_this_minute, hits_last_minute
    FROM todo.buckets
   WHERE user_id = p_user;
  weighted_hits := hits_this_minute + hits_last_minute * (1 - (now_minutes - this_minute));
  IF weighted_hits >= p_limit THEN
    RAISE EXCEPTION 'more than % requests in a minute', p_limit
      USING ERRCODE = 'TD429',
            DETAIL = json_build_object('retry_after', CASE
              WHEN hits_this_minute >= p_limit THEN ceil((1 - (now_minutes - this_minute)) * 60)
              ELSE greatest(1, ceil((weighted_hits - p_limit + 1) / hits_last_minute * 60))
            END)::text;
  END IF;
  UPDATE todo.buckets
     SET hits = CASE minute WHEN this_minute THEN hits ELSE 0 END + 1,
         minute = this_minute,
         before = CASE minute WHEN this_minute THEN before WHEN this_minute - 1 THEN hits ELSE 0 END
   WHERE user_id = p_user
     AND slot = (SELECT slot FROM todo.buckets WHERE user_id = p_user ORDER BY slot LIMIT 1
                    FOR NO KEY UPDATE SKIP LOCKED);
  IF NOT FOUND THEN
    INSERT INTO todo.buckets (user_id, slot, minute, hits, before)
    VALUES (p_user, floor(random() * 2147483647)::int, this_minute, 1, 0)
    ON CONFLICT DO NOTHING;
  END IF;
END $$;

-- name: count_refused_request
-- For servers before schema 11: count a request that was refused, in a transaction of its own: the
-- refusal undid the count of enter(), or came before it. Raise if the limit is reached.
CREATE FUNCTION todo.count_refused_request(p_user uuid) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM todo.count_request(p_user, (SELECT per_minute FROM todo.users WHERE id = p_user));
END $$;

-- name: count_failure
-- Count a failed sign-in by account and address, outside the refused transaction; return the count
-- of this minute. Accounts that do not exist share one row per address, and rows of past minutes
-- are deleted: nobody can fill the table.
CREATE FUNCTION todo.count_failure(p_user uuid, p_address text) RETURNS int
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  this_minute bigint := floor(extract(epoch FROM clock_timestamp()) / 60);
  account uuid := coalesce(
    (SELECT id FROM todo.users WHERE id = p_user), '00000000-0000-0000-0000-000000000000');
  result int;
BEGIN
  DELETE FROM todo.failures
   WHERE (user_id, address) IN (
     SELECT user_id, address FROM todo.failures WHERE user_id = account AND minute < this_minute
        FOR UPDATE SKIP LOCKED);
  INSERT INTO todo.failures AS f (user_id, address, minute, hits)
  VALUES (account, coalesce(p_address, ''), this_minute, 1)
  ON CONFLICT (user_id, address) DO UPDATE
     SET hits = CASE f.minute WHEN excluded.minute THEN f.hits ELSE 0 END + 1,
         minute = excluded.minute
  RETURNING hits INTO result;
  RETURN result;
END $$;
