ALTER TABLE todo.spaces ADD COLUMN next_conversation BIGINT DEFAULT 1 NOT NULL;
SET LOCAL check_function_bodies = off;
-- The events of a turn that has ended: its messages tell the same.
CREATE FUNCTION todo.forget_events(p_turn uuid) RETURNS void LANGUAGE sql VOLATILE STRICT
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM todo.events e USING todo.turns t WHERE e.space_id = (SELECT todo.space('chat'))
     AND e.user_id = (SELECT todo.me()) AND e.turn_id = p_turn AND t.space_id = e.space_id AND t.id = e.turn_id
     AND t.state IN ('done', 'stopped', 'failed')
$$;;
CREATE TABLE todo.conversations (
	space_id UUID NOT NULL, 
	id UUID NOT NULL, 
	user_id UUID DEFAULT todo.me() NOT NULL, 
	number BIGINT NOT NULL, 
	title TEXT COLLATE "C" NOT NULL, 
	model TEXT COLLATE "C", 
	seq BIGINT DEFAULT 0 NOT NULL, 
	head BIGINT, 
	head_of UUID, 
	turn_id UUID, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	PRIMARY KEY (space_id, id), 
	CONSTRAINT conversations_number UNIQUE (space_id, number), 
	FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
)
 WITH (fillfactor = 70);
CREATE TABLE todo.messages (
	space_id UUID NOT NULL, 
	conversation_id UUID NOT NULL, 
	seq BIGINT NOT NULL, 
	parent BIGINT, 
	parent_of UUID, 
	user_id UUID DEFAULT todo.me() NOT NULL, 
	turn_id UUID NOT NULL, 
	attempt INTEGER NOT NULL, 
	role TEXT COLLATE "C" NOT NULL CONSTRAINT messages_role CHECK (role IN ('user', 'assistant', 'tool', 'summary')), 
	status TEXT COLLATE "C" DEFAULT 'whole' NOT NULL CONSTRAINT messages_status CHECK (status IN ('whole', 'interrupted', 'dead')), 
	content TEXT COLLATE "C" NOT NULL, 
	calls JSONB, 
	call_seq BIGINT, 
	call_index INTEGER, 
	reaches BIGINT, 
	tokens INTEGER NOT NULL, 
	model TEXT COLLATE "C", 
	usage JSONB, 
	at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	PRIMARY KEY (space_id, conversation_id, seq), 
	CONSTRAINT messages_call UNIQUE (space_id, conversation_id, call_seq, call_index), 
	FOREIGN KEY(space_id, conversation_id) REFERENCES todo.conversations (space_id, id), 
	FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
);
CREATE TABLE todo.turns (
	space_id UUID NOT NULL, 
	id UUID NOT NULL, 
	user_id UUID DEFAULT todo.me() NOT NULL, 
	conversation_id UUID NOT NULL, 
	state TEXT COLLATE "C" DEFAULT 'running' NOT NULL CONSTRAINT turns_state CHECK (state IN ('running', 'awaiting', 'answered', 'done', 'stopped', 'failed')), 
	attempt INTEGER DEFAULT 1 NOT NULL, 
	runner UUID NOT NULL, 
	lease_until TIMESTAMP WITH TIME ZONE NOT NULL, 
	asked BIGINT NOT NULL, 
	last BIGINT, 
	stop BOOLEAN DEFAULT false NOT NULL, 
	held JSONB, 
	approved BOOLEAN, 
	events BIGINT DEFAULT 0 NOT NULL, 
	usage JSONB, 
	error JSONB, 
	began_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	ended_at TIMESTAMP WITH TIME ZONE, 
	PRIMARY KEY (space_id, id), 
	FOREIGN KEY(space_id, conversation_id) REFERENCES todo.conversations (space_id, id), 
	FOREIGN KEY(space_id) REFERENCES todo.spaces (id)
)
 WITH (fillfactor = 70);
