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
END $$;

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
END $$;

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
END $$;

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
END $$;

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
END $$;

-- How many tokens a person may use in a day; null: as many as they like.
CREATE FUNCTION todo.set_budget(p_name text, p_tokens bigint) RETURNS SETOF todo.users
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT todo.is_admin() THEN RAISE EXCEPTION 'only an administrator may do this' USING ERRCODE = 'TD403'; END IF;
  RETURN QUERY UPDATE todo.users SET tokens_per_day = p_tokens WHERE name = p_name RETURNING *;
END $$;

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
END $$;
