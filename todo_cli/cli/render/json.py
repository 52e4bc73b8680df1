"""Print answers as JSON: the API's own objects, or what --json=FIELDS, --jq or --template make of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from todo_cli.cli.render.escape import escape_json
from todo_cli.contract.codec import encode

if TYPE_CHECKING:
    from todo_cli.cli.json_options import JsonOptions


def write_document(value: Any) -> None:
    """Print one JSON document."""
    import msgspec

    options = _current_options()
    if options:
        _write_selection(value, options, indent=2)
    else:
        sys.stdout.write(escape_json(msgspec.json.format(encode(value), indent=2).decode()) + "\n")


def write_lines(values: Iterable[Any]) -> None:
    """Print one JSON object per line."""
    options = _current_options()
    for value in values:
        if options:
            _write_selection(value, options, indent=-1)
        else:
            sys.stdout.write(escape_json(encode(value).decode()) + "\n")


def _current_options() -> JsonOptions | None:
    """Return the options of the command that runs; None without any, and outside of a command, as in `todo chat`."""
    from typer._click.globals import get_current_context

    context = get_current_context(silent=True)
    options: JsonOptions | None = context.find_root().obj.json_options if context else None
    return options


def _write_selection(value: Any, options: JsonOptions, *, indent: int) -> None:
    import msgspec

    from todo_cli.cli.render import json_filter

    document = msgspec.json.decode(encode(value))
    if options.fields:
        document = json_filter.select_fields(document, options.fields)
    if options.jq is not None:
        sys.stdout.write(json_filter.apply_jq(document, options.jq))
    elif options.template is not None:
        sys.stdout.write(json_filter.apply_template(document, options.template))
    else:
        sys.stdout.write(escape_json(msgspec.json.format(encode(document), indent=indent).decode()) + "\n")
