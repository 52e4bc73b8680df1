-- The budget counts the tokens of the last 24 hours. It counted those of the user's day, which a
-- change of the time zone began anew.

SET LOCAL check_function_bodies = off;

CREATE TABLE todo.recent_usage (
  user_id UUID NOT NULL,
  slot TIMESTAMP WITH TIME ZONE NOT NULL,
  tokens BIGINT NOT NULL,
  PRIMARY KEY (user_id, slot)
)
 WITH (fillfactor = 70);

COMMENT ON COLUMN todo.recent_usage.slot IS 'the beginning of ten minutes';

COMMENT ON COLUMN todo.recent_usage.tokens IS 'read and written by models';

ALTER TABLE todo.recent_usage ALTER COLUMN user_id SET STATISTICS 0,
  ALTER COLUMN slot SET STATISTICS 0, ALTER COLUMN tokens SET STATISTICS 0;

ALTER TABLE todo.recent_usage ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.recent_usage TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.recent_usage TO todo_auth;

-- Today's usage counts until the midnight at which it would have been forgotten.
INSERT INTO todo.recent_usage (user_id, slot, tokens)
SELECT u.user_id, today.ends - interval '24 hours 10 minutes', sum(u.prompt + u.completion)
  FROM todo.usage u
 CROSS JOIN LATERAL todo.user_today(u.user_id) AS today
 WHERE u.day = today.day
 GROUP BY 1, 2;

-- Trigger: add the usage of a model's answer to todo.usage and todo.recent_usage. Numbers are
-- bounded, so that nobody can lower a count.
CREATE OR REPLACE FUNCTION todo.record_usage() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  numbers numeric[] := ARRAY(
    SELECT least(greatest(coalesce((NEW.usage ->> field.name)::numeric, 0), 0), 1000000000000)
      FROM unnest('{prompt,completion,cached,reasoning,cost}'::text[])
           WITH ORDINALITY AS field(name, ordinal)
     ORDER BY field.ordinal);
BEGIN
  INSERT INTO todo.usage AS u (
      user_id, day, space_id, conversation_id, model, currency,
      calls, prompt, completion, cached, reasoning, cost)
  SELECT NEW.user_id, today.day, NEW.space_id, NEW.conversation_id, coalesce(NEW.model, ''),
         coalesce(NEW.usage ->> 'currency', ''), 1,
         numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]
    FROM todo.user_today(NEW.user_id) AS today
  ON CONFLICT (user_id, day, space_id, conversation_id, model, currency) DO UPDATE
     SET calls = u.calls + 1,
         prompt = u.prompt + excluded.prompt,
         completion = u.completion + excluded.completion,
         cached = u.cached + excluded.cached,
         reasoning = u.reasoning + excluded.reasoning,
         cost = u.cost + excluded.cost;
  INSERT INTO todo.recent_usage AS r (user_id, slot, tokens)
  VALUES (NEW.user_id, date_bin('10 minutes', clock_timestamp(), 'epoch'), numbers[1] + numbers[2])
  ON CONFLICT (user_id, slot) DO UPDATE SET tokens = r.tokens + excluded.tokens;
  DELETE FROM todo.recent_usage r
   WHERE r.user_id = NEW.user_id
     AND r.slot <= clock_timestamp() - interval '24 hours 10 minutes';
  RETURN NULL;
END $$;

-- The tokens that the caller may use in 24 hours and has used in the last 24, in all spaces, and
-- the instant at which some are free again; no row without a budget. The lower of the
-- administrator's and the user's own budget counts. A slot of ten minutes counts until its end is
-- 24 hours old.
CREATE OR REPLACE FUNCTION todo.token_budget() RETURNS TABLE (allowed bigint, spent bigint, ends timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller uuid := todo.current_user_id();
  life constant interval := '24 hours 10 minutes';
BEGIN
  allowed := least(
    (SELECT u.tokens_per_day FROM todo.users u WHERE u.id = caller),
    (SELECT p.tokens_per_day FROM todo.preferences p WHERE p.user_id = caller));
  IF allowed IS NULL THEN
    RETURN;
  END IF;
  SELECT coalesce(sum(r.tokens), 0) INTO spent
    FROM todo.recent_usage r
   WHERE r.user_id = caller AND r.slot > clock_timestamp() - life;
  SELECT min(slots.slot) + life INTO ends
    FROM (
      SELECT r.slot, spent - sum(r.tokens) OVER (ORDER BY r.slot) AS remaining
        FROM todo.recent_usage r
       WHERE r.user_id = caller AND r.slot > clock_timestamp() - life
    ) AS slots
   WHERE slots.remaining < allowed;
  ends := coalesce(ends, clock_timestamp() + life);
  RETURN NEXT;
END $$;

UPDATE todo.schema SET version = 5;
