-- Tokens with limits: the tasks that they are for, the requests that they may run, how often, and
-- whether a person must approve their changes.

SET LOCAL check_function_bodies = off;

DO $$ BEGIN
  CREATE ROLE todo_limited NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

GRANT USAGE ON SCHEMA todo TO todo_limited;

DO $$ BEGIN
  IF NOT pg_has_role('todo_server', 'todo_limited', 'MEMBER') THEN
    -- A server takes the role on, and must not have its policies besides its own.
    IF current_setting('server_version_num')::int >= 160000 THEN
      EXECUTE 'GRANT todo_limited TO todo_server WITH INHERIT FALSE';
    ELSE
      ALTER ROLE todo_server NOINHERIT;
      GRANT todo_limited TO todo_server;
    END IF;
  END IF;
EXCEPTION WHEN unique_violation THEN NULL;
END $$;

ALTER TABLE todo.tokens
  ADD COLUMN filter text COLLATE "C",
  ADD COLUMN reach jsonb,
  ADD COLUMN verbs text[] COLLATE "C",
  ADD COLUMN per_minute integer,
  ADD COLUMN proposes boolean DEFAULT false NOT NULL,
  ADD CONSTRAINT tokens_reach CHECK (CASE WHEN reach IS NOT NULL
    THEN scopes <@ '{read,tasks:write,tokens:write}'
    ELSE filter IS NULL AND verbs IS NULL AND NOT proposes END),
  ADD CONSTRAINT tokens_per_minute CHECK (
    per_minute IS NULL OR per_minute BETWEEN 1 AND 10000 AND NOT scopes @> '{all}'),
  ALTER COLUMN filter SET STATISTICS 0,
  ALTER COLUMN reach SET STATISTICS 0,
  ALTER COLUMN verbs SET STATISTICS 0,
  ALTER COLUMN per_minute SET STATISTICS 0,
  ALTER COLUMN proposes SET STATISTICS 0;

CREATE TABLE todo.proposals (
  space_id UUID NOT NULL,
  id UUID NOT NULL,
  user_id UUID DEFAULT todo.current_user_id() NOT NULL,
  token_id UUID DEFAULT todo.current_token_id() NOT NULL,
  verb TEXT COLLATE "C" NOT NULL,
  arguments JSONB NOT NULL,
  before JSONB NOT NULL,
  after JSONB NOT NULL,
  state TEXT COLLATE "C" DEFAULT 'open' NOT NULL CONSTRAINT proposals_state CHECK (state IN ('open', 'approved', 'rejected')),
  made_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_at TIMESTAMP WITH TIME ZONE,
  decided_by UUID,
  reason TEXT COLLATE "C",
  seq BIGINT,
  PRIMARY KEY (space_id, id),
  FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
);

CREATE INDEX proposals_made ON todo.proposals (space_id, made_at, id);

ALTER TABLE todo.proposals
  ALTER COLUMN space_id SET STATISTICS 0,
  ALTER COLUMN id SET STATISTICS 0,
  ALTER COLUMN user_id SET STATISTICS 0,
  ALTER COLUMN token_id SET STATISTICS 0,
  ALTER COLUMN verb SET STATISTICS 0,
  ALTER COLUMN arguments SET STATISTICS 0,
  ALTER COLUMN before SET STATISTICS 0,
  ALTER COLUMN after SET STATISTICS 0,
  ALTER COLUMN state SET STATISTICS 0,
  ALTER COLUMN made_at SET STATISTICS 0,
  ALTER COLUMN expires_at SET STATISTICS 0,
  ALTER COLUMN decided_at SET STATISTICS 0,
  ALTER COLUMN decided_by SET STATISTICS 0,
  ALTER COLUMN reason SET STATISTICS 0,
  ALTER COLUMN seq SET STATISTICS 0;

COMMENT ON COLUMN todo.proposals.before
  IS 'the tasks as they must still be';

COMMENT ON COLUMN todo.proposals.after
  IS 'the tasks as they would become';

COMMENT ON COLUMN todo.proposals.decided_by
  IS 'the user who approved or rejected it';

COMMENT ON COLUMN todo.proposals.reason
  IS 'why it was rejected';

COMMENT ON COLUMN todo.proposals.seq
  IS 'the change that the approval made';

COMMENT ON COLUMN todo.tokens.filter
  IS 'the tasks that the token is for, as a user wrote it; null: all';

COMMENT ON COLUMN todo.tokens.reach
  IS 'the compiled filter of a token with limits; null: it has none but a rate';

COMMENT ON COLUMN todo.tokens.verbs
  IS 'the only Requests by which it may change anything; null: all';

COMMENT ON COLUMN todo.tokens.per_minute
  IS 'requests; null: no limit but that of the user';

COMMENT ON COLUMN todo.tokens.proposes
  IS 'its changes need an approval';

