-- Take a reminder whose moment passes while its request is stored.

SET LOCAL check_function_bodies = off;

CREATE OR REPLACE FUNCTION todo.schedule_reminders() RETURNS trigger LANGUAGE plpgsql VOLATILE
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

UPDATE todo.schema SET version = 26;
