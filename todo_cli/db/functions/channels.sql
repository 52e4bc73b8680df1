-- Channels: where a user's messages go. Their addresses and secrets are read by workers alone.

-- name: add_channel
-- Add a channel of the caller. With a space it gets the changes of that space from now on.
CREATE FUNCTION todo.add_channel(
  p_name text, p_kind text, p_target text, p_shown text, p_secret text, p_space uuid,
  p_verbs text[]
) RETURNS SETOF todo.channels LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller uuid := todo.current_user_id();
BEGIN
  IF caller IS DISTINCT FROM todo.current_space('prefs:write') THEN
    RAISE EXCEPTION 'the token lacks the scope prefs:write' USING ERRCODE = 'TD403';
  END IF;
  IF p_space IS NOT NULL
     AND NOT EXISTS (SELECT FROM todo.members WHERE space_id = p_space AND user_id = caller) THEN
    RAISE EXCEPTION 'no such space, or you are not a member of it'
      USING ERRCODE = 'TD403', HINT = 'see yours with: todo space list';
  END IF;
  IF (SELECT count(*) FROM todo.channels WHERE user_id = caller) >= 20 THEN
    RAISE EXCEPTION 'you have 20 channels, which is the most'
      USING ERRCODE = 'TD409', HINT = 'remove one: todo channel rm NAME';
  END IF;
  RETURN QUERY
  INSERT INTO todo.channels (user_id, name, kind, target, shown, secret, space_id, verbs, seq)
  VALUES (caller, p_name, p_kind, p_target, p_shown, p_secret, p_space, p_verbs,
    (SELECT s.seq FROM todo.spaces s WHERE s.id = p_space))
  RETURNING *;
END $$;

-- name: remove_channel
-- Remove a channel of the caller, with the jobs that would send to it alone.
CREATE FUNCTION todo.remove_channel(p_name text) RETURNS SETOF todo.channels
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller uuid := todo.current_user_id();
BEGIN
  IF caller IS DISTINCT FROM todo.current_space('prefs:write') THEN
    RETURN;
  END IF;
  DELETE FROM todo.jobs j USING todo.channels c
   WHERE c.user_id = caller AND c.name = p_name
     AND j.space_id = coalesce(c.space_id, caller) AND j.user_id = caller
     AND j.kind IN ('changes', 'test') AND j.ref = c.name;
  RETURN QUERY DELETE FROM todo.channels WHERE user_id = caller AND name = p_name RETURNING *;
END $$;

-- name: test_channel
-- Queue a test message for a channel of the caller; return no row without such a channel.
CREATE FUNCTION todo.test_channel(p_name text) RETURNS SETOF todo.deliveries
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller uuid := todo.current_user_id();
BEGIN
  IF caller IS DISTINCT FROM todo.current_space('prefs:write')
     OR NOT EXISTS (SELECT FROM todo.channels WHERE user_id = caller AND name = p_name) THEN
    RETURN;
  END IF;
  RETURN QUERY
  INSERT INTO todo.deliveries (space_id, user_id, kind, channel)
  VALUES (caller, caller, 'test', p_name) RETURNING *;
  INSERT INTO todo.jobs (space_id, kind, user_id, ref, due)
  VALUES (caller, 'test', caller, p_name, clock_timestamp())
  ON CONFLICT (space_id, user_id, kind, ref) DO UPDATE
     SET due = least(todo.jobs.due, excluded.due), tries = 0, dead_at = NULL, again = true;
  PERFORM pg_notify('todo_jobs', '');
END $$;
