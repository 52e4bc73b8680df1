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

-- name: record_usage
-- Trigger: add the usage of a model's answer to todo.usage. Numbers are bounded, so that nobody can
-- lower a count.
CREATE FUNCTION todo.record_usage() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO todo.usage AS u (
      user_id, day, space_id, conversation_id, model, currency,
      calls, prompt, completion, cached, reasoning, cost)
  SELECT NEW.user_id, today.day, NEW.space_id, NEW.conversation_id, coalesce(NEW.model, ''),
         coalesce(NEW.usage ->> 'currency', ''), 1,
         bounded.numbers[1], bounded.numbers[2], bounded.numbers[3], bounded.numbers[4],
         bounded.numbers[5]
    FROM todo.user_today(NEW.user_id) AS today,
         LATERAL (
           SELECT ARRAY(
             SELECT least(
                      greatest(coalesce((NEW.usage ->> field.name)::numeric, 0), 0), 1000000000000)
               FROM unnest('{prompt,completion,cached,reasoning,cost}'::text[])
                    WITH ORDINALITY AS field(name, ordinal)
              ORDER BY field.ordinal) AS numbers
         ) AS bounded
  ON CONFLICT (user_id, day, space_id, conversation_id, model, currency) DO UPDATE
     SET calls = u.calls + 1,
         prompt = u.prompt + excluded.prompt,
         completion = u.completion + excluded.completion,
         cached = u.cached + excluded.cached,
         reasoning = u.reasoning + excluded.reasoning,
         cost = u.cost + excluded.cost;
  RETURN NULL;
END $$;

-- name: token_budget
-- The tokens that the caller may use today and has used, in all spaces; no row without a budget.
-- The lower of the administrator's and the user's own budget counts.
CREATE FUNCTION todo.token_budget() RETURNS TABLE (allowed bigint, spent bigint, ends timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller uuid := todo.current_user_id();
  today date;
BEGIN
  allowed := least(
    (SELECT u.tokens_per_day FROM todo.users u WHERE u.id = caller),
    (SELECT p.tokens_per_day FROM todo.preferences p WHERE p.user_id = caller));
  IF allowed IS NULL THEN
    RETURN;
  END IF;
  SELECT t.day, t.ends INTO today, ends FROM todo.user_today(caller) t;
  SELECT coalesce(sum(g.prompt + g.completion), 0) INTO spent
    FROM todo.usage g
   WHERE g.user_id = caller AND g.day = today;
  RETURN NEXT;
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
