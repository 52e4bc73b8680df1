-- Leases end: those of turns after 300 seconds, those of claimed tasks after 7 days, whoever writes
-- them. Otherwise a member with psql could keep a turn or a task from everybody else for ever.

-- name: bound_turn_lease
-- Shorten a lease of a turn to the longest one.
CREATE FUNCTION todo.bound_turn_lease() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.lease_until := clock_timestamp() + interval '300 seconds';
  RETURN NEW;
END $$;

-- name: bound_claim_lease
-- Shorten a lease of a claimed task to the longest one.
CREATE FUNCTION todo.bound_claim_lease() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.claimed_until := clock_timestamp() + interval '7 days';
  RETURN NEW;
END $$;
