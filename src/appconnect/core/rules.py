"""Route rules: one `METHOD /wp-json/path` each, and the allowlist that a client's rules compile into.

`*` stands for exactly one path segment, a trailing `**` for one or more, and `GET` covers `HEAD`; nothing else is
implied.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

REST_PREFIX = "/wp-json"
"""The public REST prefix (WordPress: `rest_get_url_prefix`); every path that people read or write starts with it."""

STAR, DOUBLE_STAR = "*", "**"


class Method(StrEnum):
    """The methods that WordPress's REST server dispatches."""

    GET = "GET"
    HEAD = "HEAD"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    OPTIONS = "OPTIONS"

    __hash__ = str.__hash__  # as its text, which it equals; an enum's own is a call into Python for each lookup


def fold_case(text: str) -> str:
    """Lower-case ASCII only: `WP_REST_Server::match_request_to_handler` matches with the `i` flag but without `u`."""
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class RuleSyntaxError(ValueError):
    """Text that is no route rule: where (`column`, from 1), what is wrong, and the spelling that would be right.

    `suggested` are the rules that were probably meant, where it can be told.
    """

    def __init__(self, text: str, column: int, problem: str, suggested: Sequence[str]) -> None:
        remedy = _remedy(suggested)
        super().__init__(f"{problem} (column {column} of {text!r}). {remedy}")
        self.text, self.column, self.problem, self.remedy = text, column, problem, remedy
        self.suggested = tuple(suggested)


@dataclass(frozen=True, slots=True)
class RouteRule:
    """One line of an allowlist: `segments` are the route's, as written, with `*` and `**` for wildcards."""

    method: Method
    segments: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a rule in its one right spelling; `RuleSyntaxError` names the column and gives that spelling."""
        problem = _find_problem(text)
        if problem is not None:
            column, sentence = problem
            raise RuleSyntaxError(text, column + 1, sentence, _guess(text))
        method, _, path = text.partition(" ")
        segments = path.removeprefix(REST_PREFIX).split("/")[1:] if path != _INDEX else []
        # Thousands of clients name the same few segments: each is kept once.
        return cls(Method(method), tuple(map(sys.intern, segments)))

    @property
    def path(self) -> str:
        """The path as people write it; the site's index is `/wp-json/`."""
        return REST_PREFIX + "/" + "/".join(self.segments)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def names(self, segments: Sequence[str]) -> bool:
        """Whether this rule spells out each literal of `segments` itself, not through a wildcard."""
        own = [fold_case(segment) for segment in self.segments]
        return len(own) >= len(segments) and all(want in (STAR, own[at]) for at, want in enumerate(segments))

    def is_covered_by(self, other: "RouteRule") -> bool:
        """Whether `other` allows every request that this rule allows."""
        if not _method_covers(other.method, self.method):
            return False
        mine, theirs = self.segments, other.segments
        if theirs and theirs[-1] == DOUBLE_STAR:
            head = theirs[:-1]
            return len(mine) > len(head) and all(map(_segment_covers, head, mine))
        return len(mine) == len(theirs) and all(map(_segment_covers, theirs, mine))


def _method_covers(wide: Method, narrow: Method) -> bool:
    return wide is narrow or (wide is Method.GET and narrow is Method.HEAD)


def _segment_covers(wide: str, narrow: str) -> bool:
    if narrow == DOUBLE_STAR:
        return False
    return wide == STAR or fold_case(wide) == fold_case(narrow)


@dataclass(slots=True)
class _Node:
    """Most are leaves with one rule, and there may be hundreds of thousands: no dict is made to hold nothing."""

    children: "dict[str, _Node] | None" = None
    here: tuple[RouteRule, ...] = ()
    below: tuple[RouteRule, ...] = ()

    def child(self, segment: str) -> "_Node":
        """The node of one segment more, made where it is missing."""
        if self.children is None:
            self.children = {}
        return self.children.setdefault(segment, _Node())


class Allowlist:
    """Route rules compiled into a trie of case-folded segments; immutable once made.

    A lookup visits a node at most once, so its cost is bounded by the rules that share a prefix with the route.
    """

    __slots__ = ("_root", "rules")

    def __init__(self, rules: Iterable[RouteRule]) -> None:
        self.rules = tuple(rules)
        self._root = _Node()
        for rule in self.rules:
            self._add(rule)

    def _add(self, rule: RouteRule) -> None:
        node, segments = self._root, rule.segments
        is_open = bool(segments) and segments[-1] == DOUBLE_STAR
        for segment in segments[:-1] if is_open else segments:
            node = node.child(sys.intern(fold_case(segment)))
        if is_open:
            node.below = _with(node.below, rule)
        else:
            node.here = _with(node.here, rule)

    def matching(self, method: Method, segments: Sequence[str]) -> Sequence[RouteRule]:
        """The rules that allow `method` on the case-folded `segments`, the most specific first."""
        found: list[RouteRule] = []
        _collect(self._root, method, segments, 0, found)
        return found


def _with(rules: tuple[RouteRule, ...], rule: RouteRule) -> tuple[RouteRule, ...]:
    """Of rules for the same routes and method, the first one counts."""
    return (*rules, rule) if all(other.method is not rule.method for other in rules) else rules


