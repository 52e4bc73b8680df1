-- Sign-in with passwords: sessions, registration, invitations, reset codes and devices. It adds tables,
-- columns without defaults, and functions. Two changes are seen by older servers: a session does not
-- bound the expiry of its tokens, and only tokens have unique names. No lock lasts: the tables are
-- small.

GRANT CREATE ON SCHEMA todo TO todo_auth;
SET LOCAL check_function_bodies = off;

ALTER TABLE todo.users ADD COLUMN email text COLLATE "C";
ALTER TABLE todo.users ADD CONSTRAINT users_email_key UNIQUE (email);
ALTER TABLE todo.users ALTER COLUMN email SET STATISTICS 0;
COMMENT ON COLUMN todo.users.email IS 'in lower case; null: signs in with tokens only';
ALTER TABLE todo.tokens ADD COLUMN address text COLLATE "C";
ALTER TABLE todo.tokens ALTER COLUMN address SET STATISTICS 0;
COMMENT ON COLUMN todo.tokens.address IS 'of a session: the address that signed in';
GRANT SELECT (address) ON todo.tokens TO todo_server, todo_worker, todo_person;
DROP INDEX todo.tokens_user_name;
CREATE UNIQUE INDEX tokens_user_name ON todo.tokens (user_id, name)
  WHERE revoked_at IS NULL AND kind = 'token';

CREATE UNLOGGED TABLE todo.attempts (
  subject BYTEA NOT NULL,
  hits INTEGER NOT NULL,
  ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (subject)
);

CREATE INDEX attempts_ends ON todo.attempts (ends_at);

ALTER TABLE todo.attempts
  ALTER COLUMN subject SET STATISTICS 0,
  ALTER COLUMN hits SET STATISTICS 0,
  ALTER COLUMN ends_at SET STATISTICS 0;

COMMENT ON COLUMN todo.attempts.subject
  IS 'SHA-256 of an account, an address, or both';

COMMENT ON COLUMN todo.attempts.ends_at
  IS 'the end of the window that the first attempt opened';

ALTER TABLE todo.attempts ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.attempts TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.attempts TO todo_auth;

CREATE TABLE todo.devices (
  hash BYTEA NOT NULL,
  user_code TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  address TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" DEFAULT 'pending' NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  poll_seconds INTEGER DEFAULT 5 NOT NULL,
  polled_at TIMESTAMP WITH TIME ZONE,
  user_id UUID,
  token_id UUID,
  PRIMARY KEY (hash)
);

CREATE INDEX devices_user ON todo.devices (user_id) WHERE user_id IS NOT NULL;

CREATE UNIQUE INDEX devices_user_code ON todo.devices (user_code) WHERE state = 'pending';

ALTER TABLE todo.devices
  ALTER COLUMN hash SET STATISTICS 0,
  ALTER COLUMN user_code SET STATISTICS 0,
  ALTER COLUMN name SET STATISTICS 0,
  ALTER COLUMN address SET STATISTICS 0,
  ALTER COLUMN state SET STATISTICS 0,
  ALTER COLUMN expires_at SET STATISTICS 0,
  ALTER COLUMN poll_seconds SET STATISTICS 0,
  ALTER COLUMN polled_at SET STATISTICS 0,
  ALTER COLUMN user_id SET STATISTICS 0,
  ALTER COLUMN token_id SET STATISTICS 0;

COMMENT ON COLUMN todo.devices.hash
  IS 'SHA-256 of the secret that the device keeps';

COMMENT ON COLUMN todo.devices.user_id
  IS 'the user who approved or refused it';

COMMENT ON COLUMN todo.devices.token_id
  IS 'the token with which it was approved';

ALTER TABLE todo.devices ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.devices TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.devices TO todo_auth;

CREATE TABLE todo.invitations (
  user_id UUID NOT NULL,
  id UUID NOT NULL,
  hash BYTEA NOT NULL,
  email TEXT COLLATE "C",
  created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_by UUID,
  used_at TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (user_id, id),
  CONSTRAINT invitations_user_hash UNIQUE (user_id, hash),
  FOREIGN KEY(user_id) REFERENCES todo.users (id)
);

ALTER TABLE todo.invitations
  ALTER COLUMN user_id SET STATISTICS 0,
  ALTER COLUMN id SET STATISTICS 0,
  ALTER COLUMN hash SET STATISTICS 0,
  ALTER COLUMN email SET STATISTICS 0,
  ALTER COLUMN created_at SET STATISTICS 0,
  ALTER COLUMN expires_at SET STATISTICS 0,
  ALTER COLUMN used_by SET STATISTICS 0,
  ALTER COLUMN used_at SET STATISTICS 0;

