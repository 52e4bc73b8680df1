"""Statements that create the roles, limit their statements, and open the schema to them."""

from __future__ import annotations

from todo_cli.db.policies import CLIENTS, TIMEOUTS


def create_role(name: str) -> str:
    """Return the statement that creates a role unless it exists."""
    login = "LOGIN" if name in ("todo_server", "todo_worker") else "NOLOGIN"
    # another database of the cluster may be creating the same role at this instant
    return f"""DO $$ BEGIN
  CREATE ROLE {name} {login};
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$"""


def set_timeouts(login: str) -> str:
    """Return the statement that limits a service's statements in this database."""
    settings = "\n".join(
        f"  EXECUTE format('ALTER ROLE {login} IN DATABASE %I SET {name} = %L',\n    current_database(), '{value}');"
        for name, value in TIMEOUTS.items()
    )
    return f"DO $$ BEGIN\n{settings}\nEND $$"


def grant_schema() -> list[str]:
    """Return the statements that open the database and the schema `todo` to the clients, and to nobody else."""
    return [
        # an owner with CREATEROLE may give functions only to a role that it is a member of
        """DO $$ BEGIN
  GRANT todo_auth TO CURRENT_USER;
EXCEPTION WHEN unique_violation THEN NULL;
END $$""",
        f"""DO $$ BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO {CLIENTS}', current_database());
END $$""",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "CREATE SCHEMA IF NOT EXISTS todo",
        f"GRANT USAGE ON SCHEMA todo TO todo_auth, {CLIENTS}",
    ]
