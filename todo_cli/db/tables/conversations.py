"""The tables of chat. A conversation is shown to its owner alone, in whatever space it is."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    Table,
    UniqueConstraint,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import JSONB, UUID

from todo_cli.db.tables.columns import INSTANT, NOW, WORD, id_column, metadata, owner_column, space_column

conversations = Table(
    "conversations", metadata,
    space_column(), id_column("id", key=True), owner_column(),
    Column("number", BigInteger, nullable=False),
    Column("title", WORD, nullable=False),
    Column("model", WORD),
    Column("seq", BigInteger, nullable=False, server_default=text("0"), comment="the last message's; 0: none yet"),
    Column("head", BigInteger, comment="the message that the next one follows; null: the beginning"),
    Column("head_of", UUID(as_uuid=False), comment="the conversation that the head is in; null: this one"),
    Column("turn_id", UUID(as_uuid=False), comment="the newest turn"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("updated_at", INSTANT, nullable=False, server_default=NOW),
    Column("deleted_at", INSTANT),
    UniqueConstraint("space_id", "number", name="conversations_number"),
    Index("conversations_newest", "space_id", "user_id", "updated_at", "number"),
    postgresql_with={"fillfactor": "70"},
)  # fmt: skip

turns = Table(
    "turns", metadata,
    space_column(), id_column("id", key=True), owner_column(), id_column("conversation_id"),
    Column("state", WORD, CheckConstraint("state IN ('running', 'awaiting', 'answered', 'done', 'stopped', 'failed')",
           name="turns_state"), nullable=False, server_default=text("'running'")),
    Column("attempt", Integer, nullable=False, server_default=text("1"), comment="the fence: who has an older one is late"),
    Column("runner", UUID(as_uuid=False), nullable=False, comment="who runs this attempt"),
    Column("lease_until", INSTANT, nullable=False),
    Column("asked", BigInteger, nullable=False, comment="the user's message"),
    Column("last", BigInteger, comment="its last message, once it has ended"),
    Column("stop", Boolean, nullable=False, server_default=text("false"), comment="somebody has asked for its end"),
    Column("held", JSONB, comment="calls that wait for a yes, each with its plan"),
    Column("approved", Boolean, comment="the person's answer to what was held"),
    Column("events", BigInteger, nullable=False, server_default=text("0")),
    Column("usage", JSONB), Column("error", JSONB),
    Column("began_at", INSTANT, nullable=False, server_default=NOW), Column("ended_at", INSTANT),
    ForeignKeyConstraint(["space_id", "conversation_id"], ["todo.conversations.space_id", "todo.conversations.id"]),
    postgresql_with={"fillfactor": "70"},
)  # fmt: skip

messages = Table(
    "messages", metadata,
    space_column(), id_column("conversation_id", key=True), Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("parent", BigInteger, comment="null: the first"),
    Column("parent_of", UUID(as_uuid=False), comment="the conversation that the parent is in; null: this one"),
    owner_column(), id_column("turn_id"),
    Column("attempt", Integer, nullable=False),
    Column("role", WORD, CheckConstraint("role IN ('user', 'assistant', 'tool', 'summary')", name="messages_role"),
           nullable=False),
    Column("status", WORD, CheckConstraint("status IN ('whole', 'interrupted', 'dead')", name="messages_status"),
           nullable=False, server_default=text("'whole'")),
    Column("content", WORD, nullable=False),
    Column("calls", JSONB, comment="what an assistant's message calls, in order"),
    Column("call_seq", BigInteger, comment="whose call a tool's message answers"), Column("call_index", Integer),
    Column("reaches", BigInteger, comment="the last message that a summary tells of"),
    Column("tokens", Integer, nullable=False, comment="an estimate"),
    Column("model", WORD), Column("usage", JSONB),
    Column("at", INSTANT, nullable=False, server_default=NOW),
    ForeignKeyConstraint(["space_id", "conversation_id"], ["todo.conversations.space_id", "todo.conversations.id"]),
    Index("messages_call", "space_id", "conversation_id", "call_seq", "call_index", unique=True,
          postgresql_where=text("call_seq IS NOT NULL")),
    Index("messages_summary", "space_id", "conversation_id", "reaches", unique=True,
          postgresql_where=text("reaches IS NOT NULL")),
    Index("messages_words", text("todo.said_words(space_id, user_id, role, content)"), postgresql_using="gin", postgresql_with={"gin_pending_list_limit": "256"},
          postgresql_where=text("role <> 'summary' AND status <> 'dead' AND content <> ''")),
)  # fmt: skip

# what answers of models have used, by the person's own days: kept by a trigger, so that whoever stores an answer counts it
usage = Table(
    "usage", metadata,
    id_column("user_id", key=True), Column("day", Date, primary_key=True), Column("space_id", UUID(as_uuid=False), primary_key=True),
    id_column("conversation_id", key=True), Column("model", WORD, primary_key=True), Column("currency", WORD, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in ("calls", "prompt", "completion", "cached", "reasoning")),
    Column("cost", Numeric, nullable=False),
    postgresql_with={"fillfactor": "70"},
)  # fmt: skip

# what todo.take_in stores was used elsewhere; it alone inserts as todo_auth, whereas anybody may say attempt 0
TRIGGERS = (
    "CREATE TRIGGER usage_kept AFTER INSERT ON todo.messages FOR EACH ROW WHEN (NEW.usage IS NOT NULL AND CURRENT_USER <> 'todo_auth')"
    " EXECUTE FUNCTION todo.keep_usage()",
)

events = Table(
    "events", metadata,
    Column("space_id", UUID(as_uuid=False), primary_key=True), id_column("turn_id", key=True),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    owner_column(),
    Column("attempt", Integer, nullable=False),
    Column("after", BigInteger, nullable=False, comment="the head while they came"),
    Column("batch", JSONB, nullable=False),
    ForeignKeyConstraint(["space_id", "turn_id"], ["todo.turns.space_id", "todo.turns.id"]),
)  # fmt: skip
