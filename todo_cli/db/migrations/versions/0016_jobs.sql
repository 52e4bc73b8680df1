-- Jobs, reminders, channels and deliveries: what happens while nobody types.

ALTER TABLE todo.tasks ADD COLUMN remind jsonb CONSTRAINT tasks_remind CHECK (jsonb_typeof(remind) = 'array');

ALTER TABLE todo.tasks ALTER COLUMN remind SET STATISTICS 0;

CREATE TABLE todo.deliveries (
  space_id UUID NOT NULL,
  user_id UUID NOT NULL,
  id UUID DEFAULT gen_random_uuid() NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  number BIGINT,
  moment TIMESTAMP WITH TIME ZONE,
  seq BIGINT,
  state TEXT COLLATE "C" DEFAULT 'waiting' NOT NULL CONSTRAINT deliveries_state CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'dead', 'unknown')),
  attempt INTEGER DEFAULT 0 NOT NULL,
  error TEXT COLLATE "C",
  created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  PRIMARY KEY (space_id, user_id, id)
)
 WITH (fillfactor = 70);

CREATE TABLE todo.jobs (
  space_id UUID NOT NULL,
  id UUID DEFAULT gen_random_uuid() NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CONSTRAINT jobs_kind CHECK (kind IN ('reminder', 'changes', 'test', 'sweep')),
  user_id UUID NOT NULL,
  ref TEXT COLLATE "C" NOT NULL,
  number BIGINT,
  moment TIMESTAMP WITH TIME ZONE,
  due TIMESTAMP WITH TIME ZONE NOT NULL,
  attempt INTEGER DEFAULT 0 NOT NULL,
  tries INTEGER DEFAULT 0 NOT NULL,
  again BOOLEAN DEFAULT false NOT NULL,
  error TEXT COLLATE "C",
  dead_at TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (space_id, id)
)
 WITH (fillfactor = 70);

CREATE TABLE todo.channels (
  user_id UUID NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CONSTRAINT channels_kind CHECK (kind IN ('webhook', 'email', 'push', 'desktop')),
  target TEXT COLLATE "C" NOT NULL,
  shown TEXT COLLATE "C" NOT NULL,
  secret TEXT COLLATE "C",
  space_id UUID,
  verbs TEXT[] COLLATE "C",
  seq BIGINT,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  PRIMARY KEY (user_id, name),
  FOREIGN KEY(user_id) REFERENCES todo.users (id)
);

SET LOCAL check_function_bodies = off;

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

-- The moments at which a task reminds, by user. An entry counts back from the due date, days by the
-- calendar of its zone. A due day without a time counts as nine o'clock.
CREATE FUNCTION todo.reminder_moments(p_remind jsonb, p_due_on date, p_due_at timestamptz)
RETURNS TABLE (user_id uuid, moment timestamptz, is_relative boolean)
LANGUAGE sql STABLE
SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT entry.user_id,
         coalesce(entry.at,
           CASE WHEN entry.days = 0 AND p_due_at IS NOT NULL THEN p_due_at
                ELSE timezone(entry.zone,
                  coalesce(timezone(entry.zone, p_due_at), p_due_on + time '09:00')
                  - make_interval(days => entry.days))
           END - make_interval(secs => entry.seconds)),
         entry.at IS NULL
    FROM (
      SELECT (r ->> 'user')::uuid AS user_id, (r ->> 'at')::timestamptz AS at,
             coalesce(r ->> 'zone', 'UTC') AS zone, coalesce((r ->> 'days')::int, 0) AS days,
             coalesce((r ->> 'seconds')::int, 0) AS seconds
        FROM jsonb_array_elements(p_remind) r) AS entry
   WHERE coalesce(entry.at, p_due_at, p_due_on) IS NOT NULL
$$;

-- Trigger: let the jobs of a task's reminders follow the task. A moment that has passed is taken
-- only while the task is not due yet: its reminder is late, and the message says so.
CREATE FUNCTION todo.schedule_reminders() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wanted jsonb := CASE WHEN NEW.status = 'open' THEN NEW.remind END;
  now_at timestamptz := clock_timestamp();
  first_moment timestamptz;
