-- Figures of the whole database. Large tables are estimated, so that a scrape costs milliseconds.

-- name: server_stats
-- The figures as JSON, for the metrics of servers and workers.
CREATE FUNCTION todo.server_stats() RETURNS jsonb LANGUAGE sql STABLE
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

-- name: admin_stats
-- The same figures, for an administrator.
CREATE FUNCTION todo.admin_stats() RETURNS jsonb LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  RETURN todo.server_stats();
END $$;
