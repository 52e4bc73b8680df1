"""Stores beside the database: caches and counters that may be lost."""
