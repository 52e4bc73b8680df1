"""The tables as SQLAlchemy metadata, one file per noun."""
