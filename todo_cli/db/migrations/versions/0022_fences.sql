-- Fences of claims, and the task during which a task was found.

ALTER TABLE todo.tasks
  ADD COLUMN fence BIGINT,
  ADD COLUMN lost_claims UUID[],
  ADD COLUMN discovered_from BIGINT,
  ADD CONSTRAINT tasks_discovered_from FOREIGN KEY (space_id, discovered_from)
    REFERENCES todo.tasks (space_id, number);

ALTER TABLE todo.tasks
  ALTER COLUMN fence SET STATISTICS 0,
  ALTER COLUMN lost_claims SET STATISTICS 0,
  ALTER COLUMN discovered_from SET STATISTICS 0;

COMMENT ON COLUMN todo.tasks.fence
  IS 'the seq of the change that last gave or took its claim; null: never claimed';
COMMENT ON COLUMN todo.tasks.lost_claims
  IS 'the tokens whose claims others took or released';
COMMENT ON COLUMN todo.tasks.discovered_from
  IS 'the task during which this one was found';

CREATE INDEX tasks_discovered ON todo.tasks (space_id, discovered_from, number)
  WHERE discovered_from IS NOT NULL;

GRANT UPDATE (fence, lost_claims, discovered_from) ON todo.tasks
  TO todo_server, todo_worker, todo_person;

GRANT CREATE ON SCHEMA todo TO todo_auth;

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
   WHERE k.space_id = (SELECT todo.current_space('tasks:write'))
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

ALTER ROUTINE todo.check_fence(bigint, bigint[]) OWNER TO todo_auth;
REVOKE ALL ON ROUTINE todo.check_fence(bigint, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE todo.check_fence(bigint, bigint[])
  TO todo_server, todo_worker, todo_person;

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

UPDATE todo.schema SET version = 22;
