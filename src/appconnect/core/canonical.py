"""From a request as received to its canonical form: the only place that decodes or normalizes.

The gateway decides on the canonical form and forwards that form, never the bytes that came in. Whatever cannot be
reduced to exactly one meaning is `Refused`. What WordPress and PHP would understand is the measure, so each step names
the function that it follows.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from appconnect.core.rules import REST_PREFIX, Method, fold_case

MAX_QUERY_PARAMETERS: Final = 500
"""PHP drops those past `max_input_vars` (1000) in silence, a pin among them; half of that is ample for clients."""

Pair = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the HTTP server parsed it: nothing decoded, header names lower-cased, order kept."""

    method: str
    raw_path: bytes
    raw_query: bytes
    headers: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class CanonicalRequest:
    """The one meaning of a request.

    `method` is what WordPress will run, `wire_method` what is sent (a body keeps its real method: PHP fills `$_POST`
    for a real POST only). `query` and `headers` are decoded pairs, without anything that WordPress would read as
    routing, method, credentials or session.
    """

    method: Method
    wire_method: Method
    route: str
    query: tuple[Pair, ...]
    headers: tuple[Pair, ...]
    embeds: bool
    forwards_body: bool

    @property
    def segments(self) -> tuple[str, ...]:
        """The route's segments in the case that rules are compared in."""
        return tuple(fold_case(self.route).split("/")[1:]) if self.route != "/" else ()

    @property
    def path(self) -> str:
        """The route as people write it."""
        return REST_PREFIX + self.route