BEGIN
  DELETE FROM todo.jobs j
   WHERE j.space_id = NEW.space_id AND j.number = NEW.number AND j.kind = 'reminder'
     AND NOT EXISTS (
       SELECT FROM todo.reminder_moments(wanted, NEW.due_on, NEW.due_at) m
        WHERE m.user_id = j.user_id AND m.moment = j.moment);
  WITH added AS (
    INSERT INTO todo.jobs (space_id, kind, user_id, ref, number, moment, due)
    SELECT NEW.space_id, 'reminder', m.user_id, NEW.number || ' ' || m.moment, NEW.number,
           m.moment, m.moment
      FROM todo.reminder_moments(wanted, NEW.due_on, NEW.due_at) m
      JOIN todo.members k ON k.space_id = NEW.space_id AND k.user_id = m.user_id
     WHERE (m.moment > now_at
            OR m.is_relative AND NEW.due_sort > now_at)
       AND NOT EXISTS (
         SELECT FROM todo.deliveries d
          WHERE d.space_id = NEW.space_id AND d.user_id = m.user_id AND d.kind = 'reminder'
            AND d.number = NEW.number AND d.moment = m.moment)
    ON CONFLICT DO NOTHING
    RETURNING due)
  SELECT min(due) INTO first_moment FROM added;
  IF first_moment < now_at + interval '5 minutes' THEN
    PERFORM pg_notify('todo_jobs', '');
  END IF;
  RETURN NULL;
END $$;

-- Trigger: wake the channels that get the changes of a space.
CREATE FUNCTION todo.schedule_changes() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  space uuid := (SELECT space_id FROM inserted_changes LIMIT 1);
BEGIN
  IF EXISTS (SELECT FROM todo.channels WHERE space_id = space) THEN
    INSERT INTO todo.jobs (space_id, kind, user_id, ref, due)
    SELECT space, 'changes', user_id, name, clock_timestamp()
      FROM todo.channels WHERE space_id = space
    ON CONFLICT (space_id, user_id, kind, ref) DO UPDATE SET again = true
     WHERE NOT todo.jobs.again;
    PERFORM pg_notify('todo_jobs', '');
  END IF;
  RETURN NULL;
END $$;

-- Lease up to so many jobs that are due.
CREATE FUNCTION todo.take_jobs(p_limit int, p_lease interval)
RETURNS TABLE (space_id uuid, id uuid, kind text, user_id uuid, ref text, attempt int, tries int)
LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH found AS MATERIALIZED (
    SELECT j.space_id, j.id FROM todo.jobs j
     WHERE j.dead_at IS NULL AND j.due <= statement_timestamp()
     ORDER BY j.due LIMIT p_limit FOR UPDATE SKIP LOCKED)
  UPDATE todo.jobs j SET due = clock_timestamp() + p_lease, attempt = j.attempt + 1, again = false
    FROM found WHERE j.space_id = found.space_id AND j.id = found.id
  RETURNING j.space_id, j.id, j.kind, j.user_id, j.ref, j.attempt, j.tries
$$;

-- The seconds until the next job is due; null without one.
CREATE FUNCTION todo.next_job_due() RETURNS float8 LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT extract(epoch FROM min(due) - clock_timestamp())::float8
    FROM todo.jobs WHERE dead_at IS NULL
$$;

-- Extend the lease of a job; return false for a worker that was overtaken.
CREATE FUNCTION todo.renew_job(p_space uuid, p_id uuid, p_attempt int, p_lease interval)
RETURNS boolean LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE todo.jobs SET due = clock_timestamp() + p_lease
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt;
  RETURN FOUND;
END $$;

-- Delete a job that is done, or make it due again where more work came while it ran.
CREATE FUNCTION todo.finish_job(p_space uuid, p_id uuid, p_attempt int) RETURNS void
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE todo.jobs SET due = clock_timestamp(), again = false, tries = 0, error = NULL
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt AND again;
  IF NOT FOUND THEN
    DELETE FROM todo.jobs
     WHERE space_id = p_space AND id = p_id AND attempt = p_attempt AND NOT again;
  END IF;
END $$;

