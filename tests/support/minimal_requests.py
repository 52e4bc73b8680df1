"""Requests of any type, made of its JSON Schema: the required fields alone, and each field that names a task besides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from todo_cli.contract.base import Request, Secret
from todo_cli.contract.codec import convert_request
from todo_cli.contract.ids import new_id
from todo_cli.errors import Invalid


def make_requests(kind: type[Request[Any]], *, number: int, words: str) -> Iterator[Request[Any]]:
    """Yield Requests of a type that name the task of the number, by itself or by words that are in it."""
    schema = msgspec.json.schema(kind, schema_hook=_describe_type)
    definitions = schema.get("$defs", {})
    properties = _resolve(schema, definitions).get("properties", {})
    required = _make_value(schema, definitions, number)
    named: dict[str, Any] = {"number": number, "numbers": [number], "filter": words, "parent": number}
    if not kind.write:
        named |= {"words": words, "project": words, "tag": words, "status": "all", "all": True}
    variants = [required] + [required | {name: value} for name, value in named.items() if name in properties]
    for fields in variants:
        try:
            yield convert_request(fields, kind)
        except Invalid:
            continue


def _resolve(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return schema


def _make_value(schema: dict[str, Any], definitions: dict[str, Any], number: int) -> Any:
    schema = _resolve(schema, definitions)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return _make_value(schema["anyOf"][0], definitions, number)
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: _make_value(properties[name], definitions, number) for name in schema.get("required", ())}
        case "array":
            return [_make_value(schema["items"], definitions, number)] if schema.get("items") else []
        case "integer" | "number":
            return max(schema.get("minimum", number), number)
        case "boolean":
            return True
        case "string":
            return _make_text(schema)
    return {}


def _describe_type(kind: type) -> dict[str, Any]:
    return {"type": "string"} if issubclass(kind, Secret) else {}


def _make_text(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return "2030-01-01T00:00:00Z"
    pattern = schema.get("pattern", "")
    if "{36}" in pattern:
        return new_id()
    if "{64}" in pattern:
        return "ab" * 32
    return "text"
