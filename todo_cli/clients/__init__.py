"""Clients: the ways a Request reaches the core, over HTTP or straight to Postgres."""
