-- Judge the commonest limits of tokens without a call for each row.

SET LOCAL check_function_bodies = off;

-- Whether every snapshot of the journal's JSON matches a compiled filter.
CREATE OR REPLACE FUNCTION todo.matches_snapshots(p_reach jsonb, p_rows jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  task jsonb;
BEGIN
  IF jsonb_typeof(p_rows) IS DISTINCT FROM 'array' THEN
    RETURN false;
  END IF;
  IF p_reach = '["and", []]' THEN
    RETURN true;
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

ALTER POLICY limited_may_select ON todo.tasks
  USING (space_id = (SELECT todo.limited_space('read')) AND (CASE
    WHEN (SELECT todo.current_reach() = '["and", []]') THEN true
    WHEN (SELECT todo.current_reach() ->> 0 = 'project')
      THEN project = (SELECT todo.current_reach() ->> 1)
    ELSE todo.matches_reach((SELECT todo.current_reach()), number, project, priority, parent, NULL, space_id)
  END OR rev > (SELECT s.seq FROM todo.spaces s WHERE s.id = (SELECT todo.limited_space('read')))));

ALTER POLICY limited_may_update ON todo.tasks
  USING (space_id = (SELECT todo.limited_space('tasks:write')) AND CASE
    WHEN (SELECT todo.current_reach() = '["and", []]') THEN true
    WHEN (SELECT todo.current_reach() ->> 0 = 'project')
      THEN project = (SELECT todo.current_reach() ->> 1)
    ELSE todo.matches_reach((SELECT todo.current_reach()), number, project, priority, parent, NULL, space_id)
  END);

UPDATE todo.schema SET version = 25;
