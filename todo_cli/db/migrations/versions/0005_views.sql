SET LOCAL check_function_bodies = off;
CREATE TABLE todo.views (
	space_id UUID NOT NULL, 
	user_id UUID DEFAULT todo.me() NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	filter TEXT COLLATE "C" NOT NULL, 
	sort TEXT COLLATE "C", 
	is_default BOOLEAN DEFAULT false NOT NULL, 
	PRIMARY KEY (space_id, user_id, name), 
	FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
);
COMMENT ON COLUMN todo.views.is_default IS 'what a list without a filter shows';
-- Take away a view: one's own. A function, since whoever may DELETE may also lock the whole table.
CREATE FUNCTION todo.forget_view(p_name text) RETURNS SETOF todo.views LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.views v WHERE v.space_id = (SELECT todo.space('tasks:write')) AND v.user_id = (SELECT todo.me())
     AND v.name = p_name RETURNING *
$$;;
-- Make that view of one's own the default, or with no name none; all of one's views as they then are, none where there is no such one.
CREATE FUNCTION todo.choose_view(p_name text) RETURNS SETOF todo.views LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE todo.views v SET is_default = coalesce(v.name = p_name, false)
   WHERE v.space_id = (SELECT todo.space('tasks:write')) AND v.user_id = (SELECT todo.me()) AND (p_name IS NULL OR EXISTS (
     SELECT FROM todo.views o WHERE o.space_id = v.space_id AND o.user_id = v.user_id AND o.name = p_name)) RETURNING *
$$;;
GRANT CREATE ON SCHEMA todo TO todo_auth;
ALTER FUNCTION todo.forget_view(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.forget_view(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.forget_view(text) TO todo_server, todo_worker, todo_person;
ALTER FUNCTION todo.choose_view(text) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.choose_view(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.choose_view(text) TO todo_server, todo_worker, todo_person;
REVOKE CREATE ON SCHEMA todo FROM todo_auth;
ALTER TABLE todo.views ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.views TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.views TO todo_auth;
CREATE POLICY may_select ON todo.views FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.views FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_update ON todo.views FOR UPDATE TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me())) WITH CHECK (space_id = (SELECT todo.space('tasks:write')) AND user_id = (SELECT todo.me()));
GRANT SELECT, INSERT (space_id, name, filter, sort), UPDATE (filter, sort) ON todo.views TO todo_server, todo_worker, todo_person;
UPDATE todo.schema SET version = 5;
