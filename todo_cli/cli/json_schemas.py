"""The JSON Schema of what each command prints with --json.

Most commands print the answer of the Request that has the command's name as its label, so that they need no line here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from todo_cli.cli import json_documents as documents
from todo_cli.cli.transfers.import_report import ImportReport
from todo_cli.cli.transfers.run_export import ExportReport
from todo_cli.command_table import COMMANDS
from todo_cli.contract.codec import answer_type
from todo_cli.contract.jobs import Job, JobPage
from todo_cli.contract.plans import Plan
from todo_cli.contract.ready import ReadyTasks
from todo_cli.contract.registry import REQUESTS
from todo_cli.contract.tasks import Changed, Task, TaskPage
from todo_cli.contract.usage import UsagePage
from todo_cli.errors import Invalid

DIALECT = "https://json-schema.org/draft/2020-12/schema"
COMPOSED: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("next", "overdue", "today", "upcoming"), (TaskPage,)),
    **dict.fromkeys(("ask", "chat approve", "chat edit", "chat resume", "chat retry"), (documents.ChatOutcome,)),
    "ready": (TaskPage, ReadyTasks),
    "calendar": (documents.ShownTasks,),
    "defer": (Changed,),
    "note": (Changed, Task),
    "remind": (Changed, tuple[Job, ...]),
    "wait": (Task,),
    "import": (ImportReport,),
    "export": (ExportReport,),
    "chat import": (documents.ImportedConversation,),
    "chat usage": (UsagePage, documents.MessageUsagePage),
    "jobs list": (JobPage,),
    "prefs": (documents.ShownPreferences,),
    "token create": (documents.CreatedToken,),
    "channel add": (documents.CreatedChannel,),
    "channel rm": (documents.CreatedChannel,),
    "config show": (documents.ShownSettings,),
    "doctor": (documents.DoctorReport,),
    "init": (documents.CreatedList,),
    "db migrate": (documents.SchemaState,),
    "db status": (documents.SchemaState,),
    "db sweep": (documents.SweptFiles,),
    "admin user add": (documents.CreatedUser,),
    "admin user reset-password": (documents.CreatedResetCode,),
    "admin invitation create": (documents.CreatedInvitation,),
    "space invite": (documents.CreatedSpaceInvitation,),
}
"""Command -> what it prints, where that is not the answer of one Request with its label."""
INTERNAL_ANSWERS = ("attachment add",)
"""Commands some of whose Requests answer steps in between: the last one's answer is printed."""


@cache
def list_commands() -> dict[str, Any]:
    """Return the commands that have --json, by name; it imports all of them."""
    from todo_cli.cli.group import load_command

    return {words: command for name in COMMANDS for words, command in _walk(load_command(name), name)}


def _walk(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    for name, child in getattr(command, "commands", {}).items():
        yield from _walk(child, f"{words} {name}")
    if any("--json" in parameter.opts for parameter in command.params):
        yield words, command


def find_types(name: str, command: Any) -> tuple[Any, ...]:
    """Return the types of what a command prints with --json; raises Invalid where none is known."""
    requests = [request for request in REQUESTS if request.label == name and request.route]
    found = COMPOSED.get(name) or tuple(answer_type(request) for request in requests)
    if name in INTERNAL_ANSWERS:
        found = tuple(kind for kind in found if "attachments" in kind.__struct_fields__)
    if not found:
        raise Invalid(f"todo {name} has no schema")
    makes_plans = any("--plan" in parameter.opts for parameter in command.params) and name != "import"
    return tuple(dict.fromkeys((*found, Plan) if makes_plans else found))


def make_json_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of what `todo NAME --json` prints; raises Invalid for a command without --json."""
    commands = list_commands()
    if name not in commands:
        raise Invalid(f"there is no command {name[:60]!r} with --json", hint="list them with: todo schema")
    kinds = find_types(name, commands[name])
    schemas, definitions = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    document = {"$schema": DIALECT, "title": f"todo {name} --json"}
    return document | ({"anyOf": list(schemas)} if len(schemas) > 1 else schemas[0]) | {"$defs": definitions}
