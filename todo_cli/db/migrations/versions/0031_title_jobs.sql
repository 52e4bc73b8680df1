-- Title conversations by jobs: those whose process ended before it had a title.

SET LOCAL check_function_bodies = off;

ALTER TABLE todo.jobs
  DROP CONSTRAINT jobs_kind,
  ADD CONSTRAINT jobs_kind CHECK (kind IN ('reminder', 'changes', 'test', 'title', 'sweep'));

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

-- Trigger: add the usage of a model's answer.
CREATE OR REPLACE FUNCTION todo.record_usage() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM todo.add_usage(NEW.user_id, NEW.space_id, NEW.conversation_id, NEW.model, NEW.usage);
  RETURN NULL;
END $$;

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

-- The budget of the caller.
CREATE OR REPLACE FUNCTION todo.token_budget() RETURNS TABLE (allowed bigint, spent bigint, ends timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT * FROM todo.user_token_budget(todo.current_user_id());
END $$;

-- Lease up to so many jobs of some kinds that are due.
CREATE FUNCTION todo.take_jobs(p_limit int, p_lease interval, p_kinds text[])
RETURNS TABLE (space_id uuid, id uuid, kind text, user_id uuid, ref text, attempt int, tries int)
LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH found AS MATERIALIZED (
    SELECT j.space_id, j.id FROM todo.jobs j
     WHERE j.dead_at IS NULL AND j.due <= statement_timestamp() AND j.kind = ANY (p_kinds)
     ORDER BY j.due LIMIT p_limit FOR UPDATE SKIP LOCKED)
  UPDATE todo.jobs j SET due = clock_timestamp() + p_lease, attempt = j.attempt + 1, again = false
    FROM found WHERE j.space_id = found.space_id AND j.id = found.id
  RETURNING j.space_id, j.id, j.kind, j.user_id, j.ref, j.attempt, j.tries
$$;

-- The same for workers of former releases, which know no titles.
CREATE OR REPLACE FUNCTION todo.take_jobs(p_limit int, p_lease interval)
RETURNS TABLE (space_id uuid, id uuid, kind text, user_id uuid, ref text, attempt int, tries int)
LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM todo.take_jobs(p_limit, p_lease, '{reminder,changes,test,sweep}')
$$;

-- The seconds until the next job of some kinds is due; null without one.
CREATE FUNCTION todo.next_job_due(p_kinds text[]) RETURNS float8 LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT extract(epoch FROM min(due) - clock_timestamp())::float8
    FROM todo.jobs WHERE dead_at IS NULL AND kind = ANY (p_kinds)
$$;

-- The same for workers of former releases.
CREATE OR REPLACE FUNCTION todo.next_job_due() RETURNS float8 LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT todo.next_job_due('{reminder,changes,test,sweep}')
$$;

-- The jobs of the caller in this transaction's space, of one task with a number: scheduled, failing
-- and given up. Titles of conversations are no messages to the user.
CREATE OR REPLACE FUNCTION todo.user_jobs(p_number bigint, p_limit int)
RETURNS TABLE (
  id uuid, kind text, ref text, number bigint, moment timestamptz, due timestamptz, tries int,
  error text, dead_at timestamptz
) LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT j.id, j.kind, j.ref, j.number, j.moment, j.due, j.tries, j.error, j.dead_at
    FROM todo.jobs j
   WHERE j.space_id = (SELECT todo.current_space('read'))
     AND j.user_id = (SELECT todo.current_user_id()) AND j.kind <> 'title'
     AND (p_number IS NULL OR j.number = p_number)
   ORDER BY j.dead_at DESC NULLS LAST, j.due LIMIT p_limit;
END $$;

-- The figures as JSON, for the metrics of servers and workers.
CREATE OR REPLACE FUNCTION todo.server_stats() RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH tables AS (
    SELECT c.relname::text AS name, greatest(c.reltuples, 0)::bigint AS rows,
           pg_total_relation_size(c.oid) AS bytes
      FROM pg_class c
     WHERE c.relnamespace = 'todo'::regnamespace AND c.relkind = 'r')
  SELECT jsonb_build_object(
    'schema', (SELECT version FROM todo.schema),
    'users', (SELECT count(*) FROM todo.users WHERE disabled_at IS NULL),
    'disabled_users', (SELECT count(*) FROM todo.users WHERE disabled_at IS NOT NULL),
    'spaces', (SELECT count(*) FROM todo.spaces),
    'tokens', (SELECT count(*) FROM todo.tokens
      WHERE kind <> 'session' AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > clock_timestamp())),
    'sessions', (SELECT count(*) FROM todo.tokens
      WHERE kind = 'session' AND revoked_at IS NULL AND expires_at > clock_timestamp()),
    'tasks', (SELECT rows FROM tables WHERE name = 'tasks'),
    'changes', (SELECT rows FROM tables WHERE name = 'changes'),
    'messages', (SELECT rows FROM tables WHERE name = 'messages'),
    'running_turns', (SELECT count(*) FROM todo.turns WHERE state IN ('running', 'answered')),
    -- a title may wait for a worker that has a model
    'due_jobs', (SELECT count(*) FROM todo.jobs
      WHERE due < clock_timestamp() AND dead_at IS NULL AND kind <> 'title'),
    'dead_jobs', (SELECT count(*) FROM todo.jobs WHERE dead_at IS NOT NULL),
    'files', (SELECT count(*) FROM todo.attachments WHERE verified_at IS NOT NULL),
    'file_bytes', (SELECT coalesce(sum(size), 0) FROM todo.attachments
      WHERE verified_at IS NOT NULL),
    'unsettled_files', (SELECT count(*) FROM todo.attachments
      WHERE verified_at IS NULL OR unused_since IS NOT NULL OR incoming IS NOT NULL
        OR removing_at IS NOT NULL),
    'table_bytes', (SELECT sum(bytes) FROM tables))
