-- A list counts the deferred tasks that it hides: the work grows with their number alone.

CREATE INDEX tasks_defer_on ON todo.tasks (space_id, defer_on)
 WHERE status = 'open' AND defer_on IS NOT NULL;

CREATE INDEX tasks_defer_at ON todo.tasks (space_id, defer_at)
 WHERE status = 'open' AND defer_at IS NOT NULL;

UPDATE todo.schema SET version = 6;
