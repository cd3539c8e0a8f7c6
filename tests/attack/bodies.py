"""Bodies with tricks in them: JSON, forms, multipart, and batches in each of these or in a query."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from tests.attack.tricks import (
    FORM,
    JSON,
    MULTIPART,
    methods,
    pairs,
    respelled,
    routes,
    special_names,
    special_pairs,
    spelled_routes,
)

_VALUES: tuple[Any, ...] = ("<mine>", "<other>", "<me>", 1, None, True, [], {}, "x", "DELETE", "/wp/v2/users")
_json_values = st.sampled_from((*_VALUES, ["administrator"]))
_others = st.sampled_from(("title", "requests", "validation", "content"))


@cache
def json_objects(route: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with names that WordPress gives a meaning, at the route above all."""
    names = special_names(route)
    return st.dictionaries(st.one_of(names, names, _others), _json_values, min_size=1, max_size=3)


# -- batches ----------------------------------------------------------------------------------------------------------

Part = dict[str, Any]
PERMITTED_PARTS: tuple[Part, ...] = (
    {"path": "/wp/v2/posts", "method": "POST", "body": {"title": "x"}},
    {"path": "/wp/v2/posts/<mine>", "method": "PUT"},
    {"path": "/wp/v2/posts"},
)
"""What the client `batcher` may do; `POST` is what WordPress takes where no method is said."""

_PATHS = ("//wp/v2/users", "http:///x", "wp/v2/posts", "/wp/v2/posts#x", "/wp/v2/posts?_method=DELETE", "", None)
_part_headers: st.SearchStrategy[Any] = st.sampled_from(
    ({"X-HTTP-Method-Override": "DELETE"}, {"Content-Type": JSON}, {"x_a": "1"}, {"Cookie": "a"}, [], "x")
)


@st.composite
def _bent_parts(draw: st.DrawFn) -> Part:
    """A permitted part with one thing about it changed."""
    part = dict(draw(st.sampled_from(PERMITTED_PARTS)))
    match draw(st.integers(0, 7)):
        case 0:
            part["path"] = draw(st.one_of(spelled_routes, st.sampled_from(_PATHS)))
        case 1:
            part["path"] = draw(respelled(part["path"]))
        case 2 | 3:
            part["path"] += "?" + draw(special_pairs(part["path"]))
        case 4:
            part["method"] = draw(methods)
        case 5 | 6:
            part["body"] = draw(st.one_of(json_objects(part["path"]), st.sampled_from(([], "id=<other>"))))
        case _:
            part |= {"headers": draw(_part_headers), "rest_route": draw(routes)}
    return part


_parts = st.lists(st.one_of(st.sampled_from(PERMITTED_PARTS), _bent_parts()), min_size=1, max_size=3)
_validations = st.sampled_from(({}, {}, {"validation": "require-all-validate"}, {"validation": "x"}))
batches = st.builds(lambda parts, more: {"requests": parts, **more}, _parts, _validations)


def as_form(content: Any, name: str = "") -> str:
    """The content as PHP's names for arrays say it: `requests[0][path]=…`."""
    return "&".join(_pairs_of(content, name))


def _pairs_of(content: Any, name: str) -> Iterator[str]:
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in items:
            yield from _pairs_of(value, f"{name}[{key}]" if name else str(key))
    else:
        text = "" if content is None else str(content)
        yield f"{name}={quote(text, safe='/<>=_')}"


# -- of each kind -----------------------------------------------------------------------------------------------------


def as_multipart(fields: list[tuple[str, str]]) -> str:
    """The fields as multipart/form-data with the boundary `x`."""
    parts = (f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields)
    return "".join(parts) + "--x--\r\n"


def numbers(text: str) -> str:
    """`"<mine>"` is a number in half of the JSON that real clients send."""
    return re.sub(r'"(<(?:mine|other|me)>)"', r"\1", text)


def _escaped(text: str) -> str:
    return (
        text.replace('"id"', '"\\u0069d"').replace('"requests"', '"request\\u0073"').replace('"roles"', '"\\u0072oles"')
    )


_ODD = (
    "{",
    "[]",
    "null",
    "id=<other>",
    '{"id":<mine>,"id":<other>}',
    '{"id":<mine>.0}',
    '{"id":[<other>]}',
    "\x00",
    "0",
)


@cache
def bodies(route: str = "") -> dict[str, st.SearchStrategy[str]]:
    """Bodies that could mean something at the route, by their content type."""
    own, own_pairs = json_objects(route), special_pairs(route)
    objects = (st.one_of(own, batches) if route in ("", "/batch/v1") else own).map(json.dumps)
    fields = st.tuples(special_names(route), st.sampled_from(("<other>", "/wp/v2/users", "x", "DELETE")))
    forms = st.lists(st.one_of(own_pairs, own_pairs, pairs), min_size=1, max_size=3).map("&".join)
    return {
        JSON: st.one_of(objects, objects.map(numbers), objects.map(_escaped), st.sampled_from(_ODD)),
        FORM: st.one_of(forms, batches.map(as_form)) if route in ("", "/batch/v1") else forms,
        MULTIPART: st.lists(fields, min_size=1, max_size=3).map(as_multipart),
    }
