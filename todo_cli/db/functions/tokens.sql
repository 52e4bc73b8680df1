-- A token ends with the token that created it, whoever inserts or revokes the rows.

-- name: bound_token_expiry
-- Trigger: let a new token expire no later than the token that creates it. A session is no bound,
-- since its own expiry slides with its use.
CREATE FUNCTION todo.bound_token_expiry() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.expires_at := least(NEW.expires_at, (
    SELECT expires_at FROM todo.tokens
     WHERE user_id = NEW.user_id AND id = NEW.parent AND kind <> 'session'));
  RETURN NEW;
END $$;

-- name: revoke_child_tokens
-- Trigger: revoke the tokens that a revoked token created, which fires the trigger for theirs.
CREATE FUNCTION todo.revoke_child_tokens() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE todo.tokens SET revoked_at = NEW.revoked_at
   WHERE user_id = NEW.user_id AND parent = NEW.id AND revoked_at IS NULL;
  RETURN NULL;
END $$;
