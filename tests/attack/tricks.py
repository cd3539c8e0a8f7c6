"""Every trick that is known, one by one: spellings of routes, names, headers, content types and bodies."""

from functools import cache
from urllib.parse import quote

from hypothesis import strategies as st

# -- methods and routes -----------------------------------------------------------------------------------------------

_REAL_METHODS = ("GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
methods = st.sampled_from((*_REAL_METHODS, *_REAL_METHODS, "post", "TRACE"))
real_methods = st.sampled_from(_REAL_METHODS)

_POSTS = ("/wp/v2/posts", "/wp/v2/posts/<mine>", "/wp/v2/posts/<other>", "/wp/v2/posts/1")
_USERS = ("/wp/v2/users", "/wp/v2/users/me", "/wp/v2/users/<me>")
_PASSWORDS = ("/wp/v2/users/me/application-passwords", "/wp/v2/users/<me>/application-passwords")
_SITE = ("/batch/v1", "/", "/wp/v2/settings", "/wp/v2/plugins", "/wp/v2/plugins/akismet/akismet", "/wp/v2/themes")
_FURTHER = ("/wp/v2/posts/<mine>/revisions", "/wp/v2/pages/2", "/wp/v2/media", "/wp/v2/types/post")
_OTHERS = ("/wp/v2/categories/1", "/oembed/1.0/embed")
ROUTES = (*_POSTS, *_USERS, *_PASSWORDS, *_SITE, *_FURTHER, *_OTHERS)
routes = st.sampled_from(ROUTES)

_TAILS = ("/", "//", "%0a", "%0a", "%00", "\\", "%5c", ";x", "/.", "%2f", "%252f", ".", "%20", "?", "#", "\t")
_SLASHES = ("//", "%2f", "/./", "/x/../", "\\", "%2F")


@st.composite
def respelled(draw: st.DrawFn, route: str) -> str:
    """The route in capitals, with a letter encoded once or twice, with other slashes, or with something behind it."""
    match draw(st.integers(0, 6)):
        case 0:
            return route.replace("s", "\u017f", 1)  # LATIN SMALL LETTER LONG S, an `S` in Unicode's capitals
        case 5:
            return route.upper().replace("<MINE>", "<mine>").replace("<OTHER>", "<other>").replace("<ME>", "<me>")
        case 1:
            return draw(encoded(route))
        case 2:
            return draw(encoded(route, percent="%25"))
        case 3:
            return route.replace("/", draw(st.sampled_from(_SLASHES)), 2)
        case _:
            return route + draw(st.sampled_from(_TAILS))


@st.composite
def encoded(draw: st.DrawFn, text: str, percent: str = "%") -> str:
    """The text with one of its letters percent-encoded; placeholders stay."""
    places = [at for at, letter in enumerate(text) if letter.isalpha() and "<" not in text[:at].rpartition(">")[2]]
    if not places:
        return text
    at = draw(st.sampled_from(places))
    return f"{text[:at]}{percent}{ord(text[at]):02x}{text[at + 1 :]}"


spelled_routes = st.one_of(routes, routes.flatmap(respelled))

ROOTS = (
    *("/index.php/wp-json", "/index.php/index.php/wp-json", "//wp-json", "/WP-JSON", "/%77p-json", "/wp%2djson"),
    *("/wp-json/wp-json", "/./wp-json", "/x/../wp-json", "/wp-json%2f", "/INDEX.PHP/wp-json", "/index.php//wp-json"),
    *("/index.php%2fwp-json", "/wp-admin/../wp-json", "/wp-json\\", "/hello-world/wp-json"),
    *("http://<host>/wp-json", "https://elsewhere.example/wp-json"),
)
PAGES = (
    *("/", "/index.php", "/hello-world/", "/hello-world", "/index.php/hello-world/", "/2024/05/", "/nowhere/"),
    *("/wp-admin/", "/wp-admin/admin-ajax.php", "/wp-login.php", "/wp-includes/x", "/index.php/", "/xmlrpc.php"),
    *("/?", "*", "/wp-json/", "/wp-json/wp/v2/posts", "http://<host>/"),
)

# -- parameters -------------------------------------------------------------------------------------------------------

_ROUTING = ("rest_route", "rest_route", "_method", "_method", "_embed", "_envelope", "_jsonp", "_wpnonce")
_OBJECTS = ("id", "parent", "user_id", "type", "plugin")
_POWER = ("password", "email", "roles", "username")
SPECIAL = (*_ROUTING, *_OBJECTS, *_POWER)
_FOR_UNDERSCORE = (".", "%20", "+", "[", "%5b", "%2e", " ", "%5F")
_BEFORE = ("%20", "+", "%20+", "%09", "%00", "[", ".")
_BEHIND = ("%00x", "%00", "[]", "[0]", "[", "]", "%5b%5d", "[a][b]", " ", ".", "%0a")


@st.composite
def misspelled(draw: st.DrawFn, name: str) -> str:
    """A name that PHP reads as this one, or nearly."""
    match draw(st.integers(0, 5)):
        case 0 | 1:
            return name.replace("_", draw(st.sampled_from(_FOR_UNDERSCORE)), 1)
        case 2:
            return draw(st.sampled_from(_BEFORE)) + name
        case 3:
            return name + draw(st.sampled_from(_BEHIND))
        case 4:
            return draw(encoded(name))
        case _:
            return name.upper()


@cache
def special_names(route: str) -> st.SearchStrategy[str]:
    """The names that WordPress gives a meaning, more often those that matter at the route."""
    at_object = _POWER if "/users/" in route else _OBJECTS
    return st.one_of(st.sampled_from(SPECIAL), st.sampled_from(at_object if route.count("/") > 3 else _ROUTING))


_VALUES = (
    "<mine>",
    "<other>",
    "1",
    "<me>",
    "GET",
    "POST",
    "DELETE",
    "PUT",
    "get",
    "author",
    "x",
    "",
    "%00",
    "[]",
    "<nonce>",
)
_texts = st.sampled_from(_VALUES)
_encoded_routes = routes.map(lambda route: quote(route, safe="<>"))
values = st.one_of(_encoded_routes, spelled_routes, _texts)


def _values_for(name: str) -> st.SearchStrategy[str]:
    if "route" in name:
        return st.one_of(routes, _encoded_routes)
    if "embed" in name:
        return st.sampled_from(("", "1", "author"))
    if "method" in name:
        return st.sampled_from(("POST", "DELETE", "PUT", "GET"))
    return values


_PLAIN_PAIRS = ("page=1", "search=a%26b", "context=edit", "_fields=id", "per_page=2", "a[b][c]=1", "&", "=x")
_plain_pairs = st.sampled_from(_PLAIN_PAIRS)
_AS_FORM = "requests[0][path]={path}&requests[0][method]={method}"
_batch_pairs = st.builds(_AS_FORM.format, path=spelled_routes, method=methods)


@cache
def special_pairs(route: str = "") -> st.SearchStrategy[str]:
    """Such a name, in two of three cases as it is spelled, with a value that could mean something."""
    names = special_names(route)
    names = st.one_of(names, names, names.flatmap(misspelled))
    return names.flatmap(lambda name: _values_for(name).map(lambda value: f"{name}={value}"))


pairs = st.one_of(_plain_pairs, special_pairs(), special_pairs(), _batch_pairs)


@st.composite
def floods(draw: st.DrawFn, route: str = "") -> str:
    """One that matters among as many as somebody drops in silence."""
    pair, count = draw(special_pairs(route)), draw(st.sampled_from((498, 500, 999, 1001)))
    return f"{'a=1&' * count}{pair}" if draw(st.booleans()) else pair + "&a=1" * count


queries = st.one_of(st.just(""), st.just(""), st.lists(pairs, min_size=1, max_size=4).map("&".join), floods())

# -- headers ----------------------------------------------------------------------------------------------------------

_OVERRIDING = ("X-HTTP-Method-Override", "X-Http-Method-Override", "X_HTTP_METHOD_OVERRIDE", "X.HTTP.Method.Override")
_NEARLY = ("X-HTTP-Method", "X-Method-Override", "X-HTTP-Method_Override")
_TO = ("GET", "POST", "PUT", "DELETE", "delete", "PATCH", "HEAD", " POST ", "GET, POST", "")
overrides = st.builds("{}: {}".format, st.sampled_from((*_OVERRIDING, *_NEARLY)), st.sampled_from(_TO))
_BASIC = "Basic YWRtaW46YWRtaW4="
_ADDRESSING = (
    *("X-Original-URL: /wp-json/wp/v2/users", "X-Rewrite-URL: /wp-json/wp/v2/users", "X-Forwarded-Prefix: /x"),
    *("X-Forwarded-For: 127.0.0.1", "Host: elsewhere.example", "X-Forwarded-Host: elsewhere.example"),
)
_COOKIE, _NONCE = "Cookie: <cookie>", "X-WP-Nonce: <nonce>"  # of an administrator's session, and they work
_SESSION = (
    f"{_COOKIE}\r\n{_NONCE}",
    f"{_COOKIE}\r\n{_NONCE}",
    _COOKIE,
    _NONCE,
    "PHP-Auth-User: admin",
    "Authorization:",
)
_SECOND = (f"Authorization: {_BASIC}", f"Proxy-Authorization: {_BASIC}", f"Redirect-HTTP-Authorization: {_BASIC}")
_HOPS = ("Connection: authorization", "Connection: close, host", "Connection: content-type", "Upgrade: h2c")
_FRAMING = ("Connection: content-length", "Content_Length: 0", "Transfer_Encoding: chunked", "Content-Length: 3")
_FOLDED = ("Content_Type: application/json", "Content.Type: application/json", "REST_ROUTE: /wp/v2/users")
_CONTENT = ("Content-Encoding: gzip", "Accept-Encoding: gzip", "Range: bytes=0-1", "If-Match: *")
HEADERS = (*_ADDRESSING, *_SESSION, *_SECOND, *_HOPS, *_FRAMING, *_FOLDED, *_CONTENT, "Expect: 100-continue")
headers = st.one_of(overrides, st.sampled_from(HEADERS))

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
_LIKE_JSON = ("text/plain, application/json", "application/x+json", "APPLICATION/JSON", f";{JSON}", "application/json;")
_LIKE_FORMS = (
    f"{FORM}; charset=utf-8",
    f"{FORM}\t",
    f"{FORM} x",
    f"{FORM},x",
    FORM.upper(),
    "application/vnd.api+json",
)
_BOTH = (f"{FORM}, {JSON}", f"{JSON}, {FORM}", f"{MULTIPART}, application/json")
TYPES = (*_LIKE_JSON, *_LIKE_FORMS, *_BOTH, MULTIPART, "multipart/mixed; boundary=x", "text/plain", "x", "")
types = st.sampled_from((JSON, JSON, FORM, FORM, MULTIPART, *TYPES))
LIKE = {JSON: st.sampled_from(_LIKE_JSON), FORM: st.sampled_from(_LIKE_FORMS), MULTIPART: st.sampled_from(_BOTH)}
"""Content type → others that PHP or WordPress may take for it."""
