"""An answer that does not end while a test runs, and whether its turn lives."""

from __future__ import annotations

from tests.support.chat_process import slow_answer

ENDLESS = slow_answer("Half ", *["a word "] * 100)
LIVE = "SELECT lease_until > clock_timestamp() FROM todo.turns WHERE space_id = %s"
