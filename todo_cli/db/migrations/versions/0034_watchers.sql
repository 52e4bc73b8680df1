-- What servers ask several times a second for those who follow changes.

GRANT CREATE ON SCHEMA todo TO todo_auth;

-- A text for each pair of a space and a user that becomes another one with each change in the space
-- or in the user's own space, which has what they do to their tokens, and with each reminder of the
-- user in the space. Past row-level security, and therefore without any content.
CREATE FUNCTION todo.watched_states(p_spaces uuid[], p_users uuid[]) RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(jsonb_agg(
      concat_ws(' ', (
        SELECT s.seq FROM todo.spaces s WHERE s.id = w.space_id), (
        SELECT s.seq FROM todo.spaces s WHERE s.id = w.user_id), (
        SELECT count(*) || ' ' || coalesce(max(d.updated_at)::text, '') FROM todo.deliveries d
         WHERE d.space_id = w.space_id AND d.user_id = w.user_id
           AND d.kind = 'reminder' AND d.channel = ''
           AND d.updated_at > statement_timestamp() - interval '1 minute'))
      ORDER BY w.place), '[]')
    FROM unnest(p_spaces, p_users) WITH ORDINALITY AS w (space_id, user_id, place)
$$;

ALTER FUNCTION todo.watched_states(uuid[], uuid[]) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.watched_states(uuid[], uuid[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.watched_states(uuid[], uuid[]) TO todo_server;

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

UPDATE todo.schema SET version = 34;
