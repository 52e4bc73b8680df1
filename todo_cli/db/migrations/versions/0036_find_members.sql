-- The names of a few members, which cost the same in a space of a thousand.

GRANT CREATE ON SCHEMA todo TO todo_auth;

-- Those of the users that are members of this transaction's space.
CREATE FUNCTION todo.find_members(p_users uuid[]) RETURNS TABLE (id uuid, name text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT u.id, u.name
    FROM todo.members m
    JOIN todo.users u ON u.id = m.user_id
   WHERE m.user_id = ANY (p_users)
     AND m.space_id = (
           SELECT coalesce(todo.current_space('read'), todo.limited_space('read')));
END $$;

ALTER FUNCTION todo.find_members(uuid[]) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.find_members(uuid[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.find_members(uuid[])
  TO todo_server, todo_worker, todo_person, todo_limited;

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

UPDATE todo.schema SET version = 36;
