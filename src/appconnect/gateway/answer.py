"""WordPress's answer as the client gets it: its own words, without what is only between WordPress and us."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from appconnect.asgi import Answer, Send, send_answer
from appconnect.core.headers import HOP_BY_HOP
from appconnect.core.request import Pair
from appconnect.core.rules import REST_PREFIX
from appconnect.core.snapshot import SiteAddress
from appconnect.ports import UpstreamAnswer

_KEPT_BACK: Final = HOP_BY_HOP | frozenset(
    (b"set-cookie", b"set-cookie2", b"x-wp-nonce", b"server", b"x-powered-by", b"date", b"proxy-authenticate")
)
_ADDRESSES: Final = frozenset((b"location", b"content-location", b"link"))
_STRICT: Final = re.compile(rb"no-store")


def client_headers(headers: Sequence[Pair], site: SiteAddress, public_url: str) -> list[Pair]:
    """The headers for the client of a request that was made with our credential."""
    passed = [
        (name, _public(value, site, public_url) if name in _ADDRESSES else value)
        for name, value in end_to_end(headers)
        if name not in _KEPT_BACK and name != b"cache-control"
    ]
    return [*passed, (b"cache-control", _cache_control(headers))]


def end_to_end(headers: Sequence[Pair]) -> Iterable[Pair]:
    """The headers without those that belong to one connection (RFC 9110 §7.6.1), names in small letters."""
    nominated = {
        option.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for option in value.split(b",")
    }
    lowered = ((name.lower(), value) for name, value in headers)
    return ((name, value) for name, value in lowered if name not in HOP_BY_HOP and name not in nominated)


def looks_anonymous(status: int, headers: Sequence[Pair]) -> bool:
    """Whether WordPress may have answered as to a visitor.

    A logged-in user gets `no-cache` (`rest_send_nocache_headers`); a credential that is gone is not an error to it.
    An error of the server says nothing to anybody, so it is passed on as it is.
    """
    is_marked = any(name.lower() == b"cache-control" and b"no-cache" in value.lower() for name, value in headers)
    return status == 401 or (status < 500 and not is_marked)


def _cache_control(headers: Sequence[Pair]) -> bytes:
    values = b", ".join(value for name, value in headers if name.lower() == b"cache-control")
    return values if _STRICT.search(values.lower()) else b"private, no-store"


def _public(value: bytes, site: SiteAddress, public_url: str) -> bytes:
    """Put the public address where the site's own stands, and take the pinned `rest_route` out again."""
    own = re.escape(site.url.encode())
    pattern = rb"%s(?=[/?#>]|$)[^\s>,]*" % own
    return re.sub(
        pattern, lambda found: _public_url(found[0].decode("latin-1"), site, public_url).encode("latin-1"), value
    )


def _public_url(url: str, site: SiteAddress, public_url: str) -> str:
    rest = urlsplit(url.removeprefix(site.url))
    path, pairs = rest.path, parse_qsl(rest.query, keep_blank_values=True, encoding="latin-1")
    route = next((value for name, value in pairs if name == "rest_route"), None)
    if route is not None and path in ("", "/", "/index.php"):
        path = REST_PREFIX + quote(route, safe="/", encoding="latin-1")
    query = "&".join(part for part in rest.query.split("&") if part and not part.startswith("rest_route="))
    return f"{public_url}{path}{'?' + query if query else ''}{'#' + rest.fragment if rest.fragment else ''}"


class Answering:
    """The client's side of one answer: whole and ours, or streamed and WordPress's."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def whole(self, answer: Answer) -> None:
        """Send an answer of our own."""
        self.has_begun = True
        await send_answer(self._send, answer)

    async def stream(self, answer: UpstreamAnswer, headers: list[Pair]) -> None:
        """Send WordPress's answer as it arrives; the upstream connection is free again when this ends."""
        try:
            self.has_begun = True
            await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
            async for chunk in answer.chunks():
                await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
            await self._send({"type": "http.response.body", "body": b""})
        finally:
            await answer.close()
