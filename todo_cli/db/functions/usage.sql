-- name: user_today
-- Today's date in a user's time zone, and the instant at which it ends.
CREATE FUNCTION todo.user_today(p_user uuid) RETURNS TABLE (day date, ends timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  zone text := coalesce(
    (SELECT p.timezone FROM todo.preferences p WHERE p.user_id = p_user), 'UTC');
BEGIN
  day := (clock_timestamp() AT TIME ZONE zone)::date;
  ends := (day + 1)::timestamp AT TIME ZONE zone;
  RETURN NEXT;
EXCEPTION WHEN invalid_parameter_value THEN  -- the clients know a zone that Postgres does not
  day := (clock_timestamp() AT TIME ZONE 'UTC')::date;
  ends := (day + 1)::timestamp AT TIME ZONE 'UTC';
  RETURN NEXT;
END $$;

-- name: add_usage
-- Add the usage of a model's answer to todo.usage and todo.recent_usage. Numbers are bounded, so
-- that nobody can lower a count.
CREATE FUNCTION todo.add_usage(
  p_user uuid, p_space uuid, p_conversation uuid, p_model text, p_usage jsonb
) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  numbers numeric[] := ARRAY(
    SELECT least(greatest(coalesce((p_usage ->> field.name)::numeric, 0), 0), 1000000000000)
      FROM unnest('{prompt,completion,cached,reasoning,cost}'::text[])
           WITH ORDINALITY AS field(name, ordinal)
     ORDER BY field.ordinal);
BEGIN
  INSERT INTO todo.usage AS u (
      user_id, day, space_id, conversation_id, model, currency,
      calls, prompt, completion, cached, reasoning, cost)
  SELECT p_user, today.day, p_space, p_conversation, coalesce(p_model, ''),
         coalesce(p_usage ->> 'currency', ''), 1,
         numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]
    FROM todo.user_today(p_user) AS today
  ON CONFLICT (user_id, day, space_id, conversation_id, model, currency) DO UPDATE
     SET calls = u.calls + 1,
         prompt = u.prompt + excluded.prompt,
         completion = u.completion + excluded.completion,
         cached = u.cached + excluded.cached,
         reasoning = u.reasoning + excluded.reasoning,
         cost = u.cost + excluded.cost;
  INSERT INTO todo.recent_usage AS r (user_id, slot, tokens)
  VALUES (p_user, date_bin('10 minutes', clock_timestamp(), 'epoch'), numbers[1] + numbers[2])
  ON CONFLICT (user_id, slot) DO UPDATE SET tokens = r.tokens + excluded.tokens;
  DELETE FROM todo.recent_usage r
   WHERE r.user_id = p_user
     AND r.slot <= clock_timestamp() - interval '24 hours 10 minutes';
END $$;

-- name: record_usage
-- Trigger: add the usage of a model's answer.
CREATE FUNCTION todo.record_usage() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM todo.add_usage(NEW.user_id, NEW.space_id, NEW.conversation_id, NEW.model, NEW.usage);
  RETURN NULL;
END $$;

-- name: user_token_budget
-- The tokens that a user may use in 24 hours and has used in the last 24, in all spaces, and the
-- instant at which some are free again; no row without a budget. The lower of the administrator's
-- and the user's own budget counts. A slot of ten minutes counts until its end is 24 hours old.
CREATE FUNCTION todo.user_token_budget(p_user uuid)
RETURNS TABLE (allowed bigint, spent bigint, ends timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  life constant interval := '24 hours 10 minutes';
BEGIN
  allowed := least(
    (SELECT u.tokens_per_day FROM todo.users u WHERE u.id = p_user),
    (SELECT p.tokens_per_day FROM todo.preferences p WHERE p.user_id = p_user));
  IF allowed IS NULL THEN
    RETURN;
  END IF;
  SELECT coalesce(sum(r.tokens), 0) INTO spent
    FROM todo.recent_usage r
   WHERE r.user_id = p_user AND r.slot > clock_timestamp() - life;
  SELECT min(slots.slot) + life INTO ends
    FROM (
      SELECT r.slot, spent - sum(r.tokens) OVER (ORDER BY r.slot) AS remaining
        FROM todo.recent_usage r
       WHERE r.user_id = p_user AND r.slot > clock_timestamp() - life
    ) AS slots
   WHERE slots.remaining < allowed;
  ends := coalesce(ends, clock_timestamp() + life);
  RETURN NEXT;
END $$;

-- name: token_budget
-- The budget of the caller.
CREATE FUNCTION todo.token_budget() RETURNS TABLE (allowed bigint, spent bigint, ends timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT * FROM todo.user_token_budget(todo.current_user_id());
END $$;

-- name: set_token_budget
-- Set the tokens that a user may use in a day, on behalf of an administrator; null removes the
-- limit.
CREATE FUNCTION todo.set_token_budget(p_name text, p_tokens bigint) RETURNS SETOF todo.users
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  RETURN QUERY UPDATE todo.users SET tokens_per_day = p_tokens WHERE name = p_name RETURNING *;
END $$;
