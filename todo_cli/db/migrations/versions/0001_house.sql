DO $$ BEGIN CREATE ROLE todo_auth NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE todo_server LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE todo_worker LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE todo_person NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN GRANT todo_auth TO CURRENT_USER; EXCEPTION WHEN unique_violation THEN NULL; END $$;
DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()); EXECUTE format('GRANT CONNECT ON DATABASE %I TO todo_server, todo_worker, todo_person', current_database()); END $$;
DO $$ BEGIN EXECUTE format('ALTER ROLE todo_server IN DATABASE %I SET statement_timeout = %L', current_database(), '30s'); EXECUTE format('ALTER ROLE todo_server IN DATABASE %I SET lock_timeout = %L', current_database(), '10s'); EXECUTE format('ALTER ROLE todo_server IN DATABASE %I SET idle_in_transaction_session_timeout = %L', current_database(), '30s'); END $$;
DO $$ BEGIN EXECUTE format('ALTER ROLE todo_worker IN DATABASE %I SET statement_timeout = %L', current_database(), '30s'); EXECUTE format('ALTER ROLE todo_worker IN DATABASE %I SET lock_timeout = %L', current_database(), '10s'); EXECUTE format('ALTER ROLE todo_worker IN DATABASE %I SET idle_in_transaction_session_timeout = %L', current_database(), '30s'); END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS todo;
GRANT USAGE ON SCHEMA todo TO todo_auth, todo_server, todo_worker, todo_person;
SET LOCAL check_function_bodies = off;
-- What runs with more rights than its caller. All are owned by todo_auth, which nobody can log in as.;
-- The user of this transaction's token. Nothing a client can SET is trusted: the token is looked up each time.
CREATE FUNCTION todo.me() RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
DECLARE found uuid;
BEGIN
  SELECT t.user_id INTO found FROM todo.tokens t JOIN todo.users u ON u.id = t.user_id
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'))
     AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
     AND u.disabled_at IS NULL
     AND (pg_has_role(session_user, 'todo_server', 'MEMBER') OR (u.login = session_user AND 'all' = ANY (t.scopes)));
  RETURN found;
END $$;;
-- The token itself, for the journal's own columns.
CREATE FUNCTION todo.token() RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
DECLARE found uuid;
BEGIN
  SELECT t.id INTO found FROM todo.tokens t
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'));
  RETURN found;
END $$;;
-- The way in: what the server says of itself; a person's own login is always 'direct'.
CREATE FUNCTION todo.way() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_has_role(session_user, 'todo_server', 'MEMBER') THEN
    RETURN coalesce(nullif(current_setting('app.way', true), ''), 'server');
  END IF;
  RETURN 'direct';
END $$;;
-- The space of this transaction, if its token reaches there; need: 'read' (any scope sees), 'write' (any scope but
-- 'read' changes something) or a scope.
CREATE FUNCTION todo.space(need text) RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
DECLARE found uuid;
BEGIN
  SELECT m.space_id INTO found FROM todo.tokens t
    JOIN todo.users u ON u.id = t.user_id
    JOIN todo.members m ON m.user_id = t.user_id AND m.space_id = nullif(current_setting('app.space', true), '')::uuid
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'))
     AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
     AND u.disabled_at IS NULL
     AND (need = 'read' OR (m.role <> 'viewer'
          AND CASE need WHEN 'write' THEN NOT t.scopes <@ ARRAY['read'] ELSE t.scopes && ARRAY[need, 'all'] END))
     AND (pg_has_role(session_user, 'todo_server', 'MEMBER') OR (u.login = session_user AND 'all' = ANY (t.scopes)));
  RETURN found;
END $$;;
-- Count one request of a user in a sliding minute. A user has as many slots as requests ever ran at once: each takes
-- one that nobody holds, or makes one, so that none waits for another, a read never for a slow write. Requests that run
-- at once do not see each other: the limit may be passed by as many. A refusal raises, which undoes its own count.
CREATE FUNCTION todo.count_request(p_user uuid, p_limit int) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  moment float8 := extract(epoch FROM clock_timestamp()) / 60;
  this bigint := floor(moment);
  now_hits bigint; then_hits bigint;
