"""Print answers as JSON: the API's own objects."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from todo_cli.cli.render.escape import escape_json
from todo_cli.contract.codec import encode


def write_document(value: Any) -> None:
    """Print one JSON document."""
    import msgspec

    sys.stdout.write(escape_json(msgspec.json.format(encode(value), indent=2).decode()) + "\n")


def write_lines(values: Iterable[Any]) -> None:
    """Print one JSON object per line."""
    for value in values:
        sys.stdout.write(escape_json(encode(value).decode()) + "\n")
