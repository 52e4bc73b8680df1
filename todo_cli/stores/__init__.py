"""Stores beside the database, each behind an optional dependency."""
