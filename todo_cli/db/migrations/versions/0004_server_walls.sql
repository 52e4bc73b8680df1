-- Count a request that was refused, in a transaction of its own: the refusal undid the count of
-- enter(), or came before it. Raise if the limit is reached.
CREATE FUNCTION todo.count_refused_request(p_user uuid) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM todo.count_request(p_user, (SELECT per_minute FROM todo.users WHERE id = p_user));
END $$;

-- Leases end: those of turns after 300 seconds, those of claimed tasks after 7 days, whoever writes
-- them. Otherwise a member with psql could keep a turn or a task from everybody else for ever.

-- Shorten a lease of a turn to the longest one.
CREATE FUNCTION todo.bound_turn_lease() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.lease_until := clock_timestamp() + interval '300 seconds';
  RETURN NEW;
END $$;

-- Shorten a lease of a claimed task to the longest one.
CREATE FUNCTION todo.bound_claim_lease() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.claimed_until := clock_timestamp() + interval '7 days';
  RETURN NEW;
END $$;

CREATE TRIGGER turn_lease_bounded BEFORE INSERT OR UPDATE OF lease_until ON todo.turns
  FOR EACH ROW WHEN (NEW.lease_until > clock_timestamp() + interval '300 seconds')
  EXECUTE FUNCTION todo.bound_turn_lease();

CREATE TRIGGER claim_lease_bounded BEFORE INSERT OR UPDATE OF claimed_until ON todo.tasks
  FOR EACH ROW WHEN (NEW.claimed_until > clock_timestamp() + interval '7 days')
  EXECUTE FUNCTION todo.bound_claim_lease();

GRANT CREATE ON SCHEMA todo TO todo_auth;

ALTER FUNCTION todo.count_refused_request(uuid) OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.count_refused_request(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION todo.count_refused_request(uuid) TO todo_server;

ALTER FUNCTION todo.bound_turn_lease() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.bound_turn_lease() FROM PUBLIC;

ALTER FUNCTION todo.bound_claim_lease() OWNER TO todo_auth;

REVOKE ALL ON FUNCTION todo.bound_claim_lease() FROM PUBLIC;

REVOKE CREATE ON SCHEMA todo FROM todo_auth;

UPDATE todo.schema SET version = 4;
