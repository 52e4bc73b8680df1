"""Schemathesis reads the OpenAPI document and sends what it allows and what it forbids: no 5xx, no broken promise.

The short run sends a third of the operations the boundary values of each field and their violations; the long one
sends them to all, and adds random and stateful requests, and other methods. Forged tokens have tests of their own: so many of them are refused with 429. A failure is repeated by the same seed: it prints the request as a curl command.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import Database, Person, Server
from tests.support.raw_http import log_lines

SEED = "2026"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SHORT = ("--phases", "coverage", "--exclude-checks", "ignored_auth,unsupported_method")
SHORT_SHARE = 3
ENDLESS = "StreamChangesQuery"
"""The stream of changes, whose response does not end: see tests/server/test_change_streams.py."""
LONG = (
    *("--phases", "coverage,fuzzing,stateful", "--max-examples", "100", "--exclude-checks", "ignored_auth"),
    *("--exclude-operation-id", ENDLESS),
)


def run_schemathesis(
    server: Server, person: Person, directory: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end with an administrator's token. It has one worker: Hypothesis parses code, not thread-safely."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)]
    command += ["run", f"{server.url}/openapi.json", "--header", f"Authorization: Bearer {person.token}"]
    command += ["--seed", SEED, "--no-shrink", "--continue-on-failure", "--suppress-health-check", "all", *options]
    environment = os.environ | {"TODO_SPACE": person.user_id}
    return subprocess.run(command, capture_output=True, text=True, cwd=directory, env=environment, check=False)


def choose_operations(server: Server) -> list[str]:
    """Return the options that leave a third of the operations, other ones for each TODO_TEST_SEED."""
    with urlopen(f"{server.url}/openapi.json") as answer:
        document = json.load(answer)
    names = sorted(operation["operationId"] for path in document["paths"].values() for operation in path.values())
    names.remove(ENDLESS)
    chosen = random.Random(os.environ.get("TODO_TEST_SEED", SEED)).sample(names, len(names) // SHORT_SHARE)
    return [option for name in chosen for option in ("--include-operation-id", name)]


@pytest.mark.parametrize("options", [SHORT, pytest.param(LONG, marks=pytest.mark.long)], ids=["short", "long"])
def test_schema_driven_requests_find_no_server_error_and_no_violation(
    server: Server, db: Database, tmp_path: Path, options: tuple[str, ...]
) -> None:
    person = db.person(admin=True)
    db.execute("UPDATE todo.users SET per_minute = NULL WHERE id = %s", person.user_id)
    chosen = choose_operations(server) if options == SHORT else ()
    result = run_schemathesis(server, person, tmp_path, *options, *chosen)
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr
    statuses = Counter(entry["status"] for entry in log_lines(server.log) if "status" in entry)
    assert {status for status in statuses if status >= 500} <= {502}, statuses
    assert sum(statuses[code] for code in (200, 201, 204)) > 100, "requests that are accepted are among them"
