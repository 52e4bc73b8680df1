-- Sign-in of a device without a keyboard (RFC 8628): it shows a short code, which a user approves
-- on another terminal. The secret that the device made at the start becomes part of its session's
-- token: the answer to a poll carries no secret and may be lost and asked for again.

-- name: start_device
-- Store the request of a device under the hash of its secret; return its code, or null where
-- another device shows this code. The same secret returns the same code.
CREATE FUNCTION todo.start_device(
  p_hash bytea, p_user_code text, p_name text, p_address text
) RETURNS text LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM todo.count_attempt(format('device at %s', p_address), 30, '1 hour');
  PERFORM todo.delete_old_attempts();
  DELETE FROM todo.devices
   WHERE hash IN (
     SELECT hash FROM todo.devices WHERE expires_at < clock_timestamp() - interval '1 hour'
        FOR UPDATE SKIP LOCKED);
  INSERT INTO todo.devices (hash, user_code, name, address, expires_at)
  VALUES (p_hash, p_user_code, p_name, p_address, clock_timestamp() + interval '10 minutes')
  ON CONFLICT DO NOTHING;
  RETURN (SELECT user_code FROM todo.devices WHERE hash = p_hash);
END $$;

-- name: find_device
-- The device that shows this code, for a user who may approve it. Each call counts as a guess until
-- the device is found.
CREATE FUNCTION todo.find_device(p_user_code text) RETURNS TABLE (name text, address text)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me uuid := todo.current_full_user();
BEGIN
  PERFORM todo.count_attempt(format('device of %s', me), 10, '15 minutes');
  RETURN QUERY
  SELECT d.name, d.address
    FROM todo.devices d
   WHERE me IS NOT NULL AND d.user_code = p_user_code AND d.state = 'pending'
     AND d.expires_at > clock_timestamp();
  IF FOUND THEN
    PERFORM todo.return_attempt(format('device of %s', me));
  END IF;
END $$;

-- name: decide_device
-- Approve or refuse the device that shows this code; no row if there is none. Its session ends with
-- the token that approves it, which therefore must not expire by itself.
CREATE FUNCTION todo.decide_device(p_user_code text, p_is_approved boolean)
RETURNS TABLE (name text, address text) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT FROM todo.tokens t
     WHERE t.user_id = todo.current_user_id() AND t.id = todo.current_token_id()
       AND t.kind <> 'session' AND t.expires_at IS NOT NULL) THEN
    RAISE EXCEPTION 'a token that expires cannot approve a device'
      USING ERRCODE = 'TD403', HINT = 'approve it where you are signed in with your password';
  END IF;
  RETURN QUERY SELECT d.name, d.address FROM todo.find_device(p_user_code) d;
  IF FOUND THEN
    UPDATE todo.devices d
       SET state = CASE WHEN p_is_approved THEN 'approved' ELSE 'refused' END,
           user_id = todo.current_full_user(),
           token_id = todo.current_token_id()
     WHERE d.user_code = p_user_code AND d.state = 'pending';
  END IF;
END $$;

-- name: poll_device
-- The state of a device's request, in the words of RFC 8628. A device that polls too early waits
-- five seconds longer from then on. The first poll after the approval opens the session.
CREATE FUNCTION todo.poll_device(p_secret text) RETURNS json LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  device todo.devices;
  user_name text;
  is_early boolean;
BEGIN
  SELECT * INTO device FROM todo.devices
   WHERE hash = sha256(convert_to(p_secret, 'UTF8'))
     FOR UPDATE;
  IF NOT FOUND OR device.expires_at <= clock_timestamp() THEN
    RETURN json_build_object('state', 'expired_token');
  END IF;
  IF device.state = 'pending' THEN
    is_early := coalesce(
      device.polled_at + make_interval(secs => device.poll_seconds) > clock_timestamp(), false);
    UPDATE todo.devices
       SET polled_at = clock_timestamp(),
           poll_seconds = poll_seconds + CASE WHEN is_early THEN 5 ELSE 0 END
     WHERE hash = device.hash
    RETURNING poll_seconds INTO device.poll_seconds;
    RETURN json_build_object(
      'state', CASE WHEN is_early THEN 'slow_down' ELSE 'authorization_pending' END,
      'interval', device.poll_seconds);
  END IF;
  SELECT u.name INTO user_name
    FROM todo.users u
    JOIN todo.tokens t ON t.user_id = u.id AND t.id = device.token_id
   WHERE u.id = device.user_id AND device.state = 'approved' AND u.disabled_at IS NULL
     AND t.revoked_at IS NULL AND coalesce(t.expires_at > clock_timestamp(), true);
  IF NOT FOUND THEN
    RETURN json_build_object('state', 'access_denied');
  END IF;
  PERFORM todo.insert_session(
    device.user_id, p_secret, device.name, device.address, device.token_id);
  RETURN json_build_object(
    'state', 'approved', 'user_id', device.user_id, 'name', user_name);
END $$;
