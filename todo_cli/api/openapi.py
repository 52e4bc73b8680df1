"""OpenAPI 3.1 from the registry: nothing here is written by hand but the frame."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from todo_cli import __version__
from todo_cli.contract.base import Request, method_and_path, title_of
from todo_cli.contract.registry import REQUESTS
from todo_cli.contract.wire import answer_type
from todo_cli.errors import ERRORS

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

HEADERS = {
    "Todo-Space": "id of the space to work in; the caller's own when absent",
    "Time-Zone": "IANA name; the caller's preference when absent",
    "Idempotency-Key": "the same key with the same content acts once, for ever",
}


async def openapi(request: HttpRequest) -> Response:
    """The document."""
    return Response(document(), media_type="application/json")


@cache
def document() -> bytes:
    """The document's bytes: the same for the life of a process."""
    public = [request for request in REQUESTS if request.route]
    kinds = [kind for request in public for kind in (request, answer_type(request))]
    _, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    paths: dict[str, Any] = {}
    for request in public:
        method, path = method_and_path(request)
        paths.setdefault(path, {})[method.lower()] = _operation(request, method, path, components)
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


def _operation(request: type[Request[Any]], method: str, path: str, components: dict[str, Any]) -> dict[str, Any]:
    schema = components[request.__name__]
    operation: dict[str, Any] = {
        "operationId": request.__name__,
        "summary": title_of(request),
        "description": f"Scope: {request.scope}",
        "parameters": _parameters(request, method, path, schema),
        "responses": {
            "201" if method == "POST" and path.count("/") == 2 else "200": _content(answer_type(request).__name__),
            "default": _content("Problem", "application/problem+json"),
        },
    }
    if method in ("POST", "PATCH"):
        operation["requestBody"] = {"required": True} | _content(request.__name__, described=False)
    return operation


def _parameters(request: type[Request[Any]], method: str, path: str, schema: dict[str, Any]) -> list[dict[str, Any]]:
    made = []
    for name, kind in schema.get("properties", {}).items():
        in_path = f"{{{name}}}" in path
        if in_path or method in ("GET", "DELETE"):
            required = in_path or name in schema.get("required", ())
            made.append({"name": name, "in": "path" if in_path else "query", "required": required, "schema": kind})
    for name, about in HEADERS.items():
        if name != "Idempotency-Key" or request.write:
            made.append({"name": name, "in": "header", "description": about, "schema": {"type": "string"}})
    return made


def _content(name: str, kind: str = "application/json", *, described: bool = True) -> dict[str, Any]:
    content = {"content": {kind: {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
    return ({"description": name} if described else {}) | content
