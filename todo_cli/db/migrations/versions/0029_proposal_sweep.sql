-- Sweep proposals, and let tokens with limits import within their filter.

SET LOCAL check_function_bodies = off;

-- Delete up to so many rows of each kind, and return how many of each: events of turns that ended a
-- day ago, failed sign-ins of past hours, tokens that acted for others and have expired, and, older
-- than `p_keep`, deliveries, jobs that were given up, plans and proposals that expired, decided or
-- not, and sessions that ended.
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
    SELECT space_id, id FROM todo.jobs WHERE dead_at < old LIMIT p_limit FOR UPDATE SKIP LOCKED);
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

CREATE POLICY limited_may_select ON todo.task_sources FOR SELECT TO todo_limited
  USING (space_id = (SELECT todo.limited_space('read')) AND EXISTS (
    SELECT FROM todo.tasks t
     WHERE t.space_id = task_sources.space_id AND t.number = task_sources.number));

CREATE POLICY limited_may_insert ON todo.task_sources FOR INSERT TO todo_limited
  WITH CHECK (space_id = (SELECT todo.limited_space('tasks:write'))
    AND todo.is_reached((SELECT todo.current_reach()), space_id, number));

CREATE POLICY limited_may_update ON todo.task_sources FOR UPDATE TO todo_limited
  USING (space_id = (SELECT todo.limited_space('tasks:write'))
    AND todo.is_reached((SELECT todo.current_reach()), space_id, number))
  WITH CHECK (space_id = (SELECT todo.limited_space('tasks:write'))
    AND todo.is_reached((SELECT todo.current_reach()), space_id, number));

GRANT SELECT, INSERT, UPDATE (
    seq, digest, kept_format, kept_id, kept, series, left_out, pending, has_created_at)
  ON todo.task_sources TO todo_limited;

UPDATE todo.schema SET version = 29;
