"""Tokens and sessions, of which only the SHA-256 is stored. Triggers end a token with the one that created it."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, TOKEN, metadata, user_column, uuid_column

tokens = Table(
    "tokens",
    metadata,
    user_column(),
    uuid_column("id", key=True),
    Column("name", TEXT, nullable=False),
    Column("hash", LargeBinary, CheckConstraint("octet_length(hash) = 32", name="tokens_hash"), nullable=False),
    Column("scopes", ARRAY(TEXT), nullable=False),
    Column("kind", TEXT, nullable=False, server_default=text("'token'"), comment="the expiry of a session slides"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("last_used_at", INSTANT),
    Column("expires_at", INSTANT),
    Column("revoked_at", INSTANT),
    Column("parent", UUID(as_uuid=False), server_default=TOKEN, comment="the token that created this one"),
    Column("address", TEXT, comment="of a session: the address that signed in"),
    Column("filter", TEXT, comment="the tasks that the token is for, as a user wrote it; null: all"),
    Column("reach", JSONB, comment="the compiled filter of a token with limits; null: it has none but a rate"),
    Column("verbs", ARRAY(TEXT), comment="the only Requests by which it may change anything; null: all"),
    Column("per_minute", Integer, comment="requests; null: no limit but that of the user"),
    Column("proposes", Boolean, nullable=False, server_default=text("false"), comment="its changes need an approval"),
    CheckConstraint(
        "CASE WHEN reach IS NOT NULL THEN scopes <@ '{read,tasks:write,tokens:write}'"
        " ELSE filter IS NULL AND verbs IS NULL AND NOT proposes END",
        name="tokens_reach",
    ),
    # a token with a rate is not for direct use, where nothing counts requests
    CheckConstraint(
        "per_minute IS NULL OR per_minute BETWEEN 1 AND 10000 AND NOT scopes @> '{all}'", name="tokens_per_minute"
    ),
    UniqueConstraint("user_id", "hash", name="tokens_user_hash"),
    ForeignKeyConstraint(["user_id", "parent"], ["todo.tokens.user_id", "todo.tokens.id"], name="tokens_parent"),
    Index("tokens_children", "user_id", "parent", postgresql_where=text("parent IS NOT NULL")),
    Index(
        "tokens_user_name",
        "user_id",
        "name",
        unique=True,
        postgresql_where=text("revoked_at IS NULL AND kind = 'token'"),
    ),
    postgresql_with={"fillfactor": "70"},
)

TRIGGERS = (
    """CREATE TRIGGER acting_tokens_expired AFTER UPDATE OF expires_at ON todo.tokens FOR EACH ROW
  WHEN (NEW.expires_at <= clock_timestamp() AND NEW.kind <> 'acting')
  EXECUTE FUNCTION todo.expire_acting_tokens()""",
    """CREATE TRIGGER tokens_bounded BEFORE INSERT ON todo.tokens FOR EACH ROW
  WHEN (NEW.parent IS NOT NULL)
  EXECUTE FUNCTION todo.bound_token_expiry()""",
    """CREATE TRIGGER tokens_limited BEFORE INSERT ON todo.tokens FOR EACH ROW
  WHEN (NEW.parent IS NOT NULL)
  EXECUTE FUNCTION todo.bound_token_limits()""",
    """CREATE TRIGGER tokens_revoked AFTER UPDATE OF revoked_at ON todo.tokens FOR EACH ROW
  WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
  EXECUTE FUNCTION todo.revoke_child_tokens()""",
    """CREATE TRIGGER tokens_expired BEFORE UPDATE OF expires_at ON todo.tokens FOR EACH ROW
  EXECUTE FUNCTION todo.keep_expired_token()""",
)
