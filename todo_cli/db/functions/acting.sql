-- Work that goes on without its user: a turn whose process died. A server or a worker continues it
-- with an acting token of its own, a child of the token that asked for the work. It has the same
-- scopes, lives for a quarter of an hour, and ends with the token that asked, so that every further
-- step is checked as a request of that token would be.

-- name: insert_acting_token
-- Insert a token that acts for a valid token of a user; return false where another process has
-- got one for the same work within ten seconds, or where the token that asked is not valid.
CREATE FUNCTION todo.insert_acting_token(
  p_user uuid, p_asking_token uuid, p_scope text, p_work text, p_hash bytea
) RETURNS boolean LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  acting_id uuid := md5(p_work)::uuid;
BEGIN
  DELETE FROM todo.tokens
   WHERE user_id = p_user AND kind = 'acting'
     AND (expires_at < clock_timestamp()
          OR id = acting_id AND created_at < clock_timestamp() - interval '10 seconds');
  INSERT INTO todo.tokens (user_id, id, name, hash, scopes, kind, expires_at, parent)
  SELECT k.user_id, acting_id, format('acting for %s', p_work), p_hash, k.scopes, 'acting',
         least(k.expires_at, clock_timestamp() + interval '15 minutes'), k.id
    FROM todo.tokens k
    JOIN todo.users u ON u.id = k.user_id
   WHERE k.user_id = p_user AND k.id = p_asking_token AND k.kind <> 'acting'
     AND k.revoked_at IS NULL
     AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
     AND k.scopes && ARRAY[p_scope, 'all']
     AND u.disabled_at IS NULL
  ON CONFLICT (user_id, id) DO NOTHING;
  RETURN FOUND;
END $$;

-- name: act_for
-- Let a server or a worker, which brings the hash of a new token, act for the user of a turn that
-- no process runs in this attempt. Return false where it must not: the turn runs, another process
-- is about to continue it, or the token that asked, its scope or the membership has ended.
CREATE FUNCTION todo.act_for(
  p_space uuid, p_user uuid, p_turn uuid, p_attempt int, p_hash bytea
) RETURNS boolean LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  asking_token uuid;
BEGIN
  SELECT t.token_id INTO asking_token
    FROM todo.turns t
    JOIN todo.members m ON m.space_id = t.space_id AND m.user_id = t.user_id
   WHERE t.space_id = p_space AND t.user_id = p_user AND t.id = p_turn
     AND t.attempt = p_attempt AND t.state IN ('running', 'answered') AND t.way <> 'direct'
     AND t.lease_until < clock_timestamp() AND m.role IN ('editor', 'owner')
     FOR UPDATE OF t SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  RETURN todo.insert_acting_token(
    p_user, asking_token, 'chat', format('turn %s', p_turn), p_hash);
END $$;

-- name: find_unfinished_turns
-- The turns of the last day that servers began and that have not ended. `dead` are those that no
-- process runs and whose asking token is valid, `live` counts those that run. The planner, which
-- knows no statistics, would expect half of all turns in the index of the unfinished ones.
CREATE FUNCTION todo.find_unfinished_turns(p_limit int) RETURNS json LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  WITH unfinished AS MATERIALIZED (
    SELECT t.space_id, t.user_id, t.id, t.conversation_id, t.attempt, t.token_id, t.zone,
           t.lease_until < clock_timestamp() AS is_dead
      FROM todo.turns t
     WHERE t.state IN ('running', 'answered') AND t.way <> 'direct'
       AND t.began_at > clock_timestamp() - interval '1 day'),
  dead AS MATERIALIZED (
    SELECT d.space_id AS space, d.user_id AS user, d.conversation_id AS conversation, d.id AS turn,
           d.attempt, d.zone, c.model
      FROM unfinished d
      JOIN todo.tokens k ON k.user_id = d.user_id AND k.id = d.token_id
      JOIN todo.users u ON u.id = d.user_id
      JOIN todo.members m ON m.space_id = d.space_id AND m.user_id = d.user_id
      JOIN todo.conversations c ON c.space_id = d.space_id AND c.user_id = d.user_id
       AND c.id = d.conversation_id
     WHERE d.is_dead AND k.revoked_at IS NULL AND u.disabled_at IS NULL
       AND m.role IN ('editor', 'owner')
       AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
       AND k.scopes && '{chat,all}'
     LIMIT p_limit)
  SELECT json_build_object(
    'live', (SELECT count(*) FROM unfinished WHERE NOT is_dead),
    'dead', coalesce((SELECT json_agg(dead) FROM dead), '[]'))
$$;

-- name: expire_acting_tokens
-- Trigger: let the tokens that act for an expired token expire.
CREATE FUNCTION todo.expire_acting_tokens() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE todo.tokens SET expires_at = NEW.expires_at
   WHERE user_id = NEW.user_id AND parent = NEW.id AND kind = 'acting'
     AND expires_at > NEW.expires_at;
  RETURN NULL;
END $$;
