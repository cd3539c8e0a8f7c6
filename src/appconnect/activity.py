"""The recorder: what clients do, kept in memory until the database takes it. No request waits for that."""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from appconnect.core.activity import (
    HOUR_SECONDS,
    MAX_COUNTERS,
    MAX_REFUSALS,
    MAX_UNPROVEN,
    Activity,
    ClientUse,
    CredentialCheck,
    Health,
    Refusal,
)
from appconnect.telemetry import REDACTED, hide_credentials

MAX_TEXT_BYTES: Final = 500
"""Of a refused request's path, and of its query."""
_MOST_READ: Final = 4 * MAX_TEXT_BYTES
_SECRET_NAME: Final = re.compile(r"pass|pwd|secret|token|key|nonce|auth", re.IGNORECASE)


class Recorder:
    """Counts in memory, for one event loop. An allowed request costs it two entries in dictionaries."""

    def __init__(
        self,
        *,
        most_refusals: int = MAX_REFUSALS,
        most_unproven: int = MAX_UNPROVEN,
        most_counters: int = MAX_COUNTERS,
    ) -> None:
        self._most_counters = most_counters
        self._refusals = deque[Refusal](maxlen=most_refusals)
        self._unproven = deque[Refusal](maxlen=most_unproven)
        self._begin()

    def _begin(self) -> None:
        self._refusals.clear()
        self._unproven.clear()
        self._rules: dict[tuple[str, str, int], int] = {}
        self._clients: dict[tuple[str, int], list[int]] = {}  # as the fields of ClientUse
        self._secrets: dict[tuple[str, bytes], int] = {}
        self._checks: dict[str, CredentialCheck] = {}
        self._lost = 0

    def allowed(self, client_id: str, rule: str, now: int) -> None:
        """A request went on to WordPress, by this rule or by `FULL_ACCESS`."""
        key = (client_id, rule, now - now % HOUR_SECONDS)
        requests = self._rules.get(key, 0)
        if requests or len(self._rules) < self._most_counters:
            self._rules[key] = requests + 1
        else:
            self._lost += 1
        if (use := self._use_of(client_id, now)) is not None:
            use[_ALLOWED] += 1
            use[_LAST_AT] = now

    def refused(self, refusal: Refusal) -> None:
        """A request was refused. Those of strangers have a room of their own: they push out no client's."""
        room = self._refusals if refusal.is_proven else self._unproven
        self._lost += len(room) == room.maxlen  # the oldest, which goes
        query = refusal.query[:_MOST_READ]
        if _SECRET_NAME.search(query):
            query = "&".join(map(_without_secret, query.split("&")))
        method, path, query = _shown(refusal.method), _shown(refusal.path), _shown(query)
        if (method, path, query) != (refusal.method, refusal.path, refusal.query):
            refusal = replace(refusal, method=method, path=path, query=query)
        room.append(refusal)
        if refusal.client_id is not None and (use := self._use_of(refusal.client_id, refusal.at)) is not None:
            use[_REFUSED] += 1
            use[_LAST_AT] = refusal.at if refusal.is_proven else use[_LAST_AT]

    def authenticated(self, client_id: str, sha256: bytes, now: int) -> None:
        """A client has shown the secret with this SHA-256."""
        self._secrets[client_id, sha256] = now
        if (use := self._use_of(client_id, now)) is not None:
            use[_LAST_AT] = now

    def token_issued(self, client_id: str, now: int) -> None:
        """A client got an access token."""
        if (use := self._use_of(client_id, now)) is not None:
            use[_TOKENS] += 1
            use[_LAST_AT] = now

    def checked(self, client_id: str, health: Health, now: int) -> None:
        """A client's upstream credential was checked."""
        check = CredentialCheck(health, now)
        self._checks[client_id] = self._checks.get(client_id, check).then(check)

    def take(self) -> Activity:
        """What was recorded since the last time."""
        taken = Activity(
            tuple(sorted((*self._refusals, *self._unproven), key=lambda one: one.at)),
            self._rules,
            dict(self._used()),
            self._secrets,
            self._checks,
            self._lost,
        )
        self._begin()
        return taken

    def _used(self) -> Iterable[tuple[tuple[str, int], ClientUse]]:
        return ((key, ClientUse(*use)) for key, use in self._clients.items())

    def _use_of(self, client_id: str, now: int) -> list[int] | None:
        """The client's counters of this hour; None, and one more is lost, where there is no room for them."""
        key = (client_id, now - now % HOUR_SECONDS)
        use = self._clients.get(key)
        if use is None and len(self._clients) < self._most_counters:
            use = self._clients[key] = [0, 0, 0, 0]
        self._lost += use is None
        return use


_TOKENS, _ALLOWED, _REFUSED, _LAST_AT = range(4)


def _without_secret(parameter: str) -> str:
    """A query's parameter, its value hidden where the name says that it is secret: WooCommerce takes such keys."""
    name, equals, _ = parameter.partition("=")
    return name + equals + REDACTED if equals and _SECRET_NAME.search(name) else parameter


def _shown(text: str) -> str:
    """Text that any database takes, without the credentials in it, cut to what is kept."""
    if len(text) <= MAX_TEXT_BYTES and text.isascii() and "\0" not in text:
        return hide_credentials(text)[:MAX_TEXT_BYTES]
    valid = text[:_MOST_READ].replace("\0", "").encode("utf-8", "replace").decode()
    return hide_credentials(valid).encode()[:MAX_TEXT_BYTES].decode(errors="ignore")