$$;

-- Delete up to so many rows of each kind, and return how many of each: events of turns that ended a
-- day ago, failed sign-ins of past hours, tokens that acted for others and have expired, and, older
-- than `p_keep`, deliveries, jobs that were given up, plans and proposals that expired, decided or
-- not, and sessions that ended. A title for which no worker had a model in a week is given up.
CREATE OR REPLACE FUNCTION todo.sweep(p_keep interval, p_limit int) RETURNS jsonb LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  old timestamptz := clock_timestamp() - p_keep;
  result jsonb := '{}';
  swept bigint;
BEGIN
  DELETE FROM todo.events e WHERE (e.space_id, e.user_id, e.turn_id, e.n) IN (
    SELECT v.space_id, v.user_id, v.turn_id, v.n FROM todo.events v
      JOIN todo.turns t ON t.space_id = v.space_id AND t.user_id = v.user_id AND t.id = v.turn_id
     WHERE t.ended_at < clock_timestamp() - interval '1 day'
     LIMIT p_limit FOR UPDATE OF v SKIP LOCKED);
  GET DIAGNOSTICS swept = ROW_COUNT;
  result := result || jsonb_build_object('events', swept);
  DELETE FROM todo.failures f WHERE (f.user_id, f.address) IN (
    SELECT user_id, address FROM todo.failures
     WHERE minute < floor(extract(epoch FROM clock_timestamp()) / 60) - 60
     LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS swept = ROW_COUNT;
  result := result || jsonb_build_object('failures', swept);
  DELETE FROM todo.deliveries d WHERE (d.space_id, d.user_id, d.id) IN (
    SELECT space_id, user_id, id FROM todo.deliveries WHERE updated_at < old
     LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS swept = ROW_COUNT;
  result := result || jsonb_build_object('deliveries', swept);
  DELETE FROM todo.jobs j WHERE (j.space_id, j.id) IN (
    SELECT space_id, id FROM todo.jobs
     WHERE dead_at < old
        OR kind = 'title' AND dead_at IS NULL AND due < clock_timestamp() - interval '7 days'
     LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS swept = ROW_COUNT;
  result := result || jsonb_build_object('jobs', swept);
  DELETE FROM todo.plans p WHERE (p.space_id, p.id) IN (
    SELECT space_id, id FROM todo.plans WHERE expires_at < old
     LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS swept = ROW_COUNT;
  result := result || jsonb_build_object('plans', swept);
  DELETE FROM todo.proposals p WHERE (p.space_id, p.id) IN (
    SELECT space_id, id FROM todo.proposals WHERE expires_at < old
     LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS swept = ROW_COUNT;
  result := result || jsonb_build_object('proposals', swept);
  DELETE FROM todo.tokens k WHERE (k.user_id, k.id) IN (
    SELECT user_id, id FROM todo.tokens
     WHERE kind = 'acting' AND expires_at < clock_timestamp() - interval '1 hour'
     LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS swept = ROW_COUNT;
  result := result || jsonb_build_object('acting_tokens', swept);
  DELETE FROM todo.tokens k WHERE (k.user_id, k.id) IN (
    SELECT s.user_id, s.id FROM todo.tokens s
     WHERE s.kind = 'session' AND least(s.expires_at, s.revoked_at) < old
       AND NOT EXISTS (
         SELECT FROM todo.tokens c WHERE c.user_id = s.user_id AND c.parent = s.id)
     LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS swept = ROW_COUNT;
  RETURN result || jsonb_build_object('sessions', swept);
END $$;

-- Queue the title of the conversation whose first turn has ended in this transaction. The delay is
-- longer than the process of the turn tries itself.
CREATE FUNCTION todo.schedule_title(p_turn uuid) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO todo.jobs (space_id, kind, user_id, ref, due)
  SELECT t.space_id, 'title', t.user_id, t.conversation_id || ' ' || t.id,
         clock_timestamp() + interval '20 s'
    FROM todo.turns t
    JOIN todo.messages m ON m.space_id = t.space_id AND m.user_id = t.user_id
     AND m.conversation_id = t.conversation_id AND m.seq = t.asked
   WHERE t.space_id = (SELECT todo.current_space('chat'))
     AND t.user_id = (SELECT todo.current_user_id())
     AND t.id = p_turn AND t.state = 'done' AND m.parent IS NULL AND m.parent_of IS NULL
  ON CONFLICT DO NOTHING;
  IF FOUND THEN
    PERFORM pg_notify('todo_jobs', '');
  END IF;
END $$;

-- Trigger: a conversation that gets a title needs no other.
CREATE FUNCTION todo.delete_title_job() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM todo.jobs
   WHERE space_id = NEW.space_id AND user_id = NEW.user_id AND kind = 'title'
     AND split_part(ref, ' ', 1) = NEW.id::text;
  RETURN NULL;
END $$;

-- Return the message and the answer of the first turn for a job; null for a worker that was
-- overtaken, and where no title is wanted any more: the conversation is gone, the budget is spent,
-- or the token that asked, its scope, the membership or the user has ended.
CREATE FUNCTION todo.open_title(p_space uuid, p_id uuid, p_attempt int) RETURNS json
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  job todo.jobs;
BEGIN
  SELECT * INTO job FROM todo.jobs
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt;
  IF EXISTS (SELECT FROM todo.user_token_budget(job.user_id) b WHERE b.spent >= b.allowed) THEN
    RETURN NULL;
  END IF;
  RETURN (
    SELECT json_build_object(
        'title', c.title, 'model', c.model, 'question', q.content, 'answer', a.content)
      FROM todo.turns t
      JOIN todo.conversations c ON c.space_id = t.space_id AND c.user_id = t.user_id
       AND c.id = t.conversation_id AND c.deleted_at IS NULL
      JOIN todo.messages q ON q.space_id = t.space_id AND q.user_id = t.user_id
       AND q.conversation_id = c.id AND q.seq = t.asked
      JOIN todo.messages a ON a.space_id = t.space_id AND a.user_id = t.user_id
       AND a.conversation_id = c.id AND a.seq = t.last
      JOIN todo.tokens k ON k.user_id = t.user_id AND k.id = t.token_id
       AND k.revoked_at IS NULL AND k.scopes && '{chat,all}'
       AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
      JOIN todo.users u ON u.id = t.user_id AND u.disabled_at IS NULL
      JOIN todo.members m ON m.space_id = t.space_id AND m.user_id = t.user_id
       AND m.role IN ('editor', 'owner')
     WHERE t.space_id = job.space_id AND t.user_id = job.user_id
       AND t.id = split_part(job.ref, ' ', 2)::uuid);
END $$;

-- Store the title that a model has given and the usage of that call; the job is done. Without
-- effect for a worker that was overtaken. The title replaces the first words of the conversation
-- alone. The conversation is locked before its job, as by whatever else sets a title.
CREATE FUNCTION todo.store_title(
  p_space uuid, p_id uuid, p_attempt int, p_first_words text, p_title text, p_model text,
  p_usage jsonb
) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  job todo.jobs;
  conversation_id uuid;
  stored todo.conversations;
BEGIN
  SELECT * INTO job FROM todo.jobs
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt;
  conversation_id := split_part(job.ref, ' ', 1);
  PERFORM FROM todo.conversations c
   WHERE c.space_id = job.space_id AND c.user_id = job.user_id AND c.id = conversation_id
     FOR NO KEY UPDATE;
  PERFORM FROM todo.jobs
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  UPDATE todo.conversations c
     SET seq = c.seq + 1,
         title = CASE WHEN c.title = p_first_words THEN coalesce(p_title, c.title)
                      ELSE c.title END
   WHERE c.space_id = job.space_id AND c.user_id = job.user_id AND c.id = conversation_id
  RETURNING * INTO stored;
  INSERT INTO todo.messages (
      space_id, user_id, conversation_id, seq, turn_id, attempt, role, content, tokens, model,
      usage)
  VALUES (job.space_id, job.user_id, stored.id, stored.seq, split_part(job.ref, ' ', 2)::uuid, 1,
    'summary', coalesce(p_title, stored.title), 8, p_model, p_usage);
  IF p_usage IS NOT NULL THEN
    PERFORM todo.add_usage(job.user_id, job.space_id, stored.id, p_model, p_usage);
  END IF;
END $$;

CREATE TRIGGER title_set AFTER UPDATE OF title ON todo.conversations FOR EACH ROW
  EXECUTE FUNCTION todo.delete_title_job();

GRANT CREATE ON SCHEMA todo TO todo_auth;

ALTER ROUTINE todo.add_usage(uuid, uuid, uuid, text, jsonb) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.add_usage(uuid, uuid, uuid, text, jsonb) FROM PUBLIC;

ALTER ROUTINE todo.user_token_budget(uuid) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.user_token_budget(uuid) FROM PUBLIC;

ALTER ROUTINE todo.take_jobs(int, interval, text[]) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.take_jobs(int, interval, text[]) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.take_jobs(int, interval, text[]) TO todo_worker;

ALTER ROUTINE todo.next_job_due(text[]) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.next_job_due(text[]) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.next_job_due(text[]) TO todo_worker;

ALTER ROUTINE todo.schedule_title(uuid) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.schedule_title(uuid) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.schedule_title(uuid) TO todo_server, todo_worker, todo_person, todo_limited;

ALTER ROUTINE todo.delete_title_job() OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.delete_title_job() FROM PUBLIC;

ALTER ROUTINE todo.open_title(uuid, uuid, int) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.open_title(uuid, uuid, int) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.open_title(uuid, uuid, int) TO todo_worker;

ALTER ROUTINE todo.store_title(uuid, uuid, int, text, text, text, jsonb) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.store_title(uuid, uuid, int, text, text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.store_title(uuid, uuid, int, text, text, text, jsonb) TO todo_worker;

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

UPDATE todo.schema SET version = 31;