def _collect(node: _Node, method: Method, segments: Sequence[str], at: int, found: list[RouteRule]) -> None:
    """Go down as long as there is one way, and with a call for the first of two."""
    opened = []
    while at < len(segments):
        if node.below:
            opened.append(node.below)
        children, segment = node.children, segments[at]
        if children is None:
            break
        literal, wildcard = children.get(segment) if segment != STAR else None, children.get(STAR)
        at += 1
        if literal is not None and wildcard is not None:
            _collect(literal, method, segments, at, found)
        next_node = wildcard or literal
        if next_node is None:
            break
        node = next_node
    else:
        _collect_of_method(node.here, method, found)
    for rules in reversed(opened):
        _collect_of_method(rules, method, found)


def _collect_of_method(rules: tuple[RouteRule, ...], method: Method, found: list[RouteRule]) -> None:
    for rule in rules:
        if rule.method is method:
            found.append(rule)  # noqa: PERF401 - of one or two rules, a comprehension takes longer
    if method is Method.HEAD:
        _collect_of_method(rules, Method.GET, found)


# -- what is wrong with a rule, and what would be right ---------------------------------------------------------------

_INDEX = REST_PREFIX + "/"
_METHODS = ", ".join(Method)
_SEGMENT_PROBLEMS = (
    (re.compile(r"[?#]"), "A rule names a path without query or fragment"),
    (re.compile(r"[\x00-\x20\x7f]"), "A path has no spaces or control characters"),
    (re.compile(r"\\"), "A path has no backslash"),
    (re.compile(r"%"), "A path is written as plain text, without percent-encoding"),
    (
        re.compile(r"[(){}<>\[\]]|(?<=/):"),
        "A rule has no regular expressions or placeholders; `*` stands for one segment",
    ),
)
_ANY_SEGMENT_PROBLEM = re.compile("|".join(pattern.pattern for pattern, _ in _SEGMENT_PROBLEMS))


def is_rule(text: str) -> bool:
    """Whether this is how a rule is written."""
    return _find_problem(text) is None


def _find_problem(text: str) -> tuple[int, str] | None:
    """The first problem of a rule's text as (index, sentence), or None where the text is right."""
    method, space, path = text.partition(" ")
    if method not in Method.__members__:
        return 0, f"A rule starts with a method in capitals ({_METHODS})"
    start = len(method) + 1
    if not space or not path.startswith("/"):
        return min(start, len(text)), "One space and then a path that starts with /wp-json/ follow the method"
    if _ANY_SEGMENT_PROBLEM.search(path) is not None:
        searched = ((pattern.search(path), sentence) for pattern, sentence in _SEGMENT_PROBLEMS)
        column, sentence = min((found.start(), sentence) for found, sentence in searched if found is not None)
        return start + column, sentence
    if path == _INDEX:
        return None
    if not path.startswith(_INDEX):
        return start, "The path starts with /wp-json/"
    return _find_segment_problem(path, start)


def _find_segment_problem(path: str, start: int) -> tuple[int, str] | None:
    segments = path[1:].split("/")
    at = start + 1
    for number, segment in enumerate(segments):
        is_last = number == len(segments) - 1
        if segment == "":
            return at, "A path has no slash at its end" if is_last else "A path has no empty segment"
        if segment in (".", ".."):
            return at, "A path has no `.` or `..` segment"
        if segment == DOUBLE_STAR and not is_last:
            return at, "`**` stands only at the end of a path"
        if STAR in segment and segment not in (STAR, DOUBLE_STAR):
            return at + segment.index(STAR), "`*` stands for a whole segment"
        at += len(segment) + 1
    return None


def _remedy(meant: Sequence[str]) -> str:
    if not meant:
        return "Write it as METHOD /wp-json/path, for example: GET /wp-json/wp/v2/posts"
    return f"Write: {meant[0]}" if len(meant) == 1 else f"Write {len(meant)} rules: {', '.join(meant)}"


def _guess(text: str) -> list[str]:
    """The right spelling of what was probably meant; nothing where it cannot be told."""
    words = text.split()
    methods = [word for word in re.split(r"[,|/]", words[0].upper()) if word] if words else []
    if len(words) == 1 or not methods or any(method not in Method.__members__ for method in methods):
        if len(words) != 1 or "/" not in text:
            return []
        methods, words = ["GET"], ["GET", *words]
    path = _guess_path("".join(words[1:]))
    guessed = [f"{method} {path}" for method in methods]
    return guessed if all(_find_problem(guess) is None for guess in guessed) else []


def _guess_path(path: str) -> str:
    path = re.sub(r"^https?://[^/]+", "", path)
    path = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)|\{\w*\}|<\w*>|/:\w+", _placeholder, path)
    path = re.sub(r"[?#].*$", "", path)
    segments = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if segments[:1] == ["index.php"]:
        segments = segments[1:]
    if segments and fold_case(segments[0]) == REST_PREFIX[1:]:
        segments = segments[1:]
    segments = [piece for part in segments for piece in _guess_segment(part)]
    segments = [STAR if part == DOUBLE_STAR and at < len(segments) - 1 else part for at, part in enumerate(segments)]
    return REST_PREFIX + "/" + "/".join(segments)


def _guess_segment(part: str) -> list[str]:
    """`posts*` was probably meant as `posts/*`: narrower than a bare `*`."""
    if STAR not in part or part in (STAR, DOUBLE_STAR):
        return [part]
    return [part.rstrip(STAR), STAR] if STAR not in part.rstrip(STAR) else [STAR]


def _placeholder(found: re.Match[str]) -> str:
    return "/" + STAR if found[0].startswith("/") else STAR
