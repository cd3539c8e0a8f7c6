"""The site's route templates (`register_rest_route`), and which of a route's parameters a rule pins down.

WordPress takes a parameter of the body or the query over the one in the path (`WP_REST_Request::get_parameter_order`):
`/wp/v2/posts/5?id=6` is post 6. A rule that names 5 must not open 6, so the names of a route's parameters matter.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from appconnect.core.rules import DOUBLE_STAR, STAR, Method, RouteRule, fold_case

_MAX_REMEMBERED: Final = 100_000
_CHANGING_COLLECTIONS: Final = frozenset(
    (("wp", "v2", "templates"), ("wp", "v2", "template-parts"), ("wp", "v2", "widgets"))
)
"""Where a POST that makes something changes what is there, if it gives its `id`: core's others refuse or ignore it."""


@dataclass(frozen=True, slots=True)
class PinnedParameter:
    """A parameter of the route whose value a rule gives: the segments from `start` up to `stop` (None: the last)."""

    name: bytes
    start: int
    stop: int | None

    def value(self, segments: Sequence[str]) -> str:
        """The value in a route of these segments."""
        return "/".join(segments[self.start : self.stop])


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a template: a literal, or a pattern with the parameters in it."""

    literal: str | None
    pattern: "re.Pattern[bytes] | None" = None
    names: tuple[bytes, ...] = ()

    def fits(self, given: str) -> bool:
        """Whether a rule's segment may stand for it. Where that cannot be told, it may."""
        if given == STAR:
            return True
        if self.literal is not None:
            return self.literal == fold_case(given)
        return self.pattern is None or self.pattern.fullmatch(given.encode()) is not None


@dataclass(frozen=True, slots=True)
class Template:
    """A template's segments; with `tail` the parameters of a pattern that may hold any number of segments more.

    What stands for that pattern starts with `prefix`.
    """

    segments: tuple[Segment, ...]
    tail: tuple[bytes, ...] | None = None
    prefix: str = ""

    def pinned_by(self, rule: Sequence[str]) -> list[PinnedParameter] | None:
        """What a rule of these segments pins down here; None where it opens no route of this template."""
        pinned: list[PinnedParameter] = []
        for at, segment in enumerate(self.segments):
            if at < len(rule) and rule[at] == DOUBLE_STAR:
                return pinned
            if at >= len(rule) or not segment.fits(rule[at]):
                return None
            if rule[at] != STAR:
                pinned += [PinnedParameter(name, at, at + 1) for name in segment.names]
        rest = rule[len(self.segments) :]
        if self.tail is None:
            return None if rest else pinned
        if rest and rest[0] not in (STAR, DOUBLE_STAR) and not fold_case(rest[0]).startswith(self.prefix):
            return None
        if any(given not in (STAR, DOUBLE_STAR) for given in rest):
            pinned += [PinnedParameter(name, len(self.segments), None) for name in self.tail]
        return pinned


def pinned_by_route(method: Method, segments: Sequence[str]) -> tuple[PinnedParameter, ...]:
    """What the route of a request pins down, whatever rule it matches: to make something new, there is no ID."""
    is_making = method is Method.POST and tuple(segments) in _CHANGING_COLLECTIONS
    return (PinnedParameter(b"id", len(segments), None),) if is_making else ()


class RouteTemplates:
    """The templates of one site, as its index lists them; immutable but for what it remembers of rules."""

    __slots__ = ("_pinned", "_templates", "texts")

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts = tuple(texts)
        self._templates = [parse_template(text) for text in self.texts]
        self._pinned: dict[RouteRule, tuple[PinnedParameter, ...]] = {}

    def pinned_by(self, rule: RouteRule) -> tuple[PinnedParameter, ...]:
        """The parameters that a rule gives a value, over all routes that it opens.

        Of a route that the index does not list, a number is taken for the `id` that it nearly always is.
        """
        pinned = self._pinned.get(rule)
        if pinned is None:
            if len(self._pinned) >= _MAX_REMEMBERED:
                self._pinned.clear()
            pinned = self._pinned[rule] = tuple(dict.fromkeys(self._find_pinned(rule)))
        return pinned

    def opened_by(self, rule: RouteRule) -> tuple[str, ...]:
        """The templates of which a rule's path opens at least one route, whatever its method, in the site's order."""
        templates = zip(self.texts, self._templates, strict=True)
        return tuple(text for text, template in templates if template.pinned_by(rule.segments) is not None)

    def _find_pinned(self, rule: RouteRule) -> Iterator[PinnedParameter]:
        is_listed = False
        for template in self._templates:
            found = template.pinned_by(rule.segments)
            if found is not None:
                is_listed = True
                yield from found
        if not is_listed:
            numbers = (at for at, segment in enumerate(rule.segments) if segment.isdecimal())
            yield from (PinnedParameter(b"id", at, at + 1) for at in numbers)


