-- Tasks that are assigned to a member of their space.

SET LOCAL check_function_bodies = off;

ALTER TABLE todo.tasks ADD COLUMN assigned_to TEXT COLLATE "C";

ALTER TABLE todo.tasks ALTER COLUMN assigned_to SET STATISTICS 0;

COMMENT ON COLUMN todo.tasks.assigned_to IS 'the name of the member who is to finish the task';

CREATE INDEX tasks_assigned ON todo.tasks (space_id, assigned_to, status, due_sort, number)
  WHERE assigned_to IS NOT NULL;

GRANT UPDATE (assigned_to) ON todo.tasks TO todo_server, todo_worker, todo_person, todo_limited;

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

CREATE CONSTRAINT TRIGGER members_unassigned AFTER DELETE OR UPDATE OF role ON todo.members
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION todo.unassign_member();

GRANT CREATE ON SCHEMA todo TO todo_auth;
ALTER ROUTINE todo.task_snapshot(todo.tasks) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.task_snapshot(todo.tasks) FROM PUBLIC;
ALTER ROUTINE todo.unassign_member() OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.unassign_member() FROM PUBLIC;
REVOKE CREATE ON SCHEMA todo FROM todo_auth;

UPDATE todo.schema SET version = 33;