-- The space of this transaction if its token has the permission there, else null; null for a token
-- with limits, which has limited_space(). Permissions: 'read' (any member with any token),
-- 'read:chat' (any member whose token has the scope chat), 'write' (a token with more than read, no
-- viewer), or a scope (a token that has it, no viewer).
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
           ELSE m.role <> 'viewer' AND t.scopes && ARRAY[p_permission, 'all']
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

-- For clients before schema 20, which know no limits of tokens.
CREATE OR REPLACE FUNCTION todo.enter(
  p_schema int, p_token text, p_user uuid, p_space uuid, p_scope text, p_write boolean, p_way text
) RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT todo.enter(p_schema, p_token, p_user, p_space, p_scope, p_write, p_way, NULL, false)
$$;

-- Remove tags from tasks, pair by pair.
CREATE OR REPLACE FUNCTION todo.remove_tags(p_numbers bigint[], p_tags text[]) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.task_tags g
   USING unnest(p_numbers, p_tags) AS pair(number, tag)
   WHERE g.space_id = (SELECT todo.writable_space(p_numbers))
     AND g.number = pair.number
     AND g.tag = pair.tag
$$;

-- Remove dependencies of tasks, pair by pair.
CREATE OR REPLACE FUNCTION todo.remove_links(p_numbers bigint[], p_after bigint[]) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.links l
   USING unnest(p_numbers, p_after) AS pair(number, after)
   WHERE l.space_id = (SELECT todo.writable_space(p_numbers))
     AND l.number = pair.number
     AND l.after = pair.after
$$;

-- Delete the caller's own comment and return it.
CREATE OR REPLACE FUNCTION todo.delete_comment(p_number bigint, p_id uuid) RETURNS SETOF todo.comments
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.comments
   WHERE space_id = (SELECT todo.writable_space(ARRAY[p_number]))
     AND user_id = (SELECT todo.current_user_id())
     AND number = p_number
     AND id = p_id
  RETURNING *
$$;

-- Raise a conflict where the caller has lost its claim of a task: where the fence is not among
-- those that the caller names, or where it names none and its token has lost a claim.
CREATE OR REPLACE FUNCTION todo.check_fence(p_number bigint, p_fences bigint[]) RETURNS boolean
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

-- Store the intent to upload a file, or find it again: a repeated call continues the same upload.
CREATE OR REPLACE FUNCTION todo.start_upload(
  p_number bigint, p_id uuid, p_name text, p_type text, p_size bigint, p_sha256 bytea, p_place text
) RETURNS SETOF todo.attachments LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  space uuid := todo.writable_space(ARRAY[p_number]);
  me uuid := todo.current_user_id();
  task_status text;
  upload todo.attachments;
BEGIN
  IF space IS NULL AND todo.limited_space('tasks:write') IS NOT NULL THEN
    RAISE EXCEPTION 'task #% does not exist; nothing was uploaded', p_number
      USING ERRCODE = 'TD404', HINT = 'list tasks with: todo list';
  END IF;
  IF space IS NULL
     OR (p_place = 'store' AND NOT pg_has_role(session_user, 'todo_server', 'MEMBER')) THEN
    RAISE EXCEPTION 'you may not upload files to this space' USING ERRCODE = 'TD403';
  END IF;
  SELECT t.status INTO task_status
    FROM todo.tasks t WHERE t.space_id = space AND t.number = p_number;
  IF task_status IS NULL THEN
    RAISE EXCEPTION 'task #% does not exist; nothing was uploaded', p_number
      USING ERRCODE = 'TD404', HINT = 'list tasks with: todo list';
  END IF;
  IF task_status = 'deleted' THEN
    RAISE EXCEPTION 'task #% is in the trash; nothing was uploaded', p_number
      USING ERRCODE = 'TD409', HINT = 'restore it first: todo restore ' || p_number;
  END IF;
  SELECT * INTO upload FROM todo.attachments a WHERE a.space_id = space AND a.id = p_id FOR UPDATE;
  IF upload.id IS NULL THEN
    IF (SELECT count(*) FROM todo.attachments a
         WHERE a.space_id = space AND a.user_id = me AND a.verified_at IS NULL
           AND a.expires_at > clock_timestamp()) >= 20 THEN
      RAISE EXCEPTION 'you have 20 unfinished uploads; nothing was uploaded'
        USING ERRCODE = 'TD409', HINT = 'finish them, or wait: each is removed after 24 hours';
    END IF;
    IF p_size + (SELECT coalesce(sum(a.size), 0) FROM todo.attachments a WHERE a.space_id = space)
       > 10737418240 THEN
      RAISE EXCEPTION 'the attachments of this space would be larger than 10 GB together'
        USING ERRCODE = 'TD422', HINT = 'remove some; their room is free after some weeks';
    END IF;
    INSERT INTO todo.attachments (
      space_id, id, number, user_id, name, type, size, sha256, place, incoming, expires_at)
    VALUES (
      space, p_id, p_number, me, p_name, p_type, p_size, p_sha256, p_place,
      CASE WHEN p_place = 'store' THEN gen_random_uuid() END,
      clock_timestamp() + interval '24 hours')
    RETURNING * INTO upload;
  ELSIF (upload.number, upload.user_id, upload.name, upload.size, upload.sha256)
        IS DISTINCT FROM (p_number, me, p_name, p_size, p_sha256) THEN
    RAISE EXCEPTION 'another attachment with this id already exists' USING ERRCODE = 'TD409';
  ELSIF upload.removing_at IS NOT NULL THEN
    RAISE EXCEPTION 'an earlier upload of this file is being removed'
      USING ERRCODE = 'TD409', HINT = 'try again in a minute';
  ELSE
    UPDATE todo.attachments a
       SET expires_at = clock_timestamp() + interval '24 hours',
           -- a file that a sweep is about to remove is wanted again
           unused_since = CASE WHEN a.unused_since IS NOT NULL THEN clock_timestamp() END
     WHERE a.space_id = space AND a.id = p_id
    RETURNING * INTO upload;
  END IF;
  RETURN NEXT upload;
