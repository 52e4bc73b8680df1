"""The OpenAPI 3.1 document, generated from the Requests. Only its frame and the two streams are written by hand."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from todo_cli import __version__
from todo_cli.contract.base import Request, Secret, method_and_path, summary_of
from todo_cli.contract.batch import BatchRead
from todo_cli.contract.codec import answer_type
from todo_cli.contract.model_list import ModelList
from todo_cli.contract.registry import BATCH_READS, REQUESTS
from todo_cli.errors import ERRORS
from todo_cli.server.change_stream import StreamChangesQuery
from todo_cli.server.endpoint import success_status
from todo_cli.server.headers import HEADER_RULES
from todo_cli.server.turn_stream import FollowTurnQuery, StartTurnBody

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "enum": [f"urn:todo:{code}" for code in ERRORS]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "request_id": {"type": "string"},
    },
}

STREAMS: dict[tuple[str, str], type[msgspec.Struct]] = {
    ("POST", "/v1/turns"): StartTurnBody,
    ("GET", "/v1/turns/{turn}/events"): FollowTurnQuery,
    ("GET", "/v1/changes/stream"): StreamChangesQuery,
}
TURN_STREAM = "Scope: chat. Events: begun, events (with an id), turn (the end), problem"
CHANGE_STREAM = "Scope: read. Events: changes (a ChangeBatch, with its cursor as id), problem"


async def openapi(request: HttpRequest) -> Response:
    """Answer `GET /openapi.json`."""
    return Response(build_document(), media_type="application/json")


@cache
def build_document() -> bytes:
    """Return the document as bytes."""
    public = [request for request in REQUESTS if request.route]
    kinds: list[Any] = [kind for request in public for kind in (request, answer_type(request))]
    kinds += [*STREAMS.values(), ModelList]
    _, components = msgspec.json.schema_components(
        kinds, schema_hook=_describe_secret, ref_template="#/components/schemas/{name}"
    )
    components[BatchRead.__name__] = _describe_batch_read(components)
    paths: dict[str, Any] = {}
    for request in public:
        method, path = method_and_path(request)
        paths.setdefault(path, {})[method.lower()] = _describe_request(request, method, path, components)
    for (method, path), kind in STREAMS.items():
        paths.setdefault(path, {})[method.lower()] = _describe_stream(kind, method, path, components)
    paths["/v1/models"] = {"get": _describe_model_list()}
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "todo", "version": __version__},
            "security": [{"token": []}],
            "paths": paths,
            "components": {
                "schemas": components | {"Problem": PROBLEM},
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
        }
    )


def _describe_secret(kind: type) -> dict[str, Any]:
    """Return the schema of a field of a Request that is a secret."""
    if not issubclass(kind, Secret):
        raise NotImplementedError(kind.__name__)
    schema = {"type": "string", "format": "password", "minLength": kind.min_chars, "maxLength": kind.max_chars}
    return schema | ({"pattern": kind.pattern} if kind.pattern else {})


def _describe_stream(kind: type[msgspec.Struct], method: str, path: str, components: dict[str, Any]) -> dict[str, Any]:
    """Describe a stream of server-sent events."""
    operation: dict[str, Any] = {
        "operationId": kind.__name__,
        "summary": (kind.__doc__ or "").splitlines()[0],
        "description": CHANGE_STREAM if kind is StreamChangesQuery else TURN_STREAM,
        "parameters": [*_describe_fields(path, method, components[kind.__name__]), *_describe_headers(write=False)],
        "responses": {
            "200": {"description": "events", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
            "default": _content("Problem", "application/problem+json"),
        },
    }
    if method == "POST":
        operation["requestBody"] = {"required": True} | _content(kind.__name__, described=False)
    return operation


def _describe_model_list() -> dict[str, Any]:
    return {
        "operationId": "ListModels",
        "summary": "List the models that can be chosen.",
        "description": "Scope: read",
        "parameters": _describe_headers(write=False),
        "responses": {"200": _content(ModelList.__name__), "default": _content("Problem", "application/problem+json")},
    }


def _describe_request(
    request: type[Request[Any]], method: str, path: str, components: dict[str, Any]
) -> dict[str, Any]:
    schema = components[request.__name__]
    operation: dict[str, Any] = {
        "operationId": request.__name__,
        "summary": summary_of(request),
        "description": f"Scope: {request.scope}" if request.scope else "Needs no token",
        "parameters": [*_describe_fields(path, method, schema), *_describe_headers(write=request.write)],
        "responses": {
            str(success_status(request)): _content(answer_type(request).__name__),
            "default": _content("Problem", "application/problem+json"),
        },
    }
    if request.scope is None:
        operation["security"] = []
    if method in ("POST", "PATCH"):
        operation["requestBody"] = _describe_body(request.__name__, path, components)
    return operation


def _describe_batch_read(components: dict[str, Any]) -> dict[str, Any]:
    """Describe each read that a batch may have by the schema of its Request."""
    reads = []
    for request in BATCH_READS.values():
        needs_arguments = bool(components[request.__name__].get("required"))
        arguments = {"$ref": f"#/components/schemas/{request.__name__}"}
        reads.append(
            {
                "type": "object",
                "required": ["verb", *(["arguments"] if needs_arguments else [])],
                "properties": {"verb": {"type": "string", "enum": [request.verb]}, "arguments": arguments},
                "additionalProperties": False,
            }
        )
    return {"anyOf": reads}


def _describe_body(name: str, path: str, components: dict[str, Any]) -> dict[str, Any]:
    """Describe the body of a Request. A field that the path has may be repeated in it, and an empty one is `{}`."""
    schema = components[name]
    required = [field for field in schema.get("required", ()) if f"{{{field}}}" not in path]
    if len(required) < len(schema.get("required", ())):
        name = f"{name}Body"
        components[name] = {key: value for key, value in schema.items() if key != "required"}
        components[name] |= {"required": required} if required else {}
    return {"required": bool(required)} | _content(name, described=False)


def _describe_fields(path: str, method: str, schema: dict[str, Any]) -> list[dict[str, Any]]:
    fields = []
    for name, kind in schema.get("properties", {}).items():
        in_path = f"{{{name}}}" in path
        if in_path or method in ("GET", "DELETE"):
            required = in_path or name in schema.get("required", ())
            fields.append({"name": name, "in": "path" if in_path else "query", "required": required, "schema": kind})
    return fields


def _describe_headers(*, write: bool) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "header",
            "description": rule.about,
            "schema": {"type": "string", "pattern": rule.pattern},
        }
        for name, rule in HEADER_RULES.items()
        if write or name not in ("Idempotency-Key", "Todo-Fence")
    ]


def _content(name: str, kind: str = "application/json", *, described: bool = True) -> dict[str, Any]:
    content = {"content": {kind: {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
    return ({"description": name} if described else {}) | content
