-- Deliveries: one row for each message and channel. `sending` is committed before a message goes
-- out, its outcome afterwards. A row that is found in `sending` belongs to a worker that died: the
-- message may have gone out, and is sent again only with the same id.

-- name: task_message
-- What a message says of a task.
CREATE FUNCTION todo.task_message(p_space uuid, p_number bigint) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object(
      'number', t.number, 'title', t.title, 'project', t.project,
      'priority', nullif(t.priority, 4), 'due_on', t.due_on, 'due_at', t.due_at)
    FROM todo.tasks t WHERE t.space_id = p_space AND t.number = p_number
$$;

-- name: open_reminder
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

-- name: open_test
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

-- name: open_change
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

-- name: begin_delivery
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

-- name: end_delivery
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
