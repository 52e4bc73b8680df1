"""Clients: the ways in which a command's Request reaches the core, through a server or straight to Postgres."""
