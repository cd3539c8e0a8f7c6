"""`ports.Upstream` for one known WordPress: a pool of HTTP/1.1 connections, straight on the event loop's transports."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import SOCK_STREAM
from typing import Final
from urllib.parse import urlsplit

from appconnect.core.snapshot import SiteAddress
from appconnect.ports import UpstreamFailure, UpstreamRequest, UpstreamUnavailable
from appconnect.site.tls import tls_context
from appconnect.site.upstream_connection import Connection, ConnectionDied, PooledAnswer
from appconnect.site.upstream_head import request_head

NEXT_ADDRESS_SECONDS: Final = 1.0
"""How long one of several addresses of a host is tried; the last one has all the time that is left."""
_LOOKS_PER_TIMEOUT: Final = 8


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where to connect to, and whose certificate is expected there; None for no TLS."""

    host: str
    port: int
    server_hostname: str | None

    @classmethod
    def of(cls, site: SiteAddress) -> "_Origin":
        there = urlsplit(site.upstream_url)
        host = there.hostname or ""
        if there.scheme != "https":
            return cls(host, there.port or 80, None)
        known_as = host if site.upstream_url == site.url else urlsplit(site.url).hostname
        return cls(host, there.port or 443, known_as or host)


class _Pool:
    """The connections to one origin that wait for a request, the one used last at the end."""

    def __init__(self, origin: _Origin) -> None:
        self.origin = origin
        self.idle: list[Connection] = []
        self.address: str | None = None  # that answered last

    def take(self, now: float) -> Connection | None:
        """The connection that was used last, unless even that has waited too long: then they all have."""
        if self.idle and now < self.idle[-1].deadline:
            return self.idle.pop()
        return None


class PooledUpstream:
    """`ports.Upstream`; made inside a running event loop."""

    def __init__(self, *, ca_file: Path | None, connect_timeout_seconds: float, answer_timeout_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._tls: ssl.SSLContext = tls_context(ca_file)
        self._connect_timeout, self._answer_timeout = connect_timeout_seconds, answer_timeout_seconds
        self._pools: dict[_Origin, _Pool] = {}
        self._last: tuple[SiteAddress | None, _Pool | None] = None, None
        self._alive: set[Connection] = set()
        self._watch: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def send(self, site: SiteAddress, request: UpstreamRequest) -> PooledAnswer:
        """Send a request and wait for the head of its answer; `UpstreamUnavailable` where none comes."""
        head, length = request_head(request)
        pool = self._pool(site)
        connection = pool.take(self._loop.time())
        if connection is not None:
            try:
                return await connection.ask(request, head, length)
            except ConnectionDied:
                if not request.may_repeat or request.body is not None:
                    raise
        connection = await self._connect(pool)
        return await connection.ask(request, head, length)

    async def close(self) -> None:
        """Close every connection."""
        self._is_closed = True
        connections = list(self._alive)
        sending = [connection.sending for connection in connections if connection.sending is not None]
        for connection in connections:
            connection.cut()
        await asyncio.gather(*sending, *(connection.lost for connection in connections), return_exceptions=True)
        if self._watch is not None:
            self._watch.cancel()

    def _pool(self, site: SiteAddress) -> _Pool:
        last, pool = self._last
        if pool is None or last is not site:
            origin = _Origin.of(site)
            pool = self._pools.setdefault(origin, _Pool(origin))
            self._last = site, pool
        return pool

    # -- connecting ---------------------------------------------------------------------------------------------------

    async def _connect(self, pool: _Pool) -> Connection:
        self._refuse_when_closed()
        try:
            async with asyncio.timeout(self._connect_timeout):
                connection = await self._connect_to_any(pool, await self._addresses(pool))
        except (OSError, UnicodeError) as error:
            why = str(error) or "no connection in time"
            raise UpstreamUnavailable(UpstreamFailure.UNREACHABLE, why) from error
        if self._is_closed:
            connection.cut()
        self._refuse_when_closed()
        if self._watch is None:
            self._look_later()
        return connection

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise UpstreamUnavailable(UpstreamFailure.UNREACHABLE, "the gateway is stopping")

    async def _addresses(self, pool: _Pool) -> Sequence[str]:
        """The addresses of the host, looked up anew; the one that answered last comes first."""
        found = await self._loop.getaddrinfo(pool.origin.host, pool.origin.port, type=SOCK_STREAM)
        addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
        return sorted(addresses, key=lambda address: address != pool.address)

    async def _connect_to_any(self, pool: _Pool, addresses: Sequence[str]) -> Connection:
        """One after another, for uvloop knows no RFC 8305: an address that leads nowhere must not take all the time."""
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(NEXT_ADDRESS_SECONDS):
                    return await self._connect_to(pool, address)
            except OSError:
                continue
        return await self._connect_to(pool, addresses[-1])

    async def _connect_to(self, pool: _Pool, address: str) -> Connection:
        name = pool.origin.server_hostname
        _, connection = await self._loop.create_connection(
            lambda: Connection(pool.idle, self._alive, self._answer_timeout),
            address,
            pool.origin.port,
            ssl=self._tls if name is not None else None,
            server_hostname=name,
        )
        pool.address = address
        # Not in `connection_made`: where connecting is cancelled just after it, uvloop never tells its end.
        if not connection.lost.done():
            self._alive.add(connection)
        return connection

    # -- deadlines ----------------------------------------------------------------------------------------------------

    def _look_later(self) -> None:
        seconds = min(1.0, self._answer_timeout / _LOOKS_PER_TIMEOUT)
        self._watch = self._loop.call_later(seconds, self._look) if self._alive else None

    def _look(self) -> None:
        """End what has waited too long. One timer looks after all connections, so that a request needs none."""
        now = self._loop.time()
        for connection in [connection for connection in self._alive if connection.deadline <= now]:
            connection.expire()
        self._look_later()
