"""`ports.Upstream` over aiohttp: pooled connections, streaming both ways, nothing followed, decoded or remembered."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from appconnect.core.request import Pair
from appconnect.core.snapshot import SiteAddress
from appconnect.ports import UpstreamFailure, UpstreamRequest, UpstreamUnavailable
from appconnect.site.tls import tls_context
from appconnect.site.upstream_connection import KEEPALIVE_SECONDS
from appconnect.site.upstream_head import check_encoding, check_target

_ADDED_BY_AIOHTTP = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")


class AiohttpAnswer:
    """`ports.UpstreamAnswer`."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Sequence[Pair] = [(name.lower(), value) for name, value in response.raw_headers]

    def whole_body(self) -> bytes | None:
        """The body where all of it has come; None, and nothing is taken, where it is still on the way."""
        content = self._response.content
        return content.read_nowait() if content.is_eof() and content.exception() is None else None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives; `UpstreamUnavailable` where it breaks off."""
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except TimeoutError as error:
            raise UpstreamUnavailable(UpstreamFailure.TIMEOUT, "the body stopped arriving") from error
        except aiohttp.ClientError as error:
            raise UpstreamUnavailable(UpstreamFailure.BROKEN, str(error)) from error

    async def close(self) -> None:
        """Give the connection back, or cut it where the body has not ended."""
        self._response.close() if not self._response.content.at_eof() else self._response.release()


class _Connection(ResponseHandler):
    """A connection whose end, or whose broken answer, is noticed by whoever it concerns.

    Bytes that come while it is idle end it: aiohttp takes them for the answer to the next request (RFC 9112 §9.2),
    which may be another client's. A broken chunk ends the body: aiohttp lets whoever reads it wait for ever.
    """

    is_idle = False

    def set_response_params(self, **options: Any) -> None:
        """Make ready for the answer to a request."""
        self.is_idle = False
        super().set_response_params(**options)

    def data_received(self, data: bytes) -> None:
        """Take bytes of an answer; whatever else comes ends the connection."""
        if self.is_idle and data:  # aiohttp says so little itself when it reads on
            self.close()
        else:
            super().data_received(data)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """Fail whoever waits for the head of an answer, and whoever reads its body."""
        super().set_exception(exc, exc_cause or exc)
        if self._payload is not None and not self._payload.is_eof() and self._payload.exception() is None:
            is_late = isinstance(exc, TimeoutError)
            self._payload.set_exception(exc if is_late else aiohttp.ClientPayloadError(str(exc)), exc)


class _Connector(aiohttp.TCPConnector):
    """The pool of such connections."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        factory: Any = partial(_Connection, loop=self._loop)
        self._factory = factory

    def _release(self, key: Any, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        if isinstance(protocol, _Connection):
            protocol.is_idle = True
        super()._release(key, protocol, should_close=should_close)


class AiohttpUpstream:
    """`ports.Upstream`; made inside a running event loop."""

    def __init__(self, *, ca_file: Path | None, connect_timeout_seconds: float, answer_timeout_seconds: float) -> None:
        connector = _Connector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS, ttl_dns_cache=60, ssl=tls_context(ca_file))
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_ADDED_BY_AIOHTTP,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=connect_timeout_seconds, sock_read=answer_timeout_seconds
            ),
            trust_env=False,
        )
        # aiohttp repeats every PUT and DELETE on a dead connection; what may be repeated is not for it to say.
        self._session._retry_connection = False  # noqa: SLF001

    async def send(self, site: SiteAddress, request: UpstreamRequest) -> AiohttpAnswer:
        """Send a request and wait for the head of its answer; `UpstreamUnavailable` where none comes."""
        try:
            return await self._send(site, request)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if not request.may_repeat or isinstance(error, aiohttp.ClientConnectorError):
                raise _unavailable(error) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable(error) from error
        try:
            return await self._send(site, request)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable(error) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def _send(self, site: SiteAddress, request: UpstreamRequest) -> AiohttpAnswer:
        check_target(request.target)
        check_encoding(request.headers)
        is_elsewhere = site.upstream_url != site.url
        response = await self._session.request(
            request.method,
            URL(_origin(site.upstream_url) + request.target, encoded=True),
            headers=[(name.decode("ascii"), value.decode()) for name, value in request.headers],
            data=request.body,
            allow_redirects=False,
            server_hostname=urlsplit(site.url).hostname if is_elsewhere and site.upstream_url[:5] == "https" else None,
        )
        if response.status == 101:  # RFC 9110 §15.2.2: we asked for no other protocol
            response.close()
            raise UpstreamUnavailable(UpstreamFailure.BROKEN, "another protocol that nobody asked for")
        return AiohttpAnswer(response)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _unavailable(error: Exception) -> UpstreamUnavailable:
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return UpstreamUnavailable(UpstreamFailure.UNREACHABLE, str(error))
    if isinstance(error, TimeoutError):
        return UpstreamUnavailable(UpstreamFailure.TIMEOUT, str(error) or "no answer in time")
    return UpstreamUnavailable(UpstreamFailure.BROKEN, f"{type(error).__name__}: {error}")
