-- A user leaves: the account is exported and erased. The tables are found in the catalogue, so that
-- a new one is never forgotten. A user's own rows are those of the personal space and, in every
-- space, those that name the user.

-- name: redact
-- JSON of the journal without a user's names under the keys that have names, and without the
-- entries of the user in lists, such as reminders.
CREATE FUNCTION todo.redact(p_value jsonb, p_user uuid, p_names text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE jsonb_typeof(p_value)
    WHEN 'array' THEN (
      SELECT coalesce(
          jsonb_agg(todo.redact(e.value, p_user, p_names) ORDER BY e.ordinality), '[]')
        FROM jsonb_array_elements(p_value) WITH ORDINALITY AS e
       WHERE e.value ->> 'user' IS DISTINCT FROM p_user::text)
    WHEN 'object' THEN (
      SELECT coalesce(jsonb_object_agg(e.key, CASE
          WHEN e.key IN ('name', 'user', 'email', 'member', 'claimed_by', 'assigned_to', 'by')
            AND jsonb_typeof(e.value) = 'string' AND e.value #>> '{}' = ANY (p_names)
          THEN to_jsonb('erased user'::text)
          ELSE todo.redact(e.value, p_user, p_names) END), '{}')
        FROM jsonb_each(p_value) AS e)
    ELSE p_value
  END;
END $$;

-- name: user_tables
-- The tables with rows of users, each after those that refer to it, with the columns of its key.
-- Attempts to sign in name no user: they are counted by a hash, for a quarter of an hour.
CREATE FUNCTION todo.user_tables() RETURNS TABLE (
  name text, has_space boolean, has_user boolean, key text, ordinal bigint
) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE relations AS (
    SELECT c.oid, c.relname::text AS name,
           bool_or(a.attname = 'space_id') AS has_space, bool_or(a.attname = 'user_id') AS has_user
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'todo'::regnamespace AND c.relkind = 'r'
       AND c.relname NOT IN ('alembic_version', 'schema', 'attempts')
     GROUP BY 1, 2),
  depths AS (
    SELECT r.oid, 0 AS depth FROM relations r
    UNION ALL
    SELECT f.confrelid, d.depth + 1
      FROM depths d
      JOIN pg_constraint f ON f.conrelid = d.oid AND f.contype = 'f' AND f.confrelid <> d.oid)
  SELECT r.name, r.has_space, r.has_user,
         (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.ordinality)
            FROM pg_index i
           CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(attnum, ordinality)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
           WHERE i.indrelid = r.oid AND i.indisprimary),
         row_number() OVER (ORDER BY max(d.depth), r.name)
    FROM relations r
    JOIN depths d ON d.oid = r.oid
   GROUP BY r.oid, r.name, r.has_space, r.has_user
$$;

