-- Titles of conversations. The end of a first turn queues a job; the process that has run the turn
-- asks for a title at once, and a worker with a model does so where that process has not. Whatever
-- sets a title, also a user, deletes the job.

-- name: schedule_title
-- Queue the title of the conversation whose first turn has ended in this transaction. The delay is
-- longer than the process of the turn tries itself.
CREATE FUNCTION todo.schedule_title(p_turn uuid) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO todo.jobs (space_id, kind, user_id, ref, due)
  SELECT t.space_id, 'title', t.user_id, t.conversation_id || ' ' || t.id,
         clock_timestamp() + interval '20 s'
    FROM todo.turns t
    JOIN todo.messages m ON m.space_id = t.space_id AND m.user_id = t.user_id
     AND m.conversation_id = t.conversation_id AND m.seq = t.asked
   WHERE t.space_id = (SELECT todo.current_space('chat'))
     AND t.user_id = (SELECT todo.current_user_id())
     AND t.id = p_turn AND t.state = 'done' AND m.parent IS NULL AND m.parent_of IS NULL
  ON CONFLICT DO NOTHING;
  IF FOUND THEN
    PERFORM pg_notify('todo_jobs', '');
  END IF;
END $$;

-- name: delete_title_job
-- Trigger: a conversation that gets a title needs no other.
CREATE FUNCTION todo.delete_title_job() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM todo.jobs
   WHERE space_id = NEW.space_id AND user_id = NEW.user_id AND kind = 'title'
     AND split_part(ref, ' ', 1) = NEW.id::text;
  RETURN NULL;
END $$;

-- name: open_title
-- Return the message and the answer of the first turn for a job; null for a worker that was
-- overtaken, and where no title is wanted any more: the conversation is gone, the budget is spent,
-- or the token that asked, its scope, the membership or the user has ended.
CREATE FUNCTION todo.open_title(p_space uuid, p_id uuid, p_attempt int) RETURNS json
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  job todo.jobs;
BEGIN
  SELECT * INTO job FROM todo.jobs
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt;
  IF EXISTS (SELECT FROM todo.user_token_budget(job.user_id) b WHERE b.spent >= b.allowed) THEN
    RETURN NULL;
  END IF;
  RETURN (
    SELECT json_build_object(
        'title', c.title, 'model', c.model, 'question', q.content, 'answer', a.content)
      FROM todo.turns t
      JOIN todo.conversations c ON c.space_id = t.space_id AND c.user_id = t.user_id
       AND c.id = t.conversation_id AND c.deleted_at IS NULL
      JOIN todo.messages q ON q.space_id = t.space_id AND q.user_id = t.user_id
       AND q.conversation_id = c.id AND q.seq = t.asked
      JOIN todo.messages a ON a.space_id = t.space_id AND a.user_id = t.user_id
       AND a.conversation_id = c.id AND a.seq = t.last
      JOIN todo.tokens k ON k.user_id = t.user_id AND k.id = t.token_id
       AND k.revoked_at IS NULL AND k.scopes && '{chat,all}'
       AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
      JOIN todo.users u ON u.id = t.user_id AND u.disabled_at IS NULL
      JOIN todo.members m ON m.space_id = t.space_id AND m.user_id = t.user_id
       AND m.role IN ('editor', 'owner')
     WHERE t.space_id = job.space_id AND t.user_id = job.user_id
       AND t.id = split_part(job.ref, ' ', 2)::uuid);
END $$;

-- name: store_title
-- Store the title that a model has given and the usage of that call; the job is done. Without
-- effect for a worker that was overtaken. The title replaces the first words of the conversation
-- alone. The conversation is locked before its job, as by whatever else sets a title.
CREATE FUNCTION todo.store_title(
  p_space uuid, p_id uuid, p_attempt int, p_first_words text, p_title text, p_model text,
  p_usage jsonb
) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  job todo.jobs;
  conversation_id uuid;
  stored todo.conversations;
BEGIN
  SELECT * INTO job FROM todo.jobs
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt;
  conversation_id := split_part(job.ref, ' ', 1);
  PERFORM FROM todo.conversations c
   WHERE c.space_id = job.space_id AND c.user_id = job.user_id AND c.id = conversation_id
     FOR NO KEY UPDATE;
  PERFORM FROM todo.jobs
   WHERE space_id = p_space AND id = p_id AND attempt = p_attempt FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  UPDATE todo.conversations c
     SET seq = c.seq + 1,
         title = CASE WHEN c.title = p_first_words THEN coalesce(p_title, c.title)
                      ELSE c.title END
   WHERE c.space_id = job.space_id AND c.user_id = job.user_id AND c.id = conversation_id
  RETURNING * INTO stored;
  INSERT INTO todo.messages (
      space_id, user_id, conversation_id, seq, turn_id, attempt, role, content, tokens, model,
      usage)
  VALUES (job.space_id, job.user_id, stored.id, stored.seq, split_part(job.ref, ' ', 2)::uuid, 1,
    'summary', coalesce(p_title, stored.title), 8, p_model, p_usage);
  IF p_usage IS NOT NULL THEN
    PERFORM todo.add_usage(job.user_id, job.space_id, stored.id, p_model, p_usage);
  END IF;
END $$;
