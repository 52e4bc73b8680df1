"""Stores beside the tables of the database: objects, kept answers and counts of requests."""
