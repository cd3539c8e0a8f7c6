"""Requests made of tricks, for Hypothesis to combine: what a client may do with a trick or two, and anything at all."""

import json
from dataclasses import dataclass, replace
from functools import cache

from hypothesis import strategies as st

from tests.attack import tricks
from tests.attack.bodies import as_form, batches, bodies
from tests.attack.tricks import FORM, JSON

BATCH = "/batch/v1"


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


# -- anything at all --------------------------------------------------------------------------------------------------

_ASKING = ("rest_route", "rest_route", "rest_route", "rest%5froute", "rest.route", "rest_route[]")


@st.composite
def _targets(draw: st.DrawFn) -> str:
    """A path, or `rest_route` on a page, with more in the query."""
    query = draw(tricks.queries)
    if draw(st.integers(0, 2)):
        path = draw(st.sampled_from(("/wp-json", *tricks.ROOTS))) + draw(tricks.spelled_routes)
        return _in_line(path, query)
    pair = f"{draw(st.sampled_from(_ASKING))}={draw(tricks.spelled_routes)}"
    pairs = [pair, query] if draw(st.booleans()) else [query, pair]
    return _in_line(draw(st.sampled_from(tricks.PAGES)), "&".join(filter(None, pairs)))


def _in_line(path: str, query: str) -> str:
    """The two as one target; a space would end it."""
    return (path + ("?" + query if query else "")).replace(" ", "%20")


@st.composite
def _wild_attacks(draw: st.DrawFn) -> Attack:
    attack = Attack(draw(tricks.methods), draw(_targets()), (), "", draw(st.booleans()))
    attack = replace(attack, headers=tuple(draw(st.lists(tricks.headers, max_size=2))))
    return _with_fitting_body(draw, attack, "") if draw(st.booleans()) else attack


# -- what is permitted, or nearly, with a trick or two -----------------------------------------------------------------

_NEARLY = (
    *("GET /wp-json/wp/v2/users", "GET /wp-json/wp/v2/posts/<other>", "GET /wp-json/wp/v2/settings"),
    *("POST /wp-json/wp/v2/users", "DELETE /wp-json/wp/v2/users/<me>", "POST /wp-json/batch/v1"),
    *("POST /wp-json/wp/v2/users/me/application-passwords", "PUT /wp-json/wp/v2/plugins/akismet/akismet"),
    *("POST /wp-json/wp/v2/users/<me>/application-passwords", "POST /wp-json/wp/v2/plugins"),
)
"""What few clients may do, or none, and what with a trick might look like something that they may."""


_IDS = st.sampled_from(("<mine>", "<other>", "<me>", "1"))


@st.composite
def opened(draw: st.DrawFn, rules: tuple[str, ...]) -> tuple[str, str, str]:
    """A rule's method and path, and the route of something that it opens."""
    method, path = draw(st.sampled_from(rules)).split(" ")
    route = path.removeprefix("/wp-json") or "/"
    if route.endswith("/**"):
        below = [each for each in tricks.ROUTES if each.startswith(route[:-2])]
        route = draw(st.sampled_from(below or [f"{route[:-2]}nothing"]))
    while "*" in route:
        route = route.replace("*", draw(_IDS), 1)
    return method, path, route


@st.composite
def _batch_attacks(draw: st.DrawFn) -> Attack:
    """A batch whose parts have the tricks, and in one case of three another in itself."""
    attack = _with_batch(draw, Attack("POST", f"/wp-json{BATCH}", (), "", draw(st.booleans())))
    return attack if draw(st.integers(0, 2)) else draw(st.sampled_from(_ONCE))(draw, attack, BATCH)


@st.composite
def _body_attacks(draw: st.DrawFn, rules: tuple[str, ...]) -> Attack:
    """What a rule lets write, with a body that may say something else, and in one case of three another trick."""
    method, _, route = draw(opened(rules))
    attack = _with_fitting_body(draw, Attack(method, f"/wp-json{route}", (), "", draw(st.booleans())), route)
    trick = draw(st.sampled_from((None, None, _with_type_lost, draw(st.sampled_from(_ONCE)))))
    return trick(draw, attack, route) if trick else attack


@st.composite
def _disguised(draw: st.DrawFn, rules: tuple[str, ...]) -> Attack:
    """What a rule opens, or nearly, asked for in one way that may make something else of it, or in two."""
    method, _, route = draw(opened(rules if draw(st.integers(0, 2)) else _NEARLY))
    attack = Attack(method, f"/wp-json{route}", (), "", draw(st.booleans()))
    for bend in draw(st.lists(st.sampled_from(_BENDS), min_size=1, max_size=2)):
        attack = bend(draw, attack, route)
    return attack


def _with_parameter(draw: st.DrawFn, attack: Attack, route: str) -> Attack:
    path, _, query = attack.target.partition("?")
    added = draw(st.one_of(*((tricks.special_pairs(route),) * 5), tricks.pairs, tricks.floods(route)))
    return replace(attack, target=_in_line(path, f"{query}&{added}" if query else added))


