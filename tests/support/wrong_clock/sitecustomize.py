"""Shift the clock of this process by TEST_CLOCK_HOURS, as on a machine whose clock is wrong.

Python imports this module at its start where PYTHONPATH names its directory. Only the clock that has a date is shifted.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import time_machine

time_machine.travel(datetime.now(UTC) + timedelta(hours=float(os.environ["TEST_CLOCK_HOURS"])), tick=True).start()
