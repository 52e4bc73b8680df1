-- name: count_request
-- Count one request of a user in a sliding minute; raise if the limit is reached, which undoes the
-- count. A user has as many rows in todo.buckets as requests ever ran at once. Each request takes a
-- row that no other locks, or adds one, so that none waits. Requests that run at once do not see
-- each other and may exceed the limit by their number.
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
-- Count a request that was refused, in a transaction of its own: the refusal undid the count of
-- enter(), or came before it. Raise if the limit is reached.
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
