-- A token ends with the token that created it. Older tokens have no parent. The table is small, and
-- the new column has no default for its rows: no lock lasts.

GRANT CREATE ON SCHEMA todo TO todo_auth;
SET LOCAL check_function_bodies = off;

-- Trigger: let a new token expire no later than the token that creates it.
CREATE FUNCTION todo.bound_token_expiry() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.expires_at := least(NEW.expires_at, (
    SELECT expires_at FROM todo.tokens WHERE user_id = NEW.user_id AND id = NEW.parent));
  RETURN NEW;
END $$;

-- Trigger: revoke the tokens that a revoked token created, which fires the trigger for theirs.
CREATE FUNCTION todo.revoke_child_tokens() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE todo.tokens SET revoked_at = NEW.revoked_at
   WHERE user_id = NEW.user_id AND parent = NEW.id AND revoked_at IS NULL;
  RETURN NULL;
END $$;

-- Create a user with a personal space (its id is the user's), membership, preferences and a first
-- token.
CREATE OR REPLACE FUNCTION todo.create_user(
  p_id uuid, p_name text, p_admin boolean, p_token_id uuid, p_token_hash bytea, p_zone text
) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO todo.users (id, name, admin) VALUES (p_id, p_name, p_admin);
  INSERT INTO todo.spaces (id, name) VALUES (p_id, p_name);
  INSERT INTO todo.members (space_id, user_id, role) VALUES (p_id, p_id, 'owner');
  INSERT INTO todo.preferences (user_id, timezone) VALUES (p_id, p_zone);
  INSERT INTO todo.tokens (user_id, id, name, hash, scopes, parent)
  VALUES (p_id, p_token_id, 'first', p_token_hash, '{all}', NULL);
$$;

ALTER FUNCTION todo.bound_token_expiry() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.bound_token_expiry() FROM PUBLIC;
ALTER FUNCTION todo.revoke_child_tokens() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.revoke_child_tokens() FROM PUBLIC;

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

ALTER TABLE todo.tokens ADD COLUMN parent uuid;
ALTER TABLE todo.tokens ALTER COLUMN parent SET DEFAULT todo.current_token_id();
ALTER TABLE todo.tokens ALTER COLUMN parent SET STATISTICS 0;
ALTER TABLE todo.tokens
  ADD CONSTRAINT tokens_parent FOREIGN KEY (user_id, parent)
  REFERENCES todo.tokens (user_id, id);
CREATE INDEX tokens_children ON todo.tokens (user_id, parent) WHERE parent IS NOT NULL;
COMMENT ON COLUMN todo.tokens.parent IS 'the token that created this one';
GRANT SELECT (parent) ON todo.tokens TO todo_server, todo_worker, todo_person;

CREATE TRIGGER tokens_bounded BEFORE INSERT ON todo.tokens FOR EACH ROW
  WHEN (NEW.parent IS NOT NULL)
  EXECUTE FUNCTION todo.bound_token_expiry();

CREATE TRIGGER tokens_revoked AFTER UPDATE OF revoked_at ON todo.tokens FOR EACH ROW
  WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
  EXECUTE FUNCTION todo.revoke_child_tokens();

UPDATE todo.schema SET version = 8;
