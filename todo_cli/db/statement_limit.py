"""Pass the time that is left for a Request to the database, which then ends its statements even for a dead client."""

from __future__ import annotations

from todo_cli.db.sql import Sql, StatementCall

DATABASE_LIMIT_SECONDS = 30.0  # `statement_timeout` in `policies.TIMEOUTS`, which a command need not import

# For the rest of the transaction; a shorter limit of the login or of its operator stays.
LIMIT_STATEMENTS = Sql("""
SELECT set_config('statement_timeout', %(milliseconds)s, true)
 WHERE current_setting('statement_timeout')::interval
       NOT BETWEEN '1 ms' AND %(milliseconds)s::int * interval '1 ms'""")


def limit_statements(seconds: float) -> list[StatementCall]:
    """Return the statement that limits the time of the following ones, none where the login's own limit is as good."""
    if seconds > DATABASE_LIMIT_SECONDS - 1:
        return []
    return [(LIMIT_STATEMENTS, {"milliseconds": str(max(1, int(seconds * 1000)))})]
