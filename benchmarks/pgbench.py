"""pgbench with the server's own statements: the share of Postgres alone in the same work on the same connections."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from todo_cli.contract.base import Caller, Request, Secret
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTask, ListTasks
from todo_cli.core.dispatch import handle
from todo_cli.db.pipeline import connect
from todo_cli.db.sql import Sql
from todo_cli.db.text_values import to_text
from todo_cli.db.transaction import Transaction

REQUESTS: dict[str, Request[Any]] = {
    "add": AddTask(title="Buy milk and a few other things"),
    "list of 20": ListTasks(limit=20),
}
USER_SQL = "(lpad(:u::text, 8, '0') || '-0000-7000-8000-000000000000')"
VARYING_SQL = {
    "me": USER_SQL,
    "space": USER_SQL,
    "token": f"('todo_' || replace({USER_SQL}, '-', '') || '_benchmark')",
    "key": "(:r::text || :s::text)",
}
"""What differs from one transaction to the next: a random user and a new idempotency key."""
VARIABLES = """\
\\set u random(1, {users})
\\set r random(10000000, 99999999)
\\set s random(1000000000, 9999999999)
"""
NEW_ID_SQL = "' || :r::text || '-' || right(:s::text, 4) || '-7000-8000-0000' || :r::text || E'"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RecordingTransaction(Transaction):
    """A transaction that records the statements of each round trip as it sends them."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.round_trips: list[list[tuple[Sql, dict[str, Any]]]] = []

    async def _send(self, calls: Sequence[tuple[Sql, dict[str, Any]]]) -> list[str | None]:
        self.round_trips.append([(sql, self.values | values) for sql, values in calls])
        return await super()._send(calls)


async def _record(url: str, token: str, request: Request[Any]) -> list[list[tuple[Sql, dict[str, Any]]]]:
    connection = await connect(url)
    try:
        caller = Caller(token=Secret(token), key=new_id() if request.write else None, way="api")
        transaction = RecordingTransaction(connection, caller, type(request))
        await handle(transaction, request)
        return transaction.round_trips
    finally:
        await connection.close()


def write_scripts(url: str, token: str, directory: Path, users: int) -> dict[str, Path]:
    """Answer each Request once and write the statements that this sent as a script of pgbench."""
    paths = {}
    for name, request in REQUESTS.items():
        lines = [VARIABLES.format(users=users)]
        for calls in asyncio.run(_record(url, token, request)):
            statements = "".join(f"{_inline(sql, values)};\n" for sql, values in calls)
            lines.append(f"\\startpipeline\n{statements}\\endpipeline\n")
        paths[name] = directory / f"{name.split()[0]}.sql"
        paths[name].write_text("".join(lines))
    return paths


def _inline(sql: Sql, values: dict[str, Any]) -> str:
    literals = [VARYING_SQL.get(name) or _literal(values[name]) for name in sql.names]
    text = re.sub(r"--[^\n]*", "", sql.text)
    text = re.sub(r"'[^']*'", _escape_colons, text)
    return " ".join(re.sub(r"\$(\d+)", lambda match: literals[int(match[1]) - 1], text).split())


def _literal(value: Any) -> str:
    encoded = to_text(value)
    if encoded is None:
        return "null"
    text = encoded.decode().replace("\\", "\\\\").replace("'", "''").replace(":", r"\072")
    return f"(E'{_UUID.sub(NEW_ID_SQL, text)}')"


def _escape_colons(match: re.Match[str]) -> str:
    # pgbench takes the :MI of a date's pattern for a variable: write the colon as an escape
    return "E" + match[0].replace(":", r"\072") if ":" in match[0] else match[0]


def run_pgbench(binary: Path, url: str, script: Path, seconds: float, connections: int) -> float:
    """Return transactions per second."""
    command = [str(binary), "-n", "-M", "prepared", "-c", str(connections), "-j", "1"]
    command += ["-T", str(round(seconds)), "-f", str(script), url]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    rate = re.search(r"tps = ([\d.]+)", result.stdout)
    if result.returncode or not rate:
        raise SystemExit(f"pgbench: {result.stderr[-3000:]}")
    return float(rate[1])
