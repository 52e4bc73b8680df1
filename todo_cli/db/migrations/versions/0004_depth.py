"""Depth of tasks: parts, what waits for what, time worked, deferring, recurrence, claims."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Forward only, and only adding: clients of schema 1 go on. The SQL is frozen beside this file."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # the driver's own cursor: several statements at once, and no bind parameters in the text
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute(script)
