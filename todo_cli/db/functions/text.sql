-- Text in every language, for search and for sorting. Whatever locale the database has, results are
-- in the order of "C". These functions read no table and run with the caller's rights: pg_restore
-- computes the sort keys before it restores the grants of a function's owner.

-- name: fold_text
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

-- name: sort_key
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
