-- Spaces with several members: invitations, roles, and the role of a commenter.

SET LOCAL check_function_bodies = off;

CREATE TABLE todo.space_invitations (
  space_id UUID NOT NULL,
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  hash BYTEA NOT NULL,
  role TEXT COLLATE "C" NOT NULL CONSTRAINT space_invitations_role CHECK (role IN ('owner', 'editor', 'commenter', 'viewer')),
  created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_by UUID,
  used_at TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (space_id, id),
  CONSTRAINT space_invitations_hash UNIQUE (space_id, hash),
  FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
);
ALTER TABLE todo.space_invitations
  ALTER COLUMN space_id SET STATISTICS 0,
  ALTER COLUMN id SET STATISTICS 0,
  ALTER COLUMN user_id SET STATISTICS 0,
  ALTER COLUMN hash SET STATISTICS 0,
  ALTER COLUMN role SET STATISTICS 0,
  ALTER COLUMN created_at SET STATISTICS 0,
  ALTER COLUMN expires_at SET STATISTICS 0,
  ALTER COLUMN used_by SET STATISTICS 0,
  ALTER COLUMN used_at SET STATISTICS 0;
COMMENT ON COLUMN todo.space_invitations.user_id IS 'the owner who invites';
COMMENT ON COLUMN todo.space_invitations.used_by IS 'the user who joined with it';
ALTER TABLE todo.space_invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.space_invitations TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.space_invitations TO todo_auth;

ALTER TABLE todo.members DROP CONSTRAINT members_role;
ALTER TABLE todo.members ADD CONSTRAINT members_role
  CHECK (role IN ('owner', 'editor', 'commenter', 'viewer'));

-- The space of this transaction if its token has the permission there, else null; null for a token
-- with limits, which has limited_space(). Permissions: 'read' (any member with any token),
-- 'read:chat' (any member whose token has the scope chat), 'write' (a token with more than read, no
-- viewer), 'comment' (a token that may change tasks, no viewer), or a scope (a token that has it,
-- of an editor or owner).
CREATE OR REPLACE FUNCTION todo.current_space(p_permission text) RETURNS uuid LANGUAGE plpgsql STABLE
SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result uuid;
BEGIN
  SELECT m.space_id INTO result
    FROM todo.tokens t
    JOIN todo.users u ON u.id = t.user_id
    JOIN todo.members m ON m.user_id = t.user_id
     AND m.space_id = nullif(current_setting('app.space', true), '')::uuid
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'))
     AND t.revoked_at IS NULL
     AND t.reach IS NULL
     AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
     AND u.disabled_at IS NULL
     AND CASE p_permission
           WHEN 'read' THEN true
           WHEN 'read:chat' THEN t.scopes && '{chat,all}'
           WHEN 'write' THEN m.role <> 'viewer' AND NOT t.scopes <@ '{read}'
           WHEN 'comment' THEN m.role <> 'viewer' AND t.scopes && '{tasks:write,all}'
           ELSE m.role IN ('editor', 'owner') AND t.scopes && ARRAY[p_permission, 'all']
         END
     AND (pg_has_role(session_user, 'todo_server', 'MEMBER')
          OR (u.login = session_user AND 'all' = ANY (t.scopes)));
  RETURN result;
END $$;

-- Sign in: the first statement of every request's transaction. It refuses the request, slides a
-- session's expiry, locks the space of a write, and sets the token and the space for the policies
-- of this transaction. For a read it sets app.version too. Return the role that the rest of the
-- transaction must have: that of a token with limits, else null.
CREATE OR REPLACE FUNCTION todo.enter(
  p_schema int, p_token text, p_user uuid, p_space uuid, p_scope text, p_write boolean, p_way text,
  p_verb text, p_knows_limits boolean
) RETURNS text LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  release record;
  t record;
  is_server boolean := pg_has_role(session_user, 'todo_server', 'MEMBER');
  moment timestamptz := clock_timestamp();
