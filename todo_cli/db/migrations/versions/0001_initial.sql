DO $$ BEGIN CREATE ROLE todo_auth NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE todo_server LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE todo_worker LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE todo_person NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN GRANT todo_auth TO CURRENT_USER; EXCEPTION WHEN unique_violation THEN NULL; END $$;
DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()); EXECUTE format('GRANT CONNECT ON DATABASE %I TO todo_server, todo_worker, todo_person', current_database()); END $$;
DO $$ BEGIN EXECUTE format('ALTER ROLE todo_server IN DATABASE %I SET statement_timeout = %L', current_database(), '30s'); EXECUTE format('ALTER ROLE todo_server IN DATABASE %I SET lock_timeout = %L', current_database(), '10s'); EXECUTE format('ALTER ROLE todo_server IN DATABASE %I SET idle_in_transaction_session_timeout = %L', current_database(), '5s'); END $$;
DO $$ BEGIN EXECUTE format('ALTER ROLE todo_worker IN DATABASE %I SET statement_timeout = %L', current_database(), '30s'); EXECUTE format('ALTER ROLE todo_worker IN DATABASE %I SET lock_timeout = %L', current_database(), '10s'); EXECUTE format('ALTER ROLE todo_worker IN DATABASE %I SET idle_in_transaction_session_timeout = %L', current_database(), '5s'); END $$;
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
          set_config('app.space', p_space::text, true), set_config('app.way', p_way, true),
          set_config('TimeZone', 'UTC', true);  -- to_json() writes timestamps in the session's zone
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
-- Take links off tasks, pair by pair: what a task no longer waits for. A function, as untag is.
CREATE FUNCTION todo.unlink(p_numbers bigint[], p_after bigint[]) RETURNS void LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.links l USING unnest(p_numbers, p_after) AS gone(number, after)
   WHERE l.space_id = (SELECT todo.space('tasks:write')) AND l.number = gone.number AND l.after = gone.after
$$;;
-- The events of a turn that has ended: its messages tell the same.
CREATE FUNCTION todo.forget_events(p_turn uuid) RETURNS void LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.events e USING todo.turns t WHERE e.space_id = (SELECT todo.space('chat'))
     AND e.user_id = (SELECT todo.me()) AND e.turn_id = p_turn AND t.space_id = e.space_id AND t.id = e.turn_id
     AND t.state IN ('done', 'stopped', 'failed')
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
-- The words of a text, as search keeps and seeks them: lower case, without accents, vowel points and punctuation. Where a
-- script has no spaces between words (Chinese, Japanese, Thai …; pictures too): every two neighbouring characters, and
-- the last one alone. Its first 20,000 characters; of a word its first 64.
CREATE FUNCTION todo.words_of(p_text text) RETURNS SETOF text LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  plain text COLLATE "C" := lower(left(p_text, 20000) COLLATE "C");
  joined constant text := '\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\U0001f000-\U0001faff\u2600-\u27bf';
BEGIN
  IF octet_length(plain) = length(plain) THEN
    RETURN QUERY SELECT DISTINCT left(w, 64) FROM regexp_split_to_table(plain, '[^a-z0-9]+') AS w WHERE w <> '';
    RETURN;
  END IF;
  -- the database's own lower() may know ASCII alone
  plain := translate(replace(lower(normalize(plain COLLATE "default", NFKD)), 'ß', 'ss'),
    'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЃЄЅІЇЈЉЊЋЏҐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩςØøŁłĐđıĦħŦŧÆæŒœ',
    'абвгдежзийклмнопрстуфхцчшщъыьэюяђѓєѕіїјљњћџґαβγδεζηθικλμνξοπρστυφχψωσoollddihhttaaoo');
  plain := lower(regexp_replace(plain, '[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u0640\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3099\u309a\ufe00-\ufe0f\ufeff]+', '', 'g') COLLATE "C");
  RETURN QUERY SELECT DISTINCT left(p.piece, 64) FROM (
    SELECT CASE WHEN run[1] IS NOT NULL THEN run[1] ELSE substr(run[2], i, 2) END AS piece
      FROM regexp_matches(plain, '([^' || joined || '\u0001-\u002f\u003a-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u055a-\u055f\u0589\u05be\u05c0\u05c3\u05c6\u05f3\u05f4\u060c\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965\u2000-\u25ff\u27c0-\u2bff\u3000-\u303f\uff00-\uff0f]+)|([' || joined || ']+)', 'g') AS run
      CROSS JOIN LATERAL generate_series(1, CASE WHEN run[1] IS NULL THEN length(run[2]) ELSE 1 END) AS i) AS p;
