"""The OpenAPI document is valid 3.1 and complete, and a request built from it alone works."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conftest import Person, Server
from tests.support.raw_http import ask
from todo_cli.contract.base import method_and_path
from todo_cli.contract.devices import PollDevice, StartDevice
from todo_cli.contract.passwords import ResetPassword, SignIn
from todo_cli.contract.registration import Register
from todo_cli.contract.registry import REQUESTS
from todo_cli.contract.spaces import JoinSpace
from todo_cli.errors import ERRORS

REFUSALS = {
    SignIn: (401, 429),
    ResetPassword: (401, 429),
    Register: (403,),
    JoinSpace: (403,),
    StartDevice: (429,),
    PollDevice: (400,),
}
"""The statuses for an account, a device or a registration that does not exist, and beyond the limit of an address."""

PUBLIC = [request for request in REQUESTS if request.route]
# what JSON Schema 2020-12 knows of, of what we use; another word would be a slip
WORDS = {
    "$ref",
    "anyOf",
    "default",
    "description",
    "enum",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "contentEncoding",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
    "additionalProperties",
    "format",
    "prefixItems",
    "const",
}
TYPES = {"string", "integer", "number", "boolean", "array", "object", "null"}


@pytest.fixture(scope="module")
def document(server: Server) -> Any:
    answer = ask(server.url, "GET", "/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return answer.json


def walk(node: Any, path: str = "#") -> Iterator[tuple[str, Any]]:
    yield path, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from walk(child, f"{path}/{name}")


def resolve(document: Any, reference: str) -> Any:
    assert reference.startswith("#/")
    node = document
    for part in reference[2:].split("/"):
        node = node[part]
    return node


def test_document_frame_is_complete(document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    assert {"title", "version"} <= document["info"].keys()
    assert document.keys() <= {"openapi", "info", "paths", "components", "security", "servers", "tags"}
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert sorted(ids) == sorted({*ids})
    for name in document["components"]["schemas"]:
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    (scheme,) = [next(iter(requirement)) for requirement in document["security"]]
    assert document["components"]["securitySchemes"][scheme] == {"type": "http", "scheme": "bearer"}


def test_document_references_resolve_to_valid_schemas(document: Any) -> None:
    for path, node in walk(document):
        if isinstance(node, dict) and "$ref" in node:
            resolve(document, node["$ref"])
        if path.endswith(("/schema", "/items")) or re.fullmatch(r"#/components/schemas/\w+(/properties/\w+)?", path):
            check_schema(path, node)


def check_schema(path: str, schema: Any) -> None:
    if isinstance(schema, bool):
        return
    assert isinstance(schema, dict), path
    assert schema.keys() <= WORDS, (path, schema.keys() - WORDS)
    kind = schema.get("type")
    assert kind is None or {kind} <= TYPES if not isinstance(kind, list) else {*kind} <= TYPES, path
    assert {*schema.get("required", ())} <= schema.get("properties", {}).keys(), path
    if "pattern" in schema:
        re.compile(schema["pattern"])
    for branch in schema.get("anyOf", ()):
        check_schema(path, branch)


def test_document_passes_the_meta_schema(document: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("request_type", PUBLIC, ids=lambda one: one.__name__)
def test_document_contains_every_route(document: Any, request_type: Any) -> None:
    method, path = method_and_path(request_type)
    operation = document["paths"][path][method.lower()]
    assert operation["operationId"] == request_type.__name__
    assert operation["summary"]
    parameters = {(parameter["in"], parameter["name"]): parameter for parameter in operation["parameters"]}
    assert len(parameters) == len(operation["parameters"])
    fields = {*request_type.__struct_encode_fields__}
    in_path = {*re.findall(r"{(\w+)}", path)}
    assert {name for place, name in parameters if place == "path"} == in_path
    assert all(parameters["path", name]["required"] for name in in_path)
    assert ("header", "Todo-Space") in parameters
    assert (("header", "Idempotency-Key") in parameters) == request_type.write
    if method in ("GET", "DELETE"):
        assert {name for place, name in parameters if place == "query"} == fields - in_path
        assert "requestBody" not in operation
    else:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        schema = resolve(document, body["$ref"])
        assert {*schema["properties"]} == fields
        assert schema["additionalProperties"] is False
    assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_document_contains_no_other_route(document: Any) -> None:
    routes = {method_and_path(request_type) for request_type in PUBLIC}
    streams = {("POST", "/v1/turns"), ("GET", "/v1/turns/{turn}/events"), ("GET", "/v1/changes/stream")}
    found = {(method.upper(), path) for path, found in document["paths"].items() for method in found}
    assert found == routes | streams | {("GET", "/v1/models")}
    for method, path in streams:
        operation = document["paths"][path][method.lower()]
        assert [*operation["responses"]["200"]["content"]] == ["text/event-stream"]


def test_document_lists_the_existing_problems(document: Any) -> None:
    schema = document["components"]["schemas"]["Problem"]
    assert {*schema["properties"]["type"]["enum"]} == {f"urn:todo:{code}" for code in ERRORS}


# -- true ------------------------------------------------------------------------------------------


def example(document: Any, schema: Any) -> Any:
    """Some value that the schema allows: the least of everything."""
    if "$ref" in schema:
        return example(document, resolve(document, schema["$ref"]))
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(document, schema["anyOf"][0])
    kind = schema.get("type")
    if kind == "object":
        required = schema.get("required", ())
        return {name: example(document, schema["properties"][name]) for name in required}
    if kind == "array":
        return [example(document, schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
    if kind == "integer":
        return schema.get("minimum", 0)
    if kind == "boolean":
        return False
    if schema.get("format") == "date-time":
        return "2030-01-02T03:04:05Z"
    if schema.get("contentEncoding") == "base64":
        return "eA=="
    patterns = {
        "^[0-9a-f]{64}$": "0" * 64,
        "^[0-9a-f]{32}$": "0" * 32,
        "^[0-9a-f-]{36}$": "01900000-0000-7000-8000-000000000001",
        "^[A-Za-z0-9_-]{32,128}$": "x" * 43,
        "^[!-?A-~]{1,64}@[!-?A-~]{1,185}$": "nobody@example.org",
    }
    return patterns.get(schema.get("pattern", ""), "x" * max(1, schema.get("minLength", 1)))


def conforms(document: Any, schema: Any, value: Any, path: str = "$") -> None:
    """The answer is what the document says: types, required members, references; enough to catch a lie."""
    if "$ref" in schema:
        conforms(document, resolve(document, schema["$ref"]), value, path)
        return
    if "anyOf" in schema:
        refusals = []
        for branch in schema["anyOf"]:
            try:
                conforms(document, branch, value, path)
            except AssertionError as error:
                refusals.append(error)
            else:
                return
        raise AssertionError(f"{path}: {value!r} is nothing of {schema['anyOf']}: {refusals}")
    kinds = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "array": list,
        "object": dict,
        "null": type(None),
    }
    if "type" in schema:
        assert isinstance(value, kinds[schema["type"]]), (path, value, schema)
    if "enum" in schema:
        assert value in schema["enum"], (path, value)
    if isinstance(value, dict) and "properties" in schema:
        assert {*schema.get("required", ())} <= value.keys(), (path, value.keys())
        assert value.keys() <= schema["properties"].keys(), (path, value.keys() - schema["properties"].keys())
        for name, member in value.items():
            conforms(document, schema["properties"][name], member, f"{path}.{name}")
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, one in enumerate(value):
            conforms(document, schema["items"], one, f"{path}[{index}]")


@pytest.fixture(scope="module")
def admin(db: Any) -> Person:
    """Somebody who may do everything, with one task."""
    person: Person = db.person(admin=True)
    return person


@pytest.mark.parametrize("request_type", PUBLIC, ids=lambda one: one.__name__)
def test_request_built_from_the_document_is_accepted(
    document: Any, server: Server, admin: Person, request_type: Any
) -> None:
    """Understood is more than answered: what is not there may be missed, but nothing may be called malformed."""
    method, path = method_and_path(request_type)
    operation = document["paths"][path][method.lower()]
    ask(server.url, "POST", "/v1/tasks", {"title": "one"}, token=admin.token)
    parts = {
        parameter["name"]: example(document, parameter["schema"])
        for parameter in operation["parameters"]
        if parameter["in"] == "path"
    }
    needed = {
        parameter["name"]: example(document, parameter["schema"])
        for parameter in operation["parameters"]
        if parameter["in"] == "query" and parameter.get("required")
    }
    target = path.format(**parts) + (f"?{urlencode(needed)}" if needed else "")
    body = None
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = example(document, schema) | parts
    answer = ask(server.url, method, target, body, token=admin.token)
    if answer.status >= 400:
        assert answer.status in (404, 409, 422, *REFUSALS.get(request_type, ())), answer
        schema = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert "Expected" not in answer.problem["detail"], answer.problem
        assert answer.status != 422 or re.search(
            "no change was given|name one place|unknown sort|scope|cannot be planned|numbers is empty|has no e-mail address|not its size|is not named x",
            answer.problem["detail"],
        ), answer.problem
        assert {*resolve(document, schema["$ref"])["required"]} <= answer.problem.keys()
        return
    found = operation["responses"][str(answer.status)]["content"]["application/json"]["schema"]
    conforms(document, found, json.loads(answer.body))
