-- name: delete_turn_events
-- Delete the events of the caller's turn once it has ended; its messages say the same.
CREATE FUNCTION todo.delete_turn_events(p_turn uuid) RETURNS void LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.events e
   USING todo.turns t
   WHERE e.space_id = (SELECT todo.current_space('chat'))
     AND e.user_id = (SELECT todo.current_user_id())
     AND e.turn_id = p_turn
     AND t.space_id = e.space_id AND t.user_id = e.user_id AND t.id = e.turn_id
     AND t.state IN ('done', 'stopped', 'failed')
$$;

-- name: import_messages
-- Store messages of an exported conversation after its first p_first messages; those that are
-- stored already stay as they are. A function, since clients may not set the time of a message. All
-- imported turns have ended.
CREATE FUNCTION todo.import_messages(
  p_id uuid, p_title text, p_model text, p_at timestamptz, p_first bigint, p_rows jsonb
) RETURNS TABLE (number bigint, stored bigint, deleted boolean) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  space uuid := todo.current_space('chat');
  caller uuid := todo.current_user_id();
  last_seq bigint := p_first + jsonb_array_length(p_rows);
  new_number bigint;
  conversation record;
BEGIN
  IF space IS NULL OR caller IS NULL THEN
    RAISE EXCEPTION 'the token lacks the scope chat' USING ERRCODE = 'TD403';
  END IF;
  SELECT c.number, c.seq, c.deleted_at,
         coalesce((SELECT m.attempt FROM todo.messages m
                    WHERE m.space_id = c.space_id AND m.user_id = c.user_id
                      AND m.conversation_id = c.id AND m.seq = c.seq), 0) AS attempt
    INTO conversation
    FROM todo.conversations c
   WHERE c.space_id = space AND c.user_id = caller AND c.id = p_id
     FOR NO KEY UPDATE OF c;
  IF NOT FOUND THEN
    IF p_first > 0 THEN
      RAISE EXCEPTION 'an earlier part is missing'
        USING ERRCODE = 'TD409', HINT = 'begin with the first';
    END IF;
    INSERT INTO todo.conversations (space_id, user_id, id, title, model, created_at)
    VALUES (space, caller, p_id, p_title, p_model, p_at)
    RETURNING number INTO new_number;
    SELECT new_number AS number, 0::bigint AS seq, NULL::timestamptz AS deleted_at, 0 AS attempt
      INTO conversation;
  END IF;
  IF conversation.seq < p_first THEN
    RAISE EXCEPTION 'an earlier part is missing'
      USING ERRCODE = 'TD409', HINT = 'begin with the first';
  END IF;
  IF conversation.seq < last_seq THEN
    IF conversation.attempt > 0 THEN
      RAISE EXCEPTION 'the conversation has gone on since' USING ERRCODE = 'TD409';
    END IF;
    INSERT INTO todo.messages (
        space_id, user_id, conversation_id, seq, parent, turn_id, attempt, role, status, content,
        calls, call_seq, call_index, tokens, model, usage, at)
    SELECT space, caller, p_id, message.seq, nullif(message.seq - 1, 0), (r ->> 'turn')::uuid, 0,
           r ->> 'role', r ->> 'status', r ->> 'content',
           r -> 'calls', (r ->> 'call_seq')::bigint, (r ->> 'call_index')::int,
           (r ->> 'tokens')::int, r ->> 'model', r -> 'usage', (r ->> 'at')::timestamptz
      FROM (
        SELECT r, p_first + ordinal AS seq
          FROM jsonb_array_elements(p_rows) WITH ORDINALITY AS element(r, ordinal)
      ) AS message
     WHERE message.seq > conversation.seq;
    INSERT INTO todo.turns AS t (
        space_id, user_id, id, conversation_id, state, runner, lease_until,
        asked, last, began_at, ended_at)
    SELECT space, caller, m.turn_id, p_id, 'done', p_id, max(m.at),
           min(m.seq), max(m.seq), min(m.at), max(m.at)
      FROM todo.messages m
     WHERE m.space_id = space AND m.user_id = caller AND m.conversation_id = p_id
       AND m.seq > conversation.seq AND m.seq <= last_seq
     GROUP BY m.turn_id
    ON CONFLICT (space_id, user_id, id) DO UPDATE
       SET last = excluded.last, ended_at = excluded.ended_at
     WHERE t.conversation_id = p_id;
    UPDATE todo.conversations c
       SET seq = m.seq, head = m.seq, turn_id = m.turn_id, updated_at = m.at
      FROM todo.messages m
     WHERE c.space_id = space AND c.user_id = caller AND c.id = p_id
       AND m.space_id = space AND m.user_id = caller
       AND m.conversation_id = p_id AND m.seq = last_seq;
  END IF;
  RETURN QUERY
  SELECT conversation.number,
         greatest(last_seq - conversation.seq, 0),
         conversation.deleted_at IS NOT NULL;
END $$;