END $$;;
-- Keeping todo.words: what tasks are added, whose title or note changes, and every comment.
CREATE FUNCTION todo.keep_new_words() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO todo.words (space_id, word, number, place)
    SELECT f.space_id, w, f.number, 0 FROM fresh f CROSS JOIN LATERAL todo.words_of(f.title) AS w
    UNION ALL SELECT f.space_id, w, f.number, 1 FROM fresh f CROSS JOIN LATERAL todo.words_of(f.note) AS w
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;;
CREATE FUNCTION todo.keep_words() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- by arrays, not joins: before the first ANALYZE a join would read the whole table
  DELETE FROM todo.words g WHERE g.space_id = OLD.space_id AND g.number = OLD.number AND g.place = 0 AND g.word = ANY (
      ARRAY(SELECT w FROM todo.words_of(OLD.title) AS w EXCEPT SELECT w FROM todo.words_of(NEW.title) AS w));
  DELETE FROM todo.words g WHERE g.space_id = OLD.space_id AND g.number = OLD.number AND g.place = 1 AND g.word = ANY (
      ARRAY(SELECT w FROM todo.words_of(OLD.note) AS w EXCEPT SELECT w FROM todo.words_of(NEW.note) AS w));
  INSERT INTO todo.words (space_id, word, number, place)
    SELECT NEW.space_id, w, NEW.number, 0 FROM todo.words_of(NEW.title) AS w
    UNION ALL SELECT NEW.space_id, w, NEW.number, 1 FROM todo.words_of(NEW.note) AS w ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;;
CREATE FUNCTION todo.keep_comment_words() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    DELETE FROM todo.words g WHERE g.space_id = OLD.space_id AND g.number = OLD.number AND g.place = 2 AND g.word = ANY (
        ARRAY(SELECT w FROM todo.words_of(OLD.text) AS w EXCEPT SELECT w FROM todo.comments c
        CROSS JOIN LATERAL todo.words_of(c.text) AS w WHERE c.space_id = OLD.space_id AND c.number = OLD.number));
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO todo.words (space_id, word, number, place)
      SELECT NEW.space_id, w, NEW.number, 2 FROM todo.words_of(NEW.text) AS w ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;;
-- Every way to have mistyped one letter of a word (one wrong, one missing, one too many, two swapped), as a pattern.
CREATE FUNCTION todo.mistyped(p_word text) RETURNS text LANGUAGE sql IMMUTABLE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT '^(?:' || string_agg(concat_ws('|',
      left(p_word, i - 1) || '.' || substr(p_word, i + 1), left(p_word, i - 1) || substr(p_word, i + 1),
      left(p_word, i - 1) || '.' || substr(p_word, i),
      left(p_word, i - 1) || substr(p_word, i + 1, 1) || substr(p_word, i, 1) || substr(p_word, i + 2)), '|') || ')$'
    FROM generate_series(1, length(p_word)) AS i
$$;;
-- The space's own words that these may mean, and how surely (1: the word itself). Words with the same beginning; where
-- there is none, and always where `p_wide`, also a word with one other letter or with the sought one inside.
-- Each stored word costs one descent of the index, however often it stands there.
CREATE FUNCTION todo.meant(p_here uuid, p_terms text[], p_wide boolean)
RETURNS TABLE (term text, word text, weight float8) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  terms text[]; words text[]; lost text[];
BEGIN
  WITH RECURSIVE near AS (
    SELECT t AS term, t AS top, (SELECT w.word FROM todo.words w WHERE w.space_id = p_here AND w.word >= t COLLATE "C"
        AND w.word < (t || chr(1114111)) COLLATE "C" ORDER BY w.word LIMIT 1) AS word, 1 AS n FROM unnest(p_terms) AS t
    UNION ALL
    SELECT term, top, (SELECT w.word FROM todo.words w WHERE w.space_id = p_here AND w.word > near.word
        AND w.word < (top || chr(1114111)) COLLATE "C" ORDER BY w.word LIMIT 1), n + 1
      FROM near WHERE word IS NOT NULL AND n < CASE WHEN top ~ '^[a-z0-9]$' THEN 1 ELSE 40 END)
  SELECT array_agg(near.term), array_agg(near.word) INTO terms, words FROM near
   WHERE near.word IS NOT NULL AND (near.top !~ '^[a-z0-9]$' OR near.word = near.top);
  RETURN QUERY SELECT x.term, x.word, CASE WHEN x.term = x.word THEN 1.0 ELSE 0.85 END::float8 FROM unnest(terms, words) AS x(term, word);
  lost := ARRAY(SELECT t FROM unnest(p_terms) AS t WHERE t <> ALL (coalesce(terms, '{}')));
  IF lost = '{}' AND NOT p_wide THEN RETURN; END IF;
  RETURN QUERY
  WITH RECURSIVE sought AS MATERIALIZED (
    SELECT t, t = ANY (lost) AS lost, CASE WHEN length(t) BETWEEN 4 AND 24 THEN todo.mistyped(t) END AS pattern
      FROM unnest(CASE WHEN p_wide THEN p_terms ELSE lost END) AS t WHERE length(t) >= 3 AND t !~ '^[0-9]+$'),
  -- numbers, which are many and no words, sort before the letters
  every AS (
    SELECT (SELECT w.word FROM todo.words w WHERE w.space_id = p_here AND w.word >= ':' ORDER BY w.word LIMIT 1) AS word, 1 AS n
     WHERE EXISTS (SELECT FROM sought)
    UNION ALL
    SELECT (SELECT w.word FROM todo.words w WHERE w.space_id = p_here AND w.word > every.word ORDER BY w.word LIMIT 1), n + 1
      FROM every WHERE word IS NOT NULL AND n < CASE WHEN lost = '{}' THEN 5000 ELSE 50000 END)
  SELECT t, word, CASE WHEN position(t IN word) > 0 THEN 0.5 ELSE 0.6 END::float8 FROM every JOIN sought
      ON NOT starts_with(word, t) AND (position(t IN word) > 0
         OR (abs(length(word) - length(t)) <= 1 AND (length(t) > 4 OR length(word) > 4 OR lost) AND word ~ pattern))
   WHERE word IS NOT NULL LIMIT 200;