BEGIN
  SELECT coalesce(sum(hits) FILTER (WHERE minute = this), 0),
         coalesce(sum(CASE minute WHEN this THEN before WHEN this - 1 THEN hits ELSE 0 END), 0)
    INTO now_hits, then_hits FROM todo.buckets WHERE user_id = p_user;
  IF now_hits + then_hits * (1 - (moment - this)) >= p_limit THEN
    RAISE EXCEPTION 'more than % requests in a minute', p_limit USING ERRCODE = 'TD429',
      DETAIL = json_build_object('retry_after', CASE WHEN now_hits >= p_limit THEN ceil((1 - (moment - this)) * 60)
        ELSE greatest(1, ceil((now_hits + then_hits * (1 - (moment - this)) - p_limit + 1) / then_hits * 60)) END)::text;
  END IF;
  UPDATE todo.buckets SET hits = CASE minute WHEN this THEN hits ELSE 0 END + 1, minute = this,
         before = CASE minute WHEN this THEN before WHEN this - 1 THEN hits ELSE 0 END
   WHERE user_id = p_user AND slot = (SELECT slot FROM todo.buckets WHERE user_id = p_user ORDER BY slot LIMIT 1
                                      FOR NO KEY UPDATE SKIP LOCKED);
  IF NOT FOUND THEN
    INSERT INTO todo.buckets VALUES (p_user, floor(random() * 2147483647)::int, this, 1, 0) ON CONFLICT DO NOTHING;
  END IF;
END $$;;
-- Sign in: every request's first statement. It refuses, counts, locks a write's space, and leaves the token and the
-- space for this transaction's policies to look up again.
CREATE FUNCTION todo.enter(p_schema int, p_token text, p_user uuid, p_space uuid, p_scope text, p_write boolean,
                           p_way text) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE v record; t record; served boolean := pg_has_role(session_user, 'todo_server', 'MEMBER');
BEGIN
  SELECT version, oldest INTO v FROM todo.schema;
  IF p_schema IS NULL OR p_schema < v.oldest THEN
    RAISE EXCEPTION 'this todo is too old for the database (it speaks schema %, the database serves % to %)', p_schema, v.oldest, v.version
      USING ERRCODE = 'TD503', HINT = 'upgrade todo on this machine'; END IF;
  IF p_schema > v.version THEN
    RAISE EXCEPTION 'the database is older than this todo (it has schema %, % is needed)', v.version, p_schema
      USING ERRCODE = 'TD503', HINT = 'its operator runs: todo db migrate'; END IF;
  SELECT k.id, k.scopes, k.kind, k.expires_at, k.last_used_at, u.login, u.admin, u.per_minute, m.role INTO t
    FROM todo.tokens k JOIN todo.users u ON u.id = k.user_id
    LEFT JOIN todo.members m ON m.user_id = k.user_id AND m.space_id = p_space
   WHERE k.user_id = p_user AND k.hash = sha256(convert_to(p_token, 'UTF8')) AND k.revoked_at IS NULL AND u.disabled_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the token is not known here, or was revoked' USING ERRCODE = 'TD401'; END IF;
  IF t.expires_at <= clock_timestamp() THEN
    RAISE EXCEPTION 'the token has expired' USING ERRCODE = 'TD401'; END IF;
  IF NOT served AND (t.login IS DISTINCT FROM session_user::text OR NOT 'all' = ANY (t.scopes)) THEN
    RAISE EXCEPTION 'this token cannot be used directly on the database' USING ERRCODE = 'TD403',
      HINT = 'direct access needs the person''s own login and a token of scope all; narrower ones need a server'; END IF;
  IF p_scope IS NOT DISTINCT FROM 'admin' AND NOT t.admin THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403'; END IF;
  IF p_scope IS DISTINCT FROM 'any' AND NOT t.scopes && ARRAY[p_scope, 'all'] THEN
    RAISE EXCEPTION 'the token lacks the scope %', p_scope USING ERRCODE = 'TD403',
      HINT = 'make one that has it with: todo token create --scopes'; END IF;
  IF t.role IS NULL THEN
    RAISE EXCEPTION 'no such space, or you are not a member of it' USING ERRCODE = 'TD403',
      HINT = 'see yours with: todo space list'; END IF;
  IF p_write AND t.role = 'viewer' THEN
    RAISE EXCEPTION 'a viewer cannot change this space' USING ERRCODE = 'TD403'; END IF;
  -- the steps of a turn are one request: a person's, which was counted when it came
  IF served AND p_way IS DISTINCT FROM 'chat' THEN PERFORM todo.count_request(p_user, t.per_minute); END IF;
  IF t.last_used_at IS NULL OR t.last_used_at < clock_timestamp() - interval '1 minute'
     OR (t.kind = 'session' AND t.expires_at < clock_timestamp() + interval '6 days') THEN
    UPDATE todo.tokens k SET last_used_at = clock_timestamp(),
           expires_at = CASE WHEN k.kind = 'session' AND k.expires_at < clock_timestamp() + interval '6 days'
                             THEN clock_timestamp() + interval '7 days' ELSE k.expires_at END
     WHERE k.user_id = p_user AND k.id = (SELECT s.id FROM todo.tokens s WHERE s.user_id = p_user AND s.id = t.id
                                          FOR NO KEY UPDATE SKIP LOCKED);
  END IF;
  PERFORM set_config('app.token', p_token, true), set_config('app.user', p_user::text, true),
          set_config('app.space', p_space::text, true), set_config('app.way', p_way, true);
  IF p_write THEN PERFORM 1 FROM todo.spaces WHERE id = p_space FOR NO KEY UPDATE; END IF;