BEGIN
  SELECT version, oldest INTO release FROM todo.schema;
  IF p_schema IS NULL OR p_schema < release.oldest THEN
    RAISE EXCEPTION
      'this todo is too old for the database (it speaks schema %, the database serves % to %)',
      p_schema, release.oldest, release.version
      USING ERRCODE = 'TD503', HINT = 'upgrade todo on this machine';
  END IF;
  IF p_schema > release.version THEN
    RAISE EXCEPTION 'the database is older than this todo (it has schema %, % is needed)',
      release.version, p_schema
      USING ERRCODE = 'TD503', HINT = 'its operator runs: todo db migrate';
  END IF;

  SELECT k.id, k.scopes, k.kind, k.expires_at, k.last_used_at,
         k.reach, k.verbs, k.proposes, k.filter, k.per_minute AS token_per_minute,
         u.login, u.admin, u.per_minute, m.role
    INTO t
    FROM todo.tokens k
    JOIN todo.users u ON u.id = k.user_id
    LEFT JOIN todo.members m ON m.user_id = k.user_id AND m.space_id = p_space
   WHERE k.user_id = p_user
     AND k.hash = sha256(convert_to(p_token, 'UTF8'))
     AND k.revoked_at IS NULL
     AND u.disabled_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the token is not known here, or was revoked' USING ERRCODE = 'TD401';
  END IF;
  IF t.expires_at <= clock_timestamp() THEN
    RAISE EXCEPTION 'the token has expired' USING ERRCODE = 'TD401';
  END IF;
  IF NOT is_server
     AND (t.login IS DISTINCT FROM session_user::text OR NOT 'all' = ANY (t.scopes)) THEN
    RAISE EXCEPTION 'this token cannot be used directly on the database'
      USING ERRCODE = 'TD403',
            HINT = 'direct access needs the person''s own login and a token of scope all;'
              || ' narrower ones need a server';
  END IF;
  IF p_scope IS NOT DISTINCT FROM 'admin' AND NOT t.admin THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  IF p_scope IS DISTINCT FROM 'any' AND NOT t.scopes && ARRAY[p_scope, 'all'] THEN
    RAISE EXCEPTION 'the token lacks the scope %', p_scope
      USING ERRCODE = 'TD403', HINT = 'make one that has it with: todo token create --scopes';
  END IF;
  IF t.role IS NULL THEN
    RAISE EXCEPTION 'no such space, or you are not a member of it'
      USING ERRCODE = 'TD403', HINT = 'see yours with: todo space list';
  END IF;
  IF p_write AND t.role = 'viewer' THEN
    RAISE EXCEPTION 'a viewer cannot change this space' USING ERRCODE = 'TD403';
  END IF;
  IF p_write AND t.role = 'commenter'
     AND coalesce(p_verb, '') <> ALL ('{AddComment,EditComment,RemoveComment}') THEN
    RAISE EXCEPTION 'a commenter can only comment in this space' USING ERRCODE = 'TD403';
  END IF;

  IF t.reach IS NOT NULL THEN
    IF p_verb IS NULL THEN
      RAISE EXCEPTION 'this server is too old for a token with limits'
        USING ERRCODE = 'TD403', HINT = 'its operator upgrades it';
    END IF;
    IF p_scope NOT IN ('any', 'read') THEN
      -- A plan is checked by the verb of the planned change.
      IF p_verb <> ALL (t.verbs) AND p_verb <> ALL ('{MakePlan,ApplyPlan,RefusePlan}') THEN
        RAISE EXCEPTION 'the token may not run %', p_verb USING ERRCODE = 'TD403',
          HINT = format('it may run: %s', array_to_string(t.verbs, ', '));
      END IF;
      IF NOT p_knows_limits THEN
        RAISE EXCEPTION 'the token has limits' USING ERRCODE = 'TD001', DETAIL = json_build_object(
          'filter', t.filter, 'reach', t.reach, 'proposes', t.proposes)::text;
      END IF;
    END IF;
  END IF;
  IF t.token_per_minute IS NOT NULL AND is_server AND p_way IS DISTINCT FROM 'chat'
     AND p_verb <> ALL ('{WhoAmI,ReadVersion}')
     AND current_setting('app.token', true) IS DISTINCT FROM p_token THEN
    PERFORM todo.count_token_request(p_user, t.id, p_write);
  END IF;

  -- Newer servers call limit_request() in front. The steps of a turn belong to a counted request.
  IF p_schema < 11 AND is_server AND p_way IS DISTINCT FROM 'chat' THEN
    PERFORM todo.count_request(p_user, t.per_minute);
  END IF;
  IF t.last_used_at IS NULL OR t.last_used_at < clock_timestamp() - interval '1 minute'
     OR (t.kind = 'session' AND t.expires_at < clock_timestamp() + interval '6 days') THEN
    UPDATE todo.tokens k
       SET last_used_at = clock_timestamp(),
           expires_at = CASE
             WHEN k.kind = 'session' AND k.expires_at < clock_timestamp() + interval '6 days'
             THEN clock_timestamp() + interval '7 days'
             ELSE k.expires_at
           END
     WHERE k.user_id = p_user
       AND k.id = (SELECT s.id FROM todo.tokens s WHERE s.user_id = p_user AND s.id = t.id
                      FOR NO KEY UPDATE SKIP LOCKED);
    PERFORM todo.end_idle_sessions('30 seconds');
  END IF;
  PERFORM set_config('app.token', p_token, true),
          set_config('app.user', p_user::text, true),
          set_config('app.space', p_space::text, true),
          set_config('app.way', p_way, true),
          -- to_json() writes timestamps in the session's zone
          set_config('TimeZone', 'UTC', true);
  IF p_write THEN
    PERFORM 1 FROM todo.spaces WHERE id = p_space FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
      PERFORM todo.end_idle_sessions('5 seconds');
      PERFORM 1 FROM todo.spaces WHERE id = p_space FOR NO KEY UPDATE;
    END IF;
  ELSIF is_server AND t.reach IS NULL THEN
    -- An answer about tasks holds until the next change, and until the next moment at which a task
    -- becomes due, or its claim, its deferral or its schedule ends.
    PERFORM set_config('app.version', (
      SELECT s.seq || ' ' || least(
               (SELECT min(k.due_sort) FROM todo.tasks k
                 WHERE k.space_id = p_space AND k.status = 'open' AND k.due_sort > moment),
               (SELECT min(k.claimed_until) FROM todo.tasks k
                 WHERE k.space_id = p_space AND k.claimed_until > moment),
               (SELECT min(k.defer_at) FROM todo.tasks k
                 WHERE k.space_id = p_space AND k.status = 'open' AND k.defer_at > moment),
               (SELECT min(k.scheduled_at) FROM todo.tasks k
                 WHERE k.space_id = p_space AND k.scheduled_at > moment),
               'infinity')
        FROM todo.spaces s
       WHERE s.id = p_space), true);
  END IF;
  RETURN CASE WHEN t.reach IS NOT NULL THEN 'todo_limited' END;
