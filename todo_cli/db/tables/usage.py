"""Usage of models by each user's own days, and of the last 24 hours. A trigger counts it, whoever stores the answer."""

from __future__ import annotations

from sqlalchemy import TIMESTAMP, BigInteger, Column, Date, Numeric, Table

from todo_cli.db.tables.columns import TEXT, metadata, uuid_column

usage = Table(
    "usage",
    metadata,
    uuid_column("user_id", key=True),
    Column("day", Date, primary_key=True),
    uuid_column("space_id", key=True),
    uuid_column("conversation_id", key=True),
    Column("model", TEXT, primary_key=True),
    Column("currency", TEXT, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in ("calls", "prompt", "completion", "cached", "reasoning")),
    Column("cost", Numeric, nullable=False),
    postgresql_with={"fillfactor": "70"},
)

recent_usage = Table(
    "recent_usage",
    metadata,
    uuid_column("user_id", key=True),
    Column("slot", TIMESTAMP(timezone=True), primary_key=True, comment="the beginning of ten minutes"),
    Column("tokens", BigInteger, nullable=False, comment="read and written by models"),
    postgresql_with={"fillfactor": "70"},
)
"""What the budget counts: the usage of the last 24 hours, whatever the user's time zone."""

# Imported messages were paid for elsewhere. Only todo.import_messages() inserts as todo_auth.
TRIGGERS = (
    """CREATE TRIGGER usage_recorded AFTER INSERT ON todo.messages FOR EACH ROW
  WHEN (NEW.usage IS NOT NULL AND CURRENT_USER <> 'todo_auth')
  EXECUTE FUNCTION todo.record_usage()""",
)