COMMENT ON COLUMN todo.invitations.email
  IS 'the only address that may use it; null: any';

COMMENT ON COLUMN todo.invitations.used_by
  IS 'the user who registered with it';

ALTER TABLE todo.invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.invitations TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.invitations TO todo_auth;

CREATE TABLE todo.passwords (
  user_id UUID NOT NULL,
  hash TEXT COLLATE "C",
  changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  code_hash BYTEA,
  code_expires_at TIMESTAMP WITH TIME ZONE,
  used_code_hash BYTEA,
  PRIMARY KEY (user_id),
  FOREIGN KEY(user_id) REFERENCES todo.users (id)
);

ALTER TABLE todo.passwords
  ALTER COLUMN user_id SET STATISTICS 0,
  ALTER COLUMN hash SET STATISTICS 0,
  ALTER COLUMN changed_at SET STATISTICS 0,
  ALTER COLUMN code_hash SET STATISTICS 0,
  ALTER COLUMN code_expires_at SET STATISTICS 0,
  ALTER COLUMN used_code_hash SET STATISTICS 0;

COMMENT ON COLUMN todo.passwords.hash
  IS 'argon2id, as a PHC string; null: a reset code and no password yet';

COMMENT ON COLUMN todo.passwords.code_hash
  IS 'SHA-256 of a one-time code that sets a new password';

COMMENT ON COLUMN todo.passwords.used_code_hash
  IS 'the code of the last reset, which may be sent again';

ALTER TABLE todo.passwords ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.passwords TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.passwords TO todo_auth;

-- Trigger: let a new token expire no later than the token that creates it. A session is no bound,
-- since its own expiry slides with its use.
CREATE OR REPLACE FUNCTION todo.bound_token_expiry() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.expires_at := least(NEW.expires_at, (
    SELECT expires_at FROM todo.tokens
     WHERE user_id = NEW.user_id AND id = NEW.parent AND kind <> 'session'));
  RETURN NEW;
END $$;

-- Count an attempt of a subject; raise beyond the limit of its window. The functions that call it
-- take the subjects of accounts before those of addresses, so that no two wait for each other.
CREATE FUNCTION todo.count_attempt(p_subject text, p_limit int, p_window interval) RETURNS void
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  attempt record;
BEGIN
  INSERT INTO todo.attempts AS a (subject, hits, ends_at)
  VALUES (sha256(convert_to(p_subject, 'UTF8')), 1, clock_timestamp() + p_window)
  ON CONFLICT (subject) DO UPDATE
     SET hits = CASE WHEN a.ends_at > clock_timestamp() THEN a.hits ELSE 0 END + 1,
         ends_at = CASE
           WHEN a.ends_at > clock_timestamp() THEN a.ends_at ELSE excluded.ends_at END
  RETURNING a.hits, a.ends_at INTO attempt;
  IF attempt.hits > p_limit THEN
    RAISE EXCEPTION 'too many attempts'
      USING ERRCODE = 'TD429',
            HINT = 'wait, then try again',
            DETAIL = json_build_object('retry_after', greatest(1, ceil(
              extract(epoch FROM attempt.ends_at - clock_timestamp()))::int))::text;
  END IF;
END $$;

-- Take back an attempt that succeeded.
CREATE FUNCTION todo.return_attempt(p_subject text) RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.attempts SET hits = hits - 1
   WHERE subject = sha256(convert_to(p_subject, 'UTF8')) AND hits > 0
$$;

-- Delete more windows that have ended than one request opens: the table stays as small as the
-- attempts of one window.
CREATE FUNCTION todo.delete_old_attempts() RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.attempts
   WHERE subject IN (
     SELECT subject FROM todo.attempts WHERE ends_at < clock_timestamp()
      ORDER BY ends_at LIMIT 10 FOR UPDATE SKIP LOCKED)
$$;

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

-- End the calling session; return its name, or null where the caller's token is no session.
CREATE FUNCTION todo.end_current_session() RETURNS text LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.tokens
     SET expires_at = clock_timestamp()
   WHERE user_id = todo.current_user_id() AND id = todo.current_token_id() AND kind = 'session'
  RETURNING name
$$;

-- The user of this transaction's token if it has every right of the user, else null.
CREATE FUNCTION todo.current_full_user() RETURNS uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT user_id FROM todo.tokens
   WHERE user_id = todo.current_user_id() AND id = todo.current_token_id()
     AND 'all' = ANY (scopes)
