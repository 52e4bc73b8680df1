"""pgbench with the server's own statements: what Postgres alone does of the same work on the same connections."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path


def scripts(home: Path, users: int) -> dict[str, Path]:
    """The statements of the server, with values that pgbench makes: a random user, a new key and a new id."""
    from todo_cli.contract.tasks import ListTasks
    from todo_cli.core.tasks import edit, list
    from todo_cli.db.schema_version import SCHEMA_VERSION
    from todo_cli.db.transaction import ENTER

    user = "(lpad(:u::text, 8, '0') || '-0000-7000-8000-000000000000')"
    row = ("""(replace(replace('[{"id":"00000000-0000-7000-8000-0000NNNNNNNN","title":"Buy milk and a few other things","note":null,"""
           """"priority":null,"project":null,"tags":[]}]', 'NNNNNNNN', :r::text), '0000-7', right(:s::text, 4) || '-7'))""")  # fmt: skip
    values = {
        "schema": str(SCHEMA_VERSION), "me": user, "space": user, "way": "'api'",
        "token": f"('todo_' || replace({user}, '-', '') || '_benchmark')",
        "key": "(:r::text || :s::text)", "hash": "sha256('milk')", "verb": "'AddTask'",
        "request": """'{"title": "Buy milk and a few other things"}'""",
        "tasks": row, "count": "1", "group": "null", "status": "'open'", "limit": "21",
    }  # fmt: skip
    found = {
        "add": (edit.ADD, {"scope": "'tasks:write'", "write": "true"}),
        "list of 20": (list._statement(ListTasks(limit=20)), {"scope": "'read'", "write": "false"}),
    }
    made = {}
    for name, (sql, more) in found.items():
        lines = [_inlined(one.text, one.names, values | more) for one in (ENTER, sql)]
        made[name] = home / f"{name.split()[0]}.sql"
        made[name].write_text(
            f"\\set u random(1, {users})\n\\set r random(10000000, 99999999)\n\\set s random(1000000000, 9999999999)\n"
            f"\\startpipeline\n{lines[0]};\n{lines[1]};\n\\endpipeline\n"
        )
    return made


def _inlined(text: str, names: tuple[str, ...], values: dict[str, str]) -> str:
    text = re.sub(r"\$(\d+)", lambda found: values.get(names[int(found[1]) - 1], "null"), text).strip()
    # pgbench takes :MI and :SS in a date's picture for variables: the same character as an escape
    return re.sub(r"'[^']*'", lambda found: "E" + found[0].replace(":", r"\072") if ":" in found[0] else found[0], text)


def pgbench(binary: Path, url: str, script: Path, seconds: float, connections: int) -> float:
    """Transactions a second."""
    command = [str(binary), "-n", "-M", "prepared", "-c", str(connections), "-j", "1", "-T", str(round(seconds)), "-f",
               str(script), url]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or not found:
        raise SystemExit(f"pgbench: {done.stderr[-3000:]}")
    return float(found[1])
