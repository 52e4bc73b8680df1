CREATE OR REPLACE FUNCTION todo.message_words(p_space uuid, p_user uuid, p_role text, p_content text)
RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT
SECURITY DEFINER COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  content text := p_content;
  mark constant text := left(encode(sha256(uuid_send(p_space) || uuid_send(p_user)), 'base64'), 6);
BEGIN
  IF p_role = 'tool' THEN
    IF p_content NOT LIKE '{"task":%' AND p_content NOT LIKE '{"ok":true%'
       AND p_content NOT LIKE '{"done":true%' THEN
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