END $$;;
-- Tasks of this transaction's space by words, the best first: in titles, notes and comments, with mistakes forgiven.
-- All words must be met; where `p_wide`, as many as any task meets. Of a word that very many hold, the newest count.
CREATE FUNCTION todo.find(words text, most int, p_status text DEFAULT 'all', p_wide boolean DEFAULT false)
RETURNS TABLE (number bigint, score real) LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  here uuid := todo.space('read');
  said text := left(words, 10000);
  terms text[] := ARRAY(SELECT w FROM todo.words_of(left(words, 10000)) AS w ORDER BY length(w) DESC, w LIMIT 16);
  reach int := greatest(most, 1000);
  known text[]; forms text[]; sure float8[];
BEGIN
  IF here IS NULL OR terms = '{}' THEN RETURN; END IF;
  SELECT array_agg(m.term), array_agg(m.word), array_agg(m.weight) INTO known, forms, sure FROM todo.meant(here, terms, p_wide) m;
  RETURN QUERY
  WITH meant AS MATERIALIZED (SELECT * FROM unnest(known, forms, sure) AS m(term, word, weight)),
  posted AS MATERIALIZED (SELECT m.term, m.word, m.weight, p.number, p.place FROM meant m CROSS JOIN LATERAL (
      SELECT w.number, w.place FROM todo.words w WHERE w.space_id = here AND w.word = m.word
         AND (p_status = 'all' OR p_status = (SELECT t.status FROM todo.tasks t WHERE t.space_id = here AND t.number = w.number))
       ORDER BY w.number DESC LIMIT reach) AS p),
  met AS MATERIALIZED (SELECT term, number, max(weight * (ARRAY[1, 0.7, 0.6])[place + 1]) AS best FROM posted GROUP BY 1, 2),
  full_up AS (SELECT DISTINCT term FROM (SELECT term FROM posted GROUP BY term, word HAVING count(*) >= reach) AS x),
  rarest AS (SELECT t, (SELECT count(*) FROM met WHERE term = t) AS held FROM unnest(terms) AS t ORDER BY held LIMIT 1),
  told AS (SELECT number, term, best FROM met UNION ALL SELECT c.number, f.term, (
        SELECT max(m.weight * (ARRAY[1, 0.7, 0.6])[w.place + 1]) FROM meant m CROSS JOIN LATERAL (SELECT g.place FROM todo.words g
          WHERE g.space_id = here AND g.word = m.word AND g.number = c.number OFFSET 0) AS w WHERE m.term = f.term)
      FROM (SELECT DISTINCT number FROM met WHERE p_wide OR term = (SELECT t FROM rarest)) AS c CROSS JOIN full_up AS f
     -- NOT IN is hashed whatever the planner expects; a join might be a loop in a loop before the first ANALYZE
     WHERE (c.number, f.term) NOT IN (SELECT number, term FROM met)),
  summed AS MATERIALIZED (SELECT number, sum(best) / cardinality(terms) AS total, count(best) AS got FROM told GROUP BY number)
  SELECT s.number, (0.85 * s.total + CASE WHEN (SELECT position(lower(btrim(said)) IN lower(t.title COLLATE "default")) > 0
        FROM todo.tasks t WHERE t.space_id = here AND t.number = s.number) THEN 0.15 ELSE 0 END)::real AS score
    FROM summed s WHERE s.got = CASE WHEN p_wide THEN (SELECT max(got) FROM summed) ELSE cardinality(terms) END
   ORDER BY score DESC, s.number DESC LIMIT most;
END $$;;
-- The words of a message, as search keeps and seeks them: of what was said, and of the titles of the tasks that a call has
-- changed. Each begins with the space's and the person's own mark, so that a search reads no more than its own words.
CREATE FUNCTION todo.said_words(p_space uuid, p_user uuid, p_role text, p_content text) RETURNS tsvector LANGUAGE plpgsql
IMMUTABLE STRICT SECURITY DEFINER COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said text := p_content;
  mark constant text := left(encode(sha256(uuid_send(p_space) || uuid_send(p_user)), 'base64'), 6);