def _with_header(draw: st.DrawFn, attack: Attack, _: str) -> Attack:
    return replace(attack, headers=(*attack.headers, draw(tricks.headers)))


def _with_type_lost(draw: st.DrawFn, attack: Attack, _: str) -> Attack:
    """A body whose type says something else, or does not arrive with it."""
    headers = [each for each in attack.headers if not each.startswith("Content-Type:")]
    headers += draw(st.sampled_from(([], ["Connection: content-type"], ["Connection: keep-alive,,Content-Type"])))
    return replace(attack, headers=(*headers, f"Content-Type: {draw(tricks.types)}"))


def _of_method(draw: st.DrawFn, attack: Attack, _: str) -> Attack:
    return replace(attack, method=draw(tricks.methods))


def _at_root(draw: st.DrawFn, attack: Attack, route: str) -> Attack:
    return replace(
        attack, target=_in_line(draw(st.sampled_from(tricks.ROOTS)) + route, attack.target.partition("?")[2])
    )


def _on_page(draw: st.DrawFn, attack: Attack, route: str) -> Attack:
    second = draw(st.sampled_from(("", f"&rest_route={draw(tricks.routes)}")))
    return replace(attack, target=_in_line(draw(st.sampled_from(tricks.PAGES)), f"rest_route={route}{second}"))


def _with_other_route(draw: st.DrawFn, attack: Attack, route: str) -> Attack:
    return replace(attack, target=_in_line(attack.target.replace(route, draw(tricks.respelled(route)), 1), ""))


def _with_fitting_body(draw: st.DrawFn, attack: Attack, route: str) -> Attack:
    """A body, in most cases of the type that it says."""
    content_type, body = draw(st.sampled_from(sorted(bodies(route).items())))
    if draw(st.integers(0, 2)) == 0:
        content_type = draw(st.one_of(tricks.LIKE[content_type], tricks.types))
    headers = tuple(each for each in attack.headers if not each.startswith("Content-Type:"))
    if draw(st.integers(0, 4)):
        headers += (f"Content-Type: {content_type}",)
    return replace(attack, headers=headers, body=draw(body))


def _with_batch(draw: st.DrawFn, attack: Attack) -> Attack:
    """The parts where WordPress finds them: in JSON, a form or the query."""
    batch = draw(batches)
    match draw(st.integers(0, 3)):
        case 0:
            return replace(attack, target=_in_line(attack.target, as_form(batch)))
        case 1:
            return replace(attack, headers=(f"Content-Type: {FORM}",), body=as_form(batch))
        case _:
            return replace(attack, headers=(f"Content-Type: {JSON}",), body=json.dumps(batch))


_ONCE = (_with_header, _of_method, _at_root, _on_page, _with_other_route, _with_other_route)
_BENDS = (*_ONCE, *((_with_parameter,) * 4), *((_with_fitting_body,) * 3))


# -- whatever comes out -----------------------------------------------------------------------------------------------

_PIECES = (
    *("%2f", "%00", "%0a", "%0d", "%25", "%5c", "%c0%af", "%ff", "%e2%80%a8", "%", "%u002f", "..", "./", "//", "/"),
    *("?", "&", "=", "#", ";", "\\", "[", "]", "+", "_", ".", "*", ":", "@", "~", "'", '"', "|", "^", "`", "{", "}"),
    *("\t", "\0", "\x0b", "\x7f", "\xa0", "\u2215", "\uff0f", "rest_route=/wp/v2/users", "/wp-json", "/index.php"),
)


@st.composite
def _mangled(draw: st.DrawFn, attack: Attack) -> Attack:
    """The target with a few pieces put in, taken out or put in the place of others."""
    target = attack.target
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(st.integers(0, len(target))), draw(st.sampled_from((0, 0, 1, 1, 2)))
        target = target[:at] + draw(st.sampled_from(("", *_PIECES))) + target[at + length :]
    return replace(attack, target=target)


@cache
def attacks(rules: tuple[str, ...]) -> st.SearchStrategy[Attack]:
    """A whole request by a client with these rules."""
    disguised = _disguised(rules)
    kinds = [*((disguised,) * 5), _wild_attacks(), disguised.flatmap(_mangled)]
    written = tuple(rule for rule in rules if not rule.startswith(("GET", "OPTIONS")))
    kinds += [_body_attacks(written)] * 5 if written else []
    kinds += [_batch_attacks()] * 10 if f"POST /wp-json{BATCH}" in rules else []
    return st.one_of(kinds).map(_sendable)


def _sendable(attack: Attack) -> Attack:
    """Without a body no length is announced: a server would wait for it."""
    kept = tuple(each for each in attack.headers if attack.body or not each.startswith("Content-Length"))
    return replace(attack, headers=kept)
