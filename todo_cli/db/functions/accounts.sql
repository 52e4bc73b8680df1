-- name: space_members
-- The members of this transaction's space: all that a user sees of other users.
CREATE FUNCTION todo.space_members()
RETURNS TABLE (id uuid, name text, admin boolean, role text) LANGUAGE plpgsql STABLE
SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT u.id, u.name, u.admin, m.role
    FROM todo.members m
    JOIN todo.users u ON u.id = m.user_id
   WHERE m.space_id = (
           SELECT coalesce(todo.current_space('read'), todo.limited_space('read')));
END $$;

-- name: find_members
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

-- name: user_spaces
-- The spaces that the caller is a member of.
CREATE FUNCTION todo.user_spaces() RETURNS TABLE (id uuid, name text, role text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT s.id, s.name, m.role
    FROM todo.members m
    JOIN todo.spaces s ON s.id = m.space_id
   WHERE m.user_id = (SELECT todo.current_user_id());
END $$;

-- name: create_user
-- Create a user with a personal space (its id is the user's), membership, preferences and a first
-- token.
CREATE FUNCTION todo.create_user(
  p_id uuid, p_name text, p_admin boolean, p_token_id uuid, p_token_hash bytea, p_zone text
) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO todo.users (id, name, admin) VALUES (p_id, p_name, p_admin);
  INSERT INTO todo.spaces (id, name) VALUES (p_id, p_name);
  INSERT INTO todo.members (space_id, user_id, role) VALUES (p_id, p_id, 'owner');
  INSERT INTO todo.preferences (user_id, timezone) VALUES (p_id, p_zone);
  INSERT INTO todo.tokens (user_id, id, name, hash, scopes, parent)
  VALUES (p_id, p_token_id, 'first', p_token_hash, '{all}', NULL);
$$;

-- name: is_admin
-- Whether the caller is an administrator with a token that may act as one.
CREATE FUNCTION todo.is_admin() RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result boolean;
BEGIN
  SELECT u.admin INTO result
    FROM todo.users u
    JOIN todo.tokens t ON t.user_id = u.id
   WHERE u.id = todo.current_user_id()
     AND t.id = todo.current_token_id()
     AND t.scopes && '{admin,all}';
  RETURN coalesce(result, false);
END $$;

-- name: add_user
-- Create a user on behalf of an administrator.
CREATE FUNCTION todo.add_user(
  p_id uuid, p_name text, p_admin boolean, p_token_id uuid, p_token_hash bytea, p_zone text
) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  PERFORM todo.create_user(p_id, p_name, p_admin, p_token_id, p_token_hash, p_zone);
END $$;

-- name: list_users
-- All users by name, for an administrator.
CREATE FUNCTION todo.list_users() RETURNS SETOF todo.users LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  RETURN QUERY SELECT * FROM todo.users ORDER BY name;
END $$;

-- name: disable_user
-- Disable or enable a user on behalf of an administrator; no row if there is no such user.
CREATE FUNCTION todo.disable_user(p_name text, p_disabled boolean) RETURNS SETOF todo.users
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  IF EXISTS (SELECT FROM todo.users WHERE name = p_name AND id = todo.current_user_id()) THEN
    RAISE EXCEPTION 'you cannot disable yourself' USING ERRCODE = 'TD409';
  END IF;
  RETURN QUERY
  UPDATE todo.users
     SET disabled_at = CASE WHEN p_disabled THEN coalesce(disabled_at, clock_timestamp()) END
   WHERE name = p_name
  RETURNING *;
END $$;