END $$;

-- The space of this transaction if its token has limits and the permission there, else null.
-- Permissions are those of current_space(), and 'propose': to change tasks with an approval.
CREATE OR REPLACE FUNCTION todo.limited_space(p_permission text) RETURNS uuid LANGUAGE plpgsql STABLE
SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result uuid;
BEGIN
  SELECT m.space_id INTO result
    FROM todo.tokens t
    JOIN todo.users u ON u.id = t.user_id
    JOIN todo.members m ON m.user_id = t.user_id
     AND m.space_id = nullif(current_setting('app.space', true), '')::uuid
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'))
     AND t.revoked_at IS NULL
     AND t.reach IS NOT NULL
     AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
     AND u.disabled_at IS NULL
     AND pg_has_role(session_user, 'todo_server', 'MEMBER')
     AND (p_permission = 'read'
       OR p_permission = 'write' AND m.role <> 'viewer' AND NOT t.scopes <@ '{read}'
       OR p_permission = 'comment' AND m.role <> 'viewer'
          AND NOT t.proposes AND 'tasks:write' = ANY (t.scopes)
       OR m.role IN ('editor', 'owner') AND CASE p_permission
            WHEN 'propose' THEN t.proposes AND 'tasks:write' = ANY (t.scopes)
            WHEN 'tasks:write' THEN NOT t.proposes AND 'tasks:write' = ANY (t.scopes)
            ELSE p_permission = ANY (t.scopes)
          END);
  RETURN result;
END $$;

-- Delete the caller's own comment and return it.
CREATE OR REPLACE FUNCTION todo.delete_comment(p_number bigint, p_id uuid) RETURNS SETOF todo.comments
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.comments
   WHERE space_id = (
           SELECT coalesce(todo.current_space('comment'), todo.writable_space(ARRAY[p_number])))
     AND user_id = (SELECT todo.current_user_id())
     AND number = p_number
     AND id = p_id
  RETURNING *
