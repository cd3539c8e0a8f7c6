"""From a request as received to its canonical form: the only place that decodes or normalizes.

The gateway decides on the canonical form and forwards that form, never the bytes that came in. Whatever cannot be
reduced to exactly one meaning is `Refused`. What WordPress and PHP would understand is the measure, so each step names
the function that it follows.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from appconnect.core.body import Body, Parameter, form_parameters
from appconnect.core.headers import Request
from appconnect.core.query import CONSUMED_PARAMETERS, parse_query, php_name
from appconnect.core.request import Pair, Refused, shown
from appconnect.core.rules import REST_PREFIX, Method, fold_case


class CanonicalRequest(NamedTuple):
    """The one meaning of a request.

    `method` is what WordPress will run, `wire_method` what is sent (a body keeps its real method: PHP fills `$_POST`
    for a real POST only). `query` and `headers` are decoded pairs, without anything that WordPress would read as
    routing, method, credentials or session. `body` is None where none goes on.
    """

    method: Method
    wire_method: Method
    route: str
    query: tuple[Pair, ...]
    headers: tuple[Pair, ...]
    embeds: bool
    body: Body | None
    segments: tuple[str, ...]
    """The route's segments in the case that rules are compared in (`segments_of`)."""

    @property
    def route_segments(self) -> tuple[str, ...]:
        """The route's segments as they were sent; the index has none."""
        return tuple(self.route.split("/")[1:]) if self.route != "/" else ()

    @property
    def path(self) -> str:
        """The route as people write it."""
        return REST_PREFIX + self.route

    @property
    def parameters(self) -> tuple[Parameter, ...] | None:
        """All that outranks the route's own parameters in WordPress (`get_parameter_order`); None before it is read."""
        if self.body is None:
            return form_parameters(self.query)
        return None if self.body.parameters is None else self.body.parameters + form_parameters(self.query)


def segments_of(route: str) -> tuple[str, ...]:
    """The segments of a route in the case that rules are compared in; the index has none."""
    return tuple(fold_case(route).split("/")[1:]) if route != "/" else ()


def canonicalize(request: Request) -> CanonicalRequest:
    """Reduce a request to its one meaning, or raise `Refused`."""
    fields = request.headers
    override, real_method = fields.method_override, _method(request.method)
    query = parse_query(request.raw_query)
    route = _route(request.raw_path, query.special)
    method = _effective_method(real_method, query.special, override)
    has_body = fields.carries_body
    wire_method = _wire_method(real_method, method, has_body=has_body)
    kept, body = fields.forwarded, None
    if has_body and wire_method is real_method:
        # By what goes on, not by what came: a type that `Connection` names is none to WordPress.
        body = Body.unread(kept, wire_method=wire_method, method=method)
    return CanonicalRequest(
        method=method,
        wire_method=wire_method,
        route=route,
        query=_without_consumed(query.pairs) if query.special else query.pairs,
        headers=kept,
        embeds=has_embed(query.special),
        body=body,
        segments=segments_of(route),
    )


