"""What an operation is, and how its values are read from JSON and written to it.

An operation is declared once; the HTTP API routes to it, the OpenAPI document and the reference page are made from it,
and the CLI performs it in process or over HTTP. To add one, declare what it takes and gives as dataclasses derived from
`Input` and `Output` (the field's docstring is its documentation), and put it into its file's tuple.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Generic, Literal, TypeVar, get_origin

from annotated_types import Ge, Le

from appconnect.control.context import Context, InputError, InputProblem
from appconnect.core.admin_tokens import AdminScope, AdminToken
from appconnect.core.secret import Secret

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Given = TypeVar("Given")
Result = TypeVar("Result")
Item = TypeVar("Item")

MAX_PAGE: Final = 1000
_PLACE: Final = re.compile(r"\{([a-z_]+)\}")


_CONFIGURATION: Final[dict[str, Any]] = {"strict": True, "use_attribute_docstrings": True, "hide_input_in_errors": True}


class Input:
    """What an operation takes: types are exact, and unknown fields are refused. Docstrings of fields describe them."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {**_CONFIGURATION, "extra": "forbid"}


class Output:
    """What an operation gives. Who reads it ignores fields that a later version adds."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {**_CONFIGURATION, "extra": "ignore"}


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf an operation runs: `token` is None for who may do everything, at the gateway's own machine."""

    context: Context
    token: AdminToken | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[Given, Result]):
    """One thing to do. Fields of `takes` that `path` names come from there; the others from the query or the body."""

    name: str
    method: Method
    path: str
    scope: AdminScope
    summary: str
    takes: type[Given]
    gives: type[Result]
    run: Callable[[Caller, Given], Result]
    status: int = 200

    @property
    def places(self) -> tuple[str, ...]:
        """The fields that stand in the path."""
        return tuple(_PLACE.findall(self.path))

    @property
    def is_list(self) -> bool:
        """Whether the result is a `Page`."""
        return get_origin(self.gives) is Page


AnyOperation = Operation[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing(Input):
    """No input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWanted(Input):
    """Which part of a list is wanted."""

    limit: Annotated[int, Ge(1), Le(MAX_PAGE)] = 100
    """How many at most."""
    cursor: str | None = None
    """Where to go on: `next` of the answer before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Output, Generic[Item]):
    """A part of a list."""

    items: tuple[Item, ...]
    """What is listed."""
    next: str | None
    """The cursor of the part that follows; null at the end."""


def page(found: Sequence[Item], wanted: PageWanted, key: Callable[[Item], str]) -> Page[Item]:
    """The wanted part of a whole list. The cursor is the key of the last one that was given."""
    start = 0
    if wanted.cursor is not None:
        keys = [key(one) for one in found]
        if wanted.cursor not in keys:
            raise InputError.of("cursor", "It is of no list, or what it points at is gone.", "Begin without it.")
        start = keys.index(wanted.cursor) + 1
    part = tuple(found[start : start + wanted.limit])
    return Page(items=part, next=key(part[-1]) if start + wanted.limit < len(found) else None)


# -- secrets in values ------------------------------------------------------------------------------------------------


class _AsText:
    """Lets a `Secret` be read from text; pydantic is loaded by whoever reads."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # noqa: PLC0415 - 10 MB that most workers never need

        del source, handler
        return core_schema.no_info_after_validator_function(Secret, core_schema.str_schema(min_length=1))


SecretText = Annotated[Secret, _AsText()]
"""A secret that is text in JSON, and a `Secret` everywhere else."""


# -- JSON -------------------------------------------------------------------------------------------------------------


def to_json(value: Any) -> Any:
    """A value as JSON has it. This alone reveals the secrets in it."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(one) for key, one in value.items()}
    return [to_json(one) for one in value] if isinstance(value, tuple | list) else value


def from_json(kind: type[Item], content: Mapping[str, Any]) -> Item:
    """A value read from JSON; `InputError` with every problem in it."""
    return _read(kind, lambda reader: reader.validate_json(json.dumps(content)))


def from_texts(kind: type[Item], content: Mapping[str, str]) -> Item:
    """A value read from a query, where all is text; `InputError` with every problem in it."""
    return _read(kind, lambda reader: reader.validate_strings(content, strict=False))


@cache
def reader_of(kind: Any) -> "TypeAdapter[Any]":
    """What reads values of a kind, and describes them."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - as above

    return TypeAdapter(kind)


def _read(kind: Any, read: Callable[["TypeAdapter[Item]"], Item]) -> Item:
    from pydantic import ValidationError  # noqa: PLC0415 - as above

    try:
        return read(reader_of(kind))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        names = [field.name for field in fields(get_origin(kind) or kind)]
        raise InputError(_problem(one["type"], one["loc"], one["msg"], names) for one in details) from None


def _problem(kind: str, location: tuple[int | str, ...], message: str, names: Sequence[str]) -> InputProblem:
    field = ".".join(map(str, location)) or "body"
    if kind in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return InputProblem(field, "is missing.", "Give it.")
    if kind == "unexpected_keyword_argument":
        there_are = f"Fields are: {', '.join(names)}." if names else "It takes no fields."
        return InputProblem(field, "is not a field here.", there_are)
    return InputProblem(field, f"{message}.", "See the API's document.")


def field_of(kind: Any, label: str) -> str | None:
    """The field that a problem's label speaks of: `Token Lifetime` of `token_lifetime_seconds`, for one."""
    wanted = re.sub("[^a-z]+", "_", label.partition(".")[0].lower()).strip("_")
    for field in fields(kind):
        if field.name == wanted or (wanted and field.name.startswith(wanted + "_")):
            return field.name
    return None
