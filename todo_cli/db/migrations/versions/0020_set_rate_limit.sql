-- An administrator sets the rate limit of a user.

GRANT CREATE ON SCHEMA todo TO todo_auth;

SET LOCAL check_function_bodies = off;

-- Set the limits of a user that the JSON names, on behalf of an administrator; null is no limit.
CREATE FUNCTION todo.set_rate_limit(p_name text, p_limits jsonb) RETURNS SETOF todo.users
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  RETURN QUERY
  UPDATE todo.users
     SET per_minute = CASE WHEN p_limits ? 'requests'
           THEN (p_limits ->> 'requests')::int ELSE per_minute END,
         turns_per_minute = CASE WHEN p_limits ? 'turns'
           THEN (p_limits ->> 'turns')::int ELSE turns_per_minute END
   WHERE name = p_name
  RETURNING *;
END $$;

ALTER FUNCTION todo.set_rate_limit(text, jsonb) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.set_rate_limit(text, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.set_rate_limit(text, jsonb)
  TO todo_server, todo_worker, todo_person;

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

UPDATE todo.schema SET version = 20;
