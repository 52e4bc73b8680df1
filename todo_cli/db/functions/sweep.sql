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