$$;

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

-- Take back the attempt of a sign-in that succeeded.
CREATE FUNCTION todo.return_sign_in(p_email text, p_address text) RETURNS void
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM todo.return_attempt(format('account %s from %s', p_email, p_address));
  PERFORM todo.return_attempt(format('account %s', p_email));
  PERFORM todo.return_attempt(format('address %s', p_address));
END $$;

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

-- Replace the hash of a password by one of newer parameters, for a caller who has the old one.
CREATE FUNCTION todo.renew_hash(p_email text, p_hash text, p_new_hash text) RETURNS void
LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.passwords p SET hash = p_new_hash
    FROM todo.users u
   WHERE u.email = p_email AND p.user_id = u.id AND p.hash = p_hash
$$;

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

-- Count a registration of an address, before the server hashes the password.
CREATE FUNCTION todo.begin_registration(p_address text) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM todo.count_attempt(format('registration from %s', p_address), 20, '1 hour');
  PERFORM todo.delete_old_attempts();
END $$;

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

ALTER FUNCTION todo.keep_expired_token() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.keep_expired_token() FROM PUBLIC;

ALTER FUNCTION todo.count_attempt(text, int, interval) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.count_attempt(text, int, interval) FROM PUBLIC;

ALTER FUNCTION todo.return_attempt(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.return_attempt(text) FROM PUBLIC;

ALTER FUNCTION todo.delete_old_attempts() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.delete_old_attempts() FROM PUBLIC;

ALTER FUNCTION todo.begin_sign_in(text, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.begin_sign_in(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.begin_sign_in(text, text) TO todo_server;

ALTER FUNCTION todo.return_sign_in(text, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.return_sign_in(text, text) FROM PUBLIC;

ALTER FUNCTION todo.insert_session(uuid, text, text, text, uuid) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.insert_session(uuid, text, text, text, uuid) FROM PUBLIC;

ALTER FUNCTION todo.open_session(text, text, text, text, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.open_session(text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.open_session(text, text, text, text, text) TO todo_server;

ALTER FUNCTION todo.renew_hash(text, text, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.renew_hash(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.renew_hash(text, text, text) TO todo_server;

ALTER FUNCTION todo.end_sessions(uuid, uuid) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.end_sessions(uuid, uuid) FROM PUBLIC;

ALTER FUNCTION todo.end_current_session() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.end_current_session() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.end_current_session() TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.revoke_sessions(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.revoke_sessions(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.revoke_sessions(text) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.current_full_user() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.current_full_user() FROM PUBLIC;

ALTER FUNCTION todo.begin_password_change() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.begin_password_change() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.begin_password_change() TO todo_server;

ALTER FUNCTION todo.change_password(text, text[], text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.change_password(text, text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.change_password(text, text[], text) TO todo_server;

ALTER FUNCTION todo.create_reset_code(text, bytea, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.create_reset_code(text, bytea, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.create_reset_code(text, bytea, text) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.reset_password(text, text, bytea, text, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.reset_password(text, text, bytea, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.reset_password(text, text, bytea, text, text) TO todo_server;

ALTER FUNCTION todo.create_invitation(uuid, bytea, text, timestamp with time zone) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.create_invitation(uuid, bytea, text, timestamp with time zone) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.create_invitation(uuid, bytea, text, timestamp with time zone) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.list_invitations() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.list_invitations() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.list_invitations() TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.delete_invitation(uuid) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.delete_invitation(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.delete_invitation(uuid) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.begin_registration(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.begin_registration(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.begin_registration(text) TO todo_server;

ALTER FUNCTION todo.register_user(uuid, text, text, text, text, uuid, bytea) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.register_user(uuid, text, text, text, text, uuid, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.register_user(uuid, text, text, text, text, uuid, bytea) TO todo_server;

ALTER FUNCTION todo.start_device(bytea, text, text, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.start_device(bytea, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.start_device(bytea, text, text, text) TO todo_server;

ALTER FUNCTION todo.find_device(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.find_device(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.find_device(text) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.decide_device(text, boolean) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.decide_device(text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.decide_device(text, boolean) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.poll_device(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.poll_device(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.poll_device(text) TO todo_server;

CREATE TRIGGER tokens_expired BEFORE UPDATE OF expires_at ON todo.tokens FOR EACH ROW
  EXECUTE FUNCTION todo.keep_expired_token();

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

UPDATE todo.schema SET version = 12;
