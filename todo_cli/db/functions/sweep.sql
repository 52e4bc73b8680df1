-- What nobody needs any more is deleted here, a bounded number of rows at a time.

-- name: schedule_sweep
-- Queue the sweep of this database unless it is queued. Its space and its user are the nil id.
CREATE FUNCTION todo.schedule_sweep(p_pause interval) RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO todo.jobs (space_id, kind, user_id, ref, due)
  VALUES ('00000000-0000-0000-0000-000000000000', 'sweep',
    '00000000-0000-0000-0000-000000000000', 'sweep', clock_timestamp() + p_pause)
  ON CONFLICT (space_id, user_id, kind, ref) DO NOTHING
$$;

-- name: sweep
-- Delete up to so many rows of each kind, and return how many of each: events of turns that ended a
-- day ago, failed sign-ins of past hours, tokens that acted for others and have expired, and, older
-- than `p_keep`, deliveries, jobs that were given up, plans and proposals that expired, decided or
-- not, and sessions that ended. A title for which no worker had a model in a week is given up.
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

-- name: sweep_trash
-- Delete up to so many tasks and conversations that were removed before so long, and return how
-- many of each. A task with a subtask stays until the subtask goes, a conversation that another
-- one continues stays. The journal keeps what a task was; it cannot be restored any more.
CREATE FUNCTION todo.sweep_trash(p_keep interval, p_limit int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  old timestamptz := clock_timestamp() - p_keep;
  locked uuid[];
  spaces uuid[];
  numbers bigint[];
  users uuid[];
  ids uuid[];
BEGIN
  -- a request that has loaded a task holds the lock of its space
  SELECT coalesce(array_agg(s.id), '{}') INTO locked FROM (
    SELECT id FROM todo.spaces
     WHERE id IN (
       SELECT t.space_id FROM todo.tasks t
        WHERE t.deleted_at IS NOT NULL AND t.deleted_at < old LIMIT p_limit)
     ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) AS s;
  WITH trash AS (
    SELECT t.space_id, t.number FROM todo.tasks t
     WHERE t.space_id = ANY (locked) AND t.status = 'deleted'
       AND t.deleted_at IS NOT NULL AND t.deleted_at < old
       AND NOT EXISTS (
         SELECT FROM todo.tasks s WHERE s.space_id = t.space_id AND s.parent = t.number)
     LIMIT p_limit)
  SELECT coalesce(array_agg(space_id), '{}'), coalesce(array_agg(number), '{}')
    INTO spaces, numbers FROM trash;
  DELETE FROM todo.comments c USING unnest(spaces, numbers) AS d(space_id, number)
   WHERE c.space_id = d.space_id AND c.number = d.number;
  DELETE FROM todo.task_tags g USING unnest(spaces, numbers) AS d(space_id, number)
   WHERE g.space_id = d.space_id AND g.number = d.number;
  DELETE FROM todo.links l USING unnest(spaces, numbers) AS d(space_id, number)
   WHERE l.space_id = d.space_id AND l.number = d.number;
  DELETE FROM todo.links l USING unnest(spaces, numbers) AS d(space_id, number)
   WHERE l.space_id = d.space_id AND l.after = d.number;
  DELETE FROM todo.tasks t USING unnest(spaces, numbers) AS d(space_id, number)
   WHERE t.space_id = d.space_id AND t.number = d.number;
  WITH trash AS (
    SELECT c.space_id, c.user_id, c.id FROM todo.conversations c
     WHERE c.deleted_at IS NOT NULL AND c.deleted_at < old
       AND NOT EXISTS (
         SELECT FROM todo.conversations o
          WHERE o.space_id = c.space_id AND o.user_id = c.user_id AND o.head_of = c.id
            AND o.id <> c.id)
       AND NOT EXISTS (
         SELECT FROM todo.messages m
          WHERE m.space_id = c.space_id AND m.user_id = c.user_id AND m.parent_of = c.id
            AND m.conversation_id <> c.id)
     LIMIT p_limit FOR UPDATE OF c SKIP LOCKED)
  SELECT coalesce(array_agg(space_id), '{}'), coalesce(array_agg(user_id), '{}'),
         coalesce(array_agg(id), '{}')
    INTO spaces, users, ids FROM trash;
  DELETE FROM todo.events e
   USING unnest(spaces, users, ids) AS d(space_id, user_id, id), todo.turns t
   WHERE t.space_id = d.space_id AND t.user_id = d.user_id AND t.conversation_id = d.id
     AND e.space_id = t.space_id AND e.user_id = t.user_id AND e.turn_id = t.id;
  DELETE FROM todo.turns t USING unnest(spaces, users, ids) AS d(space_id, user_id, id)
   WHERE t.space_id = d.space_id AND t.user_id = d.user_id AND t.conversation_id = d.id;
  DELETE FROM todo.messages m USING unnest(spaces, users, ids) AS d(space_id, user_id, id)
   WHERE m.space_id = d.space_id AND m.user_id = d.user_id AND m.conversation_id = d.id;
  DELETE FROM todo.conversations c USING unnest(spaces, users, ids) AS d(space_id, user_id, id)
   WHERE c.space_id = d.space_id AND c.user_id = d.user_id AND c.id = d.id;
  RETURN jsonb_build_object(
    'tasks', cardinality(numbers), 'conversations', cardinality(ids));
END $$;

-- name: sweep_texts
-- Drop the long texts of up to so many changes that are older than so long, and return how many.
-- Such a change cannot be undone any more where it set or removed one of them.
CREATE FUNCTION todo.sweep_texts(p_keep interval, p_limit int) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  swept bigint;
BEGIN
  UPDATE todo.changes c SET texts = NULL WHERE (c.space_id, c.seq) IN (
    SELECT space_id, seq FROM todo.changes
     WHERE texts IS NOT NULL AND at < clock_timestamp() - p_keep LIMIT p_limit);
  GET DIAGNOSTICS swept = ROW_COUNT;
  RETURN swept;
END $$;
