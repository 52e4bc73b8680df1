-- The counters of a space change only here, with the rows that they number: clients can neither
-- set a counter nor take a number ahead of it, which would bar the next writer.

-- name: advance_task_number
-- Trigger: let the numbers of inserted tasks follow the space's counter, and advance it.
CREATE FUNCTION todo.advance_task_number() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  added record;
BEGIN
  FOR added IN
    SELECT space_id, min(number) AS first, max(number) AS last, count(*) AS total
      FROM inserted_tasks GROUP BY space_id
  LOOP
    UPDATE todo.spaces s SET next_number = s.next_number + added.total
     WHERE s.id = added.space_id AND s.next_number = added.first
       AND added.last - added.first + 1 = added.total;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the numbers of new tasks must follow the last one of the space'
        USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- name: advance_seq
-- Trigger: let the seqs of inserted changes follow the space's counter, and advance it.
CREATE FUNCTION todo.advance_seq() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  added record;
BEGIN
  FOR added IN
    SELECT space_id, min(seq) AS first, max(seq) AS last, count(*) AS total
      FROM inserted_changes GROUP BY space_id
  LOOP
    UPDATE todo.spaces s SET seq = added.last
     WHERE s.id = added.space_id AND s.seq = added.first - 1
       AND added.last - added.first + 1 = added.total;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the seqs of new changes must follow the last one of the space'
        USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- name: number_conversation
-- Trigger: give a new conversation the space's next number.
CREATE FUNCTION todo.number_conversation() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE todo.spaces SET next_conversation = next_conversation + 1
   WHERE id = NEW.space_id RETURNING next_conversation - 1 INTO NEW.number;
  RETURN NEW;
END $$;
