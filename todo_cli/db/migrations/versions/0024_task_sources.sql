-- The sources of imported tasks, and the authors and times of imported comments.

ALTER TABLE todo.comments ADD COLUMN imported jsonb;

ALTER TABLE todo.comments ALTER COLUMN imported SET STATISTICS 0;

COMMENT ON COLUMN todo.comments.imported
  IS 'the author (by) and the time (at) in the file that it was imported from';

GRANT INSERT (imported) ON todo.comments TO todo_server, todo_worker, todo_person, todo_limited;

CREATE TABLE todo.task_sources (
  space_id UUID NOT NULL,
  format TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  source_id TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  kept_format TEXT COLLATE "C" NOT NULL,
  kept_id TEXT COLLATE "C" NOT NULL,
  kept JSONB NOT NULL,
  series TEXT COLLATE "C",
  left_out JSONB,
  pending JSONB,
  has_created_at BOOLEAN DEFAULT true NOT NULL,
  PRIMARY KEY (space_id, format, name, source_id),
  FOREIGN KEY(space_id, number) REFERENCES todo.tasks (space_id, number) ON DELETE CASCADE,
  CONSTRAINT task_sources_task UNIQUE (space_id, number),
  FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
);

CREATE INDEX task_sources_pending ON todo.task_sources (space_id, format, name, number) WHERE pending IS NOT NULL;

ALTER TABLE todo.task_sources
  ALTER COLUMN space_id SET STATISTICS 0,
  ALTER COLUMN format SET STATISTICS 0,
  ALTER COLUMN name SET STATISTICS 0,
  ALTER COLUMN source_id SET STATISTICS 0,
  ALTER COLUMN number SET STATISTICS 0,
  ALTER COLUMN seq SET STATISTICS 0,
  ALTER COLUMN digest SET STATISTICS 0,
  ALTER COLUMN kept_format SET STATISTICS 0,
  ALTER COLUMN kept_id SET STATISTICS 0,
  ALTER COLUMN kept SET STATISTICS 0,
  ALTER COLUMN series SET STATISTICS 0,
  ALTER COLUMN left_out SET STATISTICS 0,
  ALTER COLUMN pending SET STATISTICS 0,
  ALTER COLUMN has_created_at SET STATISTICS 0;

COMMENT ON COLUMN todo.task_sources.name
  IS 'the file''s name, or the one that the user gave';

COMMENT ON COLUMN todo.task_sources.source_id
  IS 'the task''s id in the file';

COMMENT ON COLUMN todo.task_sources.seq
  IS 'the change that imported the task';

COMMENT ON COLUMN todo.task_sources.digest
  IS 'of the record, to notice that it has changed in the file';

COMMENT ON COLUMN todo.task_sources.kept_format
  IS 'the format that kept and kept_id belong to';

COMMENT ON COLUMN todo.task_sources.kept_id
  IS 'the task''s id in that format';

COMMENT ON COLUMN todo.task_sources.kept
  IS 'values that no column of a task can take';

COMMENT ON COLUMN todo.task_sources.series
  IS 'the id of the series in the file';

COMMENT ON COLUMN todo.task_sources.left_out
  IS 'parent and after that lead to no task or close a circle';

COMMENT ON COLUMN todo.task_sources.pending
  IS 'parent and after that come later in the file; null once they are set';

COMMENT ON COLUMN todo.task_sources.has_created_at
  IS 'false: the file does not say when the task was created';

ALTER TABLE todo.task_sources ENABLE ROW LEVEL SECURITY;

CREATE POLICY auth ON todo.task_sources TO todo_auth USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON todo.task_sources TO todo_auth;

CREATE POLICY may_select ON todo.task_sources FOR SELECT TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('read')));

CREATE POLICY may_insert ON todo.task_sources FOR INSERT TO todo_server, todo_worker, todo_person
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')));

CREATE POLICY may_update ON todo.task_sources FOR UPDATE TO todo_server, todo_worker, todo_person
  USING (space_id = (SELECT todo.current_space('tasks:write')))
  WITH CHECK (space_id = (SELECT todo.current_space('tasks:write')));

GRANT SELECT, INSERT, UPDATE (
    seq, digest, kept_format, kept_id, kept, series, left_out, pending, has_created_at)
  ON todo.task_sources TO todo_server, todo_worker, todo_person, todo_limited;

UPDATE todo.schema SET version = 24;
