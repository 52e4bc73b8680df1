"""Parsers for what people type: dates, durations, recurrence, quick add, and the filter language."""