-- Make a failed job due after a pause, or give it up after so many failures in a row; return
-- whether it was given up. Its failed deliveries are dead letters then.
CREATE FUNCTION todo.fail_job(
  p_space uuid, p_id uuid, p_attempt int, p_pause interval, p_max_tries int, p_error text
) RETURNS boolean LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  job todo.jobs;
BEGIN
  UPDATE todo.jobs
     SET due = clock_timestamp() + p_pause, tries = tries + 1, error = p_error,
         dead_at = CASE WHEN tries + 1 >= p_max_tries THEN clock_timestamp() END
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt
  RETURNING * INTO job;
  IF job.dead_at IS NULL THEN
    RETURN false;
  END IF;
  UPDATE todo.deliveries d SET state = 'dead', updated_at = clock_timestamp()
   WHERE d.space_id = job.space_id AND d.user_id = job.user_id AND d.kind = job.kind
     AND d.state IN ('waiting', 'failed')
     AND (d.number = job.number AND d.moment = job.moment
          OR job.kind = 'test' AND d.channel = job.ref);
  RETURN true;
END $$;

-- The jobs of the caller in this transaction's space, of one task with a number: scheduled, failing
-- and given up.
CREATE FUNCTION todo.user_jobs(p_number bigint, p_limit int)
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
     AND j.user_id = (SELECT todo.current_user_id())
     AND (p_number IS NULL OR j.number = p_number)
   ORDER BY j.dead_at DESC NULLS LAST, j.due LIMIT p_limit;
END $$;

-- Make the caller's given-up job due again, or that of a dead letter; all of them without an id.
CREATE FUNCTION todo.retry_jobs(p_id uuid) RETURNS int LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller uuid := todo.current_user_id();
  space uuid := todo.current_space('tasks:write');
  retried int;
  sent_again int;
BEGIN
  UPDATE todo.jobs j SET due = clock_timestamp(), tries = 0, dead_at = NULL
   WHERE j.space_id = space AND j.user_id = caller AND j.dead_at IS NOT NULL
     AND (p_id IS NULL OR j.id = p_id);
  GET DIAGNOSTICS retried = ROW_COUNT;
  -- a change that was given up is sent again by its channel's job, before later ones
  WITH letters AS (
    UPDATE todo.deliveries d SET state = 'waiting', updated_at = clock_timestamp()
     WHERE d.space_id = space AND d.user_id = caller AND d.kind = 'changes' AND d.state = 'dead'
       AND (p_id IS NULL OR d.id = p_id)
       AND EXISTS (SELECT FROM todo.channels c WHERE c.user_id = caller AND c.name = d.channel)
    RETURNING d.channel),
  woken AS (
    INSERT INTO todo.jobs (space_id, kind, user_id, ref, due)
    SELECT DISTINCT space, 'changes', caller, channel, clock_timestamp() FROM letters
    ON CONFLICT (space_id, user_id, kind, ref) DO UPDATE SET again = true)
  SELECT count(*) INTO sent_again FROM letters;
  UPDATE todo.deliveries d SET state = 'failed', updated_at = clock_timestamp()
   WHERE d.space_id = space AND d.user_id = caller AND d.kind <> 'changes' AND d.state = 'dead'
     AND EXISTS (
       SELECT FROM todo.jobs j
        WHERE j.space_id = space AND j.user_id = caller AND j.dead_at IS NULL
          AND (j.number = d.number AND j.moment = d.moment OR j.kind = 'test' AND j.ref = d.channel)
          AND j.kind = d.kind);
  PERFORM pg_notify('todo_jobs', '');
  RETURN retried + sent_again;
END $$;

-- What a message says of a task.
CREATE FUNCTION todo.task_message(p_space uuid, p_number bigint) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object(
      'number', t.number, 'title', t.title, 'project', t.project,
      'priority', nullif(t.priority, 4), 'due_on', t.due_on, 'due_at', t.due_at)
    FROM todo.tasks t WHERE t.space_id = p_space AND t.number = p_number
$$;

