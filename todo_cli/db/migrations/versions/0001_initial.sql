DO $$ BEGIN
  CREATE ROLE todo_auth NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

DO $$ BEGIN
  CREATE ROLE todo_server LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

DO $$ BEGIN
  CREATE ROLE todo_worker LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

DO $$ BEGIN
  CREATE ROLE todo_person NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

DO $$ BEGIN
  EXECUTE format('ALTER ROLE todo_server IN DATABASE %I SET statement_timeout = %L',
    current_database(), '30s');
  EXECUTE format('ALTER ROLE todo_server IN DATABASE %I SET lock_timeout = %L',
    current_database(), '10s');
  EXECUTE format('ALTER ROLE todo_server IN DATABASE %I SET idle_in_transaction_session_timeout = %L',
    current_database(), '5s');
END $$;

DO $$ BEGIN
  EXECUTE format('ALTER ROLE todo_worker IN DATABASE %I SET statement_timeout = %L',
    current_database(), '30s');
  EXECUTE format('ALTER ROLE todo_worker IN DATABASE %I SET lock_timeout = %L',
    current_database(), '10s');
  EXECUTE format('ALTER ROLE todo_worker IN DATABASE %I SET idle_in_transaction_session_timeout = %L',
    current_database(), '5s');
END $$;

DO $$ BEGIN
  GRANT todo_auth TO CURRENT_USER;
EXCEPTION WHEN unique_violation THEN NULL;
END $$;

DO $$ BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO todo_server, todo_worker, todo_person', current_database());
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE SCHEMA IF NOT EXISTS todo;

GRANT USAGE ON SCHEMA todo TO todo_auth, todo_server, todo_worker, todo_person;

SET LOCAL check_function_bodies = off;

-- The user of this transaction's token; null without a valid token.
CREATE FUNCTION todo.current_user_id() RETURNS uuid LANGUAGE plpgsql STABLE
SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result uuid;
BEGIN
  SELECT t.user_id INTO result
    FROM todo.tokens t
    JOIN todo.users u ON u.id = t.user_id
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'))
     AND t.revoked_at IS NULL
     AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
     AND u.disabled_at IS NULL
     AND (pg_has_role(session_user, 'todo_server', 'MEMBER')
          OR (u.login = session_user AND 'all' = ANY (t.scopes)));
  RETURN result;
END $$;

-- The id of this transaction's token, for the journal's own columns.
CREATE FUNCTION todo.current_token_id() RETURNS uuid LANGUAGE plpgsql STABLE
SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result uuid;
BEGIN
  SELECT t.id INTO result
    FROM todo.tokens t
   WHERE t.user_id = nullif(current_setting('app.user', true), '')::uuid
     AND t.hash = sha256(convert_to(current_setting('app.token', true), 'UTF8'));
  RETURN result;
END $$;

-- The way in, for the journal: the name that the server gives, always 'direct' for a person's own
-- login.
CREATE FUNCTION todo.current_way() RETURNS text LANGUAGE plpgsql STABLE
SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_has_role(session_user, 'todo_server', 'MEMBER') THEN
    RETURN coalesce(nullif(current_setting('app.way', true), ''), 'server');
  END IF;
  RETURN 'direct';
END $$;

-- The space of this transaction if its token has the permission there, else null. Permissions:
-- 'read' (any member with any token), 'read:chat' (any member whose token has the scope chat),
-- 'write' (a token with more than read, no viewer), or a scope (a token that has it, no viewer).
CREATE FUNCTION todo.current_space(p_permission text) RETURNS uuid LANGUAGE plpgsql STABLE
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

-- Sign in: the first statement of every request. It refuses or counts the request, slides a
-- session's expiry, locks the space of a write, and sets the token and the space for the policies
-- of this transaction.
CREATE FUNCTION todo.enter(
  p_schema int, p_token text, p_user uuid, p_space uuid, p_scope text, p_write boolean, p_way text
) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  release record;
  t record;
  is_server boolean := pg_has_role(session_user, 'todo_server', 'MEMBER');
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

  -- the steps of a turn belong to the request that started it, which was counted
  IF is_server AND p_way IS DISTINCT FROM 'chat' THEN
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
  END IF;
  PERFORM set_config('app.token', p_token, true),
          set_config('app.user', p_user::text, true),
          set_config('app.space', p_space::text, true),
          set_config('app.way', p_way, true),
          -- to_json() writes timestamps in the session's zone
          set_config('TimeZone', 'UTC', true);
  IF p_write THEN
    PERFORM 1 FROM todo.spaces WHERE id = p_space FOR NO KEY UPDATE;
  END IF;
END $$;