# -- reading a template -----------------------------------------------------------------------------------------------

_QUANTIFIER: Final = re.compile(r"[*+{]")
_PLAIN: Final = re.compile(r"(?:[\w~!@%&=:,;'-]|\\[^\w])*", re.ASCII)
_NAME: Final = re.compile(r"\(\?P?<(\w+)>", re.ASCII)
_TOKEN: Final = re.compile(
    r"(?P<escaped>\\.)|(?P<cls>\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\])|(?P<open>\()|(?P<close>\))|(?P<other>.)", re.DOTALL
)


def parse_template(text: str) -> Template:
    """Split a template at the slashes between its patterns, up to the first pattern that may itself hold a slash."""
    segments: list[Segment] = []
    pieces = _split(text)
    for at, (piece, may_hold_slash) in enumerate(pieces):
        if may_hold_slash:
            rest = "/".join(each for each, _ in pieces[at:])
            return Template(tuple(segments), _names(rest), _prefix(piece))
        segments.append(_read_segment(piece))
    return Template(tuple(segments))


def _prefix(piece: str) -> str:
    """The plain text that a pattern begins with; what a repetition follows may be missing."""
    plain = _PLAIN.match(piece)
    assert plain is not None
    text = _unescape(plain[0])
    return text[:-1] if piece[plain.end() :].startswith(("?", "*", "{")) else text


def _split(text: str) -> list[tuple[str, bool]]:
    """The pieces between slashes that stand outside of every group, each with whether it may match a slash."""
    pieces, piece, may_hold_slash, depth = [], "", False, 0
    for found in _TOKEN.finditer(text.removeprefix("/")):
        kind, symbol = found.lastgroup, found[0]
        depth += (kind == "open") - (kind == "close")
        if depth == 0 and symbol in ("/", r"\/"):
            pieces.append((piece, may_hold_slash))
            piece, may_hold_slash = "", False
        else:
            piece += symbol
            may_hold_slash |= _matches_slash(kind, symbol)
    return [*pieces, (piece, may_hold_slash)] if piece or pieces else []


def _matches_slash(kind: str | None, symbol: str) -> bool:
    match kind:
        case "escaped":
            return symbol == r"\/" or symbol[1] in "DSWNXCRHV"  # classes of all but something
        case "cls":
            try:
                return re.fullmatch(symbol, "/") is not None
            except re.error:
                return True
        case _:
            return symbol in ("/", ".")


def _read_segment(text: str) -> Segment:
    if _PLAIN.fullmatch(text):
        return Segment(_unescape(text))
    return Segment(None, _to_python(text), _names(text))


def _to_python(text: str) -> "re.Pattern[bytes] | None":
    """PHP's pattern, bytes without regard to case (`WP_REST_Server::match_request_to_handler`), where it is simple.

    With one repetition at most, no pattern that a site makes up can keep us busy.
    """
    symbols = (found for found in _TOKEN.finditer(text) if found.lastgroup == "other")
    if sum(_QUANTIFIER.match(found[0]) is not None for found in symbols) > 1:
        return None
    try:
        return re.compile(_NAME.sub(r"(?P<\1>", text).encode(), re.IGNORECASE)
    except (re.error, OverflowError):
        return None


def _unescape(plain: str) -> str:
    return fold_case(re.sub(r"\\(.)", r"\1", plain))


def _names(text: str) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in _NAME.findall(text))
