"""One of the two clusters of an upgrade, each with a server of its own meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from todo_cli.local_postgres import files
from todo_cli.local_postgres.binaries import OWNER, Binaries
from todo_cli.local_postgres.server import is_postgres, read_pid_file

RowCounts = dict[str, dict[str, int]]
"""Rows by database and table."""

_DATABASES = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1"
_TABLES = """
SELECT format('%I.%I', n.nspname, c.relname)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
 ORDER BY 1"""


class UpgradeCluster(NamedTuple):
    """One of the two clusters of an upgrade, and how it is reached meanwhile."""

    binaries: Binaries
    data: Path
    port: int
    sockets: Path
    password_file: Path

    def conninfo(self, database: str = "postgres") -> str:
        """Return the connection string; its password is in a file, since process lists are public."""
        return (
            f"host='{self.sockets}' port={self.port} user={OWNER} dbname='{database}' passfile='{self.password_file}'"
        )

    def start(self, alive_lock: int) -> None:
        """Start the server on its own socket; raises Unavailable."""
        log = self.data / "upgrade.log"
        options = f"-c listen_addresses= -c unix_socket_directories={self.sockets} -c port={self.port}"
        arguments = ("-l", str(log), "-o", options, "start")
        code, output = self.binaries.pg_ctl(self.data, *arguments, inherited_fd=alive_lock)
        if code:
            reason = log.read_text(errors="replace") if log.exists() else output
            raise files.failure(f"Postgres {self.binaries.version} did not start in {self.data}", reason)

    def stop(self) -> None:
        """Stop the server if it runs, also one that a killed upgrade has left; raises Unavailable."""
        pid_file = read_pid_file(self.data)
        if pid_file and is_postgres(pid_file.pid, self.data):
            code, output = self.binaries.pg_ctl(self.data, "-m", "fast", "stop")
            if code:
                raise files.failure(f"Postgres in {self.data} did not stop", output)

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of this version to its end; raises Unavailable with its reason."""
        directory = self.password_file.parent
        code, output = self.binaries.run(program, *arguments, directory=directory, PGPASSFILE=str(self.password_file))
        if code:
            raise files.failure(f"{program} failed; your list is as it was", output)

    def count_rows(self) -> RowCounts:
        """Return the number of rows of each table, by database."""
        import psycopg
        from psycopg import sql

        counts: RowCounts = {}
        with psycopg.connect(self.conninfo()) as connection:
            names = [name for (name,) in connection.execute(_DATABASES)]
        for name in names:
            with psycopg.connect(self.conninfo(name)) as connection:
                tables = [table for (table,) in connection.execute(_TABLES)]
                counts[name] = {}
                for table in tables:
                    statement = sql.SQL("SELECT count(*) FROM {}").format(sql.SQL(table))
                    row = connection.execute(statement).fetchone()
                    counts[name][table] = row[0] if row else 0
        return counts