END $$;;
-- Failed sign-ins are counted apart, by account and address, outside the refused transaction.
-- Guessed accounts count as one, and what is over is removed: nobody fills the table.
CREATE FUNCTION todo.count_failure(p_user uuid, p_address text) RETURNS int LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  this bigint := floor(extract(epoch FROM clock_timestamp()) / 60);
  account uuid := coalesce((SELECT id FROM todo.users WHERE id = p_user), '00000000-0000-0000-0000-000000000000');
  count int;
BEGIN
  DELETE FROM todo.failures WHERE (user_id, address) IN (SELECT user_id, address FROM todo.failures
    WHERE user_id = account AND minute < this FOR UPDATE SKIP LOCKED);
  INSERT INTO todo.failures AS f VALUES (account, coalesce(p_address, ''), this, 1)
    ON CONFLICT (user_id, address) DO UPDATE
    SET hits = CASE f.minute WHEN excluded.minute THEN f.hits ELSE 0 END + 1, minute = excluded.minute
    RETURNING hits INTO count;
  RETURN count;
END $$;;
-- Who is in this transaction's space: all that anybody sees of others.
CREATE FUNCTION todo.people() RETURNS TABLE (id uuid, name text, admin boolean, role text) LANGUAGE plpgsql STABLE
SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT u.id, u.name, u.admin, m.role FROM todo.members m JOIN todo.users u ON u.id = m.user_id
    WHERE m.space_id = (SELECT todo.space('read'));
END $$;;
CREATE FUNCTION todo.my_spaces() RETURNS TABLE (id uuid, name text, role text) LANGUAGE plpgsql STABLE
SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT s.id, s.name, m.role FROM todo.members m JOIN todo.spaces s ON s.id = m.space_id
    WHERE m.user_id = (SELECT todo.me());
END $$;;
-- Take tags off tasks, pair by pair. A function, since whoever may DELETE may also lock the whole table.
CREATE FUNCTION todo.untag(p_numbers bigint[], p_tags text[]) RETURNS void LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.task_tags g USING unnest(p_numbers, p_tags) AS gone(number, tag)
   WHERE g.space_id = (SELECT todo.space('tasks:write')) AND g.number = gone.number AND g.tag = gone.tag
