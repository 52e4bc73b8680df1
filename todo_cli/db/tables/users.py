"""Users and their preferences."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Integer, Table, text

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, metadata, user_column, uuid_column

users = Table(
    "users",
    metadata,
    uuid_column("id", key=True),
    Column("name", TEXT, nullable=False, unique=True),
    Column("login", TEXT, unique=True, comment="the user's own database role, if any"),
    Column("admin", Boolean, nullable=False, server_default=text("false")),
    Column("per_minute", Integer, server_default=text("100"), comment="requests through a server; null: no limit"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("disabled_at", INSTANT),
    Column("tokens_per_day", BigInteger, comment="budget for models; null: no limit"),
    Column("turns_per_minute", Integer, server_default=text("30"), comment="of the chat; null: no limit"),
    Column("email", TEXT, unique=True, comment="in lower case; null: signs in with tokens only"),
    # a row of todo.recent_requests has as many moments as the limit
    CheckConstraint("per_minute BETWEEN 1 AND 10000", name="users_per_minute"),
    CheckConstraint("turns_per_minute BETWEEN 1 AND 10000", name="users_turns_per_minute"),
)

preferences = Table(
    "preferences",
    metadata,
    user_column(),
    Column("timezone", TEXT),
    Column("model", TEXT),
    Column("tokens_per_day", BigInteger, comment="the user's own budget for models; null: no limit"),
    Column("show_usage", Boolean, comment="print tokens and cost below answers; null: yes"),
    Column("week_start", TEXT, comment="first day of the week; null: monday"),
    Column("dates", TEXT, comment="how dates are shown; null: relative"),
    Column("language", TEXT, comment="of dates in words; null: en"),
    Column("theme", TEXT, comment="colours of the terminal; null: auto"),
    Column("signs", TEXT, comment="characters of the terminal; null: what it can show"),
    Column("project", TEXT, comment="of new tasks that name none"),
    Column("sort", TEXT, comment="of lists that name none; null: due"),
    Column("confirm", TEXT, comment="when a change by filter is asked about; null: bulk"),
    Column("pager", Boolean, comment="print long output through a pager; null: yes"),
    Column("remind", TEXT, comment="how long before it is due a new task reminds; null: never"),
    Column("rev", BigInteger, nullable=False, server_default=text("0"), comment="grows with every change"),
    Column("hints", Boolean, comment="print hints at other commands; null: yes"),
    CheckConstraint(
        "week_start IN ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')",
        name="preferences_week_start",
    ),
    CheckConstraint("dates IN ('relative', 'absolute')", name="preferences_dates"),
    CheckConstraint("language IN ('en')", name="preferences_language"),
    CheckConstraint("theme IN ('auto', 'dark', 'light', 'none')", name="preferences_theme"),
    CheckConstraint("signs IN ('unicode', 'ascii')", name="preferences_signs"),
    CheckConstraint("confirm IN ('always', 'bulk', 'never')", name="preferences_confirm"),
)
