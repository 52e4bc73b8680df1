-- Positions: the order of tasks by hand.

ALTER TABLE todo.tasks
  ADD COLUMN position NUMERIC CONSTRAINT tasks_position_size
    CHECK (abs(position) < 1e18 AND scale(position) <= 100);

ALTER TABLE todo.tasks ALTER COLUMN position SET STATISTICS 0;

COMMENT ON COLUMN todo.tasks.position
  IS 'its place among the numbers of tasks, in an order by hand; null: at its own number';

CREATE INDEX tasks_position ON todo.tasks (space_id, status, position, number)
  WHERE position IS NOT NULL;

GRANT UPDATE (position) ON todo.tasks TO todo_server, todo_worker, todo_person, todo_limited;

UPDATE todo.schema SET version = 30;