BEGIN
  IF p_role = 'tool' THEN
    IF p_content NOT LIKE '{"task":%' AND p_content NOT LIKE '{"done":true%' THEN RETURN ''::tsvector; END IF;
    said := (SELECT string_agg(t[1], ' ') FROM regexp_matches(p_content, '"title":"((?:[^"\\]|\\.)*)"', 'g') AS t);
  END IF;
  IF length(said) > 60000 THEN  -- a tsvector holds 1 MB of words; what is more is not sought
    RETURN array_to_tsvector(ARRAY(SELECT w FROM (SELECT w, sum(octet_length(w)) OVER (ORDER BY w COLLATE "C") AS size FROM (
        SELECT DISTINCT mark || w AS w FROM generate_series(0, least(length(said), 100000) / 20000) AS part
          CROSS JOIN LATERAL todo.words_of(substr(said, part * 20000 + 1, 20000)) AS w) AS d) AS x WHERE size <= 1000000));
  END IF;
  RETURN array_to_tsvector(ARRAY(SELECT DISTINCT mark || w FROM generate_series(0, length(said) / 20000) AS part
    CROSS JOIN LATERAL todo.words_of(substr(said, part * 20000 + 1, 20000)) AS w));
END $$;;
-- One's own messages of this transaction's space by words, the best (or the newest) first. All words must be met, whole or as
-- beginnings; where no message has all, as many as any has. Of very many that have them, the newest count.
CREATE FUNCTION todo.find_said(words text, most int, p_number bigint, p_roles text[], p_since timestamptz, p_until timestamptz,
                               p_newest boolean)
RETURNS TABLE (conversation_id uuid, seq bigint, score real) LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  here uuid := todo.space('read'); mine uuid := todo.me();
  said text := lower(btrim(left(words, 10000)) COLLATE "default");
  mark constant text := left(encode(sha256(uuid_send(here) || uuid_send(mine)), 'base64'), 6);
  terms text[] := ARRAY(SELECT w FROM todo.words_of(left(words, 10000)) AS w ORDER BY length(w) DESC, w LIMIT 16);
  sought text[]; query tsquery; many bigint;
BEGIN
  IF mark IS NULL OR terms = '{}' THEN RETURN; END IF;
  sought := ARRAY(SELECT quote_literal(mark || t) || CASE WHEN t ~ '^[a-z0-9]$' THEN '' ELSE ':*' END FROM unnest(terms) AS t);
  query := array_to_string(sought, ' & ')::tsquery;
  FOR attempt IN 1..2 LOOP
    RETURN QUERY
    WITH met AS MATERIALIZED (SELECT m.conversation_id, m.seq, m.at, m.role, m.content FROM todo.messages m
        JOIN todo.conversations c ON c.space_id = m.space_id AND c.id = m.conversation_id
       WHERE m.space_id = here AND m.user_id = mine AND m.role <> 'summary' AND m.status <> 'dead' AND m.content <> ''
         AND todo.said_words(m.space_id, m.user_id, m.role, m.content) @@ query
         AND m.role = ANY (p_roles) AND c.deleted_at IS NULL AND (p_number IS NULL OR c.number = p_number)
         AND m.at >= p_since AND m.at < p_until ORDER BY m.at DESC, m.seq DESC LIMIT greatest(most, 1000)),
    told AS MATERIALIZED (SELECT met.*, w.found, (SELECT count(*) FROM unnest(sought) AS s WHERE w.found @@ s::tsquery) AS got
        FROM met CROSS JOIN LATERAL (SELECT todo.said_words(here, mine, met.role, met.content) AS found) AS w)
    SELECT t.conversation_id, t.seq, (0.7 * (0.85 * t.got + 0.15 * (SELECT count(*) FROM unnest(terms) AS x
          WHERE mark || x = ANY (tsvector_to_array(t.found)))) / cardinality(terms)
        + CASE WHEN position(said IN lower(t.content COLLATE "default")) > 0 THEN 0.2 ELSE 0 END
        + 0.1 / (1 + length(t.content) / 200.0))::real AS score
      FROM told t WHERE t.got = (SELECT max(got) FROM told)
     ORDER BY CASE WHEN p_newest THEN t.at END DESC, score DESC, t.at DESC, t.seq DESC LIMIT most;
    GET DIAGNOSTICS many = ROW_COUNT;
    EXIT WHEN many > 0 OR cardinality(terms) = 1;
    query := array_to_string(sought, ' | ')::tsquery;
  END LOOP;
END $$;;
-- Today, where a person lives; with when tomorrow begins there.
CREATE FUNCTION todo.today_of(p_user uuid) RETURNS TABLE (day date, ends timestamptz) LANGUAGE plpgsql STABLE SECURITY DEFINER
ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE zone text := coalesce((SELECT p.timezone FROM todo.preferences p WHERE p.user_id = p_user), 'UTC');
BEGIN
  day := (clock_timestamp() AT TIME ZONE zone)::date;
  ends := (day + 1)::timestamp AT TIME ZONE zone;
  RETURN NEXT;
EXCEPTION WHEN invalid_parameter_value THEN  -- a zone that only the clients know
  day := (clock_timestamp() AT TIME ZONE 'UTC')::date;
  ends := (day + 1)::timestamp AT TIME ZONE 'UTC';
  RETURN NEXT;
