"""Select fields of a JSON document, or turn it into text by a jq filter or a Jinja template."""

from __future__ import annotations

import json
from typing import Any

from todo_cli.cli.render.escape import escape_chunk
from todo_cli.errors import Invalid, TodoError

CARRIED_OUT = "the command itself was carried out"


def select_fields(document: Any, names: tuple[str, ...]) -> Any:
    """Return these fields of the document, or of each object that it lists (tasks, changes …), null where absent.

    The fields of a search hit are those of its task too.
    """
    if not isinstance(document, dict):
        return document
    first = next(iter(document.values()), None)
    if isinstance(first, list) and not set(names) <= document.keys():
        return [select_fields(value, names) for value in first]
    task = document.get("task")
    values = {**task, **document} if isinstance(task, dict) else document
    return {name: values.get(name) for name in names}


def compile_jq(expression: str) -> Any:
    """Compile a jq filter; raises Invalid."""
    try:
        import jq
    except ImportError:
        raise Invalid(
            "--jq needs the package jq, which has no build for this machine", hint="pipe --json into jq"
        ) from None
    try:
        return jq.compile(expression)
    except ValueError as error:
        raise Invalid(f"--jq: {str(error).splitlines()[0]}", hint="see: https://jqlang.org/manual") from None


def apply_jq(document: Any, expression: str) -> str:
    """Return the outputs of the filter, one per line: texts as they are, other values as JSON. Raises TodoError."""
    program = compile_jq(expression)
    try:
        values = program.input_value(document).all()
    except ValueError as error:
        raise TodoError(f"--jq: {error}", hint=CARRIED_OUT) from None
    lines = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values)
    return "".join(f"{escape_chunk(line)}\n" for line in lines)


def compile_template(text: str) -> Any:
    """Compile a Jinja template, which runs in Jinja's sandbox; raises Invalid."""
    from jinja2 import ChainableUndefined, TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # The output is text for a terminal or a pipe, not HTML.
    environment = ImmutableSandboxedEnvironment(
        undefined=ChainableUndefined, keep_trailing_newline=True, autoescape=False
    )
    environment.finalize = lambda value: (
        escape_chunk(value) if isinstance(value, str) else "" if value is None else value
    )
    try:
        return environment.from_string(text)
    except TemplateSyntaxError as error:
        raise Invalid(f"--template: {error.message}", hint="see: https://jinja.palletsprojects.com/templates") from None


def apply_template(document: Any, text: str) -> str:
    """Return the template filled with the document's fields (`items` if it is a list). Raises TodoError."""
    from jinja2 import TemplateError

    values = document if isinstance(document, dict) else {"items": document}
    try:
        output: str = compile_template(text).render(values)
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise TodoError(f"--template: {error}", hint=CARRIED_OUT) from None
    return output if output.endswith("\n") or not output else f"{output}\n"
