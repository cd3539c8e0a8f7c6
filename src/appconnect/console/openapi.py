"""The OpenAPI 3.1 document of the admin API, made from the table of operations."""

from dataclasses import is_dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, Final, get_args, get_origin

from appconnect.control.operations.operation import AnyOperation, reader_of
from appconnect.control.operations.table import OPERATIONS
from appconnect.core.admin_tokens import AdminScope

ROOT: Final = "/app-connect/api/v1"
_REF: Final = "#/components/schemas/{model}"
_ERRORS: Final = {
    "400": "The body is no JSON.",
    "401": "No token, or one that does not count.",
    "403": "The token lacks the scope.",
    "404": "There is no such thing.",
    "405": "The address has no such method.",
    "409": "Another change is at work; try again.",
    "413": "The body is too long.",
    "415": "The body is not said to be JSON.",
    "422": "Wrong input: every problem is listed, and nothing was changed.",
    "429": "Too many wrong tokens came from this address.",
    "500": "It failed at the gateway; its log says how.",
    "502": "WordPress could not be asked, or refused.",
}
_PROBLEM: Final = {
    "type": "object",
    "description": "Problem details (RFC 9457). `kind` is input, token, wordpress or other.",
    "required": ["title", "status", "detail", "kind", "problems"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "All problems in words."},
        "kind": {"type": "string", "enum": ["input", "token", "wordpress", "other"]},
        "scope": {"type": "string", "description": "The scope that is needed, with 403."},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "problem", "remedy"],
                "properties": {
                    "field": {"type": "string", "description": "What it is about, as people call it."},
                    "problem": {"type": "string"},
                    "remedy": {"type": "string"},
                    "pointer": {"type": "string", "description": "The field of the input, as a JSON pointer."},
                },
            },
        },
    },
}


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, schemas)
    scopes = ", ".join(f"`{scope}`" for scope in AdminScope)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "App Connect admin API",
            "version": version("app-connect"),
            "description": f"All that an administrator can do. Scopes of administrator tokens: {scopes}.",
        },
        "servers": [{"url": ROOT}],
        "security": [{"administratorToken": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {code: _refused(text) for code, text in _ERRORS.items()},
            "securitySchemes": {
                "administratorToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made with `app-connect admin-tokens create`; it begins with aca_.",
                }
            },
        },
    }


def _described(operation: AnyOperation, schemas: dict[str, Any]) -> dict[str, Any]:
    made = schema_of(operation.takes, schemas)
    takes, needed = made["properties"], made.get("required", [])
    in_parameters = [name for name in takes if operation.method == "GET" or name in operation.places]
    parameters = [
        _parameter(name, takes[name], in_path=name in operation.places, is_required=name in needed)
        for name in in_parameters
    ]
    body = {name: schema for name, schema in takes.items() if name not in in_parameters}
    result = {"application/json": {"schema": _reference(operation.gives, schemas)}}
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Needs the scope `{operation.scope}`.",
        "security": [{"administratorToken": [operation.scope.value]}],
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": _request_body(body, [name for name in needed if name in body])} if body else {}),
        "responses": {
            str(operation.status): {"description": "Done.", "content": result},
            **{code: {"$ref": f"#/components/responses/{code}"} for code in _ERRORS},
        },
    }


def schema_of(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of a dataclass; what it refers to goes into `schemas`."""
    made: dict[str, Any] = reader_of(kind).json_schema(ref_template=_REF)
    schemas |= made.pop("$defs", {})
    bases: list[Any] = [one for one in getattr(kind, "__mro__", ())[1:] if is_dataclass(one)]
    for base in bases:  # pydantic reads only the docstrings of a class itself
        for name, field in reader_of(base).json_schema()["properties"].items():
            made["properties"][name].setdefault("description", field.get("description", ""))
    for field in made["properties"].values():
        field.pop("title", None)  # the name again
    return made


def _parameter(name: str, schema: dict[str, Any], *, in_path: bool, is_required: bool) -> dict[str, Any]:
    place = "path" if in_path else "query"
    text = {"description": schema["description"]}
    rest = {key: value for key, value in schema.items() if key != "description"}
    return {"name": name, "in": place, "required": in_path or is_required, **text, "schema": rest}


def _request_body(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    if required:
        schema["required"] = required
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _reference(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    name = "Of".join(one.__name__ for one in (get_origin(kind) or kind, *get_args(kind)))
    schemas[name] = schema_of(kind, schemas)
    return {"$ref": _REF.format(model=name)}


def _refused(text: str) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model="Problem")}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}
