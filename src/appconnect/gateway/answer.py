"""WordPress's answer as the client gets it: its own words, without what is only between WordPress and us."""

import re
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPMethod
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from appconnect.asgi import Answer, Send, send_answer
from appconnect.core.fields import options_of
from appconnect.core.headers import HOP_BY_HOP
from appconnect.core.request import Pair
from appconnect.core.rules import REST_PREFIX
from appconnect.core.snapshot import SiteAddress
from appconnect.ports import UpstreamAnswer

_KEPT_BACK: Final = HOP_BY_HOP | frozenset(
    (
        *(b"set-cookie", b"set-cookie2", b"x-wp-nonce", b"server", b"x-powered-by", b"date", b"proxy-authenticate"),
        # Names of machines that only the site's network knows (RFC 9110 §7.6.3), as Varnish, Squid and load balancers
        # give them.
        *(b"via", b"x-varnish", b"x-cache", b"x-cache-lookup", b"x-served-by", b"x-backend", b"x-backend-server"),
    )
)
_ADDRESSES: Final = frozenset((b"location", b"content-location", b"link", b"refresh"))
_CACHE_CONTROL: Final = b"cache-control"
_END_OF_AUTHORITY: Final = r"(?![\w.:@%-])"


def client_headers(headers: Sequence[Pair], site: SiteAddress, public_url: str) -> list[Pair]:
    """The headers for the client of a request that was made with our credential."""
    known, internal = _addresses(site)
    passed: list[Pair] = []
    options, directives = options_of(headers), b""
    dropped = _KEPT_BACK if options <= _KEPT_BACK else _KEPT_BACK | options
    for pair in headers:
        name = pair[0]
        if name in dropped:
            continue
        if name == _CACHE_CONTROL:
            directives = directives + b", " + pair[1] if directives else pair[1]
        elif name in _ADDRESSES:
            passed.append((name, _public(pair[1], known, public_url)))
        elif internal is not None:
            passed.append((name, _public(pair[1], internal, public_url)))
        else:
            passed.append(pair)
    # What was made for one user is nobody else's, whatever WordPress says.
    passed.append((_CACHE_CONTROL, directives if b"no-store" in directives.lower() else b"private, no-store"))
    return passed


def end_to_end(headers: Sequence[Pair]) -> Sequence[Pair]:
    """The headers without those that belong to one connection (RFC 9110 §7.6.1)."""
    dropped = HOP_BY_HOP | options_of(headers)
    return [pair for pair in headers if pair[0] not in dropped]


def looks_anonymous(status: int, headers: Sequence[Pair]) -> bool:
    """Whether WordPress may have answered as to a visitor.

    A logged-in user gets `no-cache` (`rest_send_nocache_headers`); a credential that is gone is not an error to it.
    An error of the server says nothing to anybody, so it is passed on as it is.
    """
    if status == 401 or status >= 500:
        return status == 401
    values = [value for name, value in headers if name == _CACHE_CONTROL]
    return b"no-cache" not in b",".join(values).lower()


def _public(value: bytes, pattern: "re.Pattern[str]", public_url: str) -> bytes:
    """Put the public address where the site's own stands, and take the pinned `rest_route` out again.

    Where WordPress answers is nobody's business anywhere; the site's own address may be what the client said itself
    (`Access-Control-Allow-Origin`), so only headers that hold addresses lose it.
    """
    if b"//" not in value:
        return value
    text = value.decode("latin-1")
    return pattern.sub(lambda found: _public_url(found["rest"], public_url), text).encode("latin-1")


@lru_cache(maxsize=256)
def _addresses(site: SiteAddress) -> tuple["re.Pattern[str]", "re.Pattern[str] | None"]:
    """Every address of the site that is not the public one, up to its path; and those that only we know, if any."""
    internal = _internal(site)
    return _starting_with(re.escape(site.url), *internal), _starting_with(*internal) if internal else None


def _internal(site: SiteAddress) -> list[str]:
    """Patterns of where WordPress answers, the longest first.

    Web servers put what they know into redirects: their own address, or our `Host` with the port that they listen on.
    """
    own, upstream = urlsplit(site.url), urlsplit(site.upstream_url)
    if own.netloc == upstream.netloc:
        return []
    authorities = [upstream.netloc] + ([f"{own.hostname}:{upstream.port}"] if upstream.port else [])
    origins = [f"(?:https?:)?//{re.escape(authority)}" for authority in authorities]
    return [origin + base for base in (re.escape(own.path.rstrip("/")), "") for origin in origins]


def _starting_with(*addresses: str) -> re.Pattern[str]:
    rest = r"""(?P<rest>[^\s>,"]*)"""
    return re.compile(f"(?:{'|'.join(addresses)}){_END_OF_AUTHORITY}{rest}", re.IGNORECASE)


def _public_url(rest_of_url: str, public_url: str) -> str:
    try:
        rest = urlsplit(rest_of_url)
    except ValueError:  # it is no address, whatever else it is
        return public_url
    path, pairs = rest.path, parse_qsl(rest.query, keep_blank_values=True, encoding="latin-1")
    route = next((value for name, value in pairs if name == "rest_route"), None)
    if route is not None and path in ("", "/", "/index.php"):
        path = REST_PREFIX + quote(route, safe="/", encoding="latin-1")
    query = "&".join(part for part in rest.query.split("&") if part and not part.startswith("rest_route="))
    return f"{public_url}{path}{'?' + query if query else ''}{'#' + rest.fragment if rest.fragment else ''}"


class Answering:
    """The client's side of one answer: whole and ours, or streamed and WordPress's."""

    def __init__(self, send: Send, method: str) -> None:
        self._send, self._method = send, method
        self.has_begun = False

    async def whole(self, answer: Answer) -> None:
        """Send an answer of our own."""
        self.has_begun = True
        await send_answer(self._send, answer)

    async def stream(self, answer: UpstreamAnswer, headers: list[Pair]) -> None:
        """Send WordPress's answer as it arrives; the upstream connection is free again when this ends."""
        self.has_begun = True
        body = answer.whole_body()
        if body == b"" and self._method != HTTPMethod.HEAD:
            # WordPress may have been asked with another method (`_method=HEAD`), whose answer tells a length only.
            headers = [pair for pair in headers if pair[0] != b"content-length"]
            headers += [] if answer.status in (204, 304) else [(b"content-length", b"0")]
        try:
            await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
            if body is not None:
                await self._send({"type": "http.response.body", "body": body})
                return
            async for chunk in answer.chunks():
                await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
            await self._send({"type": "http.response.body", "body": b""})
        finally:
            await answer.close()
