-- Files attached to tasks. Clients read the rows and write them through these functions alone: what
-- was verified never changes, and only a server names objects of its store.

-- name: start_upload
-- Store the intent to upload a file, or find it again: a repeated call continues the same upload.
CREATE FUNCTION todo.start_upload(
  p_number bigint, p_id uuid, p_name text, p_type text, p_size bigint, p_sha256 bytea, p_place text
) RETURNS SETOF todo.attachments LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  space uuid := todo.writable_space(ARRAY[p_number]);
  me uuid := todo.current_user_id();
  task_status text;
  upload todo.attachments;
BEGIN
  IF space IS NULL AND todo.limited_space('tasks:write') IS NOT NULL THEN
    RAISE EXCEPTION 'task #% does not exist; nothing was uploaded', p_number
      USING ERRCODE = 'TD404', HINT = 'list tasks with: todo list';
  END IF;
  IF space IS NULL
     OR (p_place = 'store' AND NOT pg_has_role(session_user, 'todo_server', 'MEMBER')) THEN
    RAISE EXCEPTION 'you may not upload files to this space' USING ERRCODE = 'TD403';
  END IF;
  SELECT t.status INTO task_status
    FROM todo.tasks t WHERE t.space_id = space AND t.number = p_number;
  IF task_status IS NULL THEN
    RAISE EXCEPTION 'task #% does not exist; nothing was uploaded', p_number
      USING ERRCODE = 'TD404', HINT = 'list tasks with: todo list';
  END IF;
  IF task_status = 'deleted' THEN
    RAISE EXCEPTION 'task #% is in the trash; nothing was uploaded', p_number
      USING ERRCODE = 'TD409', HINT = 'restore it first: todo restore ' || p_number;
  END IF;
  SELECT * INTO upload FROM todo.attachments a WHERE a.space_id = space AND a.id = p_id FOR UPDATE;
  IF upload.id IS NULL THEN
    IF (SELECT count(*) FROM todo.attachments a
         WHERE a.space_id = space AND a.user_id = me AND a.verified_at IS NULL
           AND a.expires_at > clock_timestamp()) >= 20 THEN
      RAISE EXCEPTION 'you have 20 unfinished uploads; nothing was uploaded'
        USING ERRCODE = 'TD409', HINT = 'finish them, or wait: each is removed after 24 hours';
    END IF;
    IF p_size + (SELECT coalesce(sum(a.size), 0) FROM todo.attachments a WHERE a.space_id = space)
       > 10737418240 THEN
      RAISE EXCEPTION 'the attachments of this space would be larger than 10 GB together'
        USING ERRCODE = 'TD422', HINT = 'remove some; their room is free after some weeks';
    END IF;
    INSERT INTO todo.attachments (
      space_id, id, number, user_id, name, type, size, sha256, place, incoming, expires_at)
    VALUES (
      space, p_id, p_number, me, p_name, p_type, p_size, p_sha256, p_place,
      CASE WHEN p_place = 'store' THEN gen_random_uuid() END,
      clock_timestamp() + interval '24 hours')
    RETURNING * INTO upload;
  ELSIF (upload.number, upload.user_id, upload.name, upload.size, upload.sha256)
        IS DISTINCT FROM (p_number, me, p_name, p_size, p_sha256) THEN
    RAISE EXCEPTION 'another attachment with this id already exists' USING ERRCODE = 'TD409';
  ELSIF upload.removing_at IS NOT NULL THEN
    RAISE EXCEPTION 'an earlier upload of this file is being removed'
      USING ERRCODE = 'TD409', HINT = 'try again in a minute';
  ELSE
    UPDATE todo.attachments a
       SET expires_at = clock_timestamp() + interval '24 hours',
           -- a file that a sweep is about to remove is wanted again
           unused_since = CASE WHEN a.unused_since IS NOT NULL THEN clock_timestamp() END
     WHERE a.space_id = space AND a.id = p_id
    RETURNING * INTO upload;
  END IF;
  RETURN NEXT upload;
END $$;

-- name: lock_upload
-- The caller's own upload, locked until the transaction ends; no row where there is none.
CREATE FUNCTION todo.lock_upload(p_number bigint, p_id uuid) RETURNS SETOF todo.attachments
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM todo.attachments
   WHERE space_id = (SELECT todo.writable_space(ARRAY[p_number]))
     AND id = p_id
     AND number = p_number
     AND user_id = (SELECT todo.current_user_id())
     AND removing_at IS NULL
     FOR UPDATE
$$;

-- name: store_chunk
-- Store a part of an unfinished upload. All parts but the last have 1 MiB.
CREATE FUNCTION todo.store_chunk(p_number bigint, p_id uuid, p_position int, p_data bytea)
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  chunk_bytes CONSTANT bigint := 1048576;
  upload todo.attachments;
BEGIN
  SELECT * INTO upload FROM todo.lock_upload(p_number, p_id);
  IF upload.id IS NULL THEN
    RAISE EXCEPTION 'there is no such upload of yours' USING ERRCODE = 'TD404',
      HINT = 'begin again: todo attachment add';
  END IF;
  IF upload.place <> 'database' OR upload.verified_at IS NOT NULL THEN
    RAISE EXCEPTION 'the file is stored already, or goes elsewhere' USING ERRCODE = 'TD409',
      HINT = 'begin again: todo attachment add';
  END IF;
  IF p_position < 0 OR octet_length(p_data) = 0
     OR octet_length(p_data) <> least(chunk_bytes, upload.size - p_position * chunk_bytes) THEN
    RAISE EXCEPTION 'chunk % has % bytes, which is not its size', p_position, octet_length(p_data)
      USING ERRCODE = 'TD422', HINT = 'all chunks but the last have 1,048,576 bytes';
  END IF;
  INSERT INTO todo.attachment_chunks AS c (space_id, attachment_id, position, data)
  VALUES (upload.space_id, p_id, p_position, p_data)
  ON CONFLICT (space_id, attachment_id, position) DO UPDATE SET data = EXCLUDED.data;
