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
END $$;

-- Keeping todo.words: what tasks are added, whose title or note changes, and every comment.
CREATE FUNCTION todo.keep_new_words() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO todo.words (space_id, word, number, place)
    SELECT f.space_id, w, f.number, 0 FROM fresh f CROSS JOIN LATERAL todo.words_of(f.title) AS w
    UNION ALL SELECT f.space_id, w, f.number, 1 FROM fresh f CROSS JOIN LATERAL todo.words_of(f.note) AS w
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

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
END $$;

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
END $$;

-- Every way to have mistyped one letter of a word (one wrong, one missing, one too many, two swapped), as a pattern.
CREATE FUNCTION todo.mistyped(p_word text) RETURNS text LANGUAGE sql IMMUTABLE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT '^(?:' || string_agg(concat_ws('|',
      left(p_word, i - 1) || '.' || substr(p_word, i + 1), left(p_word, i - 1) || substr(p_word, i + 1),
      left(p_word, i - 1) || '.' || substr(p_word, i),
      left(p_word, i - 1) || substr(p_word, i + 1, 1) || substr(p_word, i, 1) || substr(p_word, i + 2)), '|') || ')$'
    FROM generate_series(1, length(p_word)) AS i
$$;

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
END $$;

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
END $$;

-- Take away a comment: whose it is, and nobody else.
CREATE FUNCTION todo.uncomment(p_number bigint, p_id uuid) RETURNS SETOF todo.comments LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.comments WHERE space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me())
     AND number = p_number AND id = p_id RETURNING *
$$;
