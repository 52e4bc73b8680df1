-- Limits of attempts that anybody may make: each is counted before the server hashes a password,
-- in a transaction of its own. A success is given back. A subject is a text such as
-- 'address 10.0.0.7', whether or not there is such an account: a limit tells nothing of accounts.

-- name: count_attempt
-- Count an attempt of a subject; raise beyond the limit of its window. The functions that call it
-- take the subjects of accounts before those of addresses, so that no two wait for each other.
CREATE FUNCTION todo.count_attempt(p_subject text, p_limit int, p_window interval) RETURNS void
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  attempt record;
BEGIN
  INSERT INTO todo.attempts AS a (subject, hits, ends_at)
  VALUES (sha256(convert_to(p_subject, 'UTF8')), 1, clock_timestamp() + p_window)
  ON CONFLICT (subject) DO UPDATE
     SET hits = CASE WHEN a.ends_at > clock_timestamp() THEN a.hits ELSE 0 END + 1,
         ends_at = CASE
           WHEN a.ends_at > clock_timestamp() THEN a.ends_at ELSE excluded.ends_at END
  RETURNING a.hits, a.ends_at INTO attempt;
  IF attempt.hits > p_limit THEN
    RAISE EXCEPTION 'too many attempts'
      USING ERRCODE = 'TD429',
            HINT = 'wait, then try again',
            DETAIL = json_build_object('retry_after', greatest(1, ceil(
              extract(epoch FROM attempt.ends_at - clock_timestamp()))::int))::text;
  END IF;
END $$;

-- name: return_attempt
-- Take back an attempt that succeeded.
CREATE FUNCTION todo.return_attempt(p_subject text) RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.attempts SET hits = hits - 1
   WHERE subject = sha256(convert_to(p_subject, 'UTF8')) AND hits > 0
$$;

-- name: delete_old_attempts
-- Delete more windows that have ended than one request opens: the table stays as small as the
-- attempts of one window.
CREATE FUNCTION todo.delete_old_attempts() RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.attempts
   WHERE subject IN (
     SELECT subject FROM todo.attempts WHERE ends_at < clock_timestamp()
      ORDER BY ends_at LIMIT 10 FOR UPDATE SKIP LOCKED)
$$;
