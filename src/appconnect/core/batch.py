"""A batch (`POST /batch/v1`): requests inside a request, each reduced to a canonical form of its own.

WordPress takes them from JSON, a form or the query, and runs them one by one (`serve_batch_request_v1`). Here they are
read once, decided one by one, and written anew as JSON: what is forwarded is what was decided on.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from appconnect.core.body import (
    MAX_FORM_FIELDS,
    Body,
    Parameter,
    Reading,
    parse_json,
    value_of,
    write_json,
)
from appconnect.core.canonical import CanonicalRequest, check_route, has_embed, segments_of
from appconnect.core.headers import NEVER_FORWARDED
from appconnect.core.query import CONSUMED_PARAMETERS, encode_query, parse_arrays, parse_query, php_name, split_pairs
from appconnect.core.request import Pair, Refused, shown
from appconnect.core.rules import Method

BATCH_SEGMENTS: Final = ("batch", "v1")
MAX_PARTS: Final = 25
"""`WP_REST_Server::get_max_batch_size`."""

_METHODS: Final = (Method.POST, Method.PUT, Method.PATCH, Method.DELETE)
_VALIDATIONS: Final = ("normal", "require-all-validate")
_OWN_NAMES: Final = (b"requests", b"validation")


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a batch: its canonical form, and its body and headers as WordPress will get them."""

    request: CanonicalRequest
    body: dict[str, Any]
    headers: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """The part as `serve_batch_request_v1` reads it."""
        query = encode_query(self.request.query)
        path = f"{self.request.route}?{query}" if query else self.request.route
        return {"method": self.request.method.value, "path": path, "body": self.body, "headers": self.headers}


@dataclass(frozen=True, slots=True)
class Batch:
    """The parts in order, and how WordPress is to validate them."""

    parts: tuple[Part, ...]
    validation: str

    def to_json(self) -> bytes:
        """The body of the request that is forwarded."""
        return write_json({"validation": self.validation, "requests": [part.to_json() for part in self.parts]})


def is_batch(request: CanonicalRequest) -> bool:
    """Whether WordPress would run the requests in this one."""
    return request.method is Method.POST and request.segments == BATCH_SEGMENTS


def parse_batch(request: CanonicalRequest, content: bytes) -> Batch:
    """Read the parts of a batch from its body or its query; `Refused` where one of them has no single meaning."""
    given = [_of_query(request.query), _of_body(request.body, content)]
    said = [each for each in given if each]
    if len(said) > 1:
        raise _refuse("has its requests in the query and in the body. Send them in one of the two")
    fields = said[0] if said else {}
    validation = fields.get("validation", "normal")
    if validation not in _VALIDATIONS:
        raise _refuse(f"has an unknown validation. WordPress knows {' and '.join(_VALIDATIONS)}")
    requests = _listed(fields.get("requests"))
    if not requests:
        raise _refuse("has no list of requests")
    if len(requests) > MAX_PARTS:
        raise _refuse(f"has {len(requests)} requests, and WordPress takes {MAX_PARTS}. Split it")
    return Batch(tuple(_parse_part(part, number) for number, part in enumerate(requests, start=1)), validation)


def rewritten(request: CanonicalRequest) -> CanonicalRequest:
    """The request that carries the parts as JSON: nothing of its query that says something about them goes on."""
    return request._replace(
        wire_method=Method.POST,
        query=tuple(pair for pair in request.query if php_name(pair[0]) not in _OWN_NAMES),
        headers=(
            *(pair for pair in request.headers if pair[0] not in (b"content-type", b"content-encoding")),
            (b"content-type", b"application/json"),
        ),
    )


def read_body(request: CanonicalRequest, content: bytes) -> tuple[CanonicalRequest, Batch | None, bytes]:
    """A request whose body has been read: what it is now, its parts where it is a batch, and the body that goes on.

    `Refused` where the body has no single meaning.
    """
    if is_batch(request):
        batch = parse_batch(request, content)
        return rewritten(request), batch, batch.to_json()
    if request.body is None:
        return request, None, content
    return request._replace(body=request.body.read(content)), None, content