END $$;;
-- Keeping todo.usage: what every answer of a model has used; never less than nothing, whoever stores the answer.
CREATE FUNCTION todo.keep_usage() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO todo.usage AS u (user_id, day, space_id, conversation_id, model, currency, calls, prompt, completion, cached,
      reasoning, cost)
    SELECT NEW.user_id, t.day, NEW.space_id, NEW.conversation_id, coalesce(NEW.model, ''), coalesce(NEW.usage ->> 'currency', ''), 1,
      used[1], used[2], used[3], used[4], used[5] FROM todo.today_of(NEW.user_id) AS t,
      LATERAL (SELECT ARRAY(SELECT least(greatest(coalesce((NEW.usage ->> name)::numeric, 0), 0), 1000000000000) FROM unnest(
        '{prompt,completion,cached,reasoning,cost}'::text[]) WITH ORDINALITY AS n(name, place) ORDER BY place) AS used) AS x
  ON CONFLICT (user_id, day, space_id, conversation_id, model, currency) DO UPDATE SET calls = u.calls + 1,
    prompt = u.prompt + excluded.prompt, completion = u.completion + excluded.completion, cached = u.cached + excluded.cached,
    reasoning = u.reasoning + excluded.reasoning, cost = u.cost + excluded.cost;
  RETURN NULL;
END $$;;
-- What the caller may use today and has used, in all spaces; no row where nobody has set a budget. The lower one holds.
CREATE FUNCTION todo.budget() RETURNS TABLE (allowed bigint, spent bigint, ends timestamptz) LANGUAGE plpgsql STABLE SECURITY DEFINER
ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE mine uuid := todo.me(); today date;
BEGIN
  allowed := least((SELECT u.tokens_per_day FROM todo.users u WHERE u.id = mine),
    (SELECT p.tokens_per_day FROM todo.preferences p WHERE p.user_id = mine));
  IF allowed IS NULL THEN RETURN; END IF;
  SELECT t.day, t.ends INTO today, ends FROM todo.today_of(mine) t;
  SELECT coalesce(sum(g.prompt + g.completion), 0) INTO spent FROM todo.usage g WHERE g.user_id = mine AND g.day = today;
  RETURN NEXT;
END $$;;
-- Take in messages of an exported conversation behind the `p_first` that are here: those that are here already are left
-- as they are. A function, since clients may not say when a message was said. Its turns have all ended.
CREATE FUNCTION todo.take_in(p_id uuid, p_title text, p_model text, p_at timestamptz, p_first bigint, p_rows jsonb)
RETURNS TABLE (number bigint, stored bigint, gone boolean) LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  here uuid := todo.space('chat'); mine uuid := todo.me(); had record; last bigint := p_first + jsonb_array_length(p_rows); made bigint;
BEGIN
  IF here IS NULL OR mine IS NULL THEN RAISE EXCEPTION 'the token lacks the scope chat' USING ERRCODE = 'TD403'; END IF;
  SELECT c.number, c.seq, c.user_id, c.deleted_at, coalesce((SELECT m.attempt FROM todo.messages m WHERE m.space_id = c.space_id
      AND m.conversation_id = c.id AND m.seq = c.seq), 0) AS attempt INTO had FROM todo.conversations c
   WHERE c.space_id = here AND c.id = p_id FOR NO KEY UPDATE OF c;
  IF NOT FOUND THEN
    IF p_first > 0 THEN RAISE EXCEPTION 'an earlier part is missing' USING ERRCODE = 'TD409', HINT = 'begin with the first'; END IF;
    UPDATE todo.spaces SET next_conversation = next_conversation + 1 WHERE id = here RETURNING next_conversation - 1 INTO made;
    INSERT INTO todo.conversations (space_id, id, number, title, model, created_at) VALUES (here, p_id, made, p_title, p_model, p_at);
    SELECT made AS number, 0::bigint AS seq, mine AS user_id, NULL::timestamptz AS deleted_at, 0 AS attempt INTO had;
  END IF;
  IF had.user_id <> mine THEN RAISE EXCEPTION 'there is already a conversation of that id' USING ERRCODE = 'TD409'; END IF;
  IF had.seq < p_first THEN RAISE EXCEPTION 'an earlier part is missing' USING ERRCODE = 'TD409', HINT = 'begin with the first'; END IF;
  IF had.seq < last THEN
    IF had.attempt > 0 THEN RAISE EXCEPTION 'the conversation has gone on since' USING ERRCODE = 'TD409'; END IF;
    INSERT INTO todo.messages (space_id, conversation_id, seq, parent, turn_id, attempt, role, status, content, calls, call_seq,
        call_index, tokens, model, usage, at)
      SELECT here, p_id, n, nullif(n - 1, 0), (r ->> 'turn')::uuid, 0, r ->> 'role', r ->> 'status', r ->> 'content', r -> 'calls',
        (r ->> 'call_seq')::bigint, (r ->> 'call_index')::int, (r ->> 'tokens')::int, r ->> 'model', r -> 'usage', (r ->> 'at')::timestamptz
        FROM (SELECT r, p_first + place AS n FROM jsonb_array_elements(p_rows) WITH ORDINALITY AS x(r, place)) AS x WHERE n > had.seq;
    INSERT INTO todo.turns AS t (space_id, id, conversation_id, state, runner, lease_until, asked, last, began_at, ended_at)
      SELECT here, m.turn_id, p_id, 'done', p_id, max(m.at), min(m.seq), max(m.seq), min(m.at), max(m.at) FROM todo.messages m
       WHERE m.space_id = here AND m.conversation_id = p_id AND m.seq > had.seq AND m.seq <= last GROUP BY m.turn_id
      ON CONFLICT (space_id, id) DO UPDATE SET last = excluded.last, ended_at = excluded.ended_at
        WHERE t.user_id = mine AND t.conversation_id = p_id;
    UPDATE todo.conversations c SET seq = m.seq, head = m.seq, turn_id = m.turn_id, updated_at = m.at FROM todo.messages m
     WHERE c.space_id = here AND c.id = p_id AND m.space_id = here AND m.conversation_id = p_id AND m.seq = last;
  END IF;
  RETURN QUERY SELECT had.number, greatest(last - had.seq, 0), had.deleted_at IS NOT NULL;
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
CREATE TABLE todo.conversations (
	space_id UUID NOT NULL, 
	id UUID NOT NULL, 
	user_id UUID DEFAULT todo.me() NOT NULL, 
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
	PRIMARY KEY (space_id, id), 
	CONSTRAINT conversations_number UNIQUE (space_id, number), 
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
	user_id UUID DEFAULT todo.me() NOT NULL, 
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
	user_id UUID DEFAULT todo.me() NOT NULL, 
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
	conversation_id UUID NOT NULL, 
	seq BIGINT NOT NULL, 
	parent BIGINT, 
	parent_of UUID, 
	user_id UUID DEFAULT todo.me() NOT NULL, 
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
	PRIMARY KEY (space_id, conversation_id, seq), 
	FOREIGN KEY(space_id, conversation_id) REFERENCES todo.conversations (space_id, id), 
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
	id UUID NOT NULL, 
	user_id UUID DEFAULT todo.me() NOT NULL, 
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
	PRIMARY KEY (space_id, id), 
	FOREIGN KEY(space_id, conversation_id) REFERENCES todo.conversations (space_id, id), 
	FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
)
 WITH (fillfactor = 70);
