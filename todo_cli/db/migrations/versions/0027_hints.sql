-- A preference: whether hints at other commands are printed.

ALTER TABLE todo.preferences ADD COLUMN hints boolean;

ALTER TABLE todo.preferences ALTER COLUMN hints SET STATISTICS 0;

COMMENT ON COLUMN todo.preferences.hints IS 'print hints at other commands; null: yes';

GRANT UPDATE (hints) ON todo.preferences TO todo_server, todo_worker, todo_person, todo_limited;

UPDATE todo.schema SET version = 27;