def _without_consumed(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    return tuple([pair for pair in pairs if pair[0] not in CONSUMED_PARAMETERS])


def has_embed(parameters: Iterable[Pair]) -> bool:
    """Whether WordPress would read other routes into the answer (`rest_parse_embed_param`)."""
    return bool(parameters) and any(php_name(name) == b"_embed" for name, _ in parameters)


# -- method -----------------------------------------------------------------------------------------------------------

_METHODS: Final = {method.value: method for method in Method}
_BODYLESS: Final = frozenset((Method.GET, Method.HEAD, Method.OPTIONS))


def _method(text: str) -> Method:
    method = _METHODS.get(text)
    if method is None:
        raise Refused(405, "method_not_allowed", f"WordPress's REST API has no method {text[:20]!r}.")
    return method


def _effective_method(real: Method, parameters: Iterable[Pair], header: bytes | None) -> Method:
    """`WP_REST_Server::serve_request`: `_method` in the query, then `X-HTTP-Method-Override`, on any real method."""
    if not parameters and header is None:
        return real
    overrides = [value for name, value in parameters if name == b"_method"]
    if header is not None:
        overrides.append(header)
    if not overrides:
        return real
    wanted = {shown(value).upper() for value in overrides}
    if len(wanted) > 1:
        raise Refused(400, "ambiguous_method", "_method and X-HTTP-Method-Override disagree. Send one of them.")
    return _method(wanted.pop())


def _wire_method(real: Method, effective: Method, *, has_body: bool) -> Method:
    """What to send: a body keeps its real method, as PHP fills `$_POST` for a real POST only; nothing else needs it."""
    if has_body and real in _BODYLESS and effective is not real:
        raise Refused(400, "ambiguous_method", f"A {real} with a body cannot be overridden to {effective}.")
    return real if has_body and effective not in _BODYLESS else effective


# -- route ------------------------------------------------------------------------------------------------------------

_INDEX_PHP: Final = "/index.php"
_REST_ROOT: Final = REST_PREFIX + "/"
_OTHER_FILES: Final = re.compile(r"/wp-(?:admin|includes|content)(?:/|$)|\.php(?:/|$)", re.IGNORECASE)
"""What a web server answers without WordPress's front controller: there `rest_route` means nothing."""
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f\\]|//|/\.{1,2}(?:/|$)")
_ENCODED: Final = re.compile(r"%[0-9a-fA-F]{2}")


def _route(raw_path: bytes, parameters: Iterable[Pair]) -> str:
    """The REST route that `WP::parse_request` and `rest_api_loaded` would run, from path and `rest_route`."""
    path = _within_site(_decode_path(raw_path))
    if not parameters and path.startswith(_REST_ROOT):
        return _tidy(path[len(REST_PREFIX) :])
    candidates = {_tidy(check_route(_text(value))) for name, value in parameters if name == b"rest_route"}
    if path.startswith(_REST_ROOT) or path == REST_PREFIX:
        candidates.add(_tidy(path[len(REST_PREFIX) :]))
    elif not candidates or not path.startswith("/") or _OTHER_FILES.search(path):
        raise Refused(
            404,
            "not_a_rest_route",
            "An access token opens REST routes only: paths that start with /wp-json/.",
        )
    if len(candidates) > 1:
        raise Refused(400, "ambiguous_route", "The path and rest_route name different routes. Send one of them.")
    return candidates.pop()


def _within_site(path: str) -> str:
    """The path that `WP::parse_request` looks at: `/index.php` in front, however often, changes nothing."""
    while path.startswith(_INDEX_PHP) and path[len(_INDEX_PHP) :][:1] in ("", "/"):
        path = path[len(_INDEX_PHP) :]
    return path or "/"


def _decode_path(raw: bytes) -> str:
    if b"%" not in raw:
        return check_route(_text(raw))
    if re.search(rb"%2f|%5c", raw, re.IGNORECASE):
        raise _refuse_path("has an encoded slash")
    if re.search(rb"%(?![0-9a-fA-F]{2})", raw):
        raise _refuse_path("has a % that encodes nothing")
    return check_route(_text(unquote_to_bytes(raw)))


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _refuse_path("is not UTF-8") from None


def check_route(text: str) -> str:
    """A path that no web server, PHP or WordPress would read as another one; `Refused` otherwise."""
    if _FORBIDDEN.search(text):
        raise _refuse_path("has a `.`, `..` or empty segment, a backslash or a control character")
    if "%" in text and _ENCODED.search(text):
        raise _refuse_path("is encoded twice")
    return text


def _tidy(route: str) -> str:
    """`untrailingslashit` in `rest_api_loaded`: one slash at the end changes nothing."""
    if route and not route.startswith("/"):
        raise _refuse_path("must start with a slash in rest_route")
    return route.removesuffix("/") or "/"


def _refuse_path(problem: str) -> Refused:
    return Refused(400, "malformed_path", f"The path {problem}.")
