"""The local Postgres: a real server out of a wheel, created by `todo init` and started on demand."""
