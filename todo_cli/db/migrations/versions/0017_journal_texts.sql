-- Long texts of a change, once each: the rows before and after it refer to them by their SHA-256.

ALTER TABLE todo.changes ADD COLUMN texts jsonb
  CONSTRAINT changes_texts CHECK (jsonb_typeof(texts) = 'object');

ALTER TABLE todo.changes ALTER COLUMN texts SET STATISTICS 0;

COMMENT ON COLUMN todo.changes.texts IS
  'by SHA-256: long texts that the change sets or removes; before and after refer to them';

GRANT INSERT (texts) ON todo.changes TO todo_server, todo_worker, todo_person;

UPDATE todo.schema SET version = 17;
