"""The log of a server: a line for the operator, then JSON lines."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import Server


def read_json_log(server: Server) -> list[dict[str, Any]]:
    """Return the entries behind the first line, which names the address; raise ValueError for any other text."""
    address, *lines = server.log.read_text().splitlines()
    if not address.startswith("todo serve: "):
        raise ValueError(address)
    return [json.loads(line) for line in lines]