-- A text in lower case without accents, vowel points and invisible characters. Search and sorting
-- both use it.
CREATE FUNCTION todo.fold_text(p_text text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT
PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  folded text COLLATE "C" := lower(p_text COLLATE "C");
BEGIN
  IF octet_length(folded) = length(folded) THEN
    RETURN folded;  -- plain ASCII
  END IF;
  -- lower() of a database with the locale C knows ASCII alone, so the common other letters are
  -- translated
  folded := translate(
    replace(lower(normalize(folded COLLATE "default", NFKD)), 'ß', 'ss'),
    'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЃЄЅІЇЈЉЊЋЏҐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩςØøŁłĐđıĦħŦŧÆæŒœ',
    'абвгдежзийклмнопрстуфхцчшщъыьэюяђѓєѕіїјљњћџґαβγδεζηθικλμνξοπρστυφχψωσoollddihhttaaoo');
  RETURN lower(regexp_replace(
    folded,
    '[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u0640'
      || '\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3099\u309a\ufe00-\ufe0f\ufeff]+',
    '', 'g') COLLATE "C");
END $$;

-- The key by which titles and project names are sorted: their first 100 characters, folded. A text
-- with accents sorts behind the same text without. The keys are compared as bytes, so that all
-- databases have the same order.
CREATE FUNCTION todo.sort_key(p_text text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT
PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  start text COLLATE "C" := left(p_text, 100);
  folded text COLLATE "C" := left(todo.fold_text(start), 100);
BEGIN
  IF folded = lower(start) THEN
    RETURN folded;
  END IF;
  RETURN folded || chr(1) || lower(start);
END $$;

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
  next_conversation BIGINT DEFAULT 1 NOT NULL,
  PRIMARY KEY (id)
)
 WITH (fillfactor = 50);

CREATE TABLE todo.usage (
  user_id UUID NOT NULL,
  day DATE NOT NULL,
  space_id UUID NOT NULL,
  conversation_id UUID NOT NULL,
  model TEXT COLLATE "C" NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  calls BIGINT NOT NULL,
  prompt BIGINT NOT NULL,
  completion BIGINT NOT NULL,
  cached BIGINT NOT NULL,
  reasoning BIGINT NOT NULL,
  cost NUMERIC NOT NULL,
  PRIMARY KEY (user_id, day, space_id, conversation_id, model, currency)
)
 WITH (fillfactor = 70);

CREATE TABLE todo.users (
  id UUID NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  login TEXT COLLATE "C",
  admin BOOLEAN DEFAULT false NOT NULL,
  per_minute INTEGER DEFAULT 600 NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  disabled_at TIMESTAMP WITH TIME ZONE,
  tokens_per_day BIGINT,
  PRIMARY KEY (id),
  UNIQUE (name),
  UNIQUE (login)
);

CREATE TABLE todo.words (
  space_id UUID NOT NULL,
  word TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  place SMALLINT NOT NULL,
  PRIMARY KEY (space_id, word, number, place)
);

CREATE TABLE todo.changes (
  space_id UUID NOT NULL,
  seq BIGINT NOT NULL,
  user_id UUID DEFAULT todo.current_user_id() NOT NULL,
  token_id UUID DEFAULT todo.current_token_id() NOT NULL,
  way TEXT COLLATE "C" DEFAULT todo.current_way() NOT NULL,
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

CREATE TABLE todo.conversations (
  space_id UUID NOT NULL,
  user_id UUID DEFAULT todo.current_user_id() NOT NULL,
  id UUID NOT NULL,
  number BIGINT NOT NULL,
  title TEXT COLLATE "C" NOT NULL,
  model TEXT COLLATE "C",
  seq BIGINT DEFAULT 0 NOT NULL,
  head BIGINT,
  head_of UUID,
  turn_id UUID,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  deleted_at TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (space_id, user_id, id),
  CONSTRAINT conversations_number UNIQUE (space_id, user_id, number),
  FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
)
 WITH (fillfactor = 70);

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
  user_id UUID DEFAULT todo.current_user_id() NOT NULL,
  token_id UUID DEFAULT todo.current_token_id() NOT NULL,
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
  model TEXT COLLATE "C",
  tokens_per_day BIGINT,
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
  parent BIGINT,
  defer_on DATE,
  defer_at TIMESTAMP WITH TIME ZONE,
  scheduled_on DATE,
  scheduled_at TIMESTAMP WITH TIME ZONE,
  started_at TIMESTAMP WITH TIME ZONE,
  tracked BIGINT DEFAULT 0 NOT NULL,
  series UUID,
  occurrence INTEGER,
  repeat JSONB,
  claimed_by TEXT COLLATE "C",
  claim_token UUID,
  claimed_until TIMESTAMP WITH TIME ZONE,
  title_key TEXT COLLATE "C" GENERATED ALWAYS AS (todo.sort_key(title)) STORED NOT NULL,
  project_key TEXT COLLATE "C" GENERATED ALWAYS AS (todo.sort_key(project) || chr(1) || left(project, 100)) STORED,
  PRIMARY KEY (space_id, number),
  CONSTRAINT tasks_space_id_id UNIQUE (space_id, id),
  CONSTRAINT tasks_due CHECK (due_on IS NULL OR due_at IS NULL),
  CONSTRAINT tasks_defer CHECK (defer_on IS NULL OR defer_at IS NULL),
  CONSTRAINT tasks_scheduled CHECK (scheduled_on IS NULL OR scheduled_at IS NULL),
  CONSTRAINT tasks_parent FOREIGN KEY(space_id, parent) REFERENCES todo.tasks (space_id, number),
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

CREATE TABLE todo.views (
  space_id UUID NOT NULL,
  user_id UUID DEFAULT todo.current_user_id() NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  filter TEXT COLLATE "C" NOT NULL,
  sort TEXT COLLATE "C",
  is_default BOOLEAN DEFAULT false NOT NULL,
  PRIMARY KEY (space_id, user_id, name),
  FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
);

CREATE TABLE todo.comments (
  space_id UUID NOT NULL,
  number BIGINT NOT NULL,
  id UUID NOT NULL,
  user_id UUID DEFAULT todo.current_user_id() NOT NULL,
  at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  edited_at TIMESTAMP WITH TIME ZONE,
  text TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (space_id, number, id),
  FOREIGN KEY(space_id, number) REFERENCES todo.tasks (space_id, number)
);

CREATE TABLE todo.links (
  space_id UUID NOT NULL,
  number BIGINT NOT NULL,
  after BIGINT NOT NULL,
  PRIMARY KEY (space_id, number, after),
  FOREIGN KEY(space_id, number) REFERENCES todo.tasks (space_id, number),
  FOREIGN KEY(space_id, after) REFERENCES todo.tasks (space_id, number),
  CONSTRAINT links_other CHECK (number <> after)
);

CREATE TABLE todo.messages (
  space_id UUID NOT NULL,
  user_id UUID DEFAULT todo.current_user_id() NOT NULL,
  conversation_id UUID NOT NULL,
  seq BIGINT NOT NULL,
  parent BIGINT,
  parent_of UUID,
  turn_id UUID NOT NULL,
  attempt INTEGER NOT NULL,
  role TEXT COLLATE "C" NOT NULL CONSTRAINT messages_role CHECK (role IN ('user', 'assistant', 'tool', 'summary')),
  status TEXT COLLATE "C" DEFAULT 'whole' NOT NULL CONSTRAINT messages_status CHECK (status IN ('whole', 'interrupted', 'dead')),
  content TEXT COLLATE "C" NOT NULL,
  calls JSONB,
  call_seq BIGINT,
  call_index INTEGER,
  reaches BIGINT,
  tokens INTEGER NOT NULL,
  model TEXT COLLATE "C",
  usage JSONB,
  at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  PRIMARY KEY (space_id, user_id, conversation_id, seq),
  FOREIGN KEY(space_id, user_id, conversation_id) REFERENCES todo.conversations (space_id, user_id, id),
  FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
);

CREATE TABLE todo.task_tags (
  space_id UUID NOT NULL,
  number BIGINT NOT NULL,
  tag TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (space_id, number, tag),
  FOREIGN KEY(space_id, number) REFERENCES todo.tasks (space_id, number)
);

CREATE TABLE todo.turns (
  space_id UUID NOT NULL,
  user_id UUID DEFAULT todo.current_user_id() NOT NULL,
  id UUID NOT NULL,
  conversation_id UUID NOT NULL,
  state TEXT COLLATE "C" DEFAULT 'running' NOT NULL CONSTRAINT turns_state CHECK (state IN ('running', 'awaiting', 'answered', 'done', 'stopped', 'failed')),
  attempt INTEGER DEFAULT 1 NOT NULL,
  runner UUID NOT NULL,
  lease_until TIMESTAMP WITH TIME ZONE NOT NULL,
  asked BIGINT NOT NULL,
  last BIGINT,
  stop BOOLEAN DEFAULT false NOT NULL,
  held JSONB,
  approved BOOLEAN,
  events BIGINT DEFAULT 0 NOT NULL,
  usage JSONB,
  error JSONB,
  began_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (space_id, user_id, id),
  FOREIGN KEY(space_id, user_id, conversation_id) REFERENCES todo.conversations (space_id, user_id, id),
  FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
)
 WITH (fillfactor = 70);

CREATE TABLE todo.events (
  space_id UUID NOT NULL,
  user_id UUID DEFAULT todo.current_user_id() NOT NULL,
  turn_id UUID NOT NULL,
  n BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  after BIGINT NOT NULL,
  batch JSONB NOT NULL,
  PRIMARY KEY (space_id, user_id, turn_id, n),
  FOREIGN KEY(space_id, user_id, turn_id) REFERENCES todo.turns (space_id, user_id, id)
);

-- Count one request of a user in a sliding minute; raise if the limit is reached, which undoes the
-- count. A user has as many rows in todo.buckets as requests ever ran at once. Each request takes a
-- row that no other locks, or adds one, so that none waits. Requests that run at once do not see
-- each other and may exceed the limit by their number.
CREATE FUNCTION todo.count_request(p_user uuid, p_limit int) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  now_minutes float8 := extract(epoch FROM clock_timestamp()) / 60;
  this_minute bigint := floor(now_minutes);
  hits_this_minute bigint;
  hits_last_minute bigint;
  weighted_hits float8;
BEGIN
  SELECT coalesce(sum(hits) FILTER (WHERE minute = this_minute), 0),
         coalesce(sum(CASE minute
           WHEN this_minute THEN before WHEN this_minute - 1 THEN hits ELSE 0 END), 0)
    INTO hits_this_minute, hits_last_minute
    FROM todo.buckets
   WHERE user_id = p_user;
  weighted_hits := hits_this_minute + hits_last_minute * (1 - (now_minutes - this_minute));
  IF weighted_hits >= p_limit THEN
    RAISE EXCEPTION 'more than % requests in a minute', p_limit
      USING ERRCODE = 'TD429',
            DETAIL = json_build_object('retry_after', CASE
              WHEN hits_this_minute >= p_limit THEN ceil((1 - (now_minutes - this_minute)) * 60)
              ELSE greatest(1, ceil((weighted_hits - p_limit + 1) / hits_last_minute * 60))
            END)::text;
  END IF;
  UPDATE todo.buckets
     SET hits = CASE minute WHEN this_minute THEN hits ELSE 0 END + 1,
         minute = this_minute,
         before = CASE minute WHEN this_minute THEN before WHEN this_minute - 1 THEN hits ELSE 0 END
   WHERE user_id = p_user
     AND slot = (SELECT slot FROM todo.buckets WHERE user_id = p_user ORDER BY slot LIMIT 1
                    FOR NO KEY UPDATE SKIP LOCKED);
  IF NOT FOUND THEN
    INSERT INTO todo.buckets (user_id, slot, minute, hits, before)
    VALUES (p_user, floor(random() * 2147483647)::int, this_minute, 1, 0)
    ON CONFLICT DO NOTHING;
  END IF;
END $$;

-- Count a failed sign-in by account and address, outside the refused transaction; return the count
-- of this minute. Accounts that do not exist share one row per address, and rows of past minutes
-- are deleted: nobody can fill the table.
CREATE FUNCTION todo.count_failure(p_user uuid, p_address text) RETURNS int
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  this_minute bigint := floor(extract(epoch FROM clock_timestamp()) / 60);
  account uuid := coalesce(
    (SELECT id FROM todo.users WHERE id = p_user), '00000000-0000-0000-0000-000000000000');
  result int;
BEGIN
  DELETE FROM todo.failures
   WHERE (user_id, address) IN (
     SELECT user_id, address FROM todo.failures WHERE user_id = account AND minute < this_minute
        FOR UPDATE SKIP LOCKED);
  INSERT INTO todo.failures AS f (user_id, address, minute, hits)
  VALUES (account, coalesce(p_address, ''), this_minute, 1)
  ON CONFLICT (user_id, address) DO UPDATE
     SET hits = CASE f.minute WHEN excluded.minute THEN f.hits ELSE 0 END + 1,
         minute = excluded.minute
  RETURNING hits INTO result;
  RETURN result;
END $$;

-- The members of this transaction's space: all that a user sees of other users.
CREATE FUNCTION todo.space_members()
RETURNS TABLE (id uuid, name text, admin boolean, role text) LANGUAGE plpgsql STABLE
SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT u.id, u.name, u.admin, m.role
    FROM todo.members m
    JOIN todo.users u ON u.id = m.user_id
   WHERE m.space_id = (SELECT todo.current_space('read'));
END $$;

-- The spaces that the caller is a member of.
CREATE FUNCTION todo.user_spaces() RETURNS TABLE (id uuid, name text, role text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT s.id, s.name, m.role
    FROM todo.members m
    JOIN todo.spaces s ON s.id = m.space_id
   WHERE m.user_id = (SELECT todo.current_user_id());
END $$;

-- Create a user with a personal space (its id is the user's), membership, preferences and a first
-- token.
CREATE FUNCTION todo.create_user(
  p_id uuid, p_name text, p_admin boolean, p_token_id uuid, p_token_hash bytea, p_zone text
) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO todo.users (id, name, admin) VALUES (p_id, p_name, p_admin);
  INSERT INTO todo.spaces (id, name) VALUES (p_id, p_name);
  INSERT INTO todo.members (space_id, user_id, role) VALUES (p_id, p_id, 'owner');
  INSERT INTO todo.preferences (user_id, timezone) VALUES (p_id, p_zone);
  INSERT INTO todo.tokens (user_id, id, name, hash, scopes)
  VALUES (p_id, p_token_id, 'first', p_token_hash, '{all}');
$$;

-- Whether the caller is an administrator with a token that may act as one.
CREATE FUNCTION todo.is_admin() RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result boolean;
BEGIN
  SELECT u.admin INTO result
    FROM todo.users u
    JOIN todo.tokens t ON t.user_id = u.id
   WHERE u.id = todo.current_user_id()
     AND t.id = todo.current_token_id()
     AND t.scopes && '{admin,all}';
  RETURN coalesce(result, false);
END $$;

-- Create a user on behalf of an administrator.
CREATE FUNCTION todo.add_user(
  p_id uuid, p_name text, p_admin boolean, p_token_id uuid, p_token_hash bytea, p_zone text
) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  PERFORM todo.create_user(p_id, p_name, p_admin, p_token_id, p_token_hash, p_zone);
END $$;

-- All users by name, for an administrator.
CREATE FUNCTION todo.list_users() RETURNS SETOF todo.users LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  RETURN QUERY SELECT * FROM todo.users ORDER BY name;
END $$;

-- Disable or enable a user on behalf of an administrator; no row if there is no such user.
CREATE FUNCTION todo.disable_user(p_name text, p_disabled boolean) RETURNS SETOF todo.users
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  IF EXISTS (SELECT FROM todo.users WHERE name = p_name AND id = todo.current_user_id()) THEN
    RAISE EXCEPTION 'you cannot disable yourself' USING ERRCODE = 'TD409';
  END IF;
  RETURN QUERY
  UPDATE todo.users
     SET disabled_at = CASE WHEN p_disabled THEN coalesce(disabled_at, clock_timestamp()) END
   WHERE name = p_name
  RETURNING *;
END $$;

-- Remove tags from tasks, pair by pair.
CREATE FUNCTION todo.remove_tags(p_numbers bigint[], p_tags text[]) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.task_tags g
   USING unnest(p_numbers, p_tags) AS pair(number, tag)
   WHERE g.space_id = (SELECT todo.current_space('tasks:write'))
     AND g.number = pair.number
     AND g.tag = pair.tag
$$;

-- Remove dependencies of tasks, pair by pair.
CREATE FUNCTION todo.remove_links(p_numbers bigint[], p_after bigint[]) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.links l
   USING unnest(p_numbers, p_after) AS pair(number, after)
   WHERE l.space_id = (SELECT todo.current_space('tasks:write'))
     AND l.number = pair.number
     AND l.after = pair.after
$$;

-- Delete the caller's own comment and return it.
CREATE FUNCTION todo.delete_comment(p_number bigint, p_id uuid) RETURNS SETOF todo.comments
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.comments
   WHERE space_id = (SELECT todo.current_space('tasks:write'))
     AND user_id = (SELECT todo.current_user_id())
     AND number = p_number
     AND id = p_id
  RETURNING *
$$;

-- Delete the caller's own view and return it.
CREATE FUNCTION todo.delete_view(p_name text) RETURNS SETOF todo.views
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.views v
   WHERE v.space_id = (SELECT todo.current_space('tasks:write'))
     AND v.user_id = (SELECT todo.current_user_id())
     AND v.name = p_name
  RETURNING *
$$;

-- Make one of the caller's views the default, or none for a null name. Return all of the caller's
-- views; return no row and change nothing if the caller has no view of that name.
CREATE FUNCTION todo.set_default_view(p_name text) RETURNS SETOF todo.views
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.views v
     SET is_default = coalesce(v.name = p_name, false)
   WHERE v.space_id = (SELECT todo.current_space('tasks:write'))
     AND v.user_id = (SELECT todo.current_user_id())
     AND (p_name IS NULL OR EXISTS (
       SELECT FROM todo.views named
        WHERE named.space_id = v.space_id AND named.user_id = v.user_id AND named.name = p_name))
  RETURNING *
$$;

-- The words of the first 20,000 characters of a text, as search stores and looks up them: folded,
-- at most 64 characters each. Scripts without spaces between words (Chinese, Japanese, Thai …) and
-- pictures yield every two neighbouring characters, and the last one alone.
CREATE FUNCTION todo.search_words(p_text text) RETURNS SETOF text LANGUAGE plpgsql STABLE STRICT
SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  folded text COLLATE "C" := todo.fold_text(left(p_text, 20000));
  unspaced constant text :=
    '\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff'
    || '\uf900-\ufaff\U00020000-\U0003ffff\U0001f000-\U0001faff\u2600-\u27bf';
  separators constant text :=
    '\u0001-\u002f\u003a-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf'
    || '\u00d7\u00f7\u055a-\u055f\u0589\u05be\u05c0\u05c3\u05c6\u05f3\u05f4'
    || '\u060c\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965'
    || '\u2000-\u25ff\u27c0-\u2bff\u3000-\u303f\uff00-\uff0f';
BEGIN
  IF octet_length(folded) = length(folded) THEN
    RETURN QUERY
    SELECT DISTINCT left(word, 64)
      FROM regexp_split_to_table(folded, '[^a-z0-9]+') AS word
     WHERE word <> '';
    RETURN;
  END IF;
  RETURN QUERY
  SELECT DISTINCT left(piece.word, 64)
    FROM (
      SELECT CASE WHEN run[1] IS NOT NULL THEN run[1] ELSE substr(run[2], i, 2) END AS word
        FROM regexp_matches(
               folded, '([^' || unspaced || separators || ']+)|([' || unspaced || ']+)', 'g') AS run
       CROSS JOIN LATERAL
             generate_series(1, CASE WHEN run[1] IS NULL THEN length(run[2]) ELSE 1 END) AS i
    ) AS piece;
END $$;

-- Trigger: store the words of the titles and notes of inserted tasks.
CREATE FUNCTION todo.index_new_tasks() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO todo.words (space_id, word, number, place)
  SELECT t.space_id, word, t.number, 0
    FROM inserted_tasks t CROSS JOIN LATERAL todo.search_words(t.title) AS word
   UNION ALL
  SELECT t.space_id, word, t.number, 1
    FROM inserted_tasks t CROSS JOIN LATERAL todo.search_words(t.note) AS word
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

-- Trigger: store and delete words when a task's title or note changes, or the task is deleted.
CREATE FUNCTION todo.index_changed_task() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- arrays, since a join would read the whole table before the first ANALYZE
  DELETE FROM todo.words w
   WHERE w.space_id = OLD.space_id AND w.number = OLD.number AND w.place = 0
     AND w.word = ANY (ARRAY(
       SELECT word FROM todo.search_words(OLD.title) AS word
       EXCEPT SELECT word FROM todo.search_words(NEW.title) AS word));
  DELETE FROM todo.words w
   WHERE w.space_id = OLD.space_id AND w.number = OLD.number AND w.place = 1
     AND w.word = ANY (ARRAY(
       SELECT word FROM todo.search_words(OLD.note) AS word
       EXCEPT SELECT word FROM todo.search_words(NEW.note) AS word));
  INSERT INTO todo.words (space_id, word, number, place)
  SELECT NEW.space_id, word, NEW.number, 0 FROM todo.search_words(NEW.title) AS word
   UNION ALL
  SELECT NEW.space_id, word, NEW.number, 1 FROM todo.search_words(NEW.note) AS word
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

-- Trigger: store the words of a new comment, and delete those that no comment of the task has any
-- more.
CREATE FUNCTION todo.index_comment() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    DELETE FROM todo.words w
     WHERE w.space_id = OLD.space_id AND w.number = OLD.number AND w.place = 2
       AND w.word = ANY (ARRAY(
         SELECT word FROM todo.search_words(OLD.text) AS word
         EXCEPT
         SELECT word FROM todo.comments c CROSS JOIN LATERAL todo.search_words(c.text) AS word
          WHERE c.space_id = OLD.space_id AND c.number = OLD.number));
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO todo.words (space_id, word, number, place)
    SELECT NEW.space_id, word, NEW.number, 2 FROM todo.search_words(NEW.text) AS word
    ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;

-- A regular expression for a word with one letter wrong, missing or added, or two neighbours
-- swapped.
CREATE FUNCTION todo.typo_pattern(p_word text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT '^(?:' || string_agg(concat_ws('|',
           left(p_word, i - 1) || '.' || substr(p_word, i + 1),
           left(p_word, i - 1) || substr(p_word, i + 1),
           left(p_word, i - 1) || '.' || substr(p_word, i),
           left(p_word, i - 1) || substr(p_word, i + 1, 1)
             || substr(p_word, i, 1) || substr(p_word, i + 2)
         ), '|') || ')$'
    FROM generate_series(1, length(p_word)) AS i
$$;

-- The stored words of a space that match the terms, each with a weight (1 for the term itself).
-- Words that begin with a term match it. If there are none, or with p_wide, words with one typo
-- match too, and words that contain the term. Each stored word costs one descent of the index,
-- however many tasks have it.
CREATE FUNCTION todo.match_words(p_space uuid, p_terms text[], p_wide boolean)
RETURNS TABLE (term text, word text, weight float8) LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  matched_terms text[];
  matched_words text[];
  unmatched text[];
BEGIN
  WITH RECURSIVE prefix_matches AS (
    SELECT t AS term,
           (SELECT w.word FROM todo.words w
             WHERE w.space_id = p_space AND w.word >= t COLLATE "C"
               AND w.word < (t || chr(1114111)) COLLATE "C"
             ORDER BY w.word LIMIT 1) AS word,
           1 AS n
      FROM unnest(p_terms) AS t
    UNION ALL
    SELECT p.term,
           (SELECT w.word FROM todo.words w
             WHERE w.space_id = p_space AND w.word > p.word
               AND w.word < (p.term || chr(1114111)) COLLATE "C"
             ORDER BY w.word LIMIT 1),
           p.n + 1
      FROM prefix_matches p
     WHERE p.word IS NOT NULL AND p.n < CASE WHEN p.term ~ '^[a-z0-9]$' THEN 1 ELSE 40 END
  )
  SELECT array_agg(p.term), array_agg(p.word) INTO matched_terms, matched_words
    FROM prefix_matches p
   WHERE p.word IS NOT NULL AND (p.term !~ '^[a-z0-9]$' OR p.word = p.term);
  RETURN QUERY
  SELECT m.term, m.word, CASE WHEN m.term = m.word THEN 1.0 ELSE 0.85 END::float8
    FROM unnest(matched_terms, matched_words) AS m(term, word);

  unmatched := ARRAY(
    SELECT t FROM unnest(p_terms) AS t WHERE t <> ALL (coalesce(matched_terms, '{}')));
  IF unmatched = '{}' AND NOT p_wide THEN
    RETURN;
  END IF;
  RETURN QUERY
  WITH RECURSIVE loose_terms AS MATERIALIZED (
    SELECT t AS term,
           t = ANY (unmatched) AS is_unmatched,
           CASE WHEN length(t) BETWEEN 4 AND 24 THEN todo.typo_pattern(t) END AS pattern
      FROM unnest(CASE WHEN p_wide THEN p_terms ELSE unmatched END) AS t
     WHERE length(t) >= 3 AND t !~ '^[0-9]+$'
  ),
  -- from ':' on, since numbers, which are many and no words, sort before the letters
  stored_words AS (
    SELECT (SELECT w.word FROM todo.words w
             WHERE w.space_id = p_space AND w.word >= ':' ORDER BY w.word LIMIT 1) AS word,
           1 AS n
     WHERE EXISTS (SELECT FROM loose_terms)
    UNION ALL
    SELECT (SELECT w.word FROM todo.words w
             WHERE w.space_id = p_space AND w.word > s.word ORDER BY w.word LIMIT 1),
           s.n + 1
      FROM stored_words s
     WHERE s.word IS NOT NULL AND s.n < CASE WHEN unmatched = '{}' THEN 5000 ELSE 50000 END
  )
  SELECT l.term, s.word, CASE WHEN position(l.term IN s.word) > 0 THEN 0.5 ELSE 0.6 END::float8
    FROM stored_words s
    JOIN loose_terms l
      ON NOT starts_with(s.word, l.term)
     AND (position(l.term IN s.word) > 0
          OR (abs(length(s.word) - length(l.term)) <= 1
              AND (length(l.term) > 4 OR length(s.word) > 4 OR l.is_unmatched)
              AND s.word ~ l.pattern))
   WHERE s.word IS NOT NULL
   LIMIT 200;
END $$;

-- Tasks of this transaction's space by the words of their titles, notes and comments, the best
-- first. A task must match all words; with p_wide, as many as any task matches. Of a word that very
-- many tasks have, the newest tasks count.
CREATE FUNCTION todo.search_tasks(
  p_text text, p_limit int, p_status text DEFAULT 'all', p_wide boolean DEFAULT false
) RETURNS TABLE (number bigint, score real) LANGUAGE plpgsql STABLE
SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  space uuid := todo.current_space('read');
  phrase text := left(p_text, 10000);
  terms text[] := ARRAY(
    SELECT word FROM todo.search_words(left(p_text, 10000)) AS word
     ORDER BY length(word) DESC, word LIMIT 16);
  max_rows int := greatest(p_limit, 1000);
  match_terms text[];
  matching_words text[];
  match_weights float8[];
BEGIN
  IF space IS NULL OR terms = '{}' THEN
    RETURN;
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
          AND (p_status = 'all' OR p_status = (
            SELECT t.status FROM todo.tasks t WHERE t.space_id = space AND t.number = w.number))
        ORDER BY w.number DESC LIMIT max_rows) AS hit
  ),
  term_hits AS MATERIALIZED (
    SELECT term, number, max(weight * (ARRAY[1, 0.7, 0.6])[place + 1]) AS best
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
    SELECT number, term, best FROM term_hits
    UNION ALL
    -- older tasks that a truncated term missed, if another term found them
    SELECT candidate.number, t.term, (
             SELECT max(m.weight * (ARRAY[1, 0.7, 0.6])[stored.place + 1])
               FROM matches m
              CROSS JOIN LATERAL (
                SELECT w.place FROM todo.words w
                 WHERE w.space_id = space AND w.word = m.word AND w.number = candidate.number
                OFFSET 0) AS stored
              WHERE m.term = t.term)
      FROM (
        SELECT DISTINCT number FROM term_hits
         WHERE p_wide OR term = (SELECT r.term FROM rarest_term r)
      ) AS candidate
     CROSS JOIN truncated_terms t
     -- NOT IN is always hashed; before the first ANALYZE a join might be a nested loop
     WHERE (candidate.number, t.term) NOT IN (SELECT number, term FROM term_hits)
  ),
  totals AS MATERIALIZED (
    SELECT number, sum(best) / cardinality(terms) AS total, count(best) AS term_count
      FROM scores GROUP BY number
  )
  SELECT t.number,
         (0.85 * t.total + CASE
           WHEN (SELECT position(lower(btrim(phrase)) IN lower(task.title COLLATE "default")) > 0
                   FROM todo.tasks task WHERE task.space_id = space AND task.number = t.number)
           THEN 0.15 ELSE 0
         END)::real AS score
    FROM totals t
   WHERE t.term_count = CASE
           WHEN p_wide THEN (SELECT max(term_count) FROM totals) ELSE cardinality(terms)
         END
   ORDER BY score DESC, t.number DESC
   LIMIT p_limit;
END $$;

-- The words of a message for the index: of its text, or of the titles of the tasks that a tool call
-- has changed.
CREATE FUNCTION todo.message_words(p_space uuid, p_user uuid, p_role text, p_content text)
RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT
SECURITY DEFINER COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  content text := p_content;
  mark constant text := left(encode(sha256(uuid_send(p_space) || uuid_send(p_user)), 'base64'), 6);
BEGIN
  IF p_role = 'tool' THEN
    IF p_content NOT LIKE '{"task":%' AND p_content NOT LIKE '{"ok":true%' THEN
      RETURN ''::tsvector;
    END IF;
    content := (
      SELECT string_agg(title[1], ' ')
        FROM regexp_matches(p_content, '"title":"((?:[^"\\]|\\.)*)"', 'g') AS title);
  END IF;
  IF length(content) > 60000 THEN
    -- a tsvector has room for 1 MB of words; the last ones in their order are left out
    RETURN array_to_tsvector(ARRAY(
      SELECT sized.word
        FROM (
          SELECT words.word,
                 sum(octet_length(words.word)) OVER (ORDER BY words.word COLLATE "C") AS size
            FROM (
              SELECT DISTINCT mark || word AS word
                FROM generate_series(0, least(length(content), 100000) / 20000) AS part
               CROSS JOIN LATERAL
                     todo.search_words(substr(content, part * 20000 + 1, 20000)) AS word
            ) AS words
        ) AS sized
       WHERE sized.size <= 1000000));
  END IF;
  RETURN array_to_tsvector(ARRAY(
    SELECT DISTINCT mark || word
      FROM generate_series(0, length(content) / 20000) AS part
     CROSS JOIN LATERAL todo.search_words(substr(content, part * 20000 + 1, 20000)) AS word));
END $$;

-- The caller's own messages in this transaction's space by words, the best (or the newest) first. A
-- message must have all words, whole or as prefixes; if none has, as many as any message has. Of
-- very many messages the newest count.
CREATE FUNCTION todo.search_messages(
  p_text text, p_limit int, p_number bigint, p_roles text[],
  p_since timestamptz, p_until timestamptz, p_newest boolean
) RETURNS TABLE (conversation_id uuid, seq bigint, score real) LANGUAGE plpgsql STABLE
SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  space uuid := todo.current_space('read:chat');
  caller uuid := todo.current_user_id();
  phrase text := lower(btrim(left(p_text, 10000)) COLLATE "default");
  mark constant text := left(encode(sha256(uuid_send(space) || uuid_send(caller)), 'base64'), 6);
  terms text[] := ARRAY(
    SELECT word FROM todo.search_words(left(p_text, 10000)) AS word
     ORDER BY length(word) DESC, word LIMIT 16);
  term_queries text[];
  query tsquery;
  row_total bigint;
BEGIN
  IF mark IS NULL OR terms = '{}' THEN
    RETURN;
  END IF;
  term_queries := ARRAY(
    SELECT quote_literal(mark || t) || CASE WHEN t ~ '^[a-z0-9]$' THEN '' ELSE ':*' END
      FROM unnest(terms) AS t);
  query := array_to_string(term_queries, ' & ')::tsquery;
  FOR attempt IN 1..2 LOOP
    RETURN QUERY
    WITH hits AS MATERIALIZED (
      SELECT m.conversation_id, m.seq, m.at, m.role, m.content
        FROM todo.messages m
        JOIN todo.conversations c
          ON c.space_id = m.space_id AND c.user_id = m.user_id AND c.id = m.conversation_id
       WHERE m.space_id = space AND m.user_id = caller
         AND m.role <> 'summary' AND m.status <> 'dead' AND m.content <> ''
         AND todo.message_words(m.space_id, m.user_id, m.role, m.content) @@ query
         AND m.role = ANY (p_roles)
         AND c.deleted_at IS NULL
         AND (p_number IS NULL OR c.number = p_number)
         AND m.at >= p_since AND m.at < p_until
       ORDER BY m.at DESC, m.seq DESC
       LIMIT greatest(p_limit, 1000)
    ),
    term_counts AS MATERIALIZED (
      SELECT hits.*, message.words,
             (SELECT count(*) FROM unnest(term_queries) AS t
               WHERE message.words @@ t::tsquery) AS term_count
        FROM hits
       CROSS JOIN LATERAL (
         SELECT todo.message_words(space, caller, hits.role, hits.content) AS words) AS message
    )
    SELECT t.conversation_id, t.seq,
           (0.7 * (0.85 * t.term_count
                   + 0.15 * (SELECT count(*) FROM unnest(terms) AS x
                              WHERE mark || x = ANY (tsvector_to_array(t.words)))
                  ) / cardinality(terms)
            + CASE
                WHEN position(phrase IN lower(t.content COLLATE "default")) > 0 THEN 0.2 ELSE 0
              END
            + 0.1 / (1 + length(t.content) / 200.0))::real AS score
      FROM term_counts t
     WHERE t.term_count = (SELECT max(term_count) FROM term_counts)
     ORDER BY CASE WHEN p_newest THEN t.at END DESC, score DESC, t.at DESC, t.seq DESC
     LIMIT p_limit;
    GET DIAGNOSTICS row_total = ROW_COUNT;
    EXIT WHEN row_total > 0 OR cardinality(terms) = 1;
    query := array_to_string(term_queries, ' | ')::tsquery;
  END LOOP;
END $$;

-- Delete the events of the caller's turn once it has ended; its messages say the same.
CREATE FUNCTION todo.delete_turn_events(p_turn uuid) RETURNS void LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.events e
   USING todo.turns t
   WHERE e.space_id = (SELECT todo.current_space('chat'))
     AND e.user_id = (SELECT todo.current_user_id())
     AND e.turn_id = p_turn
     AND t.space_id = e.space_id AND t.user_id = e.user_id AND t.id = e.turn_id
     AND t.state IN ('done', 'stopped', 'failed')
$$;

-- Store messages of an exported conversation after its first p_first messages; those that are
-- stored already stay as they are. A function, since clients may not set the time of a message. All
-- imported turns have ended.
CREATE FUNCTION todo.import_messages(
  p_id uuid, p_title text, p_model text, p_at timestamptz, p_first bigint, p_rows jsonb
) RETURNS TABLE (number bigint, stored bigint, deleted boolean) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  space uuid := todo.current_space('chat');
  caller uuid := todo.current_user_id();
  last_seq bigint := p_first + jsonb_array_length(p_rows);
  new_number bigint;
  conversation record;
BEGIN
  IF space IS NULL OR caller IS NULL THEN
    RAISE EXCEPTION 'the token lacks the scope chat' USING ERRCODE = 'TD403';
  END IF;
  SELECT c.number, c.seq, c.deleted_at,
         coalesce((SELECT m.attempt FROM todo.messages m
                    WHERE m.space_id = c.space_id AND m.user_id = c.user_id
                      AND m.conversation_id = c.id AND m.seq = c.seq), 0) AS attempt
    INTO conversation
    FROM todo.conversations c
   WHERE c.space_id = space AND c.user_id = caller AND c.id = p_id
     FOR NO KEY UPDATE OF c;
  IF NOT FOUND THEN
    IF p_first > 0 THEN
      RAISE EXCEPTION 'an earlier part is missing'
        USING ERRCODE = 'TD409', HINT = 'begin with the first';
    END IF;
    UPDATE todo.spaces SET next_conversation = next_conversation + 1
     WHERE id = space RETURNING next_conversation - 1 INTO new_number;
    INSERT INTO todo.conversations (space_id, user_id, id, number, title, model, created_at)
    VALUES (space, caller, p_id, new_number, p_title, p_model, p_at);
    SELECT new_number AS number, 0::bigint AS seq, NULL::timestamptz AS deleted_at, 0 AS attempt
      INTO conversation;
  END IF;
  IF conversation.seq < p_first THEN
    RAISE EXCEPTION 'an earlier part is missing'
      USING ERRCODE = 'TD409', HINT = 'begin with the first';
  END IF;
  IF conversation.seq < last_seq THEN
    IF conversation.attempt > 0 THEN
      RAISE EXCEPTION 'the conversation has gone on since' USING ERRCODE = 'TD409';
    END IF;
    INSERT INTO todo.messages (
        space_id, user_id, conversation_id, seq, parent, turn_id, attempt, role, status, content,
        calls, call_seq, call_index, tokens, model, usage, at)
    SELECT space, caller, p_id, message.seq, nullif(message.seq - 1, 0), (r ->> 'turn')::uuid, 0,
           r ->> 'role', r ->> 'status', r ->> 'content',
           r -> 'calls', (r ->> 'call_seq')::bigint, (r ->> 'call_index')::int,
           (r ->> 'tokens')::int, r ->> 'model', r -> 'usage', (r ->> 'at')::timestamptz
      FROM (
        SELECT r, p_first + ordinal AS seq
          FROM jsonb_array_elements(p_rows) WITH ORDINALITY AS element(r, ordinal)
      ) AS message
     WHERE message.seq > conversation.seq;
    INSERT INTO todo.turns AS t (
        space_id, user_id, id, conversation_id, state, runner, lease_until,
        asked, last, began_at, ended_at)
    SELECT space, caller, m.turn_id, p_id, 'done', p_id, max(m.at),
           min(m.seq), max(m.seq), min(m.at), max(m.at)
      FROM todo.messages m
     WHERE m.space_id = space AND m.user_id = caller AND m.conversation_id = p_id
       AND m.seq > conversation.seq AND m.seq <= last_seq
     GROUP BY m.turn_id
    ON CONFLICT (space_id, user_id, id) DO UPDATE
       SET last = excluded.last, ended_at = excluded.ended_at
     WHERE t.conversation_id = p_id;
    UPDATE todo.conversations c
       SET seq = m.seq, head = m.seq, turn_id = m.turn_id, updated_at = m.at
      FROM todo.messages m
     WHERE c.space_id = space AND c.user_id = caller AND c.id = p_id
       AND m.space_id = space AND m.user_id = caller
       AND m.conversation_id = p_id AND m.seq = last_seq;
  END IF;
  RETURN QUERY
  SELECT conversation.number,
         greatest(last_seq - conversation.seq, 0),
         conversation.deleted_at IS NOT NULL;
END $$;

-- Today's date in a user's time zone, and the instant at which it ends.
CREATE FUNCTION todo.user_today(p_user uuid) RETURNS TABLE (day date, ends timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  zone text := coalesce(
    (SELECT p.timezone FROM todo.preferences p WHERE p.user_id = p_user), 'UTC');
BEGIN
  day := (clock_timestamp() AT TIME ZONE zone)::date;
  ends := (day + 1)::timestamp AT TIME ZONE zone;
  RETURN NEXT;
EXCEPTION WHEN invalid_parameter_value THEN  -- the clients know a zone that Postgres does not
  day := (clock_timestamp() AT TIME ZONE 'UTC')::date;
  ends := (day + 1)::timestamp AT TIME ZONE 'UTC';
  RETURN NEXT;
END $$;

-- Trigger: add the usage of a model's answer to todo.usage. Numbers are bounded, so that nobody can
-- lower a count.
CREATE FUNCTION todo.record_usage() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO todo.usage AS u (
      user_id, day, space_id, conversation_id, model, currency,
      calls, prompt, completion, cached, reasoning, cost)
  SELECT NEW.user_id, today.day, NEW.space_id, NEW.conversation_id, coalesce(NEW.model, ''),
         coalesce(NEW.usage ->> 'currency', ''), 1,
         bounded.numbers[1], bounded.numbers[2], bounded.numbers[3], bounded.numbers[4],
         bounded.numbers[5]
    FROM todo.user_today(NEW.user_id) AS today,
         LATERAL (
           SELECT ARRAY(
             SELECT least(
                      greatest(coalesce((NEW.usage ->> field.name)::numeric, 0), 0), 1000000000000)
               FROM unnest('{prompt,completion,cached,reasoning,cost}'::text[])
                    WITH ORDINALITY AS field(name, ordinal)
              ORDER BY field.ordinal) AS numbers
         ) AS bounded
  ON CONFLICT (user_id, day, space_id, conversation_id, model, currency) DO UPDATE
     SET calls = u.calls + 1,
         prompt = u.prompt + excluded.prompt,
         completion = u.completion + excluded.completion,
         cached = u.cached + excluded.cached,
         reasoning = u.reasoning + excluded.reasoning,
         cost = u.cost + excluded.cost;
  RETURN NULL;
END $$;

-- The tokens that the caller may use today and has used, in all spaces; no row without a budget.
-- The lower of the administrator's and the user's own budget counts.
CREATE FUNCTION todo.token_budget() RETURNS TABLE (allowed bigint, spent bigint, ends timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller uuid := todo.current_user_id();
  today date;
BEGIN
  allowed := least(
    (SELECT u.tokens_per_day FROM todo.users u WHERE u.id = caller),
    (SELECT p.tokens_per_day FROM todo.preferences p WHERE p.user_id = caller));
  IF allowed IS NULL THEN
    RETURN;
  END IF;
  SELECT t.day, t.ends INTO today, ends FROM todo.user_today(caller) t;
  SELECT coalesce(sum(g.prompt + g.completion), 0) INTO spent
    FROM todo.usage g
   WHERE g.user_id = caller AND g.day = today;
  RETURN NEXT;
END $$;

-- Set the tokens that a user may use in a day, on behalf of an administrator; null removes the
-- limit.
CREATE FUNCTION todo.set_token_budget(p_name text, p_tokens bigint) RETURNS SETOF todo.users
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN
    RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403';
  END IF;
  RETURN QUERY UPDATE todo.users SET tokens_per_day = p_tokens WHERE name = p_name RETURNING *;
END $$;

CREATE INDEX changes_group ON todo.changes (space_id, group_id, seq) WHERE group_id IS NOT NULL;

CREATE INDEX changes_undoes ON todo.changes (space_id, undoes, seq) WHERE undoes IS NOT NULL;

CREATE INDEX changes_user ON todo.changes (space_id, user_id, seq) WHERE undoes IS NULL;

CREATE INDEX changes_user_undoes ON todo.changes (space_id, user_id, seq) WHERE undoes IS NOT NULL;

CREATE INDEX conversations_newest ON todo.conversations (space_id, user_id, updated_at, number);

CREATE INDEX members_user ON todo.members (user_id);

CREATE INDEX plans_open ON todo.plans (space_id, user_id, made_at) WHERE state = 'open';

CREATE INDEX tasks_claimed ON todo.tasks (space_id, claimed_until, number) WHERE claimed_until IS NOT NULL;

CREATE INDEX tasks_created ON todo.tasks (space_id, status, number);

CREATE INDEX tasks_due ON todo.tasks (space_id, status, due_sort, number);

CREATE INDEX tasks_priority ON todo.tasks (space_id, status, priority, number);

CREATE INDEX tasks_project ON todo.tasks (space_id, project, status, due_sort, number) WHERE project IS NOT NULL;

CREATE UNIQUE INDEX tasks_series ON todo.tasks (space_id, series, occurrence) WHERE series IS NOT NULL;

CREATE INDEX tasks_started ON todo.tasks (space_id, started_at, number) WHERE started_at IS NOT NULL;

CREATE INDEX tasks_subtasks ON todo.tasks (space_id, parent, status, number) WHERE parent IS NOT NULL;

CREATE INDEX tasks_title ON todo.tasks (space_id, status, title_key, number);

CREATE INDEX tasks_updated ON todo.tasks (space_id, status, rev, number);

CREATE UNIQUE INDEX tokens_user_name ON todo.tokens (user_id, name) WHERE revoked_at IS NULL;

CREATE INDEX links_after ON todo.links (space_id, after, number);

CREATE UNIQUE INDEX messages_call ON todo.messages (space_id, user_id, conversation_id, call_seq, call_index) WHERE call_seq IS NOT NULL;

CREATE UNIQUE INDEX messages_summary ON todo.messages (space_id, user_id, conversation_id, reaches) WHERE reaches IS NOT NULL;

CREATE INDEX messages_words ON todo.messages USING gin (todo.message_words(space_id, user_id, role, content)) WITH (gin_pending_list_limit = 256) WHERE role <> 'summary' AND status <> 'dead' AND content <> '';

CREATE INDEX task_tags_tag ON todo.task_tags (space_id, tag, number);

CREATE STATISTICS todo.conversations_owner (dependencies) ON space_id, user_id FROM todo.conversations;

CREATE STATISTICS todo.turns_owner (dependencies) ON space_id, user_id FROM todo.turns;

CREATE STATISTICS todo.messages_owner (dependencies) ON space_id, user_id FROM todo.messages;

CREATE STATISTICS todo.events_owner (dependencies) ON space_id, user_id FROM todo.events;

COMMENT ON COLUMN todo.buckets.before
  IS 'hits of the minute before';

COMMENT ON COLUMN todo.schema.oldest
  IS 'the oldest client that the database serves';

COMMENT ON COLUMN todo.users.login
  IS 'the user''s own database role, if any';

COMMENT ON COLUMN todo.users.per_minute
  IS 'requests through a server';

COMMENT ON COLUMN todo.users.tokens_per_day
  IS 'budget for models; null: no limit';

COMMENT ON COLUMN todo.words.place
  IS '0: title, 1: note, 2: a comment';

COMMENT ON COLUMN todo.changes.key
  IS 'idempotency key: the caller''s, or minted by the client for one command';

COMMENT ON COLUMN todo.changes.before
  IS 'snapshots of the changed tasks, nulls left out';

COMMENT ON COLUMN todo.changes.answer
  IS 'the answer, if the change is not one of tasks';

COMMENT ON COLUMN todo.changes.undoes
  IS 'the first seq of the group that this change undoes or redoes';

COMMENT ON COLUMN todo.conversations.seq
  IS 'the last message''s; 0: none';

COMMENT ON COLUMN todo.conversations.head
  IS 'the message that the next one follows; null: the beginning';

COMMENT ON COLUMN todo.conversations.head_of
  IS 'the conversation of the head; null: this one';

COMMENT ON COLUMN todo.conversations.turn_id
  IS 'the newest turn';

COMMENT ON COLUMN todo.plans.targets
  IS 'the tasks, and the rev that each must still have';

COMMENT ON COLUMN todo.preferences.tokens_per_day
  IS 'the user''s own budget for models; null: no limit';

COMMENT ON COLUMN todo.tasks.priority
  IS '4: none, so that it sorts last in an index';

COMMENT ON COLUMN todo.tasks.due_on
  IS 'a day without a time';

COMMENT ON COLUMN todo.tasks.due_at
  IS 'an instant; a task has one of the two or neither';

COMMENT ON COLUMN todo.tasks.rev
  IS 'the seq of the change that last touched the task';

COMMENT ON COLUMN todo.tasks.parent
  IS 'the task of which this is a subtask';

COMMENT ON COLUMN todo.tasks.defer_on
  IS 'hidden until this day';

COMMENT ON COLUMN todo.tasks.defer_at
  IS 'or until this instant';

COMMENT ON COLUMN todo.tasks.scheduled_on
  IS 'work is to begin on this day';

COMMENT ON COLUMN todo.tasks.scheduled_at
  IS 'or at this instant';

COMMENT ON COLUMN todo.tasks.started_at
  IS 'being worked on since then';

COMMENT ON COLUMN todo.tasks.tracked
  IS 'seconds of finished work';

COMMENT ON COLUMN todo.tasks.series
  IS 'shared by all occurrences of a recurring task';

COMMENT ON COLUMN todo.tasks.occurrence
  IS 'position in the series, from 1';

COMMENT ON COLUMN todo.tasks.repeat
  IS 'rule, from_done, anchor, zone, slot (the date by the rule), template (values that edits of this occurrence alone replaced)';

COMMENT ON COLUMN todo.tokens.kind
  IS 'the expiry of a session slides';

COMMENT ON COLUMN todo.views.is_default
  IS 'used by a list without a filter';

COMMENT ON COLUMN todo.links.after
  IS 'the task that blocks this one while it is open';

COMMENT ON COLUMN todo.messages.parent
  IS 'the message before; null: none';

COMMENT ON COLUMN todo.messages.parent_of
  IS 'the conversation of the parent; null: this one';

COMMENT ON COLUMN todo.messages.calls
  IS 'the tool calls of an assistant''s message, in order';

COMMENT ON COLUMN todo.messages.call_seq
  IS 'the assistant''s message that a tool result belongs to';

COMMENT ON COLUMN todo.messages.call_index
  IS 'the position of its tool call there';

COMMENT ON COLUMN todo.messages.reaches
  IS 'the last message that a summary covers';

COMMENT ON COLUMN todo.messages.tokens
  IS 'an estimate';

COMMENT ON COLUMN todo.turns.attempt
  IS 'the fencing token: writes of an older attempt are refused';

COMMENT ON COLUMN todo.turns.asked
  IS 'the seq of the user''s message';

COMMENT ON COLUMN todo.turns.last
  IS 'the seq of the last message, once the turn has ended';

COMMENT ON COLUMN todo.turns.stop
  IS 'the user asked the turn to stop';

COMMENT ON COLUMN todo.turns.held
  IS 'tool calls that wait for approval, each with its plan';

COMMENT ON COLUMN todo.turns.approved
  IS 'the user''s answer to the held calls';

COMMENT ON COLUMN todo.events.after
  IS 'the head at that time';

CREATE TRIGGER words_inserted AFTER INSERT ON todo.tasks
  REFERENCING NEW TABLE AS inserted_tasks FOR EACH STATEMENT
  EXECUTE FUNCTION todo.index_new_tasks();

CREATE TRIGGER words_changed AFTER UPDATE OF title, note ON todo.tasks FOR EACH ROW
  WHEN (OLD.title IS DISTINCT FROM NEW.title OR OLD.note IS DISTINCT FROM NEW.note)
  EXECUTE FUNCTION todo.index_changed_task();

CREATE TRIGGER words_deleted AFTER DELETE ON todo.tasks FOR EACH ROW
  EXECUTE FUNCTION todo.index_changed_task();

CREATE TRIGGER words_commented AFTER INSERT OR UPDATE OF text OR DELETE ON todo.comments
  FOR EACH ROW EXECUTE FUNCTION todo.index_comment();

CREATE TRIGGER usage_recorded AFTER INSERT ON todo.messages FOR EACH ROW
  WHEN (NEW.usage IS NOT NULL AND CURRENT_USER <> 'todo_auth')
  EXECUTE FUNCTION todo.record_usage();

GRANT CREATE ON SCHEMA todo TO todo_auth;

ALTER FUNCTION todo.current_user_id() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.current_user_id() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.current_user_id() TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.current_token_id() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.current_token_id() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.current_token_id() TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.current_way() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.current_way() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.current_way() TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.current_space(text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.current_space(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.current_space(text) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.enter(int, text, uuid, uuid, text, boolean, text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.enter(int, text, uuid, uuid, text, boolean, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.enter(int, text, uuid, uuid, text, boolean, text) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.count_request(uuid, int) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.count_request(uuid, int) FROM PUBLIC;

ALTER FUNCTION todo.count_failure(uuid, text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.count_failure(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.count_failure(uuid, text) TO todo_server;

ALTER FUNCTION todo.space_members() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.space_members() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.space_members() TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.user_spaces() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.user_spaces() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.user_spaces() TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.create_user(uuid, text, boolean, uuid, bytea, text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.create_user(uuid, text, boolean, uuid, bytea, text) FROM PUBLIC;

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

ALTER FUNCTION todo.remove_tags(bigint[], text[]) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.remove_tags(bigint[], text[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.remove_tags(bigint[], text[]) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.remove_links(bigint[], bigint[]) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.remove_links(bigint[], bigint[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.remove_links(bigint[], bigint[]) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.delete_comment(bigint, uuid) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.delete_comment(bigint, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.delete_comment(bigint, uuid) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.delete_view(text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.delete_view(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.delete_view(text) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.set_default_view(text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.set_default_view(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.set_default_view(text) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.fold_text(text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.fold_text(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.fold_text(text) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.sort_key(text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.sort_key(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.sort_key(text) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.search_words(text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.search_words(text) FROM PUBLIC;

ALTER FUNCTION todo.index_new_tasks() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.index_new_tasks() FROM PUBLIC;

ALTER FUNCTION todo.index_changed_task() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.index_changed_task() FROM PUBLIC;

ALTER FUNCTION todo.index_comment() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.index_comment() FROM PUBLIC;

ALTER FUNCTION todo.typo_pattern(text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.typo_pattern(text) FROM PUBLIC;

ALTER FUNCTION todo.match_words(uuid, text[], boolean) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.match_words(uuid, text[], boolean) FROM PUBLIC;

ALTER FUNCTION todo.search_tasks(text, int, text, boolean) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.search_tasks(text, int, text, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.search_tasks(text, int, text, boolean) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.message_words(uuid, uuid, text, text) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.message_words(uuid, uuid, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.message_words(uuid, uuid, text, text) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.search_messages(text, int, bigint, text[], timestamp with time zone, timestamp with time zone, boolean) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.search_messages(text, int, bigint, text[], timestamp with time zone, timestamp with time zone, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.search_messages(text, int, bigint, text[], timestamp with time zone, timestamp with time zone, boolean) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.delete_turn_events(uuid) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.delete_turn_events(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.delete_turn_events(uuid) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.import_messages(uuid, text, text, timestamp with time zone, bigint, jsonb) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.import_messages(uuid, text, text, timestamp with time zone, bigint, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.import_messages(uuid, text, text, timestamp with time zone, bigint, jsonb) TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.user_today(uuid) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.user_today(uuid) FROM PUBLIC;

ALTER FUNCTION todo.record_usage() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.record_usage() FROM PUBLIC;

ALTER FUNCTION todo.token_budget() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.token_budget() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.token_budget() TO todo_server, todo_worker, todo_person;

ALTER FUNCTION todo.set_token_budget(text, bigint) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.set_token_budget(text, bigint) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.set_token_budget(text, bigint) TO todo_server, todo_worker, todo_person;

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

ALTER TABLE todo.usage ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.usage TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.usage TO todo_auth;

ALTER TABLE todo.users ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.users TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.users TO todo_auth;

ALTER TABLE todo.words ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.words TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.words TO todo_auth;

ALTER TABLE todo.changes ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.changes TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.changes TO todo_auth;

ALTER TABLE todo.conversations ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.conversations TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.conversations TO todo_auth;

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

ALTER TABLE todo.views ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.views TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.views TO todo_auth;

ALTER TABLE todo.comments ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.comments TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.comments TO todo_auth;

ALTER TABLE todo.links ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.links TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.links TO todo_auth;

ALTER TABLE todo.messages ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.messages TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.messages TO todo_auth;

ALTER TABLE todo.task_tags ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.task_tags TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.task_tags TO todo_auth;

ALTER TABLE todo.turns ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.turns TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.turns TO todo_auth;

ALTER TABLE todo.events ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.events TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.events TO todo_auth;

CREATE POLICY may_select ON todo.schema FOR SELECT TO todo_server, todo_worker, todo_person
  USING (true);

CREATE POLICY may_select ON todo.spaces FOR SELECT TO todo_server, todo_worker, todo_person
  USING (id = (SELECT todo.current_space('read')));

CREATE POLICY may_update ON todo.spaces FOR UPDATE TO todo_server, todo_worker, todo_person
  USING (id = (SELECT todo.current_space('write')))
  WITH CHECK (id = (SELECT todo.current_space('write')));

CREATE POLICY may_select ON todo.members FOR SELECT TO todo_server, todo_worker, todo_person
  USING (user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_select ON todo.tokens FOR SELECT TO todo_server, todo_worker, todo_person
  USING (user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_insert ON todo.tokens FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (user_id = (SELECT todo.current_user_id()) AND user_id = (SELECT todo.current_space('tokens:write')));

CREATE POLICY may_update ON todo.tokens FOR UPDATE TO todo_server, todo_worker, todo_person
  USING (user_id = (SELECT todo.current_user_id()) AND user_id = (SELECT todo.current_space('tokens:write')) AND revoked_at IS NULL)
  WITH CHECK (user_id = (SELECT todo.current_user_id()) AND user_id = (SELECT todo.current_space('tokens:write')));

CREATE POLICY may_select ON todo.preferences FOR SELECT TO todo_server, todo_worker, todo_person
  USING (user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_insert ON todo.preferences FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (user_id = (SELECT todo.current_user_id()) AND user_id = (SELECT todo.current_space('prefs:write')));

CREATE POLICY may_update ON todo.preferences FOR UPDATE TO todo_server, todo_worker, todo_person
  USING (user_id = (SELECT todo.current_user_id()) AND user_id = (SELECT todo.current_space('prefs:write')))
  WITH CHECK (user_id = (SELECT todo.current_user_id()) AND user_id = (SELECT todo.current_space('prefs:write')));

CREATE POLICY may_select ON todo.tasks FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read')));

CREATE POLICY may_insert ON todo.tasks FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')));

CREATE POLICY may_update ON todo.tasks FOR UPDATE TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('tasks:write')))
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')));

CREATE POLICY may_select ON todo.task_tags FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read')));

CREATE POLICY may_insert ON todo.task_tags FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')));

CREATE POLICY may_select ON todo.links FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read')));

CREATE POLICY may_insert ON todo.links FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')));

CREATE POLICY may_select ON todo.comments FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read')));

CREATE POLICY may_insert ON todo.comments FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_update ON todo.comments FOR UPDATE TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()))
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_select ON todo.views FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_insert ON todo.views FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_update ON todo.views FOR UPDATE TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()))
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_select ON todo.plans FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_insert ON todo.plans FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_update ON todo.plans FOR UPDATE TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()))
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_select ON todo.conversations FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read:chat')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_insert ON todo.conversations FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('chat')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_update ON todo.conversations FOR UPDATE TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('chat')) AND user_id = (SELECT todo.current_user_id()))
  WITH CHECK (space_id = (SELECT todo.current_space('chat')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_select ON todo.turns FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read:chat')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_insert ON todo.turns FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('chat')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_update ON todo.turns FOR UPDATE TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('chat')) AND user_id = (SELECT todo.current_user_id()))
  WITH CHECK (space_id = (SELECT todo.current_space('chat')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_select ON todo.messages FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read:chat')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_insert ON todo.messages FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('chat')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_select ON todo.events FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read:chat')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_insert ON todo.events FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('chat')) AND user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_select ON todo.usage FOR SELECT TO todo_server, todo_worker, todo_person
  USING (user_id = (SELECT todo.current_user_id()));

CREATE POLICY may_select ON todo.changes FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read')));

CREATE POLICY may_insert ON todo.changes FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('write')) AND user_id = (SELECT todo.current_user_id()));

GRANT SELECT
  ON todo.schema TO todo_server, todo_worker, todo_person;

GRANT SELECT, UPDATE (next_number, seq, next_conversation)
  ON todo.spaces TO todo_server, todo_worker, todo_person;

GRANT SELECT
  ON todo.members TO todo_server, todo_worker, todo_person;

GRANT SELECT (
    user_id, id, name, scopes, kind, created_at, last_used_at, expires_at, revoked_at),
  INSERT (user_id, id, name, hash, scopes, expires_at),
  UPDATE (revoked_at)
  ON todo.tokens TO todo_server, todo_worker, todo_person;

GRANT SELECT, INSERT, UPDATE (timezone, model, tokens_per_day)
  ON todo.preferences TO todo_server, todo_worker, todo_person;

GRANT SELECT, INSERT, UPDATE (
    title, note, status, priority, project, due_on, due_at, updated_at, completed_at, deleted_at,
    rev, parent, defer_on, defer_at, scheduled_on, scheduled_at, started_at, tracked, series,
    occurrence, repeat, claimed_by, claim_token, claimed_until)
  ON todo.tasks TO todo_server, todo_worker, todo_person;

GRANT SELECT, INSERT
  ON todo.task_tags TO todo_server, todo_worker, todo_person;

GRANT SELECT, INSERT
  ON todo.links TO todo_server, todo_worker, todo_person;

GRANT SELECT, INSERT (space_id, number, id, text), UPDATE (text, edited_at)
  ON todo.comments TO todo_server, todo_worker, todo_person;

GRANT SELECT, INSERT (space_id, name, filter, sort), UPDATE (filter, sort)
  ON todo.views TO todo_server, todo_worker, todo_person;

GRANT SELECT,
  INSERT (space_id, id, verb, arguments, targets, differences, expires_at),
  UPDATE (state, decided_at)
  ON todo.plans TO todo_server, todo_worker, todo_person;

GRANT SELECT,
  INSERT (space_id, id, number, title, model, head, head_of),
  UPDATE (title, model, seq, head, head_of, turn_id, updated_at, deleted_at)
  ON todo.conversations TO todo_server, todo_worker, todo_person;

GRANT SELECT,
  INSERT (space_id, id, conversation_id, runner, lease_until, asked),
  UPDATE (
    state, attempt, runner, lease_until, last, stop, held, approved, events, usage, error,
    ended_at)
  ON todo.turns TO todo_server, todo_worker, todo_person;

GRANT SELECT, INSERT (
    space_id, conversation_id, seq, parent, parent_of, turn_id, attempt, role, status, content,
    calls, call_seq, call_index, reaches, tokens, model, usage)
  ON todo.messages TO todo_server, todo_worker, todo_person;

GRANT SELECT, INSERT (space_id, turn_id, n, attempt, after, batch)
  ON todo.events TO todo_server, todo_worker, todo_person;

GRANT SELECT
  ON todo.usage TO todo_server, todo_worker, todo_person;

GRANT SELECT, INSERT (
    space_id, seq, key, request_hash, verb, request, before, after, answer, undoes, redo, group_id,
    turn_id)
  ON todo.changes TO todo_server, todo_worker, todo_person;

INSERT INTO todo.schema (version, oldest) VALUES (1, 1);