$$;

-- Let a server or a worker, which brings the hash of a new token, act for the user of a turn that
-- no process runs in this attempt. Return false where it must not: the turn runs, another process
-- is about to continue it, or the token that asked, its scope or the membership has ended.
CREATE OR REPLACE FUNCTION todo.act_for(
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

-- The turns of the last day that servers began and that have not ended. `dead` are those that no
-- process runs and whose asking token is valid, `live` counts those that run. The planner, which
-- knows no statistics, would expect half of all turns in the index of the unfinished ones.
CREATE OR REPLACE FUNCTION todo.find_unfinished_turns(p_limit int) RETURNS json LANGUAGE sql STABLE
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

-- The shared space of this transaction, for its owners; raise for others and in a personal space.
CREATE FUNCTION todo.owned_space() RETURNS uuid LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  space uuid := todo.current_space('spaces:write');
BEGIN
  IF space IS NULL OR NOT EXISTS (
    SELECT FROM todo.members m
     WHERE m.space_id = space AND m.user_id = todo.current_user_id() AND m.role = 'owner') THEN
    RAISE EXCEPTION 'only an owner of the space may do this'
      USING ERRCODE = 'TD403', HINT = 'its owners: todo space members';
  END IF;
  IF space = todo.current_user_id() THEN
    RAISE EXCEPTION 'your personal space cannot be shared or renamed'
      USING ERRCODE = 'TD409', HINT = 'create a space to share: todo space create NAME --use';
  END IF;
  RETURN space;
END $$;

-- Create a space whose only member is the caller, as its owner; nothing where the id is known.
CREATE FUNCTION todo.create_space(p_id uuid, p_name text) RETURNS SETOF todo.spaces
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller uuid := todo.current_space('spaces:write');
BEGIN
  IF caller IS NULL OR caller <> todo.current_user_id() THEN
    RAISE EXCEPTION 'the token may not create a space' USING ERRCODE = 'TD403';
  END IF;
  PERFORM todo.count_spaces(caller);
  INSERT INTO todo.spaces (id, name) VALUES (p_id, p_name);
  INSERT INTO todo.members (space_id, user_id, role) VALUES (p_id, caller, 'owner');
  RETURN QUERY SELECT * FROM todo.spaces WHERE id = p_id;
END $$;

-- Raise where a user is a member of as many spaces as anybody may be.
CREATE FUNCTION todo.count_spaces(p_user uuid) RETURNS void LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (SELECT count(*) FROM todo.members WHERE user_id = p_user) >= 200 THEN
    RAISE EXCEPTION 'you are a member of 200 spaces, which is the limit'
      USING ERRCODE = 'TD409', HINT = 'leave one: todo space leave NAME';
  END IF;
END $$;

-- Rename this transaction's space, for its owners.
CREATE FUNCTION todo.rename_space(p_name text) RETURNS SETOF todo.spaces
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.spaces SET name = p_name WHERE id = todo.owned_space() RETURNING *
$$;

-- Raise where a user is the only owner of a space.
CREATE FUNCTION todo.raise_for_last_owner(p_space uuid, p_user uuid) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM todo.members m
     WHERE m.space_id = p_space AND m.user_id <> p_user AND m.role = 'owner') THEN
    RAISE EXCEPTION 'the space needs another owner first'
      USING ERRCODE = 'TD409', HINT = 'make one: todo space role MEMBER owner';
  END IF;
END $$;

-- Change the role of a member of this transaction's space, for its owners.
CREATE FUNCTION todo.set_member_role(p_name text, p_role text)
RETURNS TABLE (id uuid, name text, role text) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  space uuid := todo.owned_space();
  member uuid := (
    SELECT u.id FROM todo.members m JOIN todo.users u ON u.id = m.user_id
     WHERE m.space_id = space AND u.name = p_name);
BEGIN
  IF p_role <> 'owner' THEN
    PERFORM todo.raise_for_last_owner(space, member);
  END IF;
  UPDATE todo.members m SET role = p_role WHERE m.space_id = space AND m.user_id = member;
  RETURN QUERY SELECT member, p_name, p_role WHERE member IS NOT NULL;
END $$;

