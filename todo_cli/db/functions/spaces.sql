-- Spaces that several users share: their members, and the invitations to join them.

-- name: owned_space
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

-- name: create_space
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

-- name: count_spaces
-- Raise where a user is a member of as many spaces as anybody may be.
CREATE FUNCTION todo.count_spaces(p_user uuid) RETURNS void LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (SELECT count(*) FROM todo.members WHERE user_id = p_user) >= 200 THEN
    RAISE EXCEPTION 'you are a member of 200 spaces, which is the limit'
      USING ERRCODE = 'TD409', HINT = 'leave one: todo space leave NAME';
  END IF;
END $$;

-- name: rename_space
-- Rename this transaction's space, for its owners.
CREATE FUNCTION todo.rename_space(p_name text) RETURNS SETOF todo.spaces
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.spaces SET name = p_name WHERE id = todo.owned_space() RETURNING *
$$;

-- name: raise_for_last_owner
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

-- name: set_member_role
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

-- name: forget_member
-- End a membership, and what would send the former member messages about the space.
CREATE FUNCTION todo.forget_member(p_space uuid, p_user uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.members WHERE space_id = p_space AND user_id = p_user;
  DELETE FROM todo.jobs WHERE space_id = p_space AND user_id = p_user;
  DELETE FROM todo.channels WHERE user_id = p_user AND space_id = p_space;
$$;

-- name: task_snapshot
-- A task as the journal keeps it: its columns without empty ones, its tags and its blockers.
CREATE FUNCTION todo.task_snapshot(p_task todo.tasks) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_object_agg(f.key, f.value)
    FROM (
      SELECT key, value FROM jsonb_each(to_jsonb(p_task) || jsonb_build_object(
        'position', p_task.position::text,
        'tags', (
          SELECT jsonb_agg(g.tag ORDER BY g.tag) FROM todo.task_tags g
           WHERE g.space_id = p_task.space_id AND g.number = p_task.number),
        'after', (
          SELECT jsonb_agg(l.after ORDER BY l.after) FROM todo.links l
           WHERE l.space_id = p_task.space_id AND l.number = p_task.number)))) AS f
   WHERE f.value <> 'null' AND f.key <> ALL ('{space_id,due_sort,title_key,project_key}')
$$;

-- name: unassign_member
-- Trigger: free the open tasks of a member who has left, or who may no longer finish tasks, with
-- changes of the space's journal of 200 tasks each.
CREATE FUNCTION todo.unassign_member() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
  member text := (SELECT u.name FROM todo.users u WHERE u.id = OLD.user_id);
  change_group uuid := gen_random_uuid();
  change_seq bigint;
  assigned bigint[];
  former jsonb;
BEGIN
  IF EXISTS (
    SELECT FROM todo.members m
     WHERE m.space_id = OLD.space_id AND m.user_id = OLD.user_id
       AND m.role IN ('editor', 'owner')) THEN
    RETURN NULL;
  END IF;
  SELECT s.seq INTO change_seq FROM todo.spaces s WHERE s.id = OLD.space_id FOR NO KEY UPDATE;
  LOOP
    SELECT array_agg(t.number), jsonb_agg(todo.task_snapshot(t)) INTO assigned, former
      FROM (
        SELECT * FROM todo.tasks
         WHERE space_id = OLD.space_id AND assigned_to = member AND status = 'open'
         ORDER BY due_sort, number LIMIT 200) AS t;
    EXIT WHEN assigned IS NULL;
    change_seq := change_seq + 1;
    UPDATE todo.tasks SET assigned_to = NULL, rev = change_seq, updated_at = clock_timestamp()
     WHERE space_id = OLD.space_id AND number = ANY (assigned);
    INSERT INTO todo.changes (
      space_id, seq, user_id, token_id, way, request_hash, verb, request, before, after, group_id)
    SELECT OLD.space_id, change_seq,
           coalesce(todo.current_user_id(), OLD.user_id),
           coalesce(todo.current_token_id(), '00000000-0000-0000-0000-000000000000'),
           coalesce(todo.current_way(), 'direct'), '',
           CASE
             WHEN TG_OP = 'UPDATE' THEN 'SetMemberRole'
             WHEN todo.current_user_id() <> OLD.user_id THEN 'RemoveMember'
             ELSE 'LeaveSpace'
           END,
           jsonb_build_object('name', member), former, jsonb_agg(todo.task_snapshot(t)),
           change_group
      FROM todo.tasks t
     WHERE t.space_id = OLD.space_id AND t.number = ANY (assigned);
  END LOOP;
  RETURN NULL;
END $$;

-- name: remove_member
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

-- name: lock_membership
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

-- name: leave_space
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

-- name: delete_space
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

-- name: invite_member
-- Store an invitation to this transaction's space, for its owners.
CREATE FUNCTION todo.invite_member(
  p_id uuid, p_hash bytea, p_role text, p_expires timestamptz
) RETURNS SETOF todo.space_invitations LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO todo.space_invitations (space_id, id, user_id, hash, role, expires_at)
  VALUES (todo.owned_space(), p_id, todo.current_user_id(), p_hash, p_role, p_expires)
  RETURNING *
$$;

-- name: list_space_invitations
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

-- name: delete_space_invitation
-- Delete an invitation to this transaction's space that nobody has used, for its owners.
CREATE FUNCTION todo.delete_space_invitation(p_id uuid) RETURNS SETOF uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.space_invitations
   WHERE space_id = todo.owned_space() AND id = p_id AND used_by IS NULL
  RETURNING id
$$;

-- name: join_space
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