-- name: delete_user_rows
-- Delete the rows of dying spaces and a user's own rows elsewhere; return their numbers by table.
-- In a shared space journal, comments and files belong to the space. The objects of a file go with
-- the next sweep, and its row then.
CREATE FUNCTION todo.delete_user_rows(p_user uuid, p_spaces uuid[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owned record;
  result jsonb := '{}';
  deleted bigint;
BEGIN
  UPDATE todo.attachments
     SET name = 'erased', type = 'application/octet-stream', unused_since = '-infinity'
   WHERE space_id = ANY (p_spaces) AND (object IS NOT NULL OR incoming IS NOT NULL);
  FOR owned IN SELECT * FROM todo.user_tables() t WHERE t.name <> 'users' ORDER BY t.ordinal LOOP
    EXECUTE format('DELETE FROM todo.%I WHERE (%s)%s', owned.name,
      concat_ws(' OR ',
        CASE WHEN owned.name = 'spaces' THEN 'id = ANY ($2)' END,
        CASE WHEN owned.has_space THEN 'space_id = ANY ($2)' END,
        CASE WHEN owned.has_user AND owned.name NOT IN ('changes', 'comments', 'attachments')
             THEN 'user_id = $1' END),
      CASE WHEN owned.name = 'attachments'
           THEN ' AND unused_since IS DISTINCT FROM ''-infinity''' ELSE '' END)
      USING p_user, p_spaces;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    result := result || jsonb_build_object(owned.name, deleted);
  END LOOP;
  RETURN result;
END $$;

-- name: erase_user
-- Erase a user: the personal space goes with everything in it, and so do spaces without another
-- member. In other spaces tasks and files stay; comments and journal lose what the user wrote and
-- is called. Return the numbers of deleted rows by table. Raise where the user is the only owner of
-- a space that others use.
CREATE FUNCTION todo.erase_user(p_user uuid) RETURNS jsonb LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  u todo.users := (SELECT k FROM todo.users k WHERE k.id = p_user);
  shared uuid[];
  dying uuid[];
  ownerless text;
  result jsonb;
BEGIN
  PERFORM FROM todo.spaces s
   WHERE s.id IN (SELECT m.space_id FROM todo.members m WHERE m.user_id = p_user)
   ORDER BY s.id FOR UPDATE;
  SELECT coalesce(array_agg(m.space_id), '{}') INTO shared
    FROM todo.members m
   WHERE m.user_id = p_user AND m.space_id <> p_user
     AND EXISTS (
       SELECT FROM todo.members o WHERE o.space_id = m.space_id AND o.user_id <> p_user);
  dying := ARRAY(
    SELECT m.space_id FROM todo.members m
     WHERE m.user_id = p_user AND m.space_id <> ALL (shared)) || p_user;
  SELECT string_agg(s.name, ', ' ORDER BY s.name) INTO ownerless
    FROM todo.members m
    JOIN todo.spaces s ON s.id = m.space_id
   WHERE m.user_id = p_user AND m.role = 'owner' AND m.space_id = ANY (shared)
     AND NOT EXISTS (
       SELECT FROM todo.members o
        WHERE o.space_id = m.space_id AND o.user_id <> p_user AND o.role = 'owner');
  IF ownerless IS NOT NULL THEN
    RAISE EXCEPTION '% is the only owner of spaces that others use: %; nothing was erased',
      u.name, ownerless
      USING ERRCODE = 'TD409', HINT = 'make another member an owner of each of them first';
  END IF;
  UPDATE todo.tasks SET claimed_by = NULL, claim_token = NULL, claimed_until = NULL
   WHERE space_id = ANY (shared) AND claimed_until IS NOT NULL
     AND claim_token IN (SELECT id FROM todo.tokens WHERE user_id = p_user);
  UPDATE todo.tasks t
     SET remind = (
       SELECT jsonb_agg(r) FROM jsonb_array_elements(t.remind) r
        WHERE r ->> 'user' <> p_user::text)
   WHERE t.space_id = ANY (shared)
     AND t.remind @> jsonb_build_array(jsonb_build_object('user', p_user));
  DELETE FROM todo.invitations WHERE email = u.email AND used_by IS NULL;
  UPDATE todo.invitations SET email = NULL WHERE used_by = p_user;
  result := todo.delete_user_rows(p_user, dying);
  -- the trigger of todo.members frees the open tasks, while the user still has the name
  SET CONSTRAINTS todo.members_unassigned IMMEDIATE;
  UPDATE todo.tasks SET assigned_to = NULL
   WHERE space_id = ANY (shared) AND assigned_to = u.name;
  UPDATE todo.comments SET text = 'The author of this comment has been erased.'
   WHERE user_id = p_user;
  UPDATE todo.changes
     SET key = NULL, token_id = '00000000-0000-0000-0000-000000000000',
         request = CASE WHEN verb IN ('AddComment', 'EditComment', 'RemoveComment')
           THEN request - 'text' ELSE request END,
         answer = CASE WHEN verb IN ('AddComment', 'EditComment', 'RemoveComment')
           THEN NULL ELSE answer END,
         request_hash = ''
   WHERE user_id = p_user;
  PERFORM todo.redact_journal(p_user, array_remove(ARRAY[u.name, u.email], NULL), shared);
  UPDATE todo.users
     SET name = format('erased user %s', p_user), email = NULL, admin = false,
         disabled_at = clock_timestamp()
   WHERE id = p_user;
  RETURN result;
END $$;

-- name: redact_journal
-- Replace a user's name and address in the changes of shared spaces, and in those of administrators
-- that name users.
CREATE FUNCTION todo.redact_journal(p_user uuid, p_names text[], p_spaces uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  quoted text[] := ARRAY(
    SELECT to_jsonb(word)::text FROM unnest(p_names || p_user::text) AS word);
BEGIN
  UPDATE todo.changes c
     SET request = todo.redact(c.request, p_user, p_names),
         before = todo.redact(c.before, p_user, p_names),
         after = todo.redact(c.after, p_user, p_names),
         answer = todo.redact(c.answer, p_user, p_names)
   WHERE (c.user_id = p_user OR c.space_id = ANY (p_spaces)
       OR c.verb IN ('AddUser', 'DisableUser', 'SetBudget', 'CreateResetCode', 'CreateInvitation'))
     AND EXISTS (
       SELECT FROM unnest(quoted) AS word
        WHERE strpos(concat(c.request, c.before, c.after, c.answer), word) > 0);
END $$;

-- name: delete_account
-- Erase the caller, who gives the name to confirm it. An account stays while it is the only one of
-- an administrator. A login of the database stays too: it opens nothing, and its operator drops it.
CREATE FUNCTION todo.delete_account(p_name text) RETURNS jsonb LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller todo.users := (
    SELECT u FROM todo.users u WHERE u.id = (SELECT todo.current_full_user()));
BEGIN
  IF caller.id IS NULL THEN
    RAISE EXCEPTION 'the token lacks the scope all' USING ERRCODE = 'TD403';
  END IF;
  IF caller.name <> p_name THEN
    RAISE EXCEPTION 'the account is not named %; nothing was deleted', p_name
      USING ERRCODE = 'TD422', HINT = 'see its name with: todo whoami';
  END IF;
  IF caller.admin AND NOT EXISTS (
    SELECT FROM todo.users u
     WHERE u.admin AND u.disabled_at IS NULL AND u.id <> caller.id) THEN
    RAISE EXCEPTION 'the only administrator cannot delete their account'
      USING ERRCODE = 'TD409', HINT = 'add another one first: todo admin user add NAME --admin';
  END IF;
  RETURN todo.erase_user(caller.id);
END $$;

-- name: export_account
-- A page of the caller's rows, of all tables: at most so many rows and about 4 MB. `next` is where
-- the next page begins. No secret and no hash of one is in it, and no address of a channel, which
-- clients cannot read.
CREATE FUNCTION todo.export_account(p_after jsonb, p_limit int) RETURNS jsonb
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller uuid := (SELECT todo.current_full_user());
  source record;
  entry record;
  last_key jsonb := nullif(p_after -> 'key', 'null');
  rows jsonb[] := '{}';
  bytes bigint := 0;
BEGIN
  IF caller IS NULL THEN
    RAISE EXCEPTION 'the token lacks the scope all' USING ERRCODE = 'TD403';
  END IF;
  FOR source IN
    SELECT t.name, t.key, s.space_id, s.place, t.ordinal,
           CASE WHEN t.name IN ('users', 'spaces') THEN 't.id = $1'
                WHEN NOT t.has_space THEN 't.user_id = $1'
                WHEN s.space_id = caller THEN 't.space_id = $2'
                ELSE 't.space_id = $2 AND t.user_id = $1' END AS condition
      FROM todo.user_tables() t
     CROSS JOIN LATERAL (
       SELECT caller AS space_id, 0::bigint AS place
       UNION ALL
       SELECT m.space_id, row_number() OVER (ORDER BY m.space_id)
         FROM todo.members m
        WHERE m.user_id = caller AND m.space_id <> caller AND t.has_space AND t.has_user) AS s
     -- the index of the search repeats the words of the tasks
     WHERE t.name <> 'words' AND (p_after IS NULL
       OR (-t.ordinal, s.place) >= (-(p_after ->> 'table')::bigint, (p_after ->> 'place')::bigint))
     ORDER BY t.ordinal DESC, s.place
  LOOP
    FOR entry IN EXECUTE format(
      'SELECT to_jsonb(t) - ''{hash,code_hash,used_code_hash,secret,user_code,target}''::text[]
           AS content, to_jsonb((SELECT k FROM (SELECT %1$s) AS k)) AS key
         FROM todo.%2$I t
        WHERE %3$s AND ($3 IS NULL OR (%1$s) > (
          SELECT %1$s FROM jsonb_populate_record(NULL::todo.%2$I, $3)))
        ORDER BY %1$s LIMIT $4', source.key, source.name, source.condition)
      USING caller, source.space_id, last_key, p_limit + 1
    LOOP
      IF cardinality(rows) >= p_limit OR bytes > 4000000 THEN
        RETURN jsonb_build_object('rows', to_jsonb(rows), 'next', jsonb_build_object(
          'table', source.ordinal, 'place', source.place, 'key', last_key));
      END IF;
      rows := rows || jsonb_build_object('table', source.name, 'row', entry.content);
      bytes := bytes + length(entry.content::text);
      last_key := entry.key;
    END LOOP;
    last_key := NULL;
  END LOOP;
  RETURN jsonb_build_object('rows', to_jsonb(rows));
END $$;
