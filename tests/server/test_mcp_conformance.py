"""The official conformance suite of MCP: the scenarios that need no tools, prompts or resources of its own.

Left out are `server-stateless`, which needs a tool of the suite for one check, and `dns-rebinding-protection`, a check
of the Host header for servers without sign-in.

Needs `npx`, and the network for the first run: pytest -m opt_in tests/server/test_mcp_conformance.py
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Person, Server
from tests.support.signing_proxy import open_signing_proxy

pytestmark = pytest.mark.opt_in

# the suite needs Node 22, which npm has as a package
SUITE = ("npx", "--yes", "-p", "node@22", "-p", "@modelcontextprotocol/conformance@0.2.0-alpha.12", "conformance")
SCENARIOS = [
    ("server-initialize", "2025-11-25"),
    ("ping", "2025-11-25"),
    ("tools-list", "2025-11-25"),
    ("tools-list", "2026-07-28"),
    ("resources-list", "2025-11-25"),
    ("resources-list", "2026-07-28"),
    ("prompts-list", "2025-11-25"),
    ("prompts-list", "2026-07-28"),
    ("server-session-lifecycle", "2025-11-25"),
    ("sep-2164-resource-not-found", "2026-07-28"),
    ("caching", "2026-07-28"),
    ("http-header-validation", "2026-07-28"),
    ("input-required-result-unsupported-methods", "2026-07-28"),
    ("input-required-result-ignore-extra-params", "2026-07-28"),
]


@pytest.mark.skipif(shutil.which("npx") is None, reason="npx is not installed")
@pytest.mark.parametrize(("scenario", "version"), SCENARIOS)
def test_conformance_scenario_without_fixtures_passes(
    person: Person, server: Server, tmp_path: Path, scenario: str, version: str
) -> None:
    with open_signing_proxy(server.url, person.token) as url:
        command = [*SUITE, "server", "--url", f"{url}/mcp", "--scenario", scenario, "--spec-version", version]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout[-6_000:]