END $$;

-- The caller's own upload, locked until the transaction ends; no row where there is none.
CREATE OR REPLACE FUNCTION todo.lock_upload(p_number bigint, p_id uuid) RETURNS SETOF todo.attachments
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM todo.attachments
   WHERE space_id = (SELECT todo.writable_space(ARRAY[p_number]))
     AND id = p_id
     AND number = p_number
     AND user_id = (SELECT todo.current_user_id())
     AND removing_at IS NULL
     FOR UPDATE
$$;

-- The members of this transaction's space: all that a user sees of other users.
CREATE OR REPLACE FUNCTION todo.space_members()
RETURNS TABLE (id uuid, name text, admin boolean, role text) LANGUAGE plpgsql STABLE
SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT u.id, u.name, u.admin, m.role
    FROM todo.members m
    JOIN todo.users u ON u.id = m.user_id
   WHERE m.space_id = (
           SELECT coalesce(todo.current_space('read'), todo.limited_space('read')));
END $$;

-- Tasks of this transaction's space by the words of their titles, notes and comments, the best
-- first. A task must match all words, English stop words aside; with p_wide, as many as any task
-- matches. A match is weak if the task lacks a word, or has it with a typo or inside another word
-- only. Of a word that very many tasks have, the newest tasks count.
CREATE OR REPLACE FUNCTION todo.find_tasks(p_text text, p_limit int, p_statuses text[], p_wide boolean)
RETURNS TABLE (number bigint, score real, is_weak boolean) LANGUAGE plpgsql STABLE
SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  space uuid := todo.current_space('read');
  reach jsonb; -- of a token with limits
  phrase text := left(p_text, 10000);
  terms text[] := ARRAY(
    SELECT word
      FROM (
        SELECT word, ts_lexize('pg_catalog.english_stem', word) = '{}' AS is_stop_word
          FROM todo.search_words(left(p_text, 10000)) AS word
      ) AS split
     ORDER BY is_stop_word, length(word) DESC, word LIMIT 16);
  max_rows int := greatest(p_limit, 1000);
  match_terms text[];
  matching_words text[];
  match_weights float8[];
