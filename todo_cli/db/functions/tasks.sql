-- Rows that clients delete. They delete through functions: a role that may DELETE may also lock the
-- whole table.

-- name: remove_tags
-- Remove tags from tasks, pair by pair.
CREATE FUNCTION todo.remove_tags(p_numbers bigint[], p_tags text[]) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.task_tags g
   USING unnest(p_numbers, p_tags) AS pair(number, tag)
   WHERE g.space_id = (SELECT todo.writable_space(p_numbers))
     AND g.number = pair.number
     AND g.tag = pair.tag
$$;

-- name: remove_links
-- Remove dependencies of tasks, pair by pair.
CREATE FUNCTION todo.remove_links(p_numbers bigint[], p_after bigint[]) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.links l
   USING unnest(p_numbers, p_after) AS pair(number, after)
   WHERE l.space_id = (SELECT todo.writable_space(p_numbers))
     AND l.number = pair.number
     AND l.after = pair.after
$$;

-- name: delete_comment
-- Delete the caller's own comment and return it.
CREATE FUNCTION todo.delete_comment(p_number bigint, p_id uuid) RETURNS SETOF todo.comments
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.comments
   WHERE space_id = (
           SELECT coalesce(todo.current_space('comment'), todo.writable_space(ARRAY[p_number])))
     AND user_id = (SELECT todo.current_user_id())
     AND number = p_number
     AND id = p_id
  RETURNING *
$$;

-- name: check_fence
-- Raise a conflict where the caller has lost its claim of a task: where the fence is not among
-- those that the caller names, or where it names none and its token has lost a claim.
CREATE FUNCTION todo.check_fence(p_number bigint, p_fences bigint[]) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t record;
BEGIN
  SELECT k.claimed_by,
         CASE
           WHEN cardinality(p_fences) > 0 THEN k.fence <> ALL (p_fences)
           ELSE todo.current_token_id() = ANY (k.lost_claims)
         END AS is_lost
    INTO t
    FROM todo.tasks k
   WHERE k.space_id = (
           SELECT coalesce(todo.current_space('tasks:write'), todo.limited_space('tasks:write')))
     AND k.number = p_number
     AND k.fence IS NOT NULL;
  IF t.is_lost THEN
    RAISE EXCEPTION 'your claim of task #% was lost: claimed by %; nothing was changed',
      p_number, coalesce(t.claimed_by, 'nobody')
      USING ERRCODE = 'TD409',
            HINT = format('look at it with: todo show %s, and take other work with: '
              'todo claim --next', p_number);
  END IF;
  RETURN true;
END $$;
