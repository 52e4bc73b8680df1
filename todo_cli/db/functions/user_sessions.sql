-- Sessions of users: tokens whose expiry slides with their use.

-- name: insert_session
-- Insert a session of seven days with a name that no other active session of the user has. The
-- secret is the caller's; sent again, it is the same session.
CREATE FUNCTION todo.insert_session(
  p_user uuid, p_secret text, p_name text, p_address text, p_parent uuid
) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  token_hash bytea := sha256(convert_to(
    format('todo_%s_%s', replace(p_user::text, '-', ''), p_secret), 'UTF8'));
  names text[];
  session_name text := p_name;
  number int := 1;
BEGIN
  PERFORM 1 FROM todo.users WHERE id = p_user FOR NO KEY UPDATE;
  IF EXISTS (SELECT FROM todo.tokens WHERE user_id = p_user AND hash = token_hash) THEN
    RETURN;
  END IF;
  SELECT array_agg(name) INTO names
    FROM todo.tokens
   WHERE user_id = p_user AND kind = 'session' AND revoked_at IS NULL
     AND expires_at > clock_timestamp();
  IF cardinality(names) >= 100 THEN
    RAISE EXCEPTION 'you have 100 sessions'
      USING ERRCODE = 'TD409',
            HINT = 'end those that you do not use: todo session revoke; scripts use a token';
  END IF;
  WHILE session_name = ANY (names) LOOP
    number := number + 1;
    session_name := format('%s %s', p_name, number);
  END LOOP;
  INSERT INTO todo.tokens (user_id, id, name, hash, scopes, kind, expires_at, parent, address)
  VALUES (p_user, gen_random_uuid(), session_name, token_hash, '{all}', 'session',
    clock_timestamp() + interval '7 days', p_parent, p_address);
END $$;

-- name: end_sessions
-- End the sessions of a user, and the devices that wait for one, but spare one session; return how
-- many ended. The tokens that they created stay.
CREATE FUNCTION todo.end_sessions(p_user uuid, p_spared uuid) RETURNS int
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result int;
BEGIN
  DELETE FROM todo.devices WHERE user_id = p_user;
  UPDATE todo.tokens
     SET expires_at = clock_timestamp()
   WHERE user_id = p_user AND kind = 'session' AND revoked_at IS NULL
     AND expires_at > clock_timestamp() AND id IS DISTINCT FROM p_spared;
  GET DIAGNOSTICS result = ROW_COUNT;
  RETURN result;
END $$;

-- name: keep_expired_token
-- Trigger: an expired token stays expired. A request that began before its session was ended must
-- not slide it into the future.
CREATE FUNCTION todo.keep_expired_token() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.expires_at <= clock_timestamp() THEN
    NEW.expires_at := OLD.expires_at;
  END IF;
  RETURN NEW;
END $$;

-- name: end_current_session
-- End the calling session; return its name, or null where the caller's token is no session.
CREATE FUNCTION todo.end_current_session() RETURNS text LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.tokens
     SET expires_at = clock_timestamp()
   WHERE user_id = todo.current_user_id() AND id = todo.current_token_id() AND kind = 'session'
  RETURNING name
$$;

-- name: current_full_user
-- The user of this transaction's token if it has every right of the user, else null.
CREATE FUNCTION todo.current_full_user() RETURNS uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT user_id FROM todo.tokens
   WHERE user_id = todo.current_user_id() AND id = todo.current_token_id()
     AND 'all' = ANY (scopes)
$$;

-- name: revoke_sessions
-- Revoke the caller's active session of this name or id, without one all others, and by a trigger
-- the tokens and sessions that they created; return the names of both, null for an unknown name.
CREATE FUNCTION todo.revoke_sessions(p_name text) RETURNS jsonb LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me uuid := todo.current_space('tokens:write');
  revoked_ids uuid[];
  result jsonb;
BEGIN
  SELECT coalesce(array_agg(id), '{}') INTO revoked_ids
    FROM todo.tokens
   WHERE user_id = me AND user_id = todo.current_user_id() AND kind = 'session'
     AND revoked_at IS NULL AND expires_at > clock_timestamp()
     AND CASE WHEN p_name IS NULL THEN id <> todo.current_token_id()
              ELSE name = p_name OR id::text = p_name END;
  IF revoked_ids = '{}' AND p_name IS NOT NULL THEN
    RETURN NULL;
  END IF;
  WITH RECURSIVE family AS (
    SELECT id, name FROM todo.tokens WHERE user_id = me AND id = ANY (revoked_ids)
     UNION
    SELECT t.id, t.name
      FROM family f
      JOIN todo.tokens t ON t.user_id = me AND t.parent = f.id
     WHERE t.revoked_at IS NULL AND coalesce(t.expires_at > clock_timestamp(), true))
  SELECT jsonb_build_object(
      'sessions',
      coalesce(jsonb_agg(name ORDER BY name) FILTER (WHERE id = ANY (revoked_ids)), '[]'),
      'descendants',
      coalesce(jsonb_agg(name ORDER BY name) FILTER (WHERE id <> ALL (revoked_ids)), '[]'))
    INTO result
    FROM family;
  UPDATE todo.tokens SET revoked_at = clock_timestamp()
   WHERE user_id = me AND id = ANY (revoked_ids) AND revoked_at IS NULL;
  RETURN result;
END $$;