BEGIN
  IF space IS NULL THEN
    space := todo.limited_space('read');
    reach := todo.current_reach();
  END IF;
  IF space IS NULL OR terms = '{}' THEN
    RETURN;
  END IF;
  IF ts_lexize('pg_catalog.english_stem', terms[1]) <> '{}' THEN
    terms := ARRAY(
      SELECT t FROM unnest(terms) AS t WHERE ts_lexize('pg_catalog.english_stem', t) <> '{}');
  END IF;
  SELECT array_agg(m.term), array_agg(m.word), array_agg(m.weight)
    INTO match_terms, matching_words, match_weights
    FROM todo.match_words(space, terms, p_wide) m;
  RETURN QUERY
  WITH matches AS MATERIALIZED (
    SELECT * FROM unnest(match_terms, matching_words, match_weights) AS m(term, word, weight)
  ),
  hits AS MATERIALIZED (
    SELECT m.term, m.word, m.weight, hit.number, hit.place
      FROM matches m
     CROSS JOIN LATERAL (
       SELECT w.number, w.place
         FROM todo.words w
        WHERE w.space_id = space AND w.word = m.word
          AND (p_statuses IS NULL OR (
            SELECT t.status FROM todo.tasks t WHERE t.space_id = space AND t.number = w.number
          ) = ANY (p_statuses))
          AND (reach IS NULL OR (
            SELECT todo.matches_reach(
                     reach, t.number, t.project, t.priority, t.parent, NULL, t.space_id)
              FROM todo.tasks t WHERE t.space_id = space AND t.number = w.number))
        ORDER BY w.number DESC LIMIT max_rows) AS hit
  ),
  term_hits AS MATERIALIZED (
    SELECT term, number, max(weight * (ARRAY[1, 0.7, 0.6])[place + 1]) AS best,
           max(weight) AS weight
      FROM hits GROUP BY 1, 2
  ),
  truncated_terms AS (
    SELECT DISTINCT term
      FROM (SELECT term FROM hits GROUP BY term, word HAVING count(*) >= max_rows) AS long_lists
  ),
  rarest_term AS (
    SELECT t AS term, (SELECT count(*) FROM term_hits h WHERE h.term = t) AS hit_count
      FROM unnest(terms) AS t ORDER BY hit_count LIMIT 1
  ),
  scores AS (
    SELECT number, term, best, weight FROM term_hits
    UNION ALL
    -- older tasks that a truncated term missed, if another term found them
    SELECT candidate.number, t.term, old.best, old.weight
      FROM (
        SELECT DISTINCT number FROM term_hits
         WHERE p_wide OR term = (SELECT r.term FROM rarest_term r)
      ) AS candidate
     CROSS JOIN truncated_terms t
     CROSS JOIN LATERAL (
       SELECT max(m.weight * (ARRAY[1, 0.7, 0.6])[stored.place + 1]) AS best,
              max(m.weight) AS weight
         FROM matches m
        CROSS JOIN LATERAL (
          SELECT w.place FROM todo.words w
           WHERE w.space_id = space AND w.word = m.word AND w.number = candidate.number
          OFFSET 0) AS stored
        WHERE m.term = t.term
     ) AS old
     -- NOT IN is always hashed; before the first ANALYZE a join might be a nested loop
     WHERE (candidate.number, t.term) NOT IN (SELECT number, term FROM term_hits)
  ),
  totals AS MATERIALIZED (
    SELECT number, sum(best) / cardinality(terms) AS total, count(best) AS term_count,
           count(*) FILTER (WHERE weight >= 0.85) < cardinality(terms) AS is_weak
      FROM scores GROUP BY number
  )
  SELECT t.number,
         (0.85 * t.total + CASE
           WHEN (SELECT position(lower(btrim(phrase)) IN lower(task.title COLLATE "default")) > 0
                   FROM todo.tasks task WHERE task.space_id = space AND task.number = t.number)
           THEN 0.15 ELSE 0
         END)::real AS score,
         t.is_weak
    FROM totals t
   WHERE t.term_count = CASE
           WHEN p_wide THEN (SELECT max(term_count) FROM totals) ELSE cardinality(terms)
         END
   ORDER BY t.is_weak, score DESC, t.number DESC
   LIMIT p_limit;
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
       OR m.role <> 'viewer' AND CASE p_permission
            WHEN 'write' THEN NOT t.scopes <@ '{read}'
            WHEN 'propose' THEN t.proposes AND 'tasks:write' = ANY (t.scopes)
            WHEN 'tasks:write' THEN NOT t.proposes AND 'tasks:write' = ANY (t.scopes)
            ELSE p_permission = ANY (t.scopes)
          END);
  RETURN result;
END $$;

-- The compiled filter of this transaction's token; null for a token without limits.
CREATE OR REPLACE FUNCTION todo.current_reach() RETURNS jsonb LANGUAGE plpgsql STABLE
SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
    SELECT t.reach FROM todo.tokens t
     WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
       AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8')));
END $$;