class Refused(Exception):
    """The gateway will not pass the request on; worded for an API caller in WordPress's error format."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, f"app_connect_{code}", message


def canonicalize(request: Request) -> CanonicalRequest:
    """Reduce a request to its one meaning, or raise `Refused`."""
    headers = _check_headers(request.headers)
    real_method = _method(request.method)
    parameters = _parse_query(request.raw_query)
    route = _route(request.raw_path, parameters)
    method = _effective_method(real_method, parameters, headers)
    has_body = _carries_body(headers)
    wire_method = _wire_method(real_method, method, has_body=has_body)
    return CanonicalRequest(
        method=method,
        wire_method=wire_method,
        route=route,
        query=tuple(pair for pair in parameters if pair[0] not in _CONSUMED_PARAMETERS),
        headers=tuple(pair for pair in headers if _may_forward(pair[0], headers)),
        embeds=any(php_name(name) == b"_embed" for name, _ in parameters),
        forwards_body=has_body and wire_method is real_method,
    )


def is_rest_request(raw_path: bytes, raw_query: bytes) -> bool:
    """Whether WordPress might take this for a REST request in any spelling; wide on purpose, for routing only."""
    path = fold_case(unquote_to_bytes(raw_path).decode("latin-1"))
    return REST_PREFIX[1:] in path or b"rest" in unquote_to_bytes(raw_query)


# -- headers ----------------------------------------------------------------------------------------------------------

_SINGLE: Final = frozenset(
    (
        b"authorization",
        b"host",
        b"content-length",
        b"content-type",
        b"transfer-encoding",
        b"x-http-method-override",
    )
)
_HOP_BY_HOP: Final = frozenset(  # RFC 9110 §7.6.1, with Proxy-* and Trailer of its predecessors
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
_NEVER_FORWARDED: Final = _HOP_BY_HOP | frozenset(
    (
        *(b"authorization", b"proxy-authorization", b"x-authorization", b"x-http-authorization"),
        *(b"cookie", b"x-wp-nonce"),  # a cookie outranks an application password (`wp_validate_auth_cookie`)
        *(b"x-http-method-override", b"x-http-method", b"x-method-override"),
        *(b"x-original-url", b"x-rewrite-url", b"x-original-method", b"x-accel-redirect"),
        *(b"forwarded", b"x-real-ip", b"client-ip", b"x-client-ip", b"x-cluster-client-ip", b"true-client-ip"),
        *(b"cf-connecting-ip", b"proxy", b"https", b"front-end-https"),
        *(b"host", b"content-length", b"expect"),  # framing and addressing are ours
    )
)
_HEADER_NAME: Final = re.compile(rb"[a-z0-9-]+")
"""Narrower than a token (RFC 9110 §5.6.2): every other character is one that some CGI or PHP makes `_` of."""
_MEANINGFUL: Final = _SINGLE | _NEVER_FORWARDED


def _check_headers(headers: Iterable[Pair]) -> tuple[Pair, ...]:
    """Refuse what two readers could understand differently (RFC 9112 §6.3, §11.2); drop names that CGI would fold."""
    checked, seen = [], set()
    for name, value in headers:
        if name in _SINGLE and name in seen:
            raise Refused(400, "duplicate_header", f"The header {_text(name)} was sent twice. Send it once.")
        seen.add(name)
        if _HEADER_NAME.fullmatch(name):
            checked.append((name, value))
        elif _folded(name) in _MEANINGFUL or _folded(name).startswith(b"x-forwarded-"):
            # CGI (RFC 3875 §4.1.18) and PHP give `Content_Length` and `Content-Length` the same name.
            raise Refused(400, "ambiguous_header", f"The header {_text(name)} must be written with hyphens.")
    if b"transfer-encoding" in seen and b"content-length" in seen:
        raise Refused(400, "ambiguous_length", "Send either Content-Length or Transfer-Encoding, not both.")
    return tuple(checked)


def _folded(name: bytes) -> bytes:
    return re.sub(rb"[^a-z0-9]", b"-", name)


def _may_forward(name: bytes, headers: Iterable[Pair]) -> bool:
    if name in _NEVER_FORWARDED or name.startswith(b"x-forwarded-"):
        return False
    nominated = (value for other, value in headers if other == b"connection")
    return all(name != option.strip().lower() for value in nominated for option in value.split(b","))


def _header(headers: Iterable[Pair], wanted: bytes) -> bytes | None:
    return next((value for name, value in headers if name == wanted), None)


# -- method -----------------------------------------------------------------------------------------------------------

_BODYLESS: Final = frozenset((Method.GET, Method.HEAD, Method.OPTIONS))


def _method(text: str) -> Method:
    if text not in Method.__members__:
        raise Refused(405, "method_not_allowed", f"WordPress's REST API has no method {text[:20]!r}.")
    return Method(text)


def _effective_method(real: Method, parameters: Iterable[Pair], headers: Iterable[Pair]) -> Method:
    """`WP_REST_Server::serve_request`: `_method` in the query, then `X-HTTP-Method-Override`, on any real method."""
    overrides = {value for name, value in parameters if name == b"_method"}
    header = _header(headers, b"x-http-method-override")
    if header is not None:
        overrides.add(header)
    wanted = {_text(value).upper() for value in overrides}
    if len(wanted) > 1:
        raise Refused(400, "ambiguous_method", "_method and X-HTTP-Method-Override disagree. Send one of them.")
    return _method(wanted.pop()) if wanted else real


def _carries_body(headers: Iterable[Pair]) -> bool:
    """RFC 9112 §6.3: a request has content where it is framed by one of these two."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 \t") != b"")
        for name, value in headers
    )


def _wire_method(real: Method, effective: Method, *, has_body: bool) -> Method:
    """What to send: a body keeps its real method, as PHP fills `$_POST` for a real POST only; nothing else needs it."""
    if has_body and real in _BODYLESS and effective is not real:
        raise Refused(400, "ambiguous_method", f"A {real} with a body cannot be overridden to {effective}.")
    return real if has_body and effective not in _BODYLESS else effective


# -- query ------------------------------------------------------------------------------------------------------------

_CONSUMED_PARAMETERS: Final = frozenset((b"rest_route", b"_method", b"_wpnonce"))
_REFUSED_PARAMETERS: Final = frozenset((b"_jsonp", b"_envelope"))  # they move status and headers into the body
_SPECIAL_PARAMETERS: Final = _CONSUMED_PARAMETERS | _REFUSED_PARAMETERS | {b"_embed"}


