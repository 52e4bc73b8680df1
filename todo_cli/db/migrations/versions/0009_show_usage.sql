-- A preference: whether the tokens and the cost are printed below an answer.

ALTER TABLE todo.preferences ADD COLUMN show_usage boolean;

ALTER TABLE todo.preferences ALTER COLUMN show_usage SET STATISTICS 0;

COMMENT ON COLUMN todo.preferences.show_usage IS 'print tokens and cost below answers; null: yes';

GRANT UPDATE (show_usage) ON todo.preferences TO todo_server, todo_worker, todo_person;

UPDATE todo.schema SET version = 9;