CREATE TABLE todo.events (
	space_id UUID NOT NULL, 
	turn_id UUID NOT NULL, 
	n BIGINT NOT NULL, 
	user_id UUID DEFAULT todo.me() NOT NULL, 
	attempt INTEGER NOT NULL, 
	after BIGINT NOT NULL, 
	batch JSONB NOT NULL, 
	PRIMARY KEY (space_id, turn_id, n), 
	FOREIGN KEY(space_id, turn_id) REFERENCES todo.turns (space_id, id)
);
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
CREATE INDEX tasks_updated ON todo.tasks (space_id, status, rev, number);
CREATE UNIQUE INDEX tokens_user_name ON todo.tokens (user_id, name) WHERE revoked_at IS NULL;
CREATE INDEX links_after ON todo.links (space_id, after, number);
CREATE UNIQUE INDEX messages_call ON todo.messages (space_id, conversation_id, call_seq, call_index) WHERE call_seq IS NOT NULL;
CREATE UNIQUE INDEX messages_summary ON todo.messages (space_id, conversation_id, reaches) WHERE reaches IS NOT NULL;
CREATE INDEX messages_words ON todo.messages USING gin (todo.said_words(space_id, user_id, role, content)) WITH (gin_pending_list_limit = 256) WHERE role <> 'summary' AND status <> 'dead' AND content <> '';
CREATE INDEX task_tags_tag ON todo.task_tags (space_id, tag, number);
COMMENT ON COLUMN todo.schema.oldest IS 'the oldest client that is still served';
COMMENT ON COLUMN todo.users.login IS 'the person''s own database role, where there is one';
COMMENT ON COLUMN todo.users.per_minute IS 'requests through a server';
COMMENT ON COLUMN todo.users.tokens_per_day IS 'of the models; null: as many as they like';
COMMENT ON COLUMN todo.words.place IS '0 in the title, 1 in the note, 2 in a comment';
COMMENT ON COLUMN todo.changes.key IS 'the caller''s, or minted by the client for one invocation';
COMMENT ON COLUMN todo.changes.before IS 'images of the tasks it names';
COMMENT ON COLUMN todo.changes.answer IS 'what a change of something else than tasks answered';
COMMENT ON COLUMN todo.conversations.seq IS 'the last message''s; 0: none yet';
COMMENT ON COLUMN todo.conversations.head IS 'the message that the next one follows; null: the beginning';
COMMENT ON COLUMN todo.conversations.head_of IS 'the conversation that the head is in; null: this one';
COMMENT ON COLUMN todo.conversations.turn_id IS 'the newest turn';
COMMENT ON COLUMN todo.plans.targets IS 'the tasks it would touch, and the rev each must still have';
COMMENT ON COLUMN todo.tasks.priority IS '4 is none, so that it sorts last in an index';
COMMENT ON COLUMN todo.tasks.due_on IS 'a day without a time';
COMMENT ON COLUMN todo.tasks.due_at IS 'an instant; one of the two or neither';
COMMENT ON COLUMN todo.tasks.rev IS 'the seq of the change that last touched it';
COMMENT ON COLUMN todo.tasks.parent IS 'the task that it is a part of';
COMMENT ON COLUMN todo.tasks.defer_on IS 'out of sight until then: a day';
COMMENT ON COLUMN todo.tasks.defer_at IS 'or an instant';
COMMENT ON COLUMN todo.tasks.scheduled_on IS 'when its work is to begin: a day';
COMMENT ON COLUMN todo.tasks.scheduled_at IS 'or an instant';
COMMENT ON COLUMN todo.tasks.started_at IS 'it is being worked on, since then';
COMMENT ON COLUMN todo.tasks.tracked IS 'seconds worked, in finished spans';
COMMENT ON COLUMN todo.tasks.series IS 'what the occurrences of a recurring task share';
COMMENT ON COLUMN todo.tasks.occurrence IS 'its place in the series, from 1';
COMMENT ON COLUMN todo.tasks.repeat IS 'rule, from_done, anchor, zone, slot (this one''s date by the rule), template (what edits of this one alone have hidden)';
COMMENT ON COLUMN todo.tokens.kind IS 'a session''s expiry slides';
COMMENT ON COLUMN todo.views.is_default IS 'what a list without a filter shows';
COMMENT ON COLUMN todo.links.after IS 'the task that this one waits for';
COMMENT ON COLUMN todo.messages.parent IS 'null: the first';
COMMENT ON COLUMN todo.messages.parent_of IS 'the conversation that the parent is in; null: this one';
COMMENT ON COLUMN todo.messages.calls IS 'what an assistant''s message calls, in order';
COMMENT ON COLUMN todo.messages.call_seq IS 'whose call a tool''s message answers';
COMMENT ON COLUMN todo.messages.reaches IS 'the last message that a summary tells of';
COMMENT ON COLUMN todo.messages.tokens IS 'an estimate';
COMMENT ON COLUMN todo.turns.attempt IS 'the fence: who has an older one is late';
COMMENT ON COLUMN todo.turns.runner IS 'who runs this attempt';
COMMENT ON COLUMN todo.turns.asked IS 'the user''s message';
COMMENT ON COLUMN todo.turns.last IS 'its last message, once it has ended';
COMMENT ON COLUMN todo.turns.stop IS 'somebody has asked for its end';
COMMENT ON COLUMN todo.turns.held IS 'calls that wait for a yes, each with its plan';
COMMENT ON COLUMN todo.turns.approved IS 'the person''s answer to what was held';
COMMENT ON COLUMN todo.events.after IS 'the head while they came';
-- Take away a view: one's own. A function, since whoever may DELETE may also lock the whole table.
CREATE FUNCTION todo.forget_view(p_name text) RETURNS SETOF todo.views LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.views v WHERE v.space_id = (SELECT todo.space('tasks:write')) AND v.user_id = (SELECT todo.me())
     AND v.name = p_name RETURNING *
