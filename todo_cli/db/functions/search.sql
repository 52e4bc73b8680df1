-- Full-text search over tasks. Triggers keep todo.words; only the functions here read it.

-- name: search_words
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

-- name: index_new_tasks
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

-- name: index_changed_task
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

-- name: index_comment
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

-- name: typo_pattern
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

-- name: match_words
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

-- name: search_tasks
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
