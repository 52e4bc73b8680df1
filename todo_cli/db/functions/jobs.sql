-- The queue. A job is taken by moving its due time behind the lease, and finished by deleting it.
-- A dead worker's job is simply due again. `attempt` fences: a worker that was overtaken changes
-- nothing. A task's change schedules its reminders in its own transaction.

-- name: reminder_moments
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

-- name: schedule_reminders
-- Trigger: let the jobs of a task's reminders follow the task. A moment that has passed is taken
-- only while the task is not due yet: its reminder is late, and the message says so. The moment of
-- a date may also pass between the reading of the request and this row: a minute late is taken too.
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
     WHERE (m.moment > now_at - interval '1 minute'
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

-- name: schedule_changes
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

-- name: take_jobs
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

-- name: take_jobs
-- The same for workers of former releases, which know no titles.
CREATE FUNCTION todo.take_jobs(p_limit int, p_lease interval)
RETURNS TABLE (space_id uuid, id uuid, kind text, user_id uuid, ref text, attempt int, tries int)
LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM todo.take_jobs(p_limit, p_lease, '{reminder,changes,test,sweep}')
$$;

-- name: next_job_due
-- The seconds until the next job of some kinds is due; null without one.
CREATE FUNCTION todo.next_job_due(p_kinds text[]) RETURNS float8 LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT extract(epoch FROM min(due) - clock_timestamp())::float8
    FROM todo.jobs WHERE dead_at IS NULL AND kind = ANY (p_kinds)
$$;

-- name: next_job_due
-- The same for workers of former releases.
CREATE FUNCTION todo.next_job_due() RETURNS float8 LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT todo.next_job_due('{reminder,changes,test,sweep}')
$$;

-- name: renew_job
-- Extend the lease of a job; return false for a worker that was overtaken.
CREATE FUNCTION todo.renew_job(p_space uuid, p_id uuid, p_attempt int, p_lease interval)
RETURNS boolean LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE todo.jobs SET due = clock_timestamp() + p_lease
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt;
  RETURN FOUND;
END $$;

-- name: finish_job
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

-- name: fail_job
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

-- name: user_jobs
-- The jobs of the caller in this transaction's space, of one task with a number: scheduled, failing
-- and given up. Titles of conversations are no messages to the user.
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
     AND j.user_id = (SELECT todo.current_user_id()) AND j.kind <> 'title'
     AND (p_number IS NULL OR j.number = p_number)
   ORDER BY j.dead_at DESC NULLS LAST, j.due LIMIT p_limit;
END $$;

-- name: retry_jobs
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
