"""The reference page of the admin API, made from the table of operations."""

from collections.abc import Mapping
from typing import Any, Final

from appconnect.console import openapi
from appconnect.console.api import DOCUMENT, MAX_BODY_BYTES, ROOT
from appconnect.control.operations.operation import AnyOperation
from appconnect.control.operations.table import OPERATIONS
from appconnect.core.admin_tokens import AdminScope
from docs.markdown import table

_KINDS: Final = {"string": "text", "integer": "a whole number", "boolean": "true or false", "object": "an object"}


def admin_api_page() -> list[str]:
    """The page, line by line."""
    return [
        "# Admin API",
        "",
        "Here you find every operation of the admin API, with what it takes and gives.",
        "How to get a token and how errors look is in [Admin API](../operators/admin-api.md).",
        "",
        f"Addresses are below `{ROOT}`.",
        f"`GET {DOCUMENT}` gives all of this as an OpenAPI 3.1 document, to any administrator token.",
        f"A body is a JSON object of at most {MAX_BODY_BYTES // 1024} KB.",
        "Times are seconds since the epoch.",
        "",
        "## Scopes",
        "",
        *table(("Scope", "What it opens"), [(f"`{scope}`", scope.meaning) for scope in AdminScope]),
        "",
        "## Operations",
        "",
        *table(
            ("Operation", "Method", "Path", "Scope"),
            [(f"[{one.name}](#{_anchor(one)})", one.method, f"`{one.path}`", f"`{one.scope}`") for one in OPERATIONS],
        ),
        *(line for one in OPERATIONS for line in _operation(one)),
    ]


def _anchor(operation: AnyOperation) -> str:
    return operation.name.replace(".", "")


def _operation(operation: AnyOperation) -> list[str]:
    schemas: dict[str, Any] = {}
    takes = openapi.schema_of(operation.takes, schemas)
    gives = openapi.schema_of(operation.gives, schemas)
    if operation.is_list:
        item = schemas[gives["properties"]["items"]["items"]["$ref"].rpartition("/")[2]]
        what, fields = "`items`, and `next`, which is the `cursor` of the part that follows. Each item:", item
    else:
        what, fields = "an object:", gives
    return [
        "",
        f"## {operation.name}",
        "",
        operation.summary,
        "",
        f"    {operation.method} {ROOT}{operation.path}",
        "",
        *_taken(operation, takes),
        f"It answers {operation.status} with {what}",
        "",
        *table(("Field", "Value", "Meaning"), [_row(*one) for one in fields["properties"].items()]),
    ]


def _taken(operation: AnyOperation, takes: Mapping[str, Any]) -> list[str]:
    elsewhere = "query" if operation.method == "GET" else "body"
    rows = [
        (f"`{name}`", "path" if name in operation.places else elsewhere, _kind(field), field["description"])
        for name, field in takes["properties"].items()
    ]
    return [*table(("Field", "In", "Value", "Meaning"), rows), ""] if rows else []


def _row(name: str, field: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"`{name}`", _kind(field), field["description"]


def _kind(field: Mapping[str, Any]) -> str:
    """The kind of a value in words, with what it may not be beyond and what stands for nothing."""
    choices = field.get("anyOf", [field])
    kinds = " or ".join("null" if one.get("type") == "null" else _one_kind(one) for one in choices)
    default = field.get("default")
    shown = "" if default in (None, "", []) else f"; {str(default).lower()} if left out"
    return kinds + shown


def _one_kind(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return "an object"
    if field["type"] == "array":
        return "a list of objects" if "$ref" in field["items"] else "a list of texts"
    low, high = field.get("minimum"), field.get("maximum")
    return _KINDS[field["type"]] + (f" from {low} to {high}" if low is not None else "")
