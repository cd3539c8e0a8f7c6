"""What PHP and WordPress make of a body: by its real method and content type, and by nothing else.

Most bodies mean nothing to a decision and are streamed. Where a decision depends on one, its parameters are read here
as WordPress would read them, and what could be read in two ways is `Refused`.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Any, Final

from appconnect.core.headers import first
from appconnect.core.query import php_name, split_pairs
from appconnect.core.request import Pair, Refused
from appconnect.core.rules import Method

MAX_READ_BYTES: Final = 1_000_000
"""The longest body, in bytes, that is held in memory to be read; only decisions that depend on a body need that."""
MAX_FORM_FIELDS: Final = 1000
"""PHP's `max_input_vars`: what comes after is dropped in silence."""

FORM_TYPE: Final = b"application/x-www-form-urlencoded"
MULTIPART_TYPE: Final = b"multipart/form-data"


class Reading(StrEnum):
    """The ways in which PHP or WordPress finds parameters in a body."""

    JSON = "json"
    FORM = "form"
    MULTIPART = "multipart"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A top-level parameter: its name in PHP, and its value where it is one text or whole number, else None."""

    name: bytes
    value: str | None


@dataclass(frozen=True, slots=True)
class Body:
    """A body that goes on to WordPress; `parameters` is None as long as nobody has read it."""

    readings: frozenset[Reading]
    parameters: tuple[Parameter, ...] | None
    is_encoded: bool = False

    @classmethod
    def unread(cls, headers: Iterable[Pair], *, wire_method: Method, method: Method) -> "Body":
        """A body of which nothing is known but its head."""
        fields = tuple(headers)
        readings = readings_of(first(fields, b"content-type"), wire_method=wire_method, method=method)
        is_encoded = any(name == b"content-encoding" for name, _ in fields)
        return cls(readings, None if readings else (), is_encoded)

    @property
    def can_be_read(self) -> bool:
        """Whether there is one way to read it, and we know it as well as PHP does.

        Multipart has too many corners, and a coding is undone by some web servers only.
        """
        return len(self.readings) < 2 and Reading.MULTIPART not in self.readings and not self.is_encoded

    def read(self, content: bytes) -> "Body":
        """The body with its parameters; `Refused` where WordPress would read something else or nothing."""
        return replace(self, parameters=_parameters_of(self.readings, content))


# -- by the content type ----------------------------------------------------------------------------------------------

_WORDPRESS_JSON: Final = re.compile(
    rb"(^|\s|,)application/([\w!#\$&-\^\.\+]+\+)?json(\+oembed)?($|\s|;|,)", re.IGNORECASE
)


def readings_of(content_type: bytes | None, *, wire_method: Method, method: Method) -> frozenset[Reading]:
    """Every way in which the body of this request would be read.

    PHP fills `$_POST` for a real POST only (`sapi_read_post_data`: the type ends at `;`, `,` or a space). WordPress
    reads JSON whatever the method (`is_json_content_type`), and a form, or what has no type, where the method that it
    runs is not POST (`parse_body_params`).
    """
    readings = set()
    stated = _wordpress_type(content_type)
    if stated is not None and _WORDPRESS_JSON.search(stated):
        readings.add(Reading.JSON)
    if method is not Method.POST and stated in (None, FORM_TYPE):
        readings.add(Reading.FORM)
    if wire_method is Method.POST:
        by_php = re.split(rb"[;, ]", (content_type or b"").lower(), maxsplit=1)[0]
        readings |= {Reading.FORM} if by_php == FORM_TYPE else set()
        readings |= {Reading.MULTIPART} if by_php == MULTIPART_TYPE else set()
    return frozenset(readings)


def _wordpress_type(content_type: bytes | None) -> bytes | None:
    """`WP_REST_Request::get_content_type`: None where there is none, or nothing that looks like one."""
    value = content_type or b""
    if value.find(b";") > 0:
        value = value.split(b";", 1)[0]
    value = value.strip(b" \t\n\r\0\x0b").lower()
    return value if b"/" in value else None


# -- by its bytes -----------------------------------------------------------------------------------------------------


def _parameters_of(readings: frozenset[Reading], content: bytes) -> tuple[Parameter, ...]:
    if readings == {Reading.JSON}:
        decoded = parse_json(content)
        named = decoded.items() if isinstance(decoded, dict) else ()
        return tuple(Parameter(name.encode(), value_of(value)) for name, value in named)
    if readings == {Reading.FORM}:
        return form_parameters(split_pairs(content, most=MAX_FORM_FIELDS))
    assert not readings
    return ()


def form_parameters(pairs: Sequence[Pair]) -> tuple[Parameter, ...]:
    """The parameters of a query or form; one of an array's is not a text."""
    return tuple(
        Parameter(read_as, _utf8(value) if name == read_as else None)
        for name, value in pairs
        if (read_as := php_name(name))
    )


_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def parse_json(content: bytes) -> Any:
    """JSON as PHP's `json_decode` takes it (RFC 8259), and each name once; an empty body is no parameters."""
    if content in (b"", b"0"):  # PHP's `empty`
        return {}
    try:
        decoded = json.loads(
            content.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_no_constant, parse_float=_finite
        )
        if _SURROGATE.search(content):
            write_json(decoded)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "malformed_body", f"The body cannot be read as JSON: {_problem(error)}.") from None
    return decoded


def write_json(content: Any) -> bytes:
    """JSON that PHP takes; `ValueError` for what it would not: half a surrogate pair, a number beyond every double."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) != len({name for name, _ in pairs}):
        raise ValueError("an object has a name twice")
    return dict(pairs)


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number is beyond every double")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _problem(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"{error.msg[:1].lower()}{error.msg[1:]} at line {error.lineno}, column {error.colno}"
        case UnicodeError():
            return "it is not UTF-8"
        case RecursionError():
            return "it is nested too deeply"
        case _:
            return str(error)


def value_of(value: Any) -> str | None:
    """A decoded value as PHP would compare it with a part of the path; None for what is no text or whole number."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _utf8(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None
