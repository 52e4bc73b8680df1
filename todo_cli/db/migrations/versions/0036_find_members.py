"""Find the names of some members."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Run the SQL file beside this one. Both are frozen, and there is no way back."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # the driver's own cursor runs several statements at once and looks for no parameters in the text
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute(script)
