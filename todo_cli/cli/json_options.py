"""The options for the JSON of any command: `--json=FIELDS`, `--jq EXPR` and `--template TEXT`."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from todo_cli.errors import Invalid

_FIELD_LIST = r"[a-z_]+(,[a-z_]+)+"
IMPLY_JSON = ("--json-fields", "--jq", "--template")


class JsonOptions(NamedTuple):
    """What to print of the JSON: some fields, the output of a jq filter, or a filled template."""

    fields: tuple[str, ...] = ()
    jq: str | None = None
    template: str | None = None


def take_json_fields(args: list[str]) -> list[str]:
    """Write the fields behind `--json` as the option `--json-fields`; raises Invalid for a lone field name.

    Fields count as such behind `=`, or with a comma, so that a word of a title or of a search is never taken for one.
    """
    for index, arg in enumerate(args):
        if arg == "--":
            break
        if arg.startswith("--json="):
            return [*args[:index], f"--json-fields={arg.removeprefix('--json=')}", *args[index + 1 :]]
        if arg == "--json" and index + 1 < len(args):
            word = args[index + 1]
            if re.fullmatch(_FIELD_LIST, word):
                return [*args[:index], f"--json-fields={word}", *args[index + 2 :]]
            if not word.startswith("-") and word in field_names():
                raise Invalid(
                    f"--json {word} has two meanings",
                    hint=f"select the field with --json={word}, or put --json after the words",
                )
    return args


def add_json(options: list[str], args: list[str]) -> list[str]:
    """Add `--json` to the command where an option that implies it was given."""
    implied = any(option.partition("=")[0] in IMPLY_JSON for option in options)
    end = args.index("--") if "--" in args else len(args)
    if not implied or {"--json", "--jsonl"}.intersection(args[:end]):
        return args
    return [*(args[:end] or ["list"]), "--json", *args[end:]]


def read_json_options(fields: str | None, jq: str | None, template: str | None) -> JsonOptions:
    """Check the values before the command does anything; raises Invalid."""
    if jq is not None and template is not None:
        raise Invalid("--jq and --template cannot be used together")
    names = tuple(fields.split(",")) if fields is not None else ()
    for name in names:
        if name not in field_names():
            raise Invalid(f"{name!r} is not a field{_similar(name)}", hint="all fields are printed by --json alone")
    if jq is not None:
        from todo_cli.cli.render.json_filter import compile_jq

        compile_jq(jq)
    if template is not None:
        from todo_cli.cli.render.json_filter import compile_template

        compile_template(template)
    return JsonOptions(names, jq, template)


def field_names() -> frozenset[str]:
    """Return the fields of all answers of the API, and of the tasks, changes and so on that they list."""
    from msgspec.structs import fields

    from todo_cli.contract.codec import answer_type
    from todo_cli.contract.registry import REQUESTS

    names: set[str] = set()
    for request in REQUESTS:
        for struct in _structs_of(answer_type(request)):
            names.update(field.encode_name for field in fields(struct))
    return frozenset(names)


def _structs_of(kind: Any) -> list[Any]:
    """Return a type's structs: itself or those of a union, and those that they list."""
    from typing import get_args

    from msgspec import Struct
    from msgspec.structs import fields

    if not isinstance(kind, type) or not issubclass(kind, Struct):
        return [struct for member in get_args(kind) for struct in _structs_of(member)]
    return [kind, *(struct for field in fields(kind) for struct in _structs_of(field.type) if struct is not kind)]


def _similar(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, field_names(), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