-- End a membership, and what would send the former member messages about the space.
CREATE FUNCTION todo.forget_member(p_space uuid, p_user uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.members WHERE space_id = p_space AND user_id = p_user;
  DELETE FROM todo.jobs WHERE space_id = p_space AND user_id = p_user;
  DELETE FROM todo.channels WHERE user_id = p_user AND space_id = p_space;
$$;

-- Remove another member from this transaction's space, for its owners.
CREATE FUNCTION todo.remove_member(p_name text)
RETURNS TABLE (id uuid, name text, role text) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  space uuid := todo.owned_space();
  member record;
BEGIN
  SELECT u.id, u.name, m.role INTO member
    FROM todo.members m JOIN todo.users u ON u.id = m.user_id
   WHERE m.space_id = space AND u.name = p_name;
  IF member.id = todo.current_user_id() THEN
    RAISE EXCEPTION 'you cannot remove yourself'
      USING ERRCODE = 'TD409', HINT = 'leave the space: todo space leave NAME';
  END IF;
  PERFORM todo.forget_member(space, member.id);
  RETURN QUERY SELECT member.id, member.name, member.role WHERE member.id IS NOT NULL;
END $$;

-- Lock a shared space and return the caller's role in it; raise where there is none.
CREATE FUNCTION todo.lock_membership(p_space uuid) RETURNS text LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller uuid := todo.current_space('spaces:write');
  result text;
BEGIN
  IF caller IS NULL OR caller <> todo.current_user_id() THEN
    RAISE EXCEPTION 'the token may not leave or delete a space' USING ERRCODE = 'TD403';
  END IF;
  IF p_space = caller THEN
    RAISE EXCEPTION 'your personal space stays as long as your account'
      USING ERRCODE = 'TD409';
  END IF;
  PERFORM FROM todo.spaces WHERE id = p_space FOR NO KEY UPDATE;
  SELECT m.role INTO result FROM todo.members m WHERE m.space_id = p_space AND m.user_id = caller;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such space, or you are not a member of it'
      USING ERRCODE = 'TD404', HINT = 'see yours with: todo space list';
  END IF;
  RETURN result;
END $$;

-- End the caller's membership in a space that has another owner.
CREATE FUNCTION todo.leave_space(p_space uuid) RETURNS TABLE (id uuid, name text, role text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  former text := todo.lock_membership(p_space);
BEGIN
  IF former = 'owner' THEN
    IF (SELECT count(*) FROM todo.members m WHERE m.space_id = p_space) = 1 THEN
      RAISE EXCEPTION 'you are the only member of the space'
        USING ERRCODE = 'TD409', HINT = 'delete it with all its tasks: todo space rm NAME';
    END IF;
    PERFORM todo.raise_for_last_owner(p_space, todo.current_user_id());
  END IF;
  PERFORM todo.forget_member(p_space, todo.current_user_id());
  RETURN QUERY SELECT s.id, s.name, former FROM todo.spaces s WHERE s.id = p_space;
END $$;

-- Delete a space, with everything in it, whose only member is the caller. The objects of its files
-- go with the next sweep.
CREATE FUNCTION todo.delete_space(p_space uuid) RETURNS TABLE (id uuid, name text, role text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  former text := todo.lock_membership(p_space);
  title text := (SELECT s.name FROM todo.spaces s WHERE s.id = p_space);
BEGIN
  IF (SELECT count(*) FROM todo.members m WHERE m.space_id = p_space) > 1 THEN
    RAISE EXCEPTION 'the space has other members'
      USING ERRCODE = 'TD409', HINT = 'leave it, or remove them first: todo space remove MEMBER';
  END IF;
  DELETE FROM todo.events WHERE space_id = p_space;
  DELETE FROM todo.turns WHERE space_id = p_space;
  DELETE FROM todo.messages WHERE space_id = p_space;
  DELETE FROM todo.conversations WHERE space_id = p_space;
  DELETE FROM todo.task_tags WHERE space_id = p_space;
  DELETE FROM todo.task_sources WHERE space_id = p_space;
  DELETE FROM todo.links WHERE space_id = p_space;
  DELETE FROM todo.comments WHERE space_id = p_space;
  DELETE FROM todo.tasks WHERE space_id = p_space;
  DELETE FROM todo.words WHERE space_id = p_space;
  DELETE FROM todo.views WHERE space_id = p_space;
  DELETE FROM todo.proposals WHERE space_id = p_space;
  DELETE FROM todo.plans WHERE space_id = p_space;
  DELETE FROM todo.channels WHERE space_id = p_space;
  DELETE FROM todo.jobs WHERE space_id = p_space;
  DELETE FROM todo.deliveries WHERE space_id = p_space;
  DELETE FROM todo.changes WHERE space_id = p_space;
  DELETE FROM todo.attachment_chunks WHERE space_id = p_space;
  DELETE FROM todo.attachments WHERE space_id = p_space AND object IS NULL AND incoming IS NULL;
  UPDATE todo.attachments
     SET name = 'deleted', type = 'application/octet-stream', unused_since = '-infinity'
   WHERE space_id = p_space;
  DELETE FROM todo.space_invitations WHERE space_id = p_space;
  DELETE FROM todo.members WHERE space_id = p_space;
  DELETE FROM todo.spaces s WHERE s.id = p_space;
  RETURN QUERY SELECT p_space, title, former;
END $$;

-- Store an invitation to this transaction's space, for its owners.
CREATE FUNCTION todo.invite_member(
  p_id uuid, p_hash bytea, p_role text, p_expires timestamptz
) RETURNS SETOF todo.space_invitations LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO todo.space_invitations (space_id, id, user_id, hash, role, expires_at)
  VALUES (todo.owned_space(), p_id, todo.current_user_id(), p_hash, p_role, p_expires)
  RETURNING *
$$;

-- The invitations to this transaction's space that can still be used, for its owners.
CREATE FUNCTION todo.list_space_invitations() RETURNS TABLE (
  id uuid, inviter text, role text, created_at timestamptz, expires_at timestamptz
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT i.id, u.name, i.role, i.created_at, i.expires_at
    FROM todo.space_invitations i
    JOIN todo.users u ON u.id = i.user_id
   WHERE i.space_id = todo.owned_space() AND i.used_by IS NULL
     AND i.expires_at > clock_timestamp()
$$;

-- Delete an invitation to this transaction's space that nobody has used, for its owners.
CREATE FUNCTION todo.delete_space_invitation(p_id uuid) RETURNS SETOF uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.space_invitations
   WHERE space_id = todo.owned_space() AND id = p_id AND used_by IS NULL
  RETURNING id
$$;

-- Make the caller a member by an invitation, which works once. A member who joins again has the
-- role of the invitation only where that is a higher one.
CREATE FUNCTION todo.join_space(p_space uuid, p_hash bytea)
RETURNS TABLE (id uuid, name text, role text) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller uuid := todo.current_space('spaces:write');
  roles CONSTANT text[] := '{viewer,commenter,editor,owner}';
  invitation todo.space_invitations;
BEGIN
  IF caller IS NULL OR caller <> todo.current_user_id() THEN
    RAISE EXCEPTION 'the token may not join a space' USING ERRCODE = 'TD403';
  END IF;
  PERFORM FROM todo.spaces s WHERE s.id = p_space FOR NO KEY UPDATE;
  SELECT i.* INTO invitation
    FROM todo.space_invitations i
    JOIN todo.members m ON m.space_id = i.space_id AND m.user_id = i.user_id AND m.role = 'owner'
    JOIN todo.users u ON u.id = i.user_id AND u.disabled_at IS NULL
   WHERE i.space_id = p_space AND i.hash = p_hash AND i.used_by IS NULL
     AND i.expires_at > clock_timestamp();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the invitation is not valid, was used or has expired'
      USING ERRCODE = 'TD403', HINT = 'ask an owner of the space for a new one';
  END IF;
  PERFORM todo.count_spaces(caller);
  IF (SELECT count(*) FROM todo.members m WHERE m.space_id = p_space) >= 1000 THEN
    RAISE EXCEPTION 'the space has 1000 members, which is the limit' USING ERRCODE = 'TD409';
  END IF;
  INSERT INTO todo.members AS m (space_id, user_id, role) VALUES (p_space, caller, invitation.role)
  ON CONFLICT (space_id, user_id) DO UPDATE SET role = excluded.role
    WHERE array_position(roles, excluded.role) > array_position(roles, m.role);
  UPDATE todo.space_invitations i SET used_by = caller, used_at = clock_timestamp()
   WHERE i.space_id = p_space AND i.id = invitation.id;
  RETURN QUERY
  SELECT s.id, s.name, m.role
    FROM todo.spaces s
    JOIN todo.members m ON m.space_id = s.id AND m.user_id = caller
   WHERE s.id = p_space;
END $$;

GRANT CREATE ON SCHEMA todo TO todo_auth;
ALTER ROUTINE todo.owned_space() OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.owned_space() FROM PUBLIC;
ALTER ROUTINE todo.count_spaces(uuid) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.count_spaces(uuid) FROM PUBLIC;
ALTER ROUTINE todo.raise_for_last_owner(uuid, uuid) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.raise_for_last_owner(uuid, uuid) FROM PUBLIC;
ALTER ROUTINE todo.forget_member(uuid, uuid) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.forget_member(uuid, uuid) FROM PUBLIC;
ALTER ROUTINE todo.lock_membership(uuid) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.lock_membership(uuid) FROM PUBLIC;
ALTER ROUTINE todo.create_space(uuid, text) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.create_space(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.create_space(uuid, text) TO todo_server, todo_worker, todo_person, todo_limited;
ALTER ROUTINE todo.rename_space(text) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.rename_space(text) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.rename_space(text) TO todo_server, todo_worker, todo_person, todo_limited;
ALTER ROUTINE todo.set_member_role(text, text) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.set_member_role(text, text) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.set_member_role(text, text) TO todo_server, todo_worker, todo_person, todo_limited;
ALTER ROUTINE todo.remove_member(text) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.remove_member(text) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.remove_member(text) TO todo_server, todo_worker, todo_person, todo_limited;
ALTER ROUTINE todo.leave_space(uuid) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.leave_space(uuid) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.leave_space(uuid) TO todo_server, todo_worker, todo_person, todo_limited;
ALTER ROUTINE todo.delete_space(uuid) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.delete_space(uuid) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.delete_space(uuid) TO todo_server, todo_worker, todo_person, todo_limited;
ALTER ROUTINE todo.invite_member(uuid, bytea, text, timestamp with time zone) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.invite_member(uuid, bytea, text, timestamp with time zone) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.invite_member(uuid, bytea, text, timestamp with time zone) TO todo_server, todo_worker, todo_person, todo_limited;
ALTER ROUTINE todo.list_space_invitations() OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.list_space_invitations() FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.list_space_invitations() TO todo_server, todo_worker, todo_person, todo_limited;
ALTER ROUTINE todo.delete_space_invitation(uuid) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.delete_space_invitation(uuid) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.delete_space_invitation(uuid) TO todo_server, todo_worker, todo_person, todo_limited;
ALTER ROUTINE todo.join_space(uuid, bytea) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.join_space(uuid, bytea) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.join_space(uuid, bytea) TO todo_server, todo_worker, todo_person, todo_limited;
REVOKE CREATE ON SCHEMA todo FROM todo_auth;

DROP POLICY may_insert ON todo.comments;
CREATE POLICY may_insert ON todo.comments FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('comment')) AND user_id = (SELECT todo.current_user_id()));
DROP POLICY limited_may_insert ON todo.comments;
CREATE POLICY limited_may_insert ON todo.comments FOR INSERT TO todo_limited
  WITH CHECK (space_id = (SELECT todo.limited_space('comment')) AND user_id = (SELECT todo.current_user_id()) AND todo.is_reached((SELECT todo.current_reach()), space_id, number));
DROP POLICY may_update ON todo.comments;
CREATE POLICY may_update ON todo.comments FOR UPDATE TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('comment')) AND user_id = (SELECT todo.current_user_id()))
  WITH CHECK (space_id = (SELECT todo.current_space('comment')) AND user_id = (SELECT todo.current_user_id()));
DROP POLICY limited_may_update ON todo.comments;
CREATE POLICY limited_may_update ON todo.comments FOR UPDATE TO todo_limited
  USING (space_id = (SELECT todo.limited_space('comment')) AND user_id = (SELECT todo.current_user_id()) AND todo.is_reached((SELECT todo.current_reach()), space_id, number))
  WITH CHECK (space_id = (SELECT todo.limited_space('comment')) AND user_id = (SELECT todo.current_user_id()) AND todo.is_reached((SELECT todo.current_reach()), space_id, number));

UPDATE todo.schema SET version = 28;
