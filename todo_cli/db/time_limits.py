"""The time limits of the services' logins, which a restored dump may lack: they belong to the roles of a database."""

from __future__ import annotations

from sqlalchemy import Connection, text

from todo_cli.db.policies import SERVICE_LOGINS, TIMEOUTS, set_timeouts

_LIMITS = text("""
SELECT r.rolname, split_part(setting, '=', 1)
  FROM pg_db_role_setting s
  JOIN pg_roles r ON r.oid = s.setrole
  JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()
 CROSS JOIN unnest(s.setconfig) AS setting""")


def find_missing_limits(connection: Connection) -> list[str]:
    """Return a line for each time limit that a service's login does not have in this database."""
    present = {(login, setting) for login, setting in connection.execute(_LIMITS)}
    return [
        f"the login {login} has no {setting} in this database; set it with: todo db migrate"
        for login in SERVICE_LOGINS
        for setting in TIMEOUTS
        if (login, setting) not in present
    ]


def set_missing_limits(connection: Connection) -> None:
    """Set the limits of both logins, unless none is missing."""
    if find_missing_limits(connection):
        for login in SERVICE_LOGINS:
            connection.execute(text(set_timeouts(login)))