$$;;
-- A person: the user, the personal space (its id is the user's), membership, preferences, a first token.
CREATE FUNCTION todo.make_user(p_id uuid, p_name text, p_admin boolean, p_token_id uuid, p_token_hash bytea, p_zone text)
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO todo.users (id, name, admin) VALUES (p_id, p_name, p_admin);
  INSERT INTO todo.spaces (id, name) VALUES (p_id, p_name);
  INSERT INTO todo.members (space_id, user_id, role) VALUES (p_id, p_id, 'owner');
  INSERT INTO todo.preferences (user_id, timezone) VALUES (p_id, p_zone);
  INSERT INTO todo.tokens (user_id, id, name, hash, scopes) VALUES (p_id, p_token_id, 'first', p_token_hash, '{all}');
$$;;
CREATE FUNCTION todo.is_admin() RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE found boolean;
BEGIN
  SELECT u.admin INTO found FROM todo.users u JOIN todo.tokens t ON t.user_id = u.id
   WHERE u.id = todo.me() AND t.id = todo.token() AND t.scopes && '{admin,all}';
  RETURN coalesce(found, false);
END $$;;
CREATE FUNCTION todo.add_user(p_id uuid, p_name text, p_admin boolean, p_token_id uuid, p_token_hash bytea, p_zone text)
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403'; END IF;
  PERFORM todo.make_user(p_id, p_name, p_admin, p_token_id, p_token_hash, p_zone);
END $$;;
CREATE UNLOGGED TABLE todo.buckets (
	user_id UUID NOT NULL, 
	slot INTEGER NOT NULL, 
	minute BIGINT NOT NULL, 
	hits BIGINT NOT NULL, 
	before BIGINT NOT NULL, 
	PRIMARY KEY (user_id, slot)
)
 WITH (fillfactor = 50);
CREATE UNLOGGED TABLE todo.failures (
	user_id UUID NOT NULL, 
	address TEXT COLLATE "C" NOT NULL, 
	minute BIGINT NOT NULL, 
	hits INTEGER NOT NULL, 
	PRIMARY KEY (user_id, address)
);
CREATE TABLE todo.schema (
	version INTEGER NOT NULL, 
	oldest INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
CREATE TABLE todo.spaces (
	id UUID NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	next_number BIGINT DEFAULT 1 NOT NULL, 
	seq BIGINT DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id)
)
 WITH (fillfactor = 50);
CREATE TABLE todo.users (
	id UUID NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	login TEXT COLLATE "C", 
	admin BOOLEAN DEFAULT false NOT NULL, 
	per_minute INTEGER DEFAULT 600 NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	disabled_at TIMESTAMP WITH TIME ZONE, 
	PRIMARY KEY (id), 
	UNIQUE (name), 
	UNIQUE (login)
);
CREATE TABLE todo.changes (
	space_id UUID NOT NULL, 
	seq BIGINT NOT NULL, 
	user_id UUID DEFAULT todo.me() NOT NULL, 
	token_id UUID DEFAULT todo.token() NOT NULL, 
	way TEXT COLLATE "C" DEFAULT todo.way() NOT NULL, 
	at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	key TEXT COLLATE "C", 
	request_hash BYTEA NOT NULL, 
	verb TEXT COLLATE "C" NOT NULL, 
	request JSONB NOT NULL, 
	before JSONB, 
	after JSONB, 
	answer JSONB, 
	undoes BIGINT, 
	redo BOOLEAN DEFAULT false NOT NULL, 
	group_id UUID, 
	turn_id UUID, 
	PRIMARY KEY (space_id, seq), 
	CONSTRAINT changes_key UNIQUE (space_id, user_id, key), 
	FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
);
CREATE TABLE todo.members (
	space_id UUID NOT NULL, 
	user_id UUID NOT NULL, 
	role TEXT COLLATE "C" NOT NULL CONSTRAINT members_role CHECK (role IN ('owner', 'editor', 'viewer')), 
	PRIMARY KEY (space_id, user_id), 
	FOREIGN KEY(space_id) REFERENCES todo.spaces (id), 
	FOREIGN KEY(user_id) REFERENCES todo.users (id)
);
CREATE TABLE todo.plans (
	space_id UUID NOT NULL, 
	id UUID NOT NULL, 
	user_id UUID DEFAULT todo.me() NOT NULL, 
	token_id UUID DEFAULT todo.token() NOT NULL, 
	verb TEXT COLLATE "C" NOT NULL, 
	arguments JSONB NOT NULL, 
	targets JSONB NOT NULL, 
	differences JSONB NOT NULL, 
	state TEXT COLLATE "C" DEFAULT 'open' NOT NULL CONSTRAINT plans_state CHECK (state IN ('open', 'applied', 'refused')), 
	made_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	decided_at TIMESTAMP WITH TIME ZONE, 
	PRIMARY KEY (space_id, id), 
	FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
);
CREATE TABLE todo.preferences (
	user_id UUID NOT NULL, 
	timezone TEXT COLLATE "C", 
	PRIMARY KEY (user_id), 
	FOREIGN KEY(user_id) REFERENCES todo.users (id)
);
CREATE TABLE todo.tasks (
	space_id UUID NOT NULL, 
	number BIGINT NOT NULL, 
	id UUID NOT NULL, 
	title TEXT COLLATE "C" NOT NULL, 
	note TEXT COLLATE "C", 
	status TEXT COLLATE "C" DEFAULT 'open' NOT NULL CONSTRAINT tasks_status CHECK (status IN ('open', 'done', 'deleted')), 
	priority SMALLINT DEFAULT 4 NOT NULL CONSTRAINT tasks_priority CHECK (priority BETWEEN 1 AND 4), 
	project TEXT COLLATE "C", 
	due_on DATE, 
	due_at TIMESTAMP WITH TIME ZONE, 
	due_sort TIMESTAMP WITH TIME ZONE GENERATED ALWAYS AS (coalesce(due_at, timezone('UTC', due_on + interval '1 day' - interval '1 second'), 'infinity')) STORED NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	completed_at TIMESTAMP WITH TIME ZONE, 
	deleted_at TIMESTAMP WITH TIME ZONE, 
	rev BIGINT NOT NULL, 
	PRIMARY KEY (space_id, number), 
	CONSTRAINT tasks_space_id_id UNIQUE (space_id, id), 
	CONSTRAINT tasks_due CHECK (due_on IS NULL OR due_at IS NULL), 
	FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
);
CREATE TABLE todo.tokens (
	user_id UUID NOT NULL, 
	id UUID NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	hash BYTEA NOT NULL CONSTRAINT tokens_hash CHECK (octet_length(hash) = 32), 
	scopes TEXT[] COLLATE "C" NOT NULL, 
	kind TEXT COLLATE "C" DEFAULT 'token' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	last_used_at TIMESTAMP WITH TIME ZONE, 
	expires_at TIMESTAMP WITH TIME ZONE, 
	revoked_at TIMESTAMP WITH TIME ZONE, 
	PRIMARY KEY (user_id, id), 
	CONSTRAINT tokens_user_hash UNIQUE (user_id, hash), 
	FOREIGN KEY(user_id) REFERENCES todo.users (id)
)
 WITH (fillfactor = 70);
CREATE TABLE todo.task_tags (
	space_id UUID NOT NULL, 
	number BIGINT NOT NULL, 
	tag TEXT COLLATE "C" NOT NULL, 
	PRIMARY KEY (space_id, number, tag), 
	FOREIGN KEY(space_id, number) REFERENCES todo.tasks (space_id, number)
);
CREATE INDEX changes_group ON todo.changes (space_id, group_id, seq) WHERE group_id IS NOT NULL;
CREATE INDEX changes_undoes ON todo.changes (space_id, undoes, seq) WHERE undoes IS NOT NULL;
CREATE INDEX changes_user ON todo.changes (space_id, user_id, seq);
CREATE INDEX members_user ON todo.members (user_id);
CREATE INDEX plans_open ON todo.plans (space_id, user_id, made_at) WHERE state = 'open';
CREATE INDEX tasks_created ON todo.tasks (space_id, status, number);
CREATE INDEX tasks_due ON todo.tasks (space_id, status, due_sort, number);
CREATE INDEX tasks_priority ON todo.tasks (space_id, status, priority, number);
CREATE INDEX tasks_project ON todo.tasks (space_id, project, status, due_sort, number) WHERE project IS NOT NULL;
CREATE INDEX tasks_updated ON todo.tasks (space_id, status, rev, number);
CREATE UNIQUE INDEX tokens_user_name ON todo.tokens (user_id, name) WHERE revoked_at IS NULL;
CREATE INDEX task_tags_tag ON todo.task_tags (space_id, tag, number);
COMMENT ON COLUMN todo.schema.oldest IS 'the oldest client that is still served';
COMMENT ON COLUMN todo.users.login IS 'the person''s own database role, where there is one';
COMMENT ON COLUMN todo.users.per_minute IS 'requests through a server';
COMMENT ON COLUMN todo.changes.key IS 'the caller''s, or minted by the client for one invocation';
COMMENT ON COLUMN todo.changes.before IS 'images of the tasks it names';
COMMENT ON COLUMN todo.changes.answer IS 'what a change of something else than tasks answered';
COMMENT ON COLUMN todo.plans.targets IS 'the tasks it would touch, and the rev each must still have';
COMMENT ON COLUMN todo.tasks.priority IS '4 is none, so that it sorts last in an index';
COMMENT ON COLUMN todo.tasks.due_on IS 'a day without a time';
COMMENT ON COLUMN todo.tasks.due_at IS 'an instant; one of the two or neither';
COMMENT ON COLUMN todo.tasks.rev IS 'the seq of the change that last touched it';
COMMENT ON COLUMN todo.tokens.kind IS 'a session''s expiry slides';
CREATE FUNCTION todo.list_users() RETURNS SETOF todo.users LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403'; END IF;
  RETURN QUERY SELECT * FROM todo.users ORDER BY name;
END $$;;
CREATE FUNCTION todo.disable_user(p_name text, p_disabled boolean) RETURNS SETOF todo.users
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403'; END IF;
  IF EXISTS (SELECT FROM todo.users WHERE name = p_name AND id = todo.me()) THEN
    RAISE EXCEPTION 'you cannot disable yourself' USING ERRCODE = 'TD409'; END IF;
  RETURN QUERY UPDATE todo.users SET disabled_at = CASE WHEN p_disabled THEN coalesce(disabled_at, clock_timestamp()) END
    WHERE name = p_name RETURNING *;
END $$;;
GRANT CREATE ON SCHEMA todo TO todo_auth;
ALTER FUNCTION todo.me() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.me() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.me() TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.token() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.token() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.token() TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.way() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.way() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.way() TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.space(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.space(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.space(text) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.count_request(uuid, int) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.count_request(uuid, int) FROM PUBLIC;
ALTER FUNCTION todo.enter(int, text, uuid, uuid, text, boolean, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.enter(int, text, uuid, uuid, text, boolean, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.enter(int, text, uuid, uuid, text, boolean, text) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.count_failure(uuid, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.count_failure(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.count_failure(uuid, text) TO todo_server;
ALTER FUNCTION todo.people() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.people() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.people() TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.my_spaces() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.my_spaces() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.my_spaces() TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.untag(bigint[], text[]) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.untag(bigint[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.untag(bigint[], text[]) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.make_user(uuid, text, boolean, uuid, bytea, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.make_user(uuid, text, boolean, uuid, bytea, text) FROM PUBLIC;
ALTER FUNCTION todo.is_admin() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.is_admin() FROM PUBLIC;
ALTER FUNCTION todo.add_user(uuid, text, boolean, uuid, bytea, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.add_user(uuid, text, boolean, uuid, bytea, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.add_user(uuid, text, boolean, uuid, bytea, text) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.list_users() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.list_users() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.list_users() TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.disable_user(text, boolean) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.disable_user(text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.disable_user(text, boolean) TO todo_server, todo_worker, todo_person;
REVOKE CREATE ON SCHEMA todo FROM todo_auth;
ALTER TABLE todo.buckets ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.buckets TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.buckets TO todo_auth;
ALTER TABLE todo.failures ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.failures TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.failures TO todo_auth;
ALTER TABLE todo.schema ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.schema TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.schema TO todo_auth;
ALTER TABLE todo.spaces ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.spaces TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.spaces TO todo_auth;
ALTER TABLE todo.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.users TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.users TO todo_auth;
ALTER TABLE todo.changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.changes TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.changes TO todo_auth;
ALTER TABLE todo.members ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.members TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.members TO todo_auth;
ALTER TABLE todo.plans ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.plans TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.plans TO todo_auth;
ALTER TABLE todo.preferences ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.preferences TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.preferences TO todo_auth;
ALTER TABLE todo.tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.tasks TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.tasks TO todo_auth;
ALTER TABLE todo.tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.tokens TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.tokens TO todo_auth;
ALTER TABLE todo.task_tags ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.task_tags TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.task_tags TO todo_auth;
CREATE POLICY may_select ON todo.schema FOR SELECT TO todo_server, todo_worker, todo_person USING (true);
CREATE POLICY may_select ON todo.spaces FOR SELECT TO todo_server, todo_worker, todo_person USING (id = (SELECT todo.space('read')));
CREATE POLICY may_update ON todo.spaces FOR UPDATE TO todo_server, todo_worker, todo_person USING (id = (SELECT todo.space('write'))) WITH CHECK (id = (SELECT todo.space('write')));
CREATE POLICY may_select ON todo.members FOR SELECT TO todo_server, todo_worker, todo_person USING (user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.tokens FOR SELECT TO todo_server, todo_worker, todo_person USING (user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.tokens FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (user_id = (SELECT todo.me()) AND user_id = (SELECT todo.space('tokens:write')));
CREATE POLICY may_update ON todo.tokens FOR UPDATE TO todo_server, todo_worker, todo_person USING (user_id = (SELECT todo.me()) AND user_id = (SELECT todo.space('tokens:write')) AND revoked_at IS NULL) WITH CHECK (user_id = (SELECT todo.me()) AND user_id = (SELECT todo.space('tokens:write')));
CREATE POLICY may_select ON todo.preferences FOR SELECT TO todo_server, todo_worker, todo_person USING (user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.preferences FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (user_id = (SELECT todo.me()) AND user_id = (SELECT todo.space('prefs:write')));
CREATE POLICY may_update ON todo.preferences FOR UPDATE TO todo_server, todo_worker, todo_person USING (user_id = (SELECT todo.me()) AND user_id = (SELECT todo.space('prefs:write'))) WITH CHECK (user_id = (SELECT todo.me()) AND user_id = (SELECT todo.space('prefs:write')));
CREATE POLICY may_select ON todo.tasks FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')));
CREATE POLICY may_insert ON todo.tasks FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('tasks:write')));
CREATE POLICY may_update ON todo.tasks FOR UPDATE TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('tasks:write'))) WITH CHECK (space_id = (SELECT todo.space('tasks:write')));
CREATE POLICY may_select ON todo.task_tags FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')));
CREATE POLICY may_insert ON todo.task_tags FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('tasks:write')));
CREATE POLICY may_select ON todo.plans FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.plans FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_update ON todo.plans FOR UPDATE TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me())) WITH CHECK (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.changes FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')));
CREATE POLICY may_insert ON todo.changes FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('write')) AND user_id = (SELECT todo.me()));
GRANT SELECT ON todo.schema TO todo_server, todo_worker, todo_person;
GRANT SELECT, UPDATE (next_number, seq) ON todo.spaces TO todo_server, todo_worker, todo_person;
GRANT SELECT ON todo.members TO todo_server, todo_worker, todo_person;
GRANT SELECT (user_id, id, name, scopes, kind, created_at, last_used_at, expires_at, revoked_at), INSERT (user_id, id, name, hash, scopes, expires_at), UPDATE (revoked_at) ON todo.tokens TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT, UPDATE (timezone) ON todo.preferences TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT, UPDATE (title, note, status, priority, project, due_on, due_at, updated_at, completed_at, deleted_at, rev) ON todo.tasks TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT ON todo.task_tags TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, id, verb, arguments, targets, differences, expires_at), UPDATE (state, decided_at) ON todo.plans TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, seq, key, request_hash, verb, request, before, after, answer, undoes, redo, group_id, turn_id) ON todo.changes TO todo_server, todo_worker, todo_person;
INSERT INTO todo.schema VALUES (1, 1);
