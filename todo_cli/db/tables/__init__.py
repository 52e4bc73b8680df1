"""The tables, one file per subject, as SQLAlchemy metadata."""