def php_name(raw: bytes) -> bytes:
    """The variable that PHP makes of a decoded parameter name (`php_register_variable_ex`), without array indexes.

    Empty where PHP drops the parameter.
    """
    name = raw.split(b"\0", 1)[0].lstrip(b" ")
    base, bracket, rest = name.partition(b"[")
    base = re.sub(rb"[ .]", b"_", base)
    if not base:
        return b""
    if bracket and b"]" not in rest:
        return base + b"_" + re.sub(rb"[ .\[]", b"_", rest)
    return base


def _parse_query(raw: bytes) -> tuple[Pair, ...]:
    """Read a query as PHP does (`php_default_treat_data`: `&` separates, `+` is a space), values left as bytes."""
    pieces = [piece for piece in raw.split(b"&") if piece]
    if len(pieces) > MAX_QUERY_PARAMETERS:
        raise Refused(400, "too_many_parameters", f"At most {MAX_QUERY_PARAMETERS} query parameters are accepted.")
    pairs = []
    for piece in pieces:
        raw_name, _, raw_value = piece.partition(b"=")
        name, value = (unquote_to_bytes(part.replace(b"+", b" ")) for part in (raw_name, raw_value))
        read_as = php_name(name)
        if b"\0" in name or (read_as in _SPECIAL_PARAMETERS and not _is_plain(name, read_as)):
            raise Refused(400, "ambiguous_parameter", f"PHP would read a parameter as {_text(read_as)!r}: spell it so.")
        if read_as in _REFUSED_PARAMETERS:
            raise Refused(400, "unsupported_parameter", f"{_text(name)} is not supported: it hides status and headers.")
        pairs.append((name, value))
    return tuple(pairs)


def _is_plain(name: bytes, read_as: bytes) -> bool:
    """`rest_parse_embed_param` takes `_embed[]` as a list; every other special parameter is a single value."""
    return name == read_as or (read_as == b"_embed" and name == b"_embed[]")


# -- route ------------------------------------------------------------------------------------------------------------

_ROOTS: Final = (REST_PREFIX, "/index.php" + REST_PREFIX)
_FRONT_PAGES: Final = ("/", "/index.php")
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f\\]|//|/\.{1,2}(?:/|$)")
_ENCODED: Final = re.compile(r"%[0-9a-fA-F]{2}")


def _route(raw_path: bytes, parameters: Iterable[Pair]) -> str:
    """The REST route that `WP::parse_request` and `rest_api_loaded` would run, from path and `rest_route`."""
    if re.search(rb"%2f|%5c", raw_path, re.IGNORECASE):
        raise _refuse_path("has an encoded slash")
    path = _decode_path(raw_path)
    candidates = {_tidy(_decode_route(value)) for name, value in parameters if name == b"rest_route"}
    root = next((root for root in _ROOTS if path == root or path.startswith(root + "/")), None)
    if root is not None:
        candidates.add(_tidy(path[len(root) :]))
    elif path not in _FRONT_PAGES or not candidates:
        raise Refused(
            404,
            "not_a_rest_route",
            "An access token opens REST routes only: paths that start with /wp-json/.",
        )
    if len(candidates) > 1:
        raise Refused(400, "ambiguous_route", "The path and rest_route name different routes. Send one of them.")
    return candidates.pop()


def _decode_path(raw: bytes) -> str:
    if re.search(rb"%(?![0-9a-fA-F]{2})", raw):
        raise _refuse_path("has a % that encodes nothing")
    return _decode_route(unquote_to_bytes(raw))


def _decode_route(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _refuse_path("is not UTF-8") from None
    if _FORBIDDEN.search(text):
        raise _refuse_path("has a `.`, `..` or empty segment, a backslash or a control character")
    if _ENCODED.search(text):
        raise _refuse_path("is encoded twice")
    return text


def _tidy(route: str) -> str:
    """`untrailingslashit` in `rest_api_loaded`: one slash at the end changes nothing."""
    if route and not route.startswith("/"):
        raise _refuse_path("must start with a slash in rest_route")
    return route.removesuffix("/") or "/"


def _refuse_path(problem: str) -> Refused:
    return Refused(400, "malformed_path", f"The path {problem}.")


def _text(raw: bytes) -> str:
    """For messages only: anything printable, at most 60 characters."""
    return raw.decode("latin-1")[:60]
