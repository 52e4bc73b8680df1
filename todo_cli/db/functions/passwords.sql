-- Sign-in with a password. The server hashes the password with argon2id, since Postgres cannot, and
-- the database compares: no function returns a stored hash, and none opens a session without one.

-- name: begin_sign_in
-- Count an attempt to sign in; return the parameters and the salt of the account's hash, null for
-- an account that does not exist.
CREATE FUNCTION todo.begin_sign_in(p_email text, p_address text) RETURNS text
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result text;
BEGIN
  PERFORM todo.count_attempt(format('account %s from %s', p_email, p_address), 10, '15 minutes');
  PERFORM todo.count_attempt(format('account %s', p_email), 50, '15 minutes');
  PERFORM todo.count_attempt(format('address %s', p_address), 100, '15 minutes');
  PERFORM todo.delete_old_attempts();
  SELECT regexp_replace(p.hash, '[^$]*$', '') INTO result
    FROM todo.users u
    JOIN todo.passwords p ON p.user_id = u.id
   WHERE u.email = p_email AND u.disabled_at IS NULL;
  RETURN result;
END $$;

-- name: return_sign_in
-- Take back the attempt of a sign-in that succeeded.
CREATE FUNCTION todo.return_sign_in(p_email text, p_address text) RETURNS void
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM todo.return_attempt(format('account %s from %s', p_email, p_address));
  PERFORM todo.return_attempt(format('account %s', p_email));
  PERFORM todo.return_attempt(format('address %s', p_address));
END $$;

-- name: open_session
-- Open a session for the account with this e-mail address and this hash of its password; return
-- the user, or null where either is wrong.
CREATE FUNCTION todo.open_session(
  p_email text, p_hash text, p_address text, p_secret text, p_name text
) RETURNS json LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account record;
BEGIN
  SELECT u.id, u.name INTO account
    FROM todo.users u
    JOIN todo.passwords p ON p.user_id = u.id
   WHERE u.email = p_email AND u.disabled_at IS NULL AND p.hash = p_hash
     FOR UPDATE OF p;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  PERFORM todo.insert_session(account.id, p_secret, p_name, p_address, NULL);
  PERFORM todo.return_sign_in(p_email, p_address);
  RETURN json_build_object('user_id', account.id, 'name', account.name);
END $$;

-- name: renew_hash
-- Replace the hash of a password by one of newer parameters, for a caller who has the old one.
CREATE FUNCTION todo.renew_hash(p_email text, p_hash text, p_new_hash text) RETURNS void
LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.passwords p SET hash = p_new_hash
    FROM todo.users u
   WHERE u.email = p_email AND p.user_id = u.id AND p.hash = p_hash
$$;

-- name: begin_password_change
-- Count an attempt of the caller to change the password; return the parameters and the salt of the
-- present one, null without a password.
CREATE FUNCTION todo.begin_password_change() RETURNS text LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me uuid := todo.current_full_user();
BEGIN
  PERFORM todo.count_attempt(format('password of %s', me), 10, '15 minutes');
  PERFORM todo.delete_old_attempts();
  RETURN (SELECT regexp_replace(hash, '[^$]*$', '') FROM todo.passwords WHERE user_id = me);
END $$;

-- name: change_password
-- Set the caller's password and e-mail address, and end the other sessions. One of the hashes must
-- be that of the present password, if there is one.
CREATE FUNCTION todo.change_password(p_email text, p_hashes text[], p_new_hash text) RETURNS json
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me uuid := todo.current_full_user();
  old_hash text;
  new_email text;
  ended_sessions int;
BEGIN
  SELECT hash INTO old_hash FROM todo.passwords WHERE user_id = me FOR UPDATE;
  IF NOT coalesce(old_hash = ANY (p_hashes), true) THEN
    RAISE EXCEPTION 'the current password is wrong'
      USING ERRCODE = 'TD403', HINT = 'without it, an administrator can issue a reset code';
  END IF;
  ended_sessions := todo.end_sessions(me, todo.current_token_id());
  IF p_email IS NOT NULL THEN
    UPDATE todo.users SET email = p_email WHERE id = me;
  END IF;
  SELECT email INTO new_email FROM todo.users WHERE id = me;
  IF new_email IS NULL THEN
    RAISE EXCEPTION 'your account has no e-mail address'
      USING ERRCODE = 'TD422', HINT = 'give the one to sign in with: todo password --email';
  END IF;
  INSERT INTO todo.passwords AS p (user_id, hash) VALUES (me, p_new_hash)
  ON CONFLICT (user_id) DO UPDATE
     SET hash = excluded.hash, changed_at = clock_timestamp(),
         code_hash = NULL, code_expires_at = NULL, used_code_hash = NULL;
  PERFORM todo.return_attempt(format('password of %s', me));
  RETURN json_build_object('email', new_email, 'ended_sessions', ended_sessions);
END $$;

-- name: create_reset_code
-- Store a one-time code that sets a new password within a day, on behalf of an administrator; no
-- row if there is no such user.
CREATE FUNCTION todo.create_reset_code(p_name text, p_code_hash bytea, p_email text)
RETURNS SETOF todo.users LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account todo.users;
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  UPDATE todo.users SET email = coalesce(p_email, email) WHERE name = p_name
  RETURNING * INTO account;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF account.email IS NULL THEN
    RAISE EXCEPTION '% has no e-mail address', p_name
      USING ERRCODE = 'TD422', HINT = 'give one to sign in with: --email ada@example.org';
  END IF;
  INSERT INTO todo.passwords (user_id, code_hash, code_expires_at)
  VALUES (account.id, p_code_hash, clock_timestamp() + interval '1 day')
  ON CONFLICT (user_id) DO UPDATE
     SET code_hash = excluded.code_hash, code_expires_at = excluded.code_expires_at;
  RETURN NEXT account;
END $$;

-- name: reset_password
-- Set a new password with a one-time code, and end all sessions; return whether the code is right.
-- The same code and password may be sent again; p_hash is the password hashed like the present one.
CREATE FUNCTION todo.reset_password(
  p_email text, p_address text, p_code_hash bytea, p_hash text, p_new_hash text
) RETURNS boolean LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account record;
BEGIN
  SELECT p.* INTO account
    FROM todo.users u
    JOIN todo.passwords p ON p.user_id = u.id
   WHERE u.email = p_email AND u.disabled_at IS NULL
     FOR UPDATE OF p;
  IF account.used_code_hash = p_code_hash AND account.hash = p_hash THEN
    RETURN true;
  END IF;
  IF account.code_hash IS DISTINCT FROM p_code_hash
     OR account.code_expires_at <= clock_timestamp() THEN
    RETURN false;
  END IF;
  UPDATE todo.passwords
     SET hash = p_new_hash, changed_at = clock_timestamp(),
         code_hash = NULL, code_expires_at = NULL, used_code_hash = p_code_hash
   WHERE user_id = account.user_id;
  PERFORM todo.end_sessions(account.user_id, NULL);
  PERFORM todo.return_sign_in(p_email, p_address);
  RETURN true;
END $$;