END $$;

-- name: verify_upload
-- Store that the bytes of an upload were read back and are the right ones. The first call decides.
CREATE FUNCTION todo.verify_upload(p_number bigint, p_id uuid, p_object uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_object IS NOT NULL AND NOT pg_has_role(session_user, 'todo_server', 'MEMBER') THEN
    RAISE EXCEPTION 'only a server can verify an object of its store' USING ERRCODE = 'TD403';
  END IF;
  UPDATE todo.attachments a
     SET verified_at = clock_timestamp(), unused_since = clock_timestamp(), object = p_object
    FROM todo.lock_upload(p_number, p_id) upload
   WHERE a.space_id = upload.space_id
     AND a.id = upload.id
     AND a.verified_at IS NULL
     AND (a.place = 'store') = (p_object IS NOT NULL);
END $$;

-- name: reset_upload
-- Delete the chunks of an unfinished upload, whose bytes are not the right ones.
CREATE FUNCTION todo.reset_upload(p_number bigint, p_id uuid) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.attachment_chunks c
   USING todo.lock_upload(p_number, p_id) AS upload
   WHERE c.space_id = upload.space_id
     AND c.attachment_id = upload.id
     AND upload.verified_at IS NULL
$$;

-- name: note_unused_files
-- Trigger: note which files a task no longer lists, and which it lists again, whoever changes it.
CREATE FUNCTION todo.note_unused_files() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before uuid[] := ARRAY(
    SELECT (file ->> 'id')::uuid FROM jsonb_array_elements(OLD.attachments) AS file);
  after uuid[] := '{}';
BEGIN
  IF TG_OP = 'UPDATE' THEN
    after := ARRAY(SELECT (file ->> 'id')::uuid FROM jsonb_array_elements(NEW.attachments) AS file);
  END IF;
  UPDATE todo.attachments a
     SET unused_since = CASE WHEN a.id = ANY (after) THEN NULL ELSE clock_timestamp() END
   WHERE a.space_id = OLD.space_id
     AND a.number = OLD.number
     AND a.id = ANY (before || after)
     AND (a.id = ANY (before)) <> (a.id = ANY (after));
  RETURN NULL;
END $$;

-- name: sweep_attachments
-- Choose files to remove: unfinished uploads that have expired, and files that no task has listed
-- for so long. Files whose uploaded object may be left follow, without `removing_at`: the URL
-- that could write it has expired. A file is chosen again until `finish_sweep` is called for it.
CREATE FUNCTION todo.sweep_attachments(p_retention interval, p_has_store boolean, p_limit int)
RETURNS SETOF todo.attachments LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH unsettled AS (
    SELECT a.space_id, a.id,
           (a.verified_at IS NULL AND a.expires_at < clock_timestamp() - interval '1 hour'
            OR a.unused_since < clock_timestamp() - p_retention
            OR a.removing_at IS NOT NULL) AS is_unwanted,
           a.incoming IS NOT NULL AND a.expires_at < clock_timestamp() - interval '1 hour'
             AS has_upload
      FROM todo.attachments a
     WHERE (a.verified_at IS NULL OR a.unused_since IS NOT NULL OR a.incoming IS NOT NULL
            OR a.removing_at IS NOT NULL)
       AND (a.place = 'database' OR p_has_store)),
  chosen AS (
    SELECT a.space_id, a.id, u.is_unwanted
      FROM unsettled u
      JOIN todo.attachments a ON a.space_id = u.space_id AND a.id = u.id
     WHERE u.is_unwanted OR u.has_upload
     LIMIT p_limit
       FOR UPDATE OF a SKIP LOCKED)
  UPDATE todo.attachments a
     SET removing_at = CASE
           -- again, since the row may have changed before it was locked
           WHEN a.removing_at IS NOT NULL THEN a.removing_at
           WHEN a.verified_at IS NULL AND a.expires_at < clock_timestamp() - interval '1 hour'
             OR a.unused_since < clock_timestamp() - p_retention THEN clock_timestamp()
         END
    FROM chosen
   WHERE a.space_id = chosen.space_id AND a.id = chosen.id
  RETURNING a.*
$$;

-- name: finish_sweep
-- Forget swept files whose objects are gone; of files that stay, forget the uploaded object.
CREATE FUNCTION todo.finish_sweep(p_spaces uuid[], p_ids uuid[]) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.attachments a
   USING unnest(p_spaces, p_ids) AS swept(space_id, id)
   WHERE a.space_id = swept.space_id AND a.id = swept.id AND a.removing_at IS NOT NULL;
  UPDATE todo.attachments a
     SET incoming = NULL
    FROM unnest(p_spaces, p_ids) AS swept(space_id, id)
   WHERE a.space_id = swept.space_id AND a.id = swept.id AND a.removing_at IS NULL
     AND a.expires_at < clock_timestamp() - interval '1 hour'
$$;