$$;;
-- Make that view of one's own the default, or with no name none; all of one's views as they then are, none where there is no such one.
CREATE FUNCTION todo.choose_view(p_name text) RETURNS SETOF todo.views LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.views v SET is_default = coalesce(v.name = p_name, false)
   WHERE v.space_id = (SELECT todo.space('tasks:write')) AND v.user_id = (SELECT todo.me()) AND (p_name IS NULL OR EXISTS (
     SELECT FROM todo.views o WHERE o.space_id = v.space_id AND o.user_id = v.user_id AND o.name = p_name)) RETURNING *
$$;;
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
-- Take away a comment: whose it is, and nobody else.
CREATE FUNCTION todo.uncomment(p_number bigint, p_id uuid) RETURNS SETOF todo.comments LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.comments WHERE space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me())
     AND number = p_number AND id = p_id RETURNING *
$$;;
-- How many tokens a person may use in a day; null: as many as they like.
CREATE FUNCTION todo.set_budget(p_name text, p_tokens bigint) RETURNS SETOF todo.users
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403'; END IF;
  RETURN QUERY UPDATE todo.users SET tokens_per_day = p_tokens WHERE name = p_name RETURNING *;
END $$;;
CREATE TRIGGER words_new AFTER INSERT ON todo.tasks REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION todo.keep_new_words();
CREATE TRIGGER words_changed AFTER UPDATE OF title, note ON todo.tasks FOR EACH ROW WHEN (OLD.title IS DISTINCT FROM NEW.title OR OLD.note IS DISTINCT FROM NEW.note) EXECUTE FUNCTION todo.keep_words();
CREATE TRIGGER words_gone AFTER DELETE ON todo.tasks FOR EACH ROW EXECUTE FUNCTION todo.keep_words();
CREATE TRIGGER words_commented AFTER INSERT OR UPDATE OF text OR DELETE ON todo.comments FOR EACH ROW EXECUTE FUNCTION todo.keep_comment_words();
CREATE TRIGGER usage_kept AFTER INSERT ON todo.messages FOR EACH ROW WHEN (NEW.usage IS NOT NULL AND CURRENT_USER <> 'todo_auth') EXECUTE FUNCTION todo.keep_usage();
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
ALTER FUNCTION todo.unlink(bigint[], bigint[]) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.unlink(bigint[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.unlink(bigint[], bigint[]) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.words_of(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.words_of(text) FROM PUBLIC;
ALTER FUNCTION todo.keep_new_words() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.keep_new_words() FROM PUBLIC;
ALTER FUNCTION todo.keep_words() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.keep_words() FROM PUBLIC;
ALTER FUNCTION todo.keep_comment_words() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.keep_comment_words() FROM PUBLIC;
ALTER FUNCTION todo.mistyped(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.mistyped(text) FROM PUBLIC;
ALTER FUNCTION todo.meant(uuid, text[], boolean) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.meant(uuid, text[], boolean) FROM PUBLIC;
ALTER FUNCTION todo.find(text, int, text, boolean) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.find(text, int, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.find(text, int, text, boolean) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.uncomment(bigint, uuid) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.uncomment(bigint, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.uncomment(bigint, uuid) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.forget_events(uuid) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.forget_events(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.forget_events(uuid) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.forget_view(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.forget_view(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.forget_view(text) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.choose_view(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.choose_view(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.choose_view(text) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.said_words(uuid, uuid, text, text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.said_words(uuid, uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.said_words(uuid, uuid, text, text) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.find_said(text, int, bigint, text[], timestamp with time zone, timestamp with time zone, boolean) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.find_said(text, int, bigint, text[], timestamp with time zone, timestamp with time zone, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.find_said(text, int, bigint, text[], timestamp with time zone, timestamp with time zone, boolean) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.today_of(uuid) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.today_of(uuid) FROM PUBLIC;
ALTER FUNCTION todo.keep_usage() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.keep_usage() FROM PUBLIC;
ALTER FUNCTION todo.budget() OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.budget() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.budget() TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.take_in(uuid, text, text, timestamp with time zone, bigint, jsonb) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.take_in(uuid, text, text, timestamp with time zone, bigint, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.take_in(uuid, text, text, timestamp with time zone, bigint, jsonb) TO todo_server, todo_worker, todo_person;
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
ALTER FUNCTION todo.set_budget(text, bigint) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.set_budget(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.set_budget(text, bigint) TO todo_server, todo_worker, todo_person;
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
CREATE POLICY may_select ON todo.links FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')));
CREATE POLICY may_insert ON todo.links FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('tasks:write')));
CREATE POLICY may_select ON todo.comments FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')));
CREATE POLICY may_insert ON todo.comments FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_update ON todo.comments FOR UPDATE TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me())) WITH CHECK (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.views FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.views FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_update ON todo.views FOR UPDATE TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me())) WITH CHECK (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.plans FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.plans FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_update ON todo.plans FOR UPDATE TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me())) WITH CHECK (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.conversations FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.turns FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.messages FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.events FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.conversations FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.turns FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.messages FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.events FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_update ON todo.conversations FOR UPDATE TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me())) WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_update ON todo.turns FOR UPDATE TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me())) WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.usage FOR SELECT TO todo_server, todo_worker, todo_person USING (user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.changes FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')));
CREATE POLICY may_insert ON todo.changes FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('write')) AND user_id = (SELECT todo.me()));
GRANT SELECT ON todo.schema TO todo_server, todo_worker, todo_person;
GRANT SELECT, UPDATE (next_number, seq, next_conversation) ON todo.spaces TO todo_server, todo_worker, todo_person;
GRANT SELECT ON todo.members TO todo_server, todo_worker, todo_person;
GRANT SELECT (user_id, id, name, scopes, kind, created_at, last_used_at, expires_at, revoked_at), INSERT (user_id, id, name, hash, scopes, expires_at), UPDATE (revoked_at) ON todo.tokens TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT, UPDATE (timezone, model, tokens_per_day) ON todo.preferences TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT, UPDATE (title, note, status, priority, project, due_on, due_at, updated_at, completed_at, deleted_at, rev, parent, defer_on, defer_at, scheduled_on, scheduled_at, started_at, tracked, series, occurrence, repeat, claimed_by, claim_token, claimed_until) ON todo.tasks TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT ON todo.task_tags TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT ON todo.links TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, number, id, text), UPDATE (text, edited_at) ON todo.comments TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, name, filter, sort), UPDATE (filter, sort) ON todo.views TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, id, verb, arguments, targets, differences, expires_at), UPDATE (state, decided_at) ON todo.plans TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, id, number, title, model, head, head_of), UPDATE (title, model, seq, head, head_of, turn_id, updated_at, deleted_at) ON todo.conversations TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, id, conversation_id, runner, lease_until, asked), UPDATE (state, attempt, runner, lease_until, last, stop, held, approved, events, usage, error, ended_at) ON todo.turns TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, conversation_id, seq, parent, parent_of, turn_id, attempt, role, status, content, calls, call_seq, call_index, reaches, tokens, model, usage) ON todo.messages TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, turn_id, n, attempt, after, batch) ON todo.events TO todo_server, todo_worker, todo_person;
GRANT SELECT ON todo.usage TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, seq, key, request_hash, verb, request, before, after, answer, undoes, redo, group_id, turn_id) ON todo.changes TO todo_server, todo_worker, todo_person;
INSERT INTO todo.schema VALUES (1, 1);
