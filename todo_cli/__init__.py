"""A todo list and chat whose whole state lives in a shared Postgres."""

__version__ = "0.1.0"