CREATE TABLE todo.events (
	space_id UUID NOT NULL, 
	turn_id UUID NOT NULL, 
	n BIGINT NOT NULL, 
	user_id UUID DEFAULT todo.me() NOT NULL, 
	attempt INTEGER NOT NULL, 
	after BIGINT NOT NULL, 
	batch JSONB NOT NULL, 
	PRIMARY KEY (space_id, turn_id, n), 
	FOREIGN KEY(space_id, turn_id) REFERENCES todo.turns (space_id, id)
);
CREATE INDEX conversations_newest ON todo.conversations (space_id, user_id, updated_at, number);
CREATE UNIQUE INDEX messages_summary ON todo.messages (space_id, conversation_id, reaches) WHERE reaches IS NOT NULL;
COMMENT ON COLUMN todo.conversations.seq IS 'the last message''s; 0: none yet';
COMMENT ON COLUMN todo.conversations.head IS 'the message that the next one follows; null: the beginning';
COMMENT ON COLUMN todo.conversations.head_of IS 'the conversation that the head is in; null: this one';
COMMENT ON COLUMN todo.conversations.turn_id IS 'the newest turn';
COMMENT ON COLUMN todo.messages.parent IS 'null: the first';
COMMENT ON COLUMN todo.messages.parent_of IS 'the conversation that the parent is in; null: this one';
COMMENT ON COLUMN todo.messages.calls IS 'what an assistant''s message calls, in order';
COMMENT ON COLUMN todo.messages.call_seq IS 'whose call a tool''s message answers';
COMMENT ON COLUMN todo.messages.reaches IS 'the last message that a summary tells of';
COMMENT ON COLUMN todo.messages.tokens IS 'an estimate';
COMMENT ON COLUMN todo.turns.attempt IS 'the fence: who has an older one is late';
COMMENT ON COLUMN todo.turns.runner IS 'who runs this attempt';
COMMENT ON COLUMN todo.turns.asked IS 'the user''s message';
COMMENT ON COLUMN todo.turns.last IS 'its last message, once it has ended';
COMMENT ON COLUMN todo.turns.stop IS 'somebody has asked for its end';
COMMENT ON COLUMN todo.turns.held IS 'calls that wait for a yes, each with its plan';
COMMENT ON COLUMN todo.turns.approved IS 'the person''s answer to what was held';
COMMENT ON COLUMN todo.events.after IS 'the head while they came';
GRANT CREATE ON SCHEMA todo TO todo_auth;
ALTER FUNCTION todo.forget_events(uuid) OWNER TO todo_auth;
REVOKE ALL ON FUNCTION todo.forget_events(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION todo.forget_events(uuid) TO todo_server, todo_worker, todo_person;
REVOKE CREATE ON SCHEMA todo FROM todo_auth;
ALTER TABLE todo.conversations ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.conversations TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.conversations TO todo_auth;
ALTER TABLE todo.messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.messages TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.messages TO todo_auth;
ALTER TABLE todo.turns ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.turns TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.turns TO todo_auth;
ALTER TABLE todo.events ENABLE ROW LEVEL SECURITY;
CREATE POLICY auth ON todo.events TO todo_auth USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON todo.events TO todo_auth;
CREATE POLICY may_select ON todo.conversations FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.turns FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.messages FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_select ON todo.events FOR SELECT TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('read')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.conversations FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.turns FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.messages FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_insert ON todo.events FOR INSERT TO todo_server, todo_worker, todo_person WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_update ON todo.conversations FOR UPDATE TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me())) WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
CREATE POLICY may_update ON todo.turns FOR UPDATE TO todo_server, todo_worker, todo_person USING (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me())) WITH CHECK (space_id = (SELECT todo.space('chat')) AND user_id = (SELECT todo.me()));
GRANT SELECT, UPDATE (next_number, seq, next_conversation) ON todo.spaces TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, id, number, title, model, head, head_of), UPDATE (title, model, seq, head, head_of, turn_id, updated_at) ON todo.conversations TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, id, conversation_id, runner, lease_until, asked), UPDATE (state, attempt, runner, lease_until, last, stop, held, approved, events, usage, error, ended_at) ON todo.turns TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, conversation_id, seq, parent, parent_of, turn_id, attempt, role, status, content, calls, call_seq, call_index, reaches, tokens, model, usage) ON todo.messages TO todo_server, todo_worker, todo_person;
GRANT SELECT, INSERT (space_id, turn_id, n, attempt, after, batch) ON todo.events TO todo_server, todo_worker, todo_person;
UPDATE todo.schema SET version = 2;
