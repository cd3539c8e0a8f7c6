"""What a client may do, written a second time from the words of the guide: nothing here is the product's.

A rule is `METHOD /wp-json/path`; `*` is one segment, `**` at the end one or more; GET covers HEAD; case is nothing.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Noted:
    """One thing that WordPress did, as the recorder noted it."""

    kind: str
    method: str
    route: str
    user: str = ""
    own: tuple[tuple[str, Any], ...] = ()
    power: tuple[str, ...] = ()

    @classmethod
    def read(cls, line: str) -> "Noted":
        """One line of the recorder's."""
        content = json.loads(line)
        own = tuple((path, json.loads(seen)) for path, seen in content.pop("own", ()))
        return cls(**{**content, "own": own, "power": tuple(content.pop("power", ()))})


@dataclass(frozen=True, slots=True)
class Permission:
    """A client's rules, and whether it has full access."""

    user: str
    rules: tuple[str, ...]
    is_full: bool = False

    def violations(self, noted: Iterable[Noted]) -> list[str]:
        """Everything that WordPress did and this client may not do."""
        return [f"{each}: {why}" for each in noted if (why := self._violation(each)) is not None]

    def _violation(self, noted: Noted) -> str | None:
        if noted.kind == "reached":
            return None
        if noted.user != self.user:
            return f"as {noted.user or 'nobody'}, not as {self.user}"
        if not self._opens(noted, noted.route):
            return "no rule opens it"
        if not self.is_full and not self._opens(noted, _acted_on(noted)):
            return f"it acts on {_acted_on(noted)}, which no rule opens"
        return None

    def _opens(self, noted: Noted, route: str) -> bool:
        """Whether a rule opens a route, or full access does; what it must name, the route that was asked for says."""
        needed = _needed_words(noted.method, _segments(noted.route), noted.power)
        matching = [rule for rule in self.rules if _matches(rule, noted.method, _segments(route))]
        is_open = not needed or needed == ["batch", "v1"]
        return any(_names(rule, needed) for rule in matching) or (self.is_full and is_open)


def _segments(route: str) -> list[str]:
    route = route.removesuffix("\n")  # `$` of the patterns that WordPress matches routes with lets one pass
    return [segment.lower() for segment in route.removesuffix("/").split("/")[1:]]


def _acted_on(noted: Noted) -> str:
    """The route with the parameters that the handler would see in the place of those in the path."""
    route = noted.route
    for in_path, seen in noted.own:
        is_same = isinstance(seen, str | int) and str(seen) == in_path
        other = str(seen).replace("/", "%2F") or "%"  # whatever it is, it stands where one segment stood
        route = route if is_same else route.replace(f"/{in_path}", f"/{other}", 1)
    return route


def _matches(rule: str, method: str, segments: list[str]) -> bool:
    own_method, path = rule.split(" ")
    own = [segment.lower() for segment in path.removeprefix("/wp-json").strip("/").split("/") if segment]
    if own_method != method and (own_method, method) != ("GET", "HEAD"):
        return False
    if own[-1:] == ["**"]:
        own = own[:-1] + ["*"] * (len(segments) - len(own) + 1)
        if len(own) == 0 or not segments:
            return False
    return len(own) == len(segments) and all(want in ("*", have) for want, have in zip(own, segments, strict=True))


def _needed_words(method: str, segments: list[str], power: tuple[str, ...]) -> list[str]:
    """The words that a rule must have itself, as no wildcard says them."""
    if method == "POST" and segments == ["batch", "v1"]:
        return segments
    if method in READING or segments[:2] != ["wp", "v2"]:
        return []
    if segments[2:3] == ["users"] and segments[4:5] == ["application-passwords"]:
        return ["wp", "v2", "users", "*", "application-passwords"]
    if segments[2:3] == ["users"]:
        is_one = len(segments) == 4 and (segments[3] == "me" or segments[3].isdigit())
        return [] if is_one and method in ("POST", "PUT", "PATCH") and not power else ["wp", "v2", "users"]
    return segments[:3] if segments[2:3] in (["plugins"], ["themes"]) else []


def _names(rule: str, needed: list[str]) -> bool:
    own = rule.split(" ")[1].lower().removeprefix("/wp-json/").split("/")
    return len(own) >= len(needed) and all(want in ("*", have) for want, have in zip(needed, own, strict=False))
