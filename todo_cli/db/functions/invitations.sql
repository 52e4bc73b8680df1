-- Registration, open or by an invitation of an administrator.

-- name: create_invitation
-- Store an invitation of the caller, an administrator.
CREATE FUNCTION todo.create_invitation(
  p_id uuid, p_hash bytea, p_email text, p_expires timestamptz
) RETURNS SETOF todo.invitations LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  RETURN QUERY
  INSERT INTO todo.invitations (user_id, id, hash, email, expires_at)
  VALUES (todo.current_user_id(), p_id, p_hash, p_email, p_expires)
  RETURNING *;
END $$;

-- name: list_invitations
-- The invitations of all administrators that can still be used, and how each was used.
CREATE FUNCTION todo.list_invitations() RETURNS TABLE (
  id uuid, inviter text, email text, created_at timestamptz, expires_at timestamptz, used_by text
) LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  RETURN QUERY
  SELECT i.id, a.name, i.email, i.created_at, i.expires_at, u.name
    FROM todo.invitations i
    JOIN todo.users a ON a.id = i.user_id
    LEFT JOIN todo.users u ON u.id = i.used_by;
END $$;

-- name: delete_invitation
-- Delete an invitation that nobody has used, on behalf of an administrator; return its id.
CREATE FUNCTION todo.delete_invitation(p_id uuid) RETURNS SETOF uuid LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  RETURN QUERY
  DELETE FROM todo.invitations WHERE id = p_id AND used_by IS NULL RETURNING id;
END $$;

-- name: begin_registration
-- Count a registration of an address, before the server hashes the password.
CREATE FUNCTION todo.begin_registration(p_address text) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM todo.count_attempt(format('registration from %s', p_address), 20, '1 hour');
  PERFORM todo.delete_old_attempts();
END $$;

-- name: register_user
-- Create a user with a password, unless the e-mail address has an account: the answer is the same.
-- Without an inviter, registration is open. A name that is taken gets a number.
CREATE FUNCTION todo.register_user(
  p_id uuid, p_email text, p_name text, p_hash text, p_zone text,
  p_inviter uuid, p_invitation_hash bytea
) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  user_name text := p_name;
  number int := 1;
BEGIN
  IF p_inviter IS NOT NULL THEN
    PERFORM 1
       FROM todo.invitations i
       JOIN todo.users u ON u.id = i.user_id AND u.admin AND u.disabled_at IS NULL
      WHERE i.user_id = p_inviter AND i.hash = p_invitation_hash
        AND (i.used_by IS NULL AND i.expires_at > clock_timestamp() OR i.used_by = p_id)
        AND coalesce(i.email = p_email, true)
        FOR UPDATE OF i;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the invitation is not valid for this e-mail address, was used or has expired'
        USING ERRCODE = 'TD403', HINT = 'ask an administrator for a new one';
    END IF;
  END IF;
  IF EXISTS (SELECT FROM todo.users WHERE email = p_email OR id = p_id) THEN
    RETURN;
  END IF;
  WHILE EXISTS (SELECT FROM todo.users WHERE name = user_name) LOOP
    number := number + 1;
    user_name := format('%s %s', p_name, number);
  END LOOP;
  INSERT INTO todo.users (id, name, email) VALUES (p_id, user_name, p_email);
  INSERT INTO todo.spaces (id, name) VALUES (p_id, user_name);
  INSERT INTO todo.members (space_id, user_id, role) VALUES (p_id, p_id, 'owner');
  INSERT INTO todo.preferences (user_id, timezone) VALUES (p_id, p_zone);
  INSERT INTO todo.passwords (user_id, hash) VALUES (p_id, p_hash);
  UPDATE todo.invitations SET used_by = p_id, used_at = clock_timestamp()
   WHERE user_id = p_inviter AND hash = p_invitation_hash;
END $$;
