-- name: delete_view
-- Delete the caller's own view and return it.
CREATE FUNCTION todo.delete_view(p_name text) RETURNS SETOF todo.views
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.views v
   WHERE v.space_id = (SELECT todo.current_space('tasks:write'))
     AND v.user_id = (SELECT todo.current_user_id())
     AND v.name = p_name
  RETURNING *
$$;

-- name: set_default_view
-- Make one of the caller's views the default, or none for a null name. Return all of the caller's
-- views; return no row and change nothing if the caller has no view of that name.
CREATE FUNCTION todo.set_default_view(p_name text) RETURNS SETOF todo.views
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.views v
     SET is_default = coalesce(v.name = p_name, false)
   WHERE v.space_id = (SELECT todo.current_space('tasks:write'))
     AND v.user_id = (SELECT todo.current_user_id())
     AND (p_name IS NULL OR EXISTS (
       SELECT FROM todo.views named
        WHERE named.space_id = v.space_id AND named.user_id = v.user_id AND named.name = p_name))
  RETURNING *
$$;
