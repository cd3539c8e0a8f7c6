"""Requests that any honest client might send, in every spelling that WordPress's own clients and libraries use."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from tests.attack.bodies import PERMITTED_PARTS, as_form, as_multipart, numbers
from tests.attack.grammar import BATCH, Attack, opened
from tests.attack.tricks import FORM, JSON, MULTIPART, encoded

WRITING = ("POST", "PUT", "PATCH", "DELETE")
_ROOTS = ("/wp-json", "/wp-json", "/wp-json", "/index.php/wp-json", "http://<host>/wp-json")
_PAGES = ("/", "/index.php", "/hello-world/", "/index.php/hello-world", "/2024/05/")
_QUERIES = (
    "",
    "",
    "context=view",
    "search=a%26rest_route%3D/x",
    "_fields=id&page=1",
    "x[y][]=1&x[y][]=2",
    "q=%C3%B6+%25",
)
_HEADERS: tuple[tuple[str, ...], ...] = (
    *((), (), ("Expect: 100-continue",), ("Accept-Encoding: gzip", "X-Request-Id: 1")),
    *(("X-Forwarded-For: 192.0.2.1", "Accept: application/json"), ("Cookie: theme=dark",), ("Connection: keep-alive",)),
)


@dataclass(frozen=True, slots=True)
class Plain:
    """A request, and what WordPress must run for it: methods and routes, in their order."""

    attack: Attack
    ran: tuple[tuple[str, str], ...]


@cache
def plain_requests(rules: tuple[str, ...]) -> st.SearchStrategy[Plain]:
    """A request built from one of a client's rules."""
    return _plain_batches() if f"POST /wp-json{BATCH}" in rules else _plain_requests(rules)


@st.composite
def _plain_requests(draw: st.DrawFn, rules: tuple[str, ...]) -> Plain:
    method, path, route = draw(opened(rules))
    if method == "GET" and draw(st.integers(0, 3)) == 0:
        method = "HEAD"
    return Plain(draw(_spelled(method, route, draw(_bodies(method, path, route)))), ((method, route),))


@st.composite
def _spelled(draw: st.DrawFn, method: str, route: str, content: tuple[str, str]) -> Attack:
    body, content_type = content
    target = draw(_targets(route))
    headers = [f"Content-Type: {content_type}"] if body else []
    wire = method
    if method in WRITING and draw(st.integers(0, 2)) == 0:
        wire, spelling = "POST", draw(st.sampled_from((str.upper, str.lower)))
        ways = draw(st.sampled_from((("header",), ("query",), ("header", "query"))))
        headers += [f"X-HTTP-Method-Override: {spelling(method)}"] if "header" in ways else []
        target = _with_query(target, f"_method={method}") if "query" in ways else target
    return Attack(wire, target, (*headers, *draw(st.sampled_from(_HEADERS))), body, draw(st.booleans()))


@st.composite
def _targets(draw: st.DrawFn, route: str) -> str:
    query = draw(st.sampled_from(_QUERIES))
    spelled = draw(encoded(route)) if draw(st.integers(0, 3)) == 0 else route
    spelled += draw(st.sampled_from(("", "", "/")))
    if draw(st.integers(0, 2)):
        return _with_query(draw(st.sampled_from(_ROOTS)) + spelled, query)
    asked = f"rest_route={quote(spelled, safe='%<>') if draw(st.booleans()) else spelled}"
    pairs = [asked, query] if draw(st.booleans()) else [query, asked]
    return f"{draw(st.sampled_from(_PAGES))}?{'&'.join(filter(None, pairs))}"


def _with_query(target: str, query: str) -> str:
    return target + ("&" if "?" in target else "?") + query if query else target


# -- bodies -----------------------------------------------------------------------------------------------------------

_CONTENT: dict[str, Any] = {
    "title": 'größe & "quotes" 😀',
    "meta": {"id": 7, "rest_route": "/x"},
    "_method": "DELETE",
    "rest_route": "/wp/v2/users",
    "requests": [1],
}

_NUMBERS = ("<mine>", "<other>", "<me>", "1")
_COLLECTIONS = ("/wp/v2/posts", "/wp/v2/pages", "/wp/v2/media", "/wp/v2/comments")


def _bodies(method: str, path: str, route: str) -> st.SearchStrategy[tuple[str, str]]:
    """Bodies with their types: any where the rule says `*`; where it says a number, what can be told to keep to it."""
    if method not in WRITING:
        return st.just(("", JSON))
    number = route.rpartition("/")[2]
    same: dict[str, Any] = {"id": number} if number in _NUMBERS else {}
    offered = [
        ("", JSON),
        (json.dumps(_CONTENT), JSON),
        (json.dumps(_CONTENT | same, ensure_ascii=False), f"{JSON}; charset=utf-8"),
        (numbers(json.dumps(_CONTENT | same)), JSON),
        ("title=a+b%26c&content[raw]=x&meta[id]=7", FORM),
        (f"title=x&{as_form(same)}", f"{FORM}; charset=UTF-8"),
    ]
    if path.endswith(("*", *_COLLECTIONS)):
        upload = as_multipart([("title", "x"), *same.items()])
        offered += [(upload, MULTIPART), ("\u0000\ufffd picture", "image/png"), ("title,content", "text/csv")]
    return st.sampled_from(offered)


_Encoding = Callable[[dict[str, Any]], tuple[str, str]]
_ENCODINGS: tuple[_Encoding, ...] = (
    lambda batch: (json.dumps(batch), JSON),
    lambda batch: (json.dumps(batch, ensure_ascii=False), f"{JSON}; charset=utf-8"),
    lambda batch: (as_form(batch), FORM),
)


@st.composite
def _plain_batches(draw: st.DrawFn) -> Plain:
    parts = draw(st.lists(st.sampled_from(PERMITTED_PARTS), min_size=1, max_size=25))
    batch = {"requests": parts, "validation": draw(st.sampled_from(("normal", "require-all-validate")))}
    attack = draw(_spelled("POST", BATCH, draw(st.sampled_from(_ENCODINGS))(batch)))
    return Plain(attack, (("POST", BATCH), *((part.get("method", "POST"), part["path"]) for part in parts)))
