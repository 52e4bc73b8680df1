-- Tokens with limits: what they reach, what they may run, how often. Their requests run as the role
-- todo_limited, whose policies call these functions. current_space() is null for them, so that a
-- function which does not know limits gives them nothing.

-- name: limited_space
-- The space of this transaction if its token has limits and the permission there, else null.
-- Permissions are those of current_space(), and 'propose': to change tasks with an approval.
CREATE FUNCTION todo.limited_space(p_permission text) RETURNS uuid LANGUAGE plpgsql STABLE
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

-- name: current_reach
-- The compiled filter of this transaction's token; null for a token without limits.
CREATE FUNCTION todo.current_reach() RETURNS jsonb LANGUAGE plpgsql STABLE
SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
    SELECT t.reach FROM todo.tokens t
     WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
       AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8')));
END $$;

-- name: matches_reach
-- Whether a task matches a compiled filter: ["and", [filter, …]], ["or", [filter, …]],
-- ["not", filter], or a term. Without p_tags the tags of the stored task in p_space count; without
-- both the answer is null where it depends on the tags, and so it is for an unknown term.
CREATE FUNCTION todo.matches_reach(
  p_reach jsonb, p_number bigint, p_project text, p_priority int, p_parent bigint, p_tags text[],
  p_space uuid
) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind text := p_reach ->> 0;
  value text COLLATE "C" := p_reach ->> 1;
  tags text[] := p_tags;
  part jsonb;
  result boolean;
BEGIN
  IF kind IN ('and', 'or') THEN
    result := kind = 'and';
    FOR part IN SELECT e.value FROM jsonb_array_elements(p_reach -> 1) AS e LOOP
      IF kind = 'and' THEN
        result := result AND todo.matches_reach(
          part, p_number, p_project, p_priority, p_parent, tags, p_space);
        EXIT WHEN NOT result;
      ELSE
        result := result OR todo.matches_reach(
          part, p_number, p_project, p_priority, p_parent, tags, p_space);
        EXIT WHEN result;
      END IF;
    END LOOP;
    RETURN result;
  END IF;
  IF kind = 'not' THEN
    RETURN NOT todo.matches_reach(
      p_reach -> 1, p_number, p_project, p_priority, p_parent, tags, p_space);
  END IF;
  IF kind IN ('tag', 'has_tags') AND tags IS NULL AND p_space IS NOT NULL THEN
    tags := ARRAY(
      SELECT g.tag FROM todo.task_tags g WHERE g.space_id = p_space AND g.number = p_number);
  END IF;
  RETURN CASE kind
    WHEN 'project' THEN coalesce(p_project = value, false)
    WHEN 'projects' THEN coalesce(
      p_project = value OR starts_with(p_project, value || '.')
      OR starts_with(p_project, value || '/'), false)
    WHEN 'has_project' THEN p_project IS NOT NULL
    WHEN 'tag' THEN value = ANY (tags)
    WHEN 'has_tags' THEN cardinality(tags) > 0
    WHEN 'priority' THEN p_priority = value::int
    WHEN 'priority<' THEN p_priority < value::int
    WHEN 'priority<=' THEN p_priority <= value::int
    WHEN 'priority>' THEN p_priority > value::int AND p_priority < 4
    WHEN 'priority>=' THEN p_priority >= value::int AND p_priority < 4
    WHEN 'has_priority' THEN p_priority < 4
    WHEN 'parent' THEN coalesce(p_parent = value::bigint, false)
    WHEN 'has_parent' THEN p_parent IS NOT NULL
    WHEN 'numbers' THEN EXISTS (
      SELECT FROM jsonb_array_elements(p_reach -> 1) AS r
       WHERE p_number BETWEEN (r ->> 0)::bigint AND (r ->> 1)::bigint)
  END;
END $$;

