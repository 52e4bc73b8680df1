-- Full-text search over the caller's own messages. One index holds the words of all users, so each
-- word begins with a mark of its space and user: a search reads its own words alone.

-- name: message_words
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

-- name: search_messages
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
