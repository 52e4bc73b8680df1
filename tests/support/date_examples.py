"""The zones and the moment from which the tests of dates start."""

from datetime import datetime

from todo_cli.parsing.dates import parse_date

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
ZONES = [BERLIN, NEW_YORK, LORD_HOWE, "UTC", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo"]
MAX_CPU_SECONDS = 5.0  # a pattern that backtracks exponentially takes longer
WEDNESDAY = "2026-11-25T11:00:00+01:00"


def parse_text(words: str, now: str = WEDNESDAY, zone: str = BERLIN) -> str:
    """Return the result as text with its offset, which the equality of aware datetimes ignores."""
    return parse_date(words, zone=zone, now=datetime.fromisoformat(now)).isoformat()