-- Create the deliveries of a reminder's job, one for each channel of its user and one for the list
-- itself. Return the message and the deliveries that are not finished; null for a worker that was
-- overtaken, and for a reminder that is not wanted any more.
CREATE FUNCTION todo.open_reminder(p_space uuid, p_id uuid, p_attempt int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  job todo.jobs;
BEGIN
  SELECT * INTO job FROM todo.jobs
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt FOR UPDATE;
  IF NOT FOUND OR NOT EXISTS (
    SELECT FROM todo.members m
      JOIN todo.users u ON u.id = m.user_id AND u.disabled_at IS NULL
     WHERE m.space_id = p_space AND m.user_id = job.user_id) THEN
    RETURN NULL;
  END IF;
  INSERT INTO todo.deliveries (space_id, user_id, kind, channel, number, moment, state)
  SELECT p_space, job.user_id, 'reminder', '', job.number, job.moment, 'sent'
  UNION ALL
  SELECT p_space, job.user_id, 'reminder', c.name, job.number, job.moment, 'waiting'
    FROM todo.channels c WHERE c.user_id = job.user_id AND c.space_id IS NULL
  ON CONFLICT (space_id, user_id, number, moment, channel) WHERE kind = 'reminder' DO NOTHING;
  RETURN jsonb_build_object(
    'moment', job.moment, 'now', clock_timestamp(),
    'zone', (SELECT p.timezone FROM todo.preferences p WHERE p.user_id = job.user_id),
    'task', todo.task_message(p_space, job.number),
    'has_dead', EXISTS (
      SELECT FROM todo.deliveries d
       WHERE d.space_id = p_space AND d.user_id = job.user_id AND d.kind = 'reminder'
         AND d.number = job.number AND d.moment = job.moment AND d.state = 'dead'),
    'deliveries', (
      SELECT coalesce(jsonb_agg(jsonb_build_object(
          'id', d.id, 'channel', c.name, 'kind', c.kind, 'target', c.target, 'secret', c.secret)),
          '[]')
        FROM todo.deliveries d
        JOIN todo.channels c ON c.user_id = d.user_id AND c.name = d.channel
       WHERE d.space_id = p_space AND d.user_id = job.user_id AND d.kind = 'reminder'
         AND d.number = job.number AND d.moment = job.moment
         AND d.state IN ('waiting', 'sending', 'failed')));
END $$;

-- Return the waiting test messages of a channel; null for a worker that was overtaken.
CREATE FUNCTION todo.open_test(p_space uuid, p_id uuid, p_attempt int) RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object('now', clock_timestamp(), 'deliveries', (
      SELECT coalesce(jsonb_agg(jsonb_build_object(
          'id', d.id, 'channel', c.name, 'kind', c.kind, 'target', c.target, 'secret', c.secret)),
          '[]')
        FROM todo.deliveries d
        JOIN todo.channels c ON c.user_id = d.user_id AND c.name = d.channel
       WHERE d.space_id = p_space AND d.user_id = j.user_id AND d.kind = 'test'
         AND d.channel = j.ref AND d.state IN ('waiting', 'sending', 'failed')))
    FROM todo.jobs j
   WHERE j.space_id = p_space AND j.id = p_id AND j.attempt = p_attempt
$$;

-- Return the next change that a channel is to get, with its delivery; null where none is left, for
-- a worker that was overtaken, and for a user who is no member any more.
CREATE FUNCTION todo.open_change(p_space uuid, p_id uuid, p_attempt int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  job todo.jobs;
  recipient todo.channels;
  change todo.changes;
  delivery todo.deliveries;
BEGIN
  SELECT * INTO job FROM todo.jobs
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt FOR UPDATE;
  SELECT c.* INTO recipient
    FROM todo.channels c
    JOIN todo.members m ON m.space_id = c.space_id AND m.user_id = c.user_id
    JOIN todo.users u ON u.id = c.user_id AND u.disabled_at IS NULL
   WHERE c.user_id = job.user_id AND c.name = job.ref AND c.space_id = p_space;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT c.* INTO change FROM todo.changes c
   WHERE c.space_id = p_space
     AND c.seq IN (
       SELECT d.seq FROM todo.deliveries d
        WHERE d.space_id = p_space AND d.user_id = job.user_id AND d.kind = 'changes'
          AND d.channel = job.ref AND d.seq <= recipient.seq
          AND d.state IN ('waiting', 'sending', 'failed'))
   ORDER BY c.seq LIMIT 1;
  IF NOT FOUND THEN
    SELECT c.* INTO change FROM todo.changes c
     WHERE c.space_id = p_space AND c.seq > recipient.seq
       AND (c.after IS NOT NULL OR c.verb IN ('AddComment', 'EditComment', 'RemoveComment'))
       AND (recipient.verbs IS NULL OR c.verb = ANY (recipient.verbs))
     ORDER BY c.seq LIMIT 1;
  END IF;
  IF NOT FOUND THEN
    UPDATE todo.channels c
       SET seq = greatest(c.seq, (SELECT max(x.seq) FROM todo.changes x WHERE x.space_id = p_space))
     WHERE c.user_id = recipient.user_id AND c.name = recipient.name;
    RETURN NULL;
  END IF;
  INSERT INTO todo.deliveries (space_id, user_id, kind, channel, seq)
  VALUES (p_space, job.user_id, 'changes', job.ref, change.seq)
  ON CONFLICT (space_id, user_id, channel, seq) WHERE kind = 'changes' DO NOTHING;
  SELECT * INTO delivery FROM todo.deliveries d
   WHERE d.space_id = p_space AND d.user_id = job.user_id AND d.kind = 'changes'
     AND d.channel = job.ref AND d.seq = change.seq;
  RETURN jsonb_build_object(
    'now', clock_timestamp(),
    'change', jsonb_build_object(
      'seq', change.seq, 'at', change.at, 'verb', change.verb, 'space', p_space,
      'user', (SELECT u.name FROM todo.users u WHERE u.id = change.user_id),
      'request', change.request, 'after', change.after),
    'deliveries', jsonb_build_array(jsonb_build_object(
      'id', delivery.id, 'channel', recipient.name, 'kind', recipient.kind,
      'target', recipient.target, 'secret', recipient.secret)));
END $$;

-- Mark a delivery as going out now; return how it stood before. Return null for a worker that was
-- overtaken, a reminder that was moved or done meanwhile, and a delivery that is finished.
CREATE FUNCTION todo.begin_delivery(p_space uuid, p_job uuid, p_attempt int, p_delivery uuid)
RETURNS text LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner_id uuid;
  former text;
BEGIN
  SELECT user_id INTO owner_id FROM todo.jobs
   WHERE space_id = p_space AND id = p_job AND attempt = p_attempt FOR UPDATE;
  SELECT state INTO former FROM todo.deliveries
   WHERE space_id = p_space AND user_id = owner_id AND id = p_delivery
     AND state IN ('waiting', 'sending', 'failed') FOR UPDATE;
  UPDATE todo.deliveries
     SET state = 'sending', attempt = p_attempt, updated_at = clock_timestamp()
   WHERE space_id = p_space AND user_id = owner_id AND id = p_delivery AND former IS NOT NULL;
  RETURN former;
END $$;

-- Store the outcome of a delivery. A change that was sent or given up lets its channel go on.
CREATE FUNCTION todo.end_delivery(
  p_space uuid, p_user uuid, p_attempt int, p_delivery uuid, p_state text, p_error text
) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ended todo.deliveries;
BEGIN
  UPDATE todo.deliveries SET state = p_state, error = p_error, updated_at = clock_timestamp()
   WHERE space_id = p_space AND user_id = p_user AND id = p_delivery AND attempt = p_attempt
     AND state = 'sending'
  RETURNING * INTO ended;
  IF ended.kind = 'changes' AND ended.state IN ('sent', 'dead', 'unknown') THEN
    UPDATE todo.channels SET seq = greatest(seq, ended.seq)
     WHERE user_id = p_user AND name = ended.channel AND space_id = p_space;
    UPDATE todo.jobs SET tries = 0, error = p_error
     WHERE space_id = p_space AND user_id = p_user AND kind = 'changes' AND ref = ended.channel;
  END IF;
END $$;

-- Queue the sweep of this database unless it is queued. Its space and its user are the nil id.
CREATE FUNCTION todo.schedule_sweep(p_pause interval) RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO todo.jobs (space_id, kind, user_id, ref, due)
  VALUES ('00000000-0000-0000-0000-000000000000', 'sweep',
    '00000000-0000-0000-0000-000000000000', 'sweep', clock_timestamp() + p_pause)
  ON CONFLICT (space_id, user_id, kind, ref) DO NOTHING
$$;

-- Delete up to so many rows of each kind, and return how many of each: events of turns that ended a
-- day ago, failed sign-ins of past hours, and, older than `p_keep`, deliveries, jobs that were
-- given up, plans that expired, and sessions that ended.
CREATE FUNCTION todo.sweep(p_keep interval, p_limit int) RETURNS jsonb LANGUAGE plpgsql VOLATILE
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
    SELECT space_id, id FROM todo.jobs WHERE dead_at < old LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS swept = ROW_COUNT;
  result := result || jsonb_build_object('jobs', swept);
  DELETE FROM todo.plans p WHERE (p.space_id, p.id) IN (
    SELECT space_id, id FROM todo.plans WHERE expires_at < old
     LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS swept = ROW_COUNT;
  result := result || jsonb_build_object('plans', swept);
  DELETE FROM todo.tokens k WHERE (k.user_id, k.id) IN (
    SELECT s.user_id, s.id FROM todo.tokens s
     WHERE s.kind = 'session' AND least(s.expires_at, s.revoked_at) < old
       AND NOT EXISTS (
         SELECT FROM todo.tokens c WHERE c.user_id = s.user_id AND c.parent = s.id)
     LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS swept = ROW_COUNT;
  RETURN result || jsonb_build_object('sessions', swept);
END $$;

CREATE UNIQUE INDEX deliveries_change ON todo.deliveries (space_id, user_id, channel, seq) WHERE kind = 'changes';

CREATE INDEX deliveries_newest ON todo.deliveries (space_id, user_id, updated_at);

CREATE UNIQUE INDEX deliveries_reminder ON todo.deliveries (space_id, user_id, number, moment, channel) WHERE kind = 'reminder';

CREATE INDEX jobs_due ON todo.jobs (due) WHERE dead_at IS NULL;

CREATE UNIQUE INDEX jobs_ref ON todo.jobs (space_id, user_id, kind, ref);

CREATE INDEX jobs_task ON todo.jobs (space_id, number) WHERE number IS NOT NULL;

CREATE INDEX channels_space ON todo.channels (space_id, user_id) WHERE space_id IS NOT NULL;

ALTER TABLE todo.deliveries
  ALTER COLUMN space_id SET STATISTICS 0,
  ALTER COLUMN user_id SET STATISTICS 0,
  ALTER COLUMN id SET STATISTICS 0,
  ALTER COLUMN kind SET STATISTICS 0,
  ALTER COLUMN channel SET STATISTICS 0,
  ALTER COLUMN number SET STATISTICS 0,
  ALTER COLUMN moment SET STATISTICS 0,
  ALTER COLUMN seq SET STATISTICS 0,
  ALTER COLUMN state SET STATISTICS 0,
  ALTER COLUMN attempt SET STATISTICS 0,
  ALTER COLUMN error SET STATISTICS 0,
  ALTER COLUMN created_at SET STATISTICS 0,
  ALTER COLUMN updated_at SET STATISTICS 0;

ALTER TABLE todo.jobs
  ALTER COLUMN space_id SET STATISTICS 0,
  ALTER COLUMN id SET STATISTICS 0,
  ALTER COLUMN kind SET STATISTICS 0,
  ALTER COLUMN user_id SET STATISTICS 0,
  ALTER COLUMN ref SET STATISTICS 0,
  ALTER COLUMN number SET STATISTICS 0,
  ALTER COLUMN moment SET STATISTICS 0,
  ALTER COLUMN due SET STATISTICS 0,
  ALTER COLUMN attempt SET STATISTICS 0,
  ALTER COLUMN tries SET STATISTICS 0,
  ALTER COLUMN again SET STATISTICS 0,
  ALTER COLUMN error SET STATISTICS 0,
  ALTER COLUMN dead_at SET STATISTICS 0;

ALTER TABLE todo.channels
  ALTER COLUMN user_id SET STATISTICS 0,
  ALTER COLUMN name SET STATISTICS 0,
  ALTER COLUMN kind SET STATISTICS 0,
  ALTER COLUMN target SET STATISTICS 0,
  ALTER COLUMN shown SET STATISTICS 0,
  ALTER COLUMN secret SET STATISTICS 0,
  ALTER COLUMN space_id SET STATISTICS 0,
  ALTER COLUMN verbs SET STATISTICS 0,
  ALTER COLUMN seq SET STATISTICS 0,
  ALTER COLUMN created_at SET STATISTICS 0;

COMMENT ON COLUMN todo.deliveries.kind
  IS 'as in jobs';

COMMENT ON COLUMN todo.deliveries.channel
  IS 'its name; empty: the list of deliveries itself';

COMMENT ON COLUMN todo.deliveries.number
  IS 'the task of a reminder';

COMMENT ON COLUMN todo.deliveries.moment
  IS 'when the reminder was wanted';

COMMENT ON COLUMN todo.deliveries.seq
  IS 'the change of the space';

COMMENT ON COLUMN todo.deliveries.attempt
  IS 'of the job that last sent it';

COMMENT ON COLUMN todo.jobs.ref
  IS 'names the work: one job of a kind, user and ref at a time';

COMMENT ON COLUMN todo.jobs.number
  IS 'the task of a reminder';

COMMENT ON COLUMN todo.jobs.moment
  IS 'when the reminder is wanted';

COMMENT ON COLUMN todo.jobs.due
  IS 'when a worker may take it: later while it is leased';

COMMENT ON COLUMN todo.jobs.attempt
  IS 'the fencing token: writes of an older attempt are refused';

COMMENT ON COLUMN todo.jobs.tries
  IS 'failures in a row';

COMMENT ON COLUMN todo.jobs.again
  IS 'more work came while it ran';

COMMENT ON COLUMN todo.jobs.dead_at
  IS 'given up, until a user retries it';

COMMENT ON COLUMN todo.channels.target
  IS 'address; clients cannot read it, since it may be a secret';

COMMENT ON COLUMN todo.channels.shown
  IS 'the address without what may be secret';

COMMENT ON COLUMN todo.channels.secret
  IS 'key of the signature, or token of the push server; clients cannot read it';

COMMENT ON COLUMN todo.channels.space_id
  IS 'the space whose changes it gets; null: it gets reminders';

COMMENT ON COLUMN todo.channels.verbs
  IS 'the verbs of those changes; null: all';

COMMENT ON COLUMN todo.channels.seq
  IS 'the last change of the space that was sent or given up';

COMMENT ON COLUMN todo.tasks.remind
  IS 'reminders, each with its user and zone: days and seconds before the due date, or an instant';

CREATE TRIGGER reminders_inserted AFTER INSERT ON todo.tasks FOR EACH ROW
  WHEN (NEW.remind IS NOT NULL)
  EXECUTE FUNCTION todo.schedule_reminders();

CREATE TRIGGER reminders_changed AFTER UPDATE ON todo.tasks FOR EACH ROW
  WHEN (num_nulls(OLD.remind, NEW.remind) < 2
    AND (OLD.remind, OLD.status, OLD.due_on, OLD.due_at)
      IS DISTINCT FROM (NEW.remind, NEW.status, NEW.due_on, NEW.due_at))
  EXECUTE FUNCTION todo.schedule_reminders();

CREATE TRIGGER changes_sent AFTER INSERT ON todo.changes
  REFERENCING NEW TABLE AS inserted_changes FOR EACH STATEMENT
  EXECUTE FUNCTION todo.schedule_changes();

GRANT CREATE ON SCHEMA todo TO todo_auth;

ALTER ROUTINE todo.add_channel(text, text, text, text, text, uuid, text[]) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.add_channel(text, text, text, text, text, uuid, text[]) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.add_channel(text, text, text, text, text, uuid, text[]) TO todo_server, todo_worker, todo_person;

ALTER ROUTINE todo.remove_channel(text) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.remove_channel(text) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.remove_channel(text) TO todo_server, todo_worker, todo_person;

ALTER ROUTINE todo.test_channel(text) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.test_channel(text) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.test_channel(text) TO todo_server, todo_worker, todo_person;

ALTER ROUTINE todo.reminder_moments(jsonb, date, timestamp with time zone) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.reminder_moments(jsonb, date, timestamp with time zone) FROM PUBLIC;

ALTER ROUTINE todo.schedule_reminders() OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.schedule_reminders() FROM PUBLIC;

ALTER ROUTINE todo.schedule_changes() OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.schedule_changes() FROM PUBLIC;

ALTER ROUTINE todo.user_jobs(bigint, int) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.user_jobs(bigint, int) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.user_jobs(bigint, int) TO todo_server, todo_worker, todo_person;

ALTER ROUTINE todo.retry_jobs(uuid) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.retry_jobs(uuid) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.retry_jobs(uuid) TO todo_server, todo_worker, todo_person;

ALTER ROUTINE todo.take_jobs(int, interval) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.take_jobs(int, interval) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.take_jobs(int, interval) TO todo_worker;

ALTER ROUTINE todo.next_job_due() OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.next_job_due() FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.next_job_due() TO todo_worker;

ALTER ROUTINE todo.renew_job(uuid, uuid, int, interval) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.renew_job(uuid, uuid, int, interval) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.renew_job(uuid, uuid, int, interval) TO todo_worker;

ALTER ROUTINE todo.finish_job(uuid, uuid, int) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.finish_job(uuid, uuid, int) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.finish_job(uuid, uuid, int) TO todo_worker;

ALTER ROUTINE todo.fail_job(uuid, uuid, int, interval, int, text) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.fail_job(uuid, uuid, int, interval, int, text) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.fail_job(uuid, uuid, int, interval, int, text) TO todo_worker;

ALTER ROUTINE todo.task_message(uuid, bigint) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.task_message(uuid, bigint) FROM PUBLIC;

ALTER ROUTINE todo.open_reminder(uuid, uuid, int) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.open_reminder(uuid, uuid, int) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.open_reminder(uuid, uuid, int) TO todo_worker;

ALTER ROUTINE todo.open_test(uuid, uuid, int) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.open_test(uuid, uuid, int) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.open_test(uuid, uuid, int) TO todo_worker;

ALTER ROUTINE todo.open_change(uuid, uuid, int) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.open_change(uuid, uuid, int) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.open_change(uuid, uuid, int) TO todo_worker;

ALTER ROUTINE todo.begin_delivery(uuid, uuid, int, uuid) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.begin_delivery(uuid, uuid, int, uuid) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.begin_delivery(uuid, uuid, int, uuid) TO todo_worker;

ALTER ROUTINE todo.end_delivery(uuid, uuid, int, uuid, text, text) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.end_delivery(uuid, uuid, int, uuid, text, text) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.end_delivery(uuid, uuid, int, uuid, text, text) TO todo_worker;

ALTER ROUTINE todo.schedule_sweep(interval) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.schedule_sweep(interval) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.schedule_sweep(interval) TO todo_worker;

ALTER ROUTINE todo.sweep(interval, int) OWNER TO todo_auth;

REVOKE ALL ON ROUTINE todo.sweep(interval, int) FROM PUBLIC;

GRANT EXECUTE ON ROUTINE todo.sweep(interval, int) TO todo_worker;

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

ALTER TABLE todo.deliveries ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.deliveries TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.deliveries TO todo_auth;

ALTER TABLE todo.jobs ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.jobs TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.jobs TO todo_auth;

ALTER TABLE todo.channels ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.channels TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.channels TO todo_auth;

CREATE POLICY may_select ON todo.channels FOR SELECT TO todo_server, todo_worker, todo_person
  USING (user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_select ON todo.deliveries FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read')) AND user_id = (SELECT todo.current_user_id()));

GRANT SELECT (user_id, name, kind, shown, space_id, verbs, seq, created_at)
  ON todo.channels TO todo_server, todo_worker, todo_person;

GRANT SELECT
  ON todo.deliveries TO todo_server, todo_worker, todo_person;

GRANT UPDATE (remind) ON todo.tasks TO todo_server, todo_worker, todo_person;

UPDATE todo.schema SET version = 16;