-- name: matches_snapshots
-- Whether every snapshot of the journal's JSON matches a compiled filter.
CREATE FUNCTION todo.matches_snapshots(p_reach jsonb, p_rows jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  task jsonb;
BEGIN
  IF jsonb_typeof(p_rows) IS DISTINCT FROM 'array' THEN
    RETURN false;
  END IF;
  IF p_reach = '["and", []]' THEN
    RETURN true;
  END IF;
  FOR task IN SELECT e.value FROM jsonb_array_elements(p_rows) AS e LOOP
    IF todo.matches_reach(
         p_reach, (task ->> 'number')::bigint, task ->> 'project',
         coalesce((task ->> 'priority')::int, 4), (task ->> 'parent')::bigint,
         ARRAY(SELECT jsonb_array_elements_text(coalesce(task -> 'tags', '[]'))), NULL
       ) IS NOT TRUE THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END $$;

-- name: is_reached
-- Whether a token of this reach may change what belongs to a task: a task that matches, or that
-- the change which is being stored has changed or adds. may_store_change() then judges the change.
CREATE FUNCTION todo.is_reached(p_reach jsonb, p_space uuid, p_number bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce((
    SELECT t.rev > s.seq
        OR todo.matches_reach(
             p_reach, t.number, t.project, t.priority, t.parent, NULL, t.space_id)
      FROM todo.tasks t
      JOIN todo.spaces s ON s.id = t.space_id
     WHERE t.space_id = p_space AND t.number = p_number), true);
END $$;

-- name: writable_space
-- The space of this transaction in which its token may change these tasks, else null.
CREATE FUNCTION todo.writable_space(p_numbers bigint[]) RETURNS uuid LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result uuid := todo.current_space('tasks:write');
  reach jsonb;
BEGIN
  IF result IS NOT NULL THEN
    RETURN result;
  END IF;
  result := todo.limited_space('tasks:write');
  reach := todo.current_reach();
  IF EXISTS (
       SELECT FROM unnest(p_numbers) AS number
        WHERE NOT todo.is_reached(reach, result, number)) THEN
    RETURN NULL;
  END IF;
  RETURN result;
END $$;

-- name: may_store_task
-- Whether a token of this reach may store a task; raise where it may not. Of tags, which are
-- stored apart, may_store_change() judges.
CREATE FUNCTION todo.may_store_task(
  p_reach jsonb, p_number bigint, p_project text, p_priority int, p_parent bigint
) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.matches_reach(p_reach, p_number, p_project, p_priority, p_parent, NULL, NULL) THEN
    PERFORM todo.refuse_outside(p_number);
  END IF;
  RETURN true;
END $$;

-- name: may_store_change
-- Whether this transaction's token with limits may store a change in the journal; raise where it
-- may not. Each task must match its filter before and after, as the journal shows it and as it is
-- stored.
CREATE FUNCTION todo.may_store_change(
  p_space uuid, p_verb text, p_before jsonb, p_after jsonb
) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t record;
  outside bigint;
BEGIN
  SELECT k.reach, k.verbs INTO t
    FROM todo.tokens k
   WHERE k.user_id = todo.current_user_id() AND k.id = todo.current_token_id();
  IF p_verb <> ALL (t.verbs) THEN
    RAISE EXCEPTION 'the token may not run %', p_verb USING ERRCODE = 'TD403',
      HINT = format('it may run: %s', array_to_string(t.verbs, ', '));
  END IF;
  IF p_after IS NULL AND p_before IS NULL THEN
    RETURN true;
  END IF;
  SELECT min((task ->> 'number')::bigint) INTO outside
    FROM jsonb_array_elements(p_before || p_after) AS task
   WHERE NOT todo.matches_snapshots(t.reach, jsonb_build_array(task));
  outside := coalesce(outside, (
    SELECT min(k.number) FROM todo.tasks k
     WHERE k.space_id = p_space
       AND k.number = ANY (ARRAY(
         SELECT (task ->> 'number')::bigint FROM jsonb_array_elements(p_after) AS task))
       AND todo.matches_reach(
             t.reach, k.number, k.project, k.priority, k.parent, NULL, k.space_id) IS NOT TRUE));
  IF outside IS NOT NULL THEN
    PERFORM todo.refuse_outside(outside);
  END IF;
  RETURN true;
END $$;

-- name: refuse_outside
-- Raise the refusal of a change after which a task would not match the token's filter.
CREATE FUNCTION todo.refuse_outside(p_number bigint) RETURNS void LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'task #% would lie outside the token''s filter; nothing was changed', p_number
    USING ERRCODE = 'TD403',
          HINT = format('the token is for: %s', (
            SELECT k.filter FROM todo.tokens k
             WHERE k.user_id = todo.current_user_id() AND k.id = todo.current_token_id()));
END $$;

-- name: bound_token_limits
-- Trigger: let a new token reach no further than the token that creates it.
CREATE FUNCTION todo.bound_token_limits() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p record;
BEGIN
  SELECT k.scopes, k.reach, k.filter, k.verbs, k.per_minute, k.proposes INTO p
    FROM todo.tokens k
   WHERE k.user_id = NEW.user_id AND k.id = NEW.parent;
  NEW.per_minute := least(NEW.per_minute, p.per_minute);
  IF p.reach IS NOT NULL THEN
    IF NEW.verbs <@ p.verbs IS FALSE OR NOT NEW.scopes <@ p.scopes THEN
      RAISE EXCEPTION 'a token cannot create one that may do more than itself'
        USING ERRCODE = 'TD403', HINT = 'see what it may do with: todo whoami';
    END IF;
    NEW.verbs := coalesce(NEW.verbs, p.verbs);
    NEW.proposes := NEW.proposes OR p.proposes;
    IF NEW.filter IS NULL THEN
      NEW.filter := p.filter;
      NEW.reach := p.reach;
    ELSIF p.filter IS NOT NULL THEN
      NEW.filter := format('(%s) and (%s)', p.filter, NEW.filter);
      NEW.reach := jsonb_build_array('and', jsonb_build_array(p.reach, NEW.reach));
    END IF;
  END IF;
  RETURN NEW;
END $$;

-- name: count_token_request
-- Count a request in the limits of its token and of the tokens above it, which have created it;
-- raise beyond one. A request that is refused or fails is not counted.
CREATE FUNCTION todo.count_token_request(p_user uuid, p_token uuid, p_write boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  counted record;
  recent timestamptz[];
  moment timestamptz;
  wait_seconds int;
BEGIN
  IF NOT p_write THEN
    -- A read waits for no disk. A crash of Postgres may forget the counts of its last moment.
    PERFORM set_config('synchronous_commit', 'off', true);
  END IF;
  FOR counted IN
    WITH RECURSIVE line AS (
      SELECT t.id, t.parent, t.per_minute, 1 AS depth
        FROM todo.tokens t WHERE t.user_id = p_user AND t.id = p_token
      UNION ALL
      SELECT t.id, t.parent, t.per_minute, l.depth + 1
        FROM line l
        JOIN todo.tokens t ON t.user_id = p_user AND t.id = l.parent)
    SELECT format('token %s', l.id) AS policy, l.per_minute AS allowed
      FROM line l WHERE l.per_minute IS NOT NULL ORDER BY l.depth
  LOOP
    INSERT INTO todo.recent_requests (user_id, policy, moments)
    VALUES (p_user, counted.policy, '{}')
    ON CONFLICT DO NOTHING;
    SELECT r.moments INTO recent FROM todo.recent_requests r
     WHERE r.user_id = p_user AND r.policy = counted.policy
       FOR NO KEY UPDATE;
    moment := clock_timestamp();
    recent := recent[width_bucket(moment - interval '60 seconds', recent) + 1:];
    IF cardinality(recent) >= counted.allowed THEN
      wait_seconds := greatest(1, ceil(extract(epoch FROM
        recent[cardinality(recent) - counted.allowed + 1] + interval '60 seconds' - moment)));
      RAISE EXCEPTION 'more than % requests in a minute with this token', counted.allowed
        USING ERRCODE = 'TD429', HINT = format('wait %s seconds', wait_seconds),
              DETAIL = json_build_object('retry_after', wait_seconds)::text;
    END IF;
    UPDATE todo.recent_requests r SET moments = recent || moment
     WHERE r.user_id = p_user AND r.policy = counted.policy;
  END LOOP;
END $$;
