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
-- The stored words of a space that match the terms, each with a weight: 1 for the term itself, 0.9
-- for a word with its English stem ("iron" for "ironing"), 0.85 for a word that begins with it. If
-- a term has none, or with p_wide, words with one typo and words that contain the term match too,
-- with less. Each stored word costs one descent of the index, however many tasks have it.
CREATE FUNCTION todo.match_words(p_space uuid, p_terms text[], p_wide boolean)
RETURNS TABLE (term text, word text, weight float8) LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  matched_terms text[];
  matched_words text[];
  match_weights float8[];
  unmatched text[];
BEGIN
  WITH RECURSIVE stems AS MATERIALIZED (
    SELECT t AS term, (ts_lexize('pg_catalog.english_stem', t))[1] AS stem
      FROM unnest(p_terms) AS t
     WHERE t ~ '^[a-z]{3,}$'
  ),
  -- a word begins with its stem, the stem's last letter aside: party, parti; possibility, possibl
  beginnings AS (
    SELECT t AS term, t AS beginning, CASE WHEN t ~ '^[a-z0-9]$' THEN 1 ELSE 40 END AS max_words
      FROM unnest(p_terms) AS t
    UNION ALL
    SELECT shortened.term, shortened.beginning, 200
      FROM (SELECT s.term, regexp_replace(s.stem, '(?<=..)[eil]$', '') AS beginning FROM stems s
           ) AS shortened
     WHERE NOT starts_with(shortened.beginning, shortened.term)
  ),
  candidates AS (
    SELECT b.term, b.beginning, b.max_words,
           (SELECT w.word FROM todo.words w
             WHERE w.space_id = p_space AND w.word >= b.beginning COLLATE "C"
               AND w.word < (b.beginning || chr(1114111)) COLLATE "C"
             ORDER BY w.word LIMIT 1) AS word,
           1 AS n
      FROM beginnings b
    UNION ALL
    SELECT c.term, c.beginning, c.max_words,
           (SELECT w.word FROM todo.words w
             WHERE w.space_id = p_space AND w.word > c.word
               AND w.word < (c.beginning || chr(1114111)) COLLATE "C"
             ORDER BY w.word LIMIT 1),
           c.n + 1
      FROM candidates c
     WHERE c.word IS NOT NULL AND c.n < c.max_words
  ),
  weighted AS (
    SELECT c.term, c.word,
           max(CASE
             WHEN c.word = c.term THEN 1
             WHEN (ts_lexize('pg_catalog.english_stem', c.word))[1] = s.stem THEN 0.9
             WHEN c.beginning = c.term AND c.term !~ '^[a-z0-9]$' THEN 0.85
           END) AS weight
      FROM candidates c LEFT JOIN stems s ON s.term = c.term
     WHERE c.word IS NOT NULL
     GROUP BY c.term, c.word
  )
  SELECT array_agg(m.term), array_agg(m.word), array_agg(m.weight)
    INTO matched_terms, matched_words, match_weights
    FROM weighted m
   WHERE m.weight IS NOT NULL;
  RETURN QUERY
  SELECT * FROM unnest(matched_terms, matched_words, match_weights) AS m(term, word, weight);

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
     AND (l.term, s.word) NOT IN (
           SELECT m.term, m.word FROM unnest(matched_terms, matched_words) AS m(term, word))
     AND (position(l.term IN s.word) > 0
          OR (abs(length(s.word) - length(l.term)) <= 1
              AND (length(l.term) > 4 OR length(s.word) > 4 OR l.is_unmatched)
              AND s.word ~ l.pattern))
   WHERE s.word IS NOT NULL
   LIMIT 200;
END $$;

-- name: find_tasks
-- Tasks of this transaction's space by the words of their titles, notes and comments, the best
-- first. A task must match all words, English stop words aside; with p_wide, as many as any task
-- matches. A match is weak if the task lacks a word, or has it with a typo or inside another word
-- only. Of a word that very many tasks have, the newest tasks count.
CREATE FUNCTION todo.find_tasks(p_text text, p_limit int, p_statuses text[], p_wide boolean)
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
    reach := nullif(todo.current_reach(), '["and", []]');
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
            SELECT CASE
                     WHEN reach ->> 0 = 'project' THEN t.project = reach ->> 1
                     ELSE todo.matches_reach(
                       reach, t.number, t.project, t.priority, t.parent, NULL, t.space_id)
                   END
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

-- name: search_tasks
-- The same for a filter, and for servers of older releases: numbers and scores.
CREATE FUNCTION todo.search_tasks(
  p_text text, p_limit int, p_status text DEFAULT 'all', p_wide boolean DEFAULT false
) RETURNS TABLE (number bigint, score real) LANGUAGE sql STABLE
SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
  SELECT f.number, f.score
    FROM todo.find_tasks(
           p_text, p_limit, CASE WHEN p_status <> 'all' THEN ARRAY[p_status] END, p_wide) AS f
   ORDER BY f.score DESC, f.number DESC
$$;