# -- where the parts are ----------------------------------------------------------------------------------------------


def _of_query(query: Iterable[Pair]) -> dict[str, Any]:
    return parse_arrays(pair for pair in query if php_name(pair[0]) in _OWN_NAMES)


def _of_body(body: Body | None, content: bytes) -> dict[str, Any]:
    if body is None or not body.readings:
        return {}
    if not body.can_be_read:
        raise _refuse("is in a body of this content type, which cannot be read for certain. Send application/json")
    if Reading.FORM in body.readings:
        return _of_query(split_pairs(content, most=MAX_FORM_FIELDS))
    decoded = parse_json(content)
    fields = decoded if isinstance(decoded, dict) else {}
    return {name: fields[name] for name in ("requests", "validation") if name in fields}


def _listed(requests: Any) -> list[Any]:
    """`rest_is_array`: a list, or PHP's array with numbers for keys, which a form makes."""
    if isinstance(requests, dict) and all(re.fullmatch(r"0|[1-9][0-9]*", key) for key in requests):
        return list(requests.values())
    return requests if isinstance(requests, list) else []


# -- one part ---------------------------------------------------------------------------------------------------------


def _parse_part(part: Any, number: int) -> Part:
    try:
        return _read_part(part)
    except Refused as error:
        raise Refused(400, "malformed_batch", f"Request {number} of the batch: {error.message}") from None


def _read_part(part: Any) -> Part:
    if not isinstance(part, dict):
        raise _refuse_part("It is no object with a path.")
    path, body, headers = part.get("path"), _object(part, "body"), _object(part, "headers")
    if part.get("method", "POST") not in _METHODS:
        raise _refuse_part(f"Its method must be one of {', '.join(_METHODS)}, in capitals.")
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//") or "#" in path:
        raise _refuse_part("Its path must start with one slash, as /wp/v2/posts does, and have no #.")
    route, query = _split_path(path)
    method = Method(part.get("method", "POST"))
    parameters = tuple(Parameter(name.encode(), value_of(value)) for name, value in body.items())
    return Part(
        CanonicalRequest(
            method=method,
            wire_method=method,
            route=route,
            query=query,
            headers=(),
            embeds=has_embed(query),
            body=Body(frozenset(), parameters),
            segments=segments_of(route),
        ),
        body,
        _read_headers(headers),
    )


def _split_path(path: str) -> tuple[str, tuple[Pair, ...]]:
    """`wp_parse_url` decodes nothing, so a path is compared as it is written."""
    route, _, raw_query = path.partition("?")
    query = parse_query(raw_query.encode()).pairs
    if any(name in CONSUMED_PARAMETERS for name, _ in query):
        raise _refuse_part("rest_route, _method and _wpnonce mean nothing inside a batch. Leave them out.")
    return check_route(route).removesuffix("/") or "/", query


def _object(part: dict[str, Any], name: str) -> dict[str, Any]:
    value = part.get(name)
    if value is None or value == []:  # PHP's empty array is an empty object too
        return {}
    if not isinstance(value, dict):
        raise _refuse_part(f"Its {name} must be an object.")
    return value


def _read_headers(headers: dict[str, Any]) -> dict[str, str]:
    """Headers of a part are data for its handler (`WP_REST_Request::canonicalize_header_name` folds `-` and `_`)."""
    seen = set()
    for name, value in headers.items():
        folded = name.lower().replace("_", "-").encode()
        if folded in NEVER_FORWARDED or folded.startswith(b"x-forwarded-") or not re.fullmatch(rb"[a-z0-9-]+", folded):
            raise _refuse_part(f"The header {shown(folded)} cannot be sent in a part.")
        if not isinstance(value, str) or folded in seen:
            raise _refuse_part(f"The header {shown(folded)} must be one text.")
        seen.add(folded)
    return headers


def _refuse_part(problem: str) -> Refused:
    return Refused(400, "malformed_batch", problem)


def _refuse(problem: str) -> Refused:
    return Refused(400, "malformed_batch", f"The batch {problem}.")