-- Whether a task matches a compiled filter: ["and", [filter, …]], ["or", [filter, …]],
-- ["not", filter], or a term. Without p_tags the tags of the stored task in p_space count; without
-- both the answer is null where it depends on the tags, and so it is for an unknown term.
CREATE OR REPLACE FUNCTION todo.matches_reach(
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

-- Whether every snapshot of the journal's JSON matches a compiled filter.
CREATE OR REPLACE FUNCTION todo.matches_snapshots(p_reach jsonb, p_rows jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  task jsonb;
BEGIN
  IF jsonb_typeof(p_rows) IS DISTINCT FROM 'array' THEN
    RETURN false;
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

-- Whether a token of this reach may change what belongs to a task: a task that matches, or that
-- the change which is being stored has changed or adds. may_store_change() then judges the change.
CREATE OR REPLACE FUNCTION todo.is_reached(p_reach jsonb, p_space uuid, p_number bigint) RETURNS boolean
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

-- The space of this transaction in which its token may change these tasks, else null.
CREATE OR REPLACE FUNCTION todo.writable_space(p_numbers bigint[]) RETURNS uuid LANGUAGE plpgsql STABLE
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

-- Whether a token of this reach may store a task; raise where it may not. Of tags, which are
-- stored apart, may_store_change() judges.
CREATE OR REPLACE FUNCTION todo.may_store_task(
  p_reach jsonb, p_number bigint, p_project text, p_priority int, p_parent bigint
) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.matches_reach(p_reach, p_number, p_project, p_priority, p_parent, NULL, NULL) THEN
    PERFORM todo.refuse_outside(p_number);
  END IF;
  RETURN true;
END $$;

-- Whether this transaction's token with limits may store a change in the journal; raise where it
-- may not. Each task must match its filter before and after, as the journal shows it and as it is
-- stored.
CREATE OR REPLACE FUNCTION todo.may_store_change(
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

-- Raise the refusal of a change after which a task would not match the token's filter.
CREATE OR REPLACE FUNCTION todo.refuse_outside(p_number bigint) RETURNS void LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'task #% would lie outside the token''s filter; nothing was changed', p_number
    USING ERRCODE = 'TD403',
          HINT = format('the token is for: %s', (
            SELECT k.filter FROM todo.tokens k
             WHERE k.user_id = todo.current_user_id() AND k.id = todo.current_token_id()));
END $$;

-- Trigger: let a new token reach no further than the token that creates it.
CREATE OR REPLACE FUNCTION todo.bound_token_limits() RETURNS trigger LANGUAGE plpgsql VOLATILE
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

-- Count a request in the limits of its token and of the tokens above it, which have created it;
-- raise beyond one. A request that is refused or fails is not counted.
CREATE OR REPLACE FUNCTION todo.count_token_request(p_user uuid, p_token uuid, p_write boolean) RETURNS void
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

-- Approve or reject a proposal of this transaction's space, and return it; no row where there is
-- none. The same decision of the same user again changes nothing. The change itself is stored by
-- the caller, in the same transaction, as the next one of the space.
CREATE OR REPLACE FUNCTION todo.decide_proposal(p_id uuid, p_state text, p_reason text)
RETURNS SETOF todo.proposals LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me uuid := todo.current_user_id();
  proposal todo.proposals;
BEGIN
  SELECT * INTO proposal FROM todo.proposals p
   WHERE p.space_id = todo.current_space('approve') AND p.id = p_id
     FOR UPDATE;
  IF proposal.id IS NULL THEN
    RETURN;
  END IF;
  IF EXISTS (
    WITH RECURSIVE line AS (
      SELECT t.id, t.parent FROM todo.tokens t
       WHERE t.user_id = me AND t.id = todo.current_token_id()
      UNION ALL
      SELECT t.id, t.parent
        FROM line l
        JOIN todo.tokens t ON t.user_id = me AND t.id = l.parent)
    SELECT FROM line WHERE id = proposal.token_id) THEN
    RAISE EXCEPTION 'a token cannot decide on its own proposals' USING ERRCODE = 'TD403',
      HINT = 'decide with a token that the proposing one has not created';
  END IF;
  IF proposal.state = p_state AND proposal.decided_by = me THEN
    RETURN NEXT proposal;
    RETURN;
  END IF;
  IF proposal.state <> 'open' THEN
    RAISE EXCEPTION 'the proposal was % already; nothing was changed', proposal.state
      USING ERRCODE = 'TD409', HINT = 'see: todo proposals --all';
  END IF;
  IF proposal.expires_at <= clock_timestamp() THEN
    RAISE EXCEPTION 'the proposal has expired; nothing was changed'
      USING ERRCODE = 'TD409', HINT = 'its proposer can make a new one';
  END IF;
  UPDATE todo.proposals p
     SET state = p_state, decided_at = clock_timestamp(), decided_by = me, reason = p_reason,
         seq = CASE p_state WHEN 'approved' THEN (
           SELECT s.seq + 1 FROM todo.spaces s WHERE s.id = p.space_id) END
   WHERE p.space_id = proposal.space_id AND p.id = p_id
  RETURNING * INTO proposal;
  RETURN NEXT proposal;
END $$;

GRANT CREATE ON SCHEMA todo TO todo_auth;

GRANT EXECUTE ON FUNCTION todo.current_user_id()
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.current_token_id()
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.current_way()
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.current_space(text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.enter(int, text, uuid, uuid, text, boolean, text)
  TO todo_limited;

ALTER FUNCTION todo.enter(int, text, uuid, uuid, text, boolean, text, text, boolean) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.enter(int, text, uuid, uuid, text, boolean, text, text, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.enter(int, text, uuid, uuid, text, boolean, text, text, boolean)
  TO todo_server, todo_worker, todo_person, todo_limited;

ALTER FUNCTION todo.limited_space(text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.limited_space(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.limited_space(text)
  TO todo_server, todo_worker, todo_person, todo_limited;

ALTER FUNCTION todo.current_reach() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.current_reach() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.current_reach()
  TO todo_server, todo_worker, todo_person, todo_limited;

ALTER FUNCTION todo.matches_reach(jsonb, bigint, text, int, bigint, text[], uuid) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.matches_reach(jsonb, bigint, text, int, bigint, text[], uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.matches_reach(jsonb, bigint, text, int, bigint, text[], uuid)
  TO todo_server, todo_worker, todo_person, todo_limited;

ALTER FUNCTION todo.matches_snapshots(jsonb, jsonb) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.matches_snapshots(jsonb, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.matches_snapshots(jsonb, jsonb)
  TO todo_server, todo_worker, todo_person, todo_limited;

ALTER FUNCTION todo.is_reached(jsonb, uuid, bigint) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.is_reached(jsonb, uuid, bigint) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.is_reached(jsonb, uuid, bigint)
  TO todo_server, todo_worker, todo_person, todo_limited;

ALTER FUNCTION todo.writable_space(bigint[]) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.writable_space(bigint[]) FROM PUBLIC;

ALTER FUNCTION todo.may_store_task(jsonb, bigint, text, int, bigint) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.may_store_task(jsonb, bigint, text, int, bigint) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.may_store_task(jsonb, bigint, text, int, bigint)
  TO todo_server, todo_worker, todo_person, todo_limited;

ALTER FUNCTION todo.may_store_change(uuid, text, jsonb, jsonb) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.may_store_change(uuid, text, jsonb, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.may_store_change(uuid, text, jsonb, jsonb)
  TO todo_server, todo_worker, todo_person, todo_limited;

ALTER FUNCTION todo.refuse_outside(bigint) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.refuse_outside(bigint) FROM PUBLIC;

ALTER FUNCTION todo.bound_token_limits() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.bound_token_limits() FROM PUBLIC;

ALTER FUNCTION todo.count_token_request(uuid, uuid, boolean) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.count_token_request(uuid, uuid, boolean) FROM PUBLIC;

ALTER FUNCTION todo.decide_proposal(uuid, text, text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.decide_proposal(uuid, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.decide_proposal(uuid, text, text)
  TO todo_server, todo_worker, todo_person, todo_limited;

GRANT EXECUTE ON FUNCTION todo.end_current_session()
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.revoke_sessions(text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.create_reset_code(text, bytea, text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.create_invitation(uuid, bytea, text, timestamp with time zone)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.list_invitations()
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.delete_invitation(uuid)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.find_device(text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.decide_device(text, boolean)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.space_members()
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.user_spaces()
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.add_user(uuid, text, boolean, uuid, bytea, text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.list_users()
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.disable_user(text, boolean)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.remove_tags(bigint[], text[])
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.remove_links(bigint[], bigint[])
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.delete_comment(bigint, uuid)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.check_fence(bigint, bigint[])
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.start_upload(bigint, uuid, text, text, bigint, bytea, text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.lock_upload(bigint, uuid)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.store_chunk(bigint, uuid, int, bytea)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.verify_upload(bigint, uuid, uuid)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.reset_upload(bigint, uuid)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.admin_stats()
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.delete_view(text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.set_default_view(text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.fold_text(text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.sort_key(text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.find_tasks(text, int, text[], boolean)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.search_tasks(text, int, text, boolean)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.message_words(uuid, uuid, text, text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.search_messages(text, int, bigint, text[], timestamp with time zone, timestamp with time zone, boolean)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.delete_turn_events(uuid)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.import_messages(uuid, text, text, timestamp with time zone, bigint, jsonb)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.token_budget()
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.set_token_budget(text, bigint)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.set_rate_limit(text, jsonb)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.add_channel(text, text, text, text, text, uuid, text[])
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.remove_channel(text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.test_channel(text)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.user_jobs(bigint, int)
  TO todo_limited;

GRANT EXECUTE ON FUNCTION todo.retry_jobs(uuid)
  TO todo_limited;

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

CREATE TRIGGER tokens_limited BEFORE INSERT ON todo.tokens FOR EACH ROW
  WHEN (NEW.parent IS NOT NULL)
  EXECUTE FUNCTION todo.bound_token_limits();

ALTER TABLE todo.proposals ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.proposals TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.proposals TO todo_auth;

CREATE POLICY may_select ON todo.proposals FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read')));

CREATE POLICY limited_may_select ON todo.schema FOR SELECT TO todo_limited
  USING (true);

CREATE POLICY limited_may_select ON todo.spaces FOR SELECT TO todo_limited
  USING (id = (SELECT todo.limited_space('read')));

CREATE POLICY limited_may_select ON todo.members FOR SELECT TO todo_limited
  USING (user_id = (SELECT todo.current_user_id()));

CREATE POLICY limited_may_select ON todo.tokens FOR SELECT TO todo_limited
  USING (user_id = (SELECT todo.current_user_id()) AND (SELECT todo.current_token_id()) IN (id, parent));

CREATE POLICY limited_may_insert ON todo.tokens FOR INSERT TO todo_limited
  WITH CHECK (user_id = (SELECT todo.current_user_id()) AND user_id = (SELECT todo.limited_space('tokens:write')));

CREATE POLICY limited_may_update ON todo.tokens FOR UPDATE TO todo_limited
  USING (user_id = (SELECT todo.current_user_id()) AND (SELECT todo.current_token_id()) IN (id, parent) AND user_id = (SELECT todo.limited_space('tokens:write')) AND revoked_at IS NULL)
  WITH CHECK (user_id = (SELECT todo.current_user_id()) AND (SELECT todo.current_token_id()) IN (id, parent) AND user_id = (SELECT todo.limited_space('tokens:write')));

CREATE POLICY limited_may_select ON todo.preferences FOR SELECT TO todo_limited
  USING (user_id = (SELECT todo.current_user_id()));

CREATE POLICY limited_may_select ON todo.tasks FOR SELECT TO todo_limited
  USING (space_id = (SELECT todo.limited_space('read')) AND (todo.matches_reach((SELECT todo.current_reach()), number, project, priority, parent, NULL, space_id) OR rev > (SELECT s.seq FROM todo.spaces s WHERE s.id = (SELECT todo.limited_space('read')))));

CREATE POLICY limited_may_insert ON todo.tasks FOR INSERT TO todo_limited
  WITH CHECK (space_id = (SELECT todo.limited_space('tasks:write')) AND rev > (SELECT s.seq FROM todo.spaces s WHERE s.id = (SELECT todo.limited_space('read'))) AND todo.may_store_task((SELECT todo.current_reach()), number, project, priority, parent));

CREATE POLICY limited_may_update ON todo.tasks FOR UPDATE TO todo_limited
  USING (space_id = (SELECT todo.limited_space('tasks:write')) AND todo.matches_reach((SELECT todo.current_reach()), number, project, priority, parent, NULL, space_id))
  WITH CHECK (space_id = (SELECT todo.limited_space('tasks:write')) AND rev > (SELECT s.seq FROM todo.spaces s WHERE s.id = (SELECT todo.limited_space('read'))) AND todo.may_store_task((SELECT todo.current_reach()), number, project, priority, parent));

CREATE POLICY limited_may_select ON todo.task_tags FOR SELECT TO todo_limited
  USING (space_id = (SELECT todo.limited_space('read')) AND EXISTS (
    SELECT FROM todo.tasks t WHERE t.space_id = task_tags.space_id AND t.number = task_tags.number));

CREATE POLICY limited_may_insert ON todo.task_tags FOR INSERT TO todo_limited
  WITH CHECK (space_id = (SELECT todo.limited_space('tasks:write')) AND todo.is_reached((SELECT todo.current_reach()), space_id, number));

CREATE POLICY limited_may_select ON todo.links FOR SELECT TO todo_limited
  USING (space_id = (SELECT todo.limited_space('read')) AND EXISTS (
    SELECT FROM todo.tasks t WHERE t.space_id = links.space_id AND t.number = links.number));

CREATE POLICY limited_may_insert ON todo.links FOR INSERT TO todo_limited
  WITH CHECK (space_id = (SELECT todo.limited_space('tasks:write')) AND todo.is_reached((SELECT todo.current_reach()), space_id, number) AND todo.is_reached((SELECT todo.current_reach()), space_id, after));

CREATE POLICY limited_may_select ON todo.comments FOR SELECT TO todo_limited
  USING (space_id = (SELECT todo.limited_space('read')) AND EXISTS (
    SELECT FROM todo.tasks t WHERE t.space_id = comments.space_id AND t.number = comments.number));

CREATE POLICY limited_may_insert ON todo.comments FOR INSERT TO todo_limited
  WITH CHECK (space_id = (SELECT todo.limited_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()) AND todo.is_reached((SELECT todo.current_reach()), space_id, number));

CREATE POLICY limited_may_update ON todo.comments FOR UPDATE TO todo_limited
  USING (space_id = (SELECT todo.limited_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()) AND todo.is_reached((SELECT todo.current_reach()), space_id, number))
  WITH CHECK (space_id = (SELECT todo.limited_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()) AND todo.is_reached((SELECT todo.current_reach()), space_id, number));

CREATE POLICY limited_may_select ON todo.attachments FOR SELECT TO todo_limited
  USING (space_id = (SELECT todo.limited_space('read')) AND EXISTS (
    SELECT FROM todo.tasks t WHERE t.space_id = attachments.space_id AND t.number = attachments.number));

CREATE POLICY limited_may_select ON todo.attachment_chunks FOR SELECT TO todo_limited
  USING (space_id = (SELECT todo.limited_space('read')) AND EXISTS (
    SELECT FROM todo.attachments a
     WHERE a.space_id = attachment_chunks.space_id AND a.id = attachment_chunks.attachment_id));

CREATE POLICY limited_may_select ON todo.plans FOR SELECT TO todo_limited
  USING (space_id = (SELECT todo.limited_space('read')) AND user_id = (SELECT todo.current_user_id()) AND token_id = (SELECT todo.current_token_id()));

CREATE POLICY limited_may_insert ON todo.plans FOR INSERT TO todo_limited
  WITH CHECK (space_id = (SELECT todo.limited_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY limited_may_update ON todo.plans FOR UPDATE TO todo_limited
  USING (space_id = (SELECT todo.limited_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()) AND token_id = (SELECT todo.current_token_id()))
  WITH CHECK (space_id = (SELECT todo.limited_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()) AND token_id = (SELECT todo.current_token_id()));

CREATE POLICY limited_may_select ON todo.proposals FOR SELECT TO todo_limited
  USING (space_id = (SELECT todo.limited_space('read')) AND token_id = (SELECT todo.current_token_id()));

CREATE POLICY limited_may_insert ON todo.proposals FOR INSERT TO todo_limited
  WITH CHECK (space_id = (SELECT todo.limited_space('propose')) AND user_id = (SELECT todo.current_user_id())
    AND todo.may_store_change(space_id, verb, before, after));

CREATE POLICY limited_may_select ON todo.changes FOR SELECT TO todo_limited
  USING (space_id = (SELECT todo.limited_space('read')) AND (token_id = (SELECT todo.current_token_id())
    OR before IS NOT NULL AND todo.matches_snapshots((SELECT todo.current_reach()), before || after)));

CREATE POLICY limited_may_insert ON todo.changes FOR INSERT TO todo_limited
  WITH CHECK (space_id = (SELECT todo.limited_space('write')) AND user_id = (SELECT todo.current_user_id())
    AND todo.may_store_change(space_id, verb, before, after));

GRANT SELECT, INSERT (space_id, id, verb, arguments, before, after, expires_at)
  ON todo.proposals TO todo_server, todo_worker, todo_person, todo_limited;

GRANT SELECT (filter, reach, verbs, per_minute, proposes),
  INSERT (filter, reach, verbs, per_minute, proposes)
  ON todo.tokens TO todo_server, todo_worker, todo_person;

GRANT SELECT
  ON todo.schema TO todo_limited;

GRANT SELECT
  ON todo.spaces TO todo_limited;

GRANT SELECT
  ON todo.members TO todo_limited;

GRANT SELECT (
    user_id, id, name, scopes, kind, created_at, last_used_at, expires_at, revoked_at, parent,
    address, filter, reach, verbs, per_minute, proposes),
  INSERT (
    user_id, id, name, hash, scopes, expires_at, filter, reach, verbs, per_minute, proposes),
  UPDATE (revoked_at)
  ON todo.tokens TO todo_limited;

GRANT SELECT, INSERT, UPDATE (
    timezone, model, tokens_per_day, show_usage, week_start, dates, language, theme, signs, project,
    sort, confirm, pager, remind, rev)
  ON todo.preferences TO todo_limited;

GRANT SELECT, INSERT, UPDATE (
    title, note, status, priority, project, due_on, due_at, updated_at, completed_at, deleted_at,
    rev, parent, defer_on, defer_at, scheduled_on, scheduled_at, started_at, tracked, series,
    occurrence, repeat, claimed_by, claim_token, claimed_until, attachments, remind,
    fence, lost_claims, discovered_from)
  ON todo.tasks TO todo_limited;

GRANT SELECT, INSERT
  ON todo.task_tags TO todo_limited;

GRANT SELECT, INSERT
  ON todo.links TO todo_limited;

GRANT SELECT, INSERT (space_id, number, id, text), UPDATE (text, edited_at)
  ON todo.comments TO todo_limited;

GRANT SELECT
  ON todo.attachments TO todo_limited;

GRANT SELECT
  ON todo.attachment_chunks TO todo_limited;

GRANT SELECT, INSERT (space_id, name, filter, sort), UPDATE (filter, sort)
  ON todo.views TO todo_limited;

GRANT SELECT,
  INSERT (space_id, id, verb, arguments, targets, differences, expires_at),
  UPDATE (state, decided_at)
  ON todo.plans TO todo_limited;

GRANT SELECT,
  INSERT (space_id, id, title, model, head, head_of),
  UPDATE (title, model, seq, head, head_of, turn_id, updated_at, deleted_at)
  ON todo.conversations TO todo_limited;

GRANT SELECT,
  INSERT (space_id, id, conversation_id, runner, lease_until, asked, zone),
  UPDATE (
    state, attempt, runner, lease_until, last, stop, held, approved, events, usage, error,
    ended_at)
  ON todo.turns TO todo_limited;

GRANT SELECT, INSERT (
    space_id, conversation_id, seq, parent, parent_of, turn_id, attempt, role, status, content,
    calls, call_seq, call_index, reaches, tokens, model, usage)
  ON todo.messages TO todo_limited;

GRANT SELECT, INSERT (space_id, turn_id, n, attempt, after, batch)
  ON todo.events TO todo_limited;

GRANT SELECT
  ON todo.usage TO todo_limited;

GRANT SELECT (user_id, name, kind, shown, space_id, verbs, seq, created_at)
  ON todo.channels TO todo_limited;

GRANT SELECT
  ON todo.deliveries TO todo_limited;

GRANT SELECT, INSERT (
    space_id, seq, key, request_hash, verb, request, before, after, texts, answer, undoes, redo,
    group_id, turn_id)
  ON todo.changes TO todo_limited;

UPDATE todo.schema SET version = 23;
