ALTER TABLE todo.tasks ADD COLUMN parent BIGINT,
	ADD COLUMN defer_on DATE, ADD COLUMN defer_at TIMESTAMP WITH TIME ZONE,
	ADD COLUMN scheduled_on DATE, ADD COLUMN scheduled_at TIMESTAMP WITH TIME ZONE,
	ADD COLUMN started_at TIMESTAMP WITH TIME ZONE, ADD COLUMN tracked BIGINT DEFAULT 0 NOT NULL,
	ADD COLUMN series UUID, ADD COLUMN occurrence INTEGER, ADD COLUMN repeat JSONB,
	ADD COLUMN claimed_by TEXT COLLATE "C", ADD COLUMN claim_token UUID, ADD COLUMN claimed_until TIMESTAMP WITH TIME ZONE,
	ADD CONSTRAINT tasks_defer CHECK (defer_on IS NULL OR defer_at IS NULL),
	ADD CONSTRAINT tasks_scheduled CHECK (scheduled_on IS NULL OR scheduled_at IS NULL),
	ADD CONSTRAINT tasks_parent FOREIGN KEY(space_id, parent) REFERENCES todo.tasks (space_id, number);
SET LOCAL check_function_bodies = off;
-- Take links off tasks, pair by pair: what a task no longer waits for. A function, as untag is.
CREATE FUNCTION todo.unlink(p_numbers bigint[], p_after bigint[]) RETURNS void LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.links l USING unnest(p_numbers, p_after) AS gone(number, after)
   WHERE l.space_id = (SELECT todo.space('tasks:write')) AND l.number = gone.number AND l.after = gone.after
$$;;
CREATE TABLE todo.links (
	space_id UUID NOT NULL, 
	number BIGINT NOT NULL, 
	after BIGINT NOT NULL, 
	PRIMARY KEY (space_id, number, after), 
	FOREIGN KEY(space_id, number) REFERENCES todo.tasks (space_id, number), 
	FOREIGN KEY(space_id, after) REFERENCES todo.tasks (space_id, number), 
	CONSTRAINT links_other CHECK (number <> after)
);
CREATE INDEX tasks_claimed ON todo.tasks (space_id, claimed_until, number) WHERE claimed_until IS NOT NULL;
CREATE UNIQUE INDEX tasks_series ON todo.tasks (space_id, series, occurrence) WHERE series IS NOT NULL;
CREATE INDEX tasks_started ON todo.tasks (space_id, started_at, number) WHERE started_at IS NOT NULL;
CREATE INDEX tasks_subtasks ON todo.tasks (space_id, parent, status, number) WHERE parent IS NOT NULL;
CREATE INDEX links_after ON todo.links (space_id, after, number);
COMMENT ON COLUMN todo.tasks.parent IS 'the task that it is a part of';
COMMENT ON COLUMN todo.tasks.defer_on IS 'out of sight until then: a day';
COMMENT ON COLUMN todo.tasks.defer_at IS 'or an instant';
COMMENT ON COLUMN todo.tasks.scheduled_on IS 'when its work is to begin: a day';
COMMENT ON COLUMN todo.tasks.scheduled_at IS 'or an instant';
COMMENT ON COLUMN todo.tasks.started_at IS 'it is being worked on, since then';
COMMENT ON COLUMN todo.tasks.tracked IS 'seconds worked, in finished spans';
COMMENT ON COLUMN todo.tasks.series IS 'what the occurrences of a recurring task share';
COMMENT ON COLUMN todo.tasks.occurrence IS 'its place in the series, from 1';
COMMENT ON COLUMN todo.tasks.repeat IS 'rule, from_done, anchor, zone, slot (this one''s date by the rule), template (what edits of this one alone have hidden)';
COMMENT ON COLUMN todo.links.after IS 'the task that this one waits for';
GRANT CREATE ON SCHEMA todo TO todo_auth;
ALTER FUNCTION todo.unlink(bigint[], bigint[]) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.unlink(bigint[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.unlink(bigint[], bigint[]) TO todo_server, todo_worker, todo_person;
REVOKE CREATE ON SCHEMA todo FROM todo_auth;
ALTER TABLE todo.links ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.links TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.links TO todo_auth;
CREATE POLICY may_select ON todo.links FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')));
CREATE POLICY may_insert ON todo.links FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('tasks:write')));
GRANT SELECT, INSERT, UPDATE (title, note, status, priority, project, due_on, due_at, updated_at, completed_at, deleted_at, rev, parent, defer_on, defer_at, scheduled_on, scheduled_at, started_at, tracked, series, occurrence, repeat, claimed_by, claim_token, claimed_until) ON todo.tasks TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT ON todo.links TO todo_server, todo_worker, todo_person;
UPDATE todo.schema SET version = 4;
