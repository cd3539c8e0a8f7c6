"""Requests made of every trick that is known, for Hypothesis to combine: most are refused, and all may be tried."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Attack:
    """A request before it is sent: `<mine>` and its like still stand for what only the stack knows."""

    method: str
    target: str
    headers: tuple[str, ...]
    body: str
    is_chunked: bool

    def head(self) -> str:
        """Everything but the token and the framing."""
        return "\r\n".join(
            [f"{self.method} {self.target} HTTP/1.1", "Host: <host>", "User-Agent: attack", *self.headers]
        )


def raw_bytes(attack: Attack, filled_head: str, filled_body: str, token: str) -> bytes:
    """The bytes on the wire."""
    body = filled_body.encode("utf-8", "surrogatepass")
    lines = [filled_head, f"Authorization: Bearer {token}"]
    if attack.is_chunked and body:
        lines.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    elif body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body


# -- routes -----------------------------------------------------------------------------------------------------------

ROUTES = (
    *(
        "/wp/v2/posts",
        "/wp/v2/posts/<mine>",
        "/wp/v2/posts/<other>",
        "/wp/v2/posts/1",
        "/wp/v2/users",
        "/wp/v2/users/me",
    ),
    *("/wp/v2/users/<me>", "/wp/v2/users/me/application-passwords", "/wp/v2/users/<me>/application-passwords"),
    *("/batch/v1", "/", "/wp/v2/settings", "/wp/v2/plugins", "/wp/v2/themes", "/wp/v2/posts/<mine>/revisions"),
    *("/wp/v2/pages/2", "/wp/v2/media", "/wp/v2/types/post", "/wp/v2/categories/1", "/oembed/1.0/embed"),
)
routes = st.sampled_from(ROUTES)
_TAILS = (
    "",
    "",
    "",
    "",
    "/",
    "//",
    "%0a",
    "%00",
    "\\",
    "%5c",
    ";x",
    "/.",
    "/..",
    "%2f",
    "%252f",
    ".",
    "%20",
    "?",
    "#",
    "\t",
)
_REAL_METHODS = ("GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_METHODS = (*_REAL_METHODS, *_REAL_METHODS, "post", "TRACE")


@st.composite
def spelled_routes(draw: st.DrawFn) -> str:
    """A route in capitals, with a letter encoded once or twice, or with something behind it."""
    route = draw(routes)
    match draw(st.integers(0, 7)):
        case 0:
            route = route.upper().replace("<MINE>", "<mine>").replace("<OTHER>", "<other>").replace("<ME>", "<me>")
        case 1:
            route = _encode_one(draw, route, "%")
        case 2:
            route = _encode_one(draw, route, "%25")
        case 3:
            route = route.replace("/", draw(st.sampled_from(("//", "%2f", "/./", "/x/../", "\\", "%2F"))), 2)
        case _:
            pass
    return route + draw(st.sampled_from(_TAILS))


def _encode_one(draw: st.DrawFn, text: str, percent: str) -> str:
    places = [at for at, letter in enumerate(text) if letter.isalpha() and "<" not in text[:at].rpartition(">")[2]]
    if not places:
        return text
    at = draw(st.sampled_from(places))
    return f"{text[:at]}{percent}{ord(text[at]):02x}{text[at + 1 :]}"


_ROOTS = (
    *("/wp-json", "/wp-json", "/wp-json", "/index.php/wp-json", "/index.php/index.php/wp-json", "//wp-json"),
    *("/WP-JSON", "/%77p-json", "/wp%2djson", "/wp-json/wp-json", "/./wp-json", "/x/../wp-json", "/wp-json%2f"),
    *("/INDEX.PHP/wp-json", "/index.php//wp-json", "/index.php%2fwp-json", "/wp-admin/../wp-json", "/wp-json\\"),
    *("http://<host>/wp-json", "https://elsewhere.example/wp-json", "/hello-world/wp-json"),
)
_PAGES = (
    *("/", "/", "/index.php", "/hello-world/", "/hello-world", "/index.php/hello-world/", "/2024/05/", "/nowhere/"),
    *(
        "/wp-admin/",
        "/wp-admin/admin-ajax.php",
        "/wp-login.php",
        "/wp-includes/x",
        "/index.php/",
        "/xmlrpc.php",
        "/?",
        "*",
    ),
    *("/wp-json/", "/wp-json/wp/v2/posts", "http://<host>/"),
)


# -- parameters -------------------------------------------------------------------------------------------------------

_SPECIAL = ("rest_route", "_method", "_embed", "_envelope", "_jsonp", "_wpnonce", "id", "parent", "password", "roles")


@st.composite
def names(draw: st.DrawFn) -> str:
    """A name that PHP reads as a special one, or nearly."""
    name = draw(st.sampled_from(_SPECIAL))
    match draw(st.integers(0, 11)):
        case 0:
            return name.replace("_", draw(st.sampled_from((".", "%20", "+", "[", "%5b", "%2e", " ", "%5F"))))
        case 1:
            return draw(st.sampled_from(("%20", "+", "%09", "%00", "&", "[", ".", "%c2%a0"))) + name
        case 2:
            return name + draw(
                st.sampled_from(("%00x", "%00", "[]", "[0]", "[", "]", "%5b%5d", "[a][b]", " ", ".", "%0a"))
            )
        case 3:
            return _encode_one(draw, name, "%")
        case 4:
            return name.upper()
        case _:
            return name


_values = st.one_of(
    routes,
    routes.map(lambda route: quote(route, safe="<>")),
    spelled_routes(),
    st.sampled_from(
        ("<mine>", "<other>", "1", "<me>", "GET", "POST", "DELETE", "PUT", "get", "author", "x", "", "%00", "[]")
    ),
)
_plain_pairs = st.sampled_from(
    ("page=1", "search=a%26b", "context=edit", "_fields=id", "per_page=2", "a[b][c]=1", "&", "=x")
)
_special_pairs = st.builds("{}={}".format, names(), _values)
_AS_FORM = "requests[0][path]={path}&requests[0][method]={method}"
_batch_pairs = st.builds(_AS_FORM.format, path=spelled_routes(), method=st.sampled_from(_METHODS))
_pairs = st.one_of(_plain_pairs, _special_pairs, _special_pairs, _batch_pairs)
queries = st.one_of(
    st.just(""),
    st.just(""),
    st.lists(_pairs, min_size=1, max_size=4).map("&".join),
    st.tuples(_special_pairs, st.sampled_from((499, 500, 999, 1001))).map(lambda one: "&a=1" * one[1] + "&" + one[0]),
)


@st.composite
def targets(draw: st.DrawFn) -> str:
    """A path, or `rest_route` on a page, with more in the query."""
    query = draw(queries)
    if draw(st.booleans()) or draw(st.booleans()):
        path = draw(st.sampled_from(_ROOTS)) + draw(st.one_of(routes, spelled_routes()))
        return path.replace(" ", "%20") + ("?" + query.replace(" ", "%20") if query else "")
    asked = draw(
        st.sampled_from(("rest_route", "rest_route", "rest_route", "rest%5froute", "rest.route", "rest_route[]"))
    )
    pair = f"{asked}={draw(st.one_of(routes, spelled_routes()))}"
    pairs = [pair, query] if draw(st.booleans()) else [query, pair]
    return draw(st.sampled_from(_PAGES)) + ("?" + "&".join(filter(None, pairs))).replace(" ", "%20")


# -- headers ----------------------------------------------------------------------------------------------------------

_OVERRIDES = ("X-HTTP-Method-Override", "X-Http-Method-Override", "X_HTTP_METHOD_OVERRIDE", "X.HTTP.Method.Override")
_overrides = st.builds(
    "{}: {}".format,
    st.sampled_from((*_OVERRIDES, "X-HTTP-Method", "X-Method-Override", "X-HTTP-Method_Override")),
    st.sampled_from(("GET", "POST", "PUT", "DELETE", "delete", "PATCH", "HEAD", " POST ", "GET, POST", "")),
)
_OTHERS = (
    *("X-Original-URL: /wp-json/wp/v2/users", "X-Rewrite-URL: /wp-json/wp/v2/users", "X-Forwarded-Prefix: /x"),
    *(
        "Cookie: wordpress_logged_in_x=admin|1|2|3",
        "X-WP-Nonce: x",
        "Expect: 100-continue",
        "X-Forwarded-For: 127.0.0.1",
    ),
    *("Connection: authorization", "Connection: close, host", "Connection: content-type", "Connection: content-length"),
    *("Content_Type: application/json", "Content_Length: 0", "Transfer_Encoding: chunked", "REST_ROUTE: /wp/v2/users"),
    *(
        "Authorization: Basic YWRtaW46YWRtaW4=",
        "Proxy-Authorization: Basic YWRtaW46YWRtaW4=",
        "Host: elsewhere.example",
    ),
    *("Authorization:", "PHP-Auth-User: admin", "Upgrade: h2c", "Content-Encoding: gzip", "Accept-Encoding: gzip"),
    *("Redirect-HTTP-Authorization: Basic YWRtaW46YWRtaW4=", "Content-Length: 3", "Range: bytes=0-1", "If-Match: *"),
)
_TYPES = (
    *(
        JSON,
        FORM,
        JSON,
        FORM,
        "text/plain, application/json",
        "application/x+json",
        "text/plain",
        "multipart/form-data; boundary=x",
    ),
    *(
        f"{FORM}, {JSON}",
        f"{JSON}, {FORM}",
        f"{FORM}; charset=utf-8",
        "APPLICATION/JSON",
        f"{FORM}\t",
        "x",
        "",
        f";{JSON}",
        "application/json;",
    ),
    *("multipart/form-data; boundary=x, application/json", "multipart/mixed; boundary=x", "application/vnd.api+json"),
)


# -- bodies -----------------------------------------------------------------------------------------------------------

_json_values: st.SearchStrategy[Any] = st.sampled_from(
    ("<mine>", "<other>", "<me>", 1, None, True, [], {}, ["administrator"], "x", "DELETE", "/wp/v2/users")
)
_json_objects = st.dictionaries(
    st.sampled_from((*_SPECIAL, "title", "requests", "validation", "email", "username")), _json_values, max_size=4
)
_PATHS = (
    "/wp/v2/posts?_method=DELETE",
    "/wp/v2/posts/<mine>?id=<other>",
    "//wp/v2/users",
    "http:///x",
    "wp/v2/posts",
    "/wp/v2/posts#x",
)
_part_paths = st.one_of(
    routes, routes, spelled_routes(), st.sampled_from(_PATHS), st.builds("{}?{}".format, routes, _pairs)
)
_parts = st.fixed_dictionaries(
    {"path": _part_paths},
    optional={
        "method": st.sampled_from(_METHODS),
        "body": st.one_of(_json_objects, st.just([]), st.just("id=<other>")),
        "headers": st.sampled_from(({}, {"X-HTTP-Method-Override": "DELETE"}, {"Content-Type": JSON}, {"x_a": "1"})),
        "rest_route": routes,
    },
)
_batches = st.fixed_dictionaries(
    {"requests": st.lists(_parts, min_size=1, max_size=3)},
    optional={"validation": st.sampled_from(("normal", "require-all-validate", "x"))},
)


def _numbers(text: str) -> str:
    """`"<mine>"` is a number in half of the JSON that real clients send."""
    return text.replace('"<mine>"', "<mine>").replace('"<other>"', "<other>")


def _multipart(fields: list[tuple[str, str]]) -> str:
    parts = (f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields)
    return "".join(parts) + "--x--\r\n"


_json_bodies = st.one_of(_json_objects, _batches, _batches).map(json.dumps)
bodies = st.one_of(
    st.just(""),
    _json_bodies,
    _json_bodies.map(_numbers),
    _json_bodies.map(lambda text: text.replace('"id"', '"\\u0069d"').replace('"requests"', '"request\\u0073"')),
    st.lists(_pairs, min_size=1, max_size=3).map("&".join),
    st.lists(st.tuples(st.sampled_from(_SPECIAL), st.sampled_from(("<other>", "/wp/v2/users", "x"))), max_size=3).map(
        _multipart
    ),
    st.sampled_from(("{", "[]", "null", "id=<other>", '{"id":<mine>,"id":<other>}', "\x00", "0")),
)


_POINTS = ("/wp/v2/posts", "/wp/v2/posts/<mine>", "/wp/v2/users/<me>", "/wp/v2/users/me", "/batch/v1", "/batch/v1")
_aimed_targets = st.builds(
    lambda route, query: f"/wp-json{route}" + ("?" + query.replace(" ", "%20") if query else ""),
    st.sampled_from(_POINTS),
    queries,
)
"""Where clients of the cast may do something, so that bodies and parameters decide."""


@st.composite
def attacks(draw: st.DrawFn) -> Attack:
    """A whole request."""
    is_aimed = draw(st.booleans())
    headers = draw(st.lists(st.one_of(_overrides, st.sampled_from(_OTHERS)), max_size=2)) if draw(st.booleans()) else []
    body = draw(bodies)
    if not body:  # a server waits for what was announced
        headers = [each for each in headers if not each.startswith("Content-Length")]
    if body and draw(st.integers(0, 9)):
        headers.append(f"Content-Type: {draw(st.sampled_from(_TYPES))}")
    method = draw(st.sampled_from(_REAL_METHODS if is_aimed else _METHODS))
    target = draw(_aimed_targets if is_aimed else targets())
    return Attack(method, target, tuple(headers), body, draw(st.booleans()))


# -- plain requests ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plain:
    """A request that any client might send, and the method and route that it is for."""

    attack: Attack
    method: str
    route: str


@st.composite
def plain_requests(draw: st.DrawFn, rules: tuple[str, ...], numbers: tuple[str, ...]) -> Plain:
    """A request built from one of a client's rules, in any spelling that WordPress's own clients use."""
    method, path = draw(st.sampled_from(rules)).split(" ")
    if method == "GET" and draw(st.integers(0, 3)) == 0:
        method = "HEAD"
    route = path.removeprefix("/wp-json").replace("*", draw(st.sampled_from(numbers)))
    spelled = _encode_one(draw, route, "%") if draw(st.integers(0, 3)) == 0 else route
    spelled += draw(st.sampled_from(("", "", "/")))
    query = draw(
        st.sampled_from(("", "context=view", "search=a%26rest_route%3D/x", "_fields=id&page=1", "x[y][]=1&x[y][]=2"))
    )
    root = draw(
        st.sampled_from(("/wp-json", "/wp-json", "/index.php/wp-json", "/?rest_route=", "/index.php?rest_route="))
    )
    target = root + (quote(spelled, safe="/%") if root.endswith("=") and draw(st.booleans()) else spelled)
    target += (("&" if "?" in root else "?") + query) if query else ""
    wire, headers, body = method, [], ""
    if method in ("POST", "PUT", "PATCH", "DELETE"):
        body, content_type = draw(_plain_bodies(route))
        headers += [f"Content-Type: {content_type}"] if body else []
        if draw(st.integers(0, 2)) == 0:
            wire = "POST"
            if draw(st.booleans()):
                headers.append(f"X-HTTP-Method-Override: {method}")
            else:
                target += ("&" if "?" in target else "?") + f"_method={method}"
    headers += draw(st.sampled_from(((), (), ("Expect: 100-continue",), ("Accept-Encoding: gzip", "X-Request-Id: 1"))))
    return Plain(Attack(wire, target, tuple(headers), body, draw(st.booleans())), method, route)


def _plain_bodies(route: str) -> st.SearchStrategy[tuple[str, str]]:
    number = route.rpartition("/")[2]
    content: dict[str, Any] = {"title": 'größe & "quotes"', "meta": {"id": 7, "rest_route": "/x"}, "_method": "DELETE"}
    same = {**content, "id": number}
    return st.sampled_from(
        (
            ("", JSON),
            (json.dumps(content), JSON),
            (json.dumps(same if number.isdigit() else content, ensure_ascii=False), f"{JSON}; charset=utf-8"),
            ("title=a+b%26c&content[raw]=x", FORM),
            ("title=x", f"{FORM}; charset=UTF-8"),
        )
    )
