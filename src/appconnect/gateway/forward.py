"""From the canonical request to what goes to WordPress: made anew, with the route pinned first."""

import base64
import re
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

from appconnect.core.canonical import CanonicalRequest
from appconnect.core.query import encode_query
from appconnect.core.request import Pair
from appconnect.core.rules import Method
from appconnect.core.snapshot import SiteAddress, UpstreamCredential
from appconnect.ports import UpstreamRequest

_REPEATABLE: Final = frozenset((Method.GET, Method.HEAD, Method.OPTIONS, Method.PUT, Method.DELETE))


class _Sender(NamedTuple):
    """What is the same in each request of a service user."""

    site: SiteAddress
    credential: UpstreamCredential
    front: str
    """What stands before the route in the target, and with plain permalinks instead of it."""
    headers: tuple[Pair, ...]


_senders: Final[dict[int, _Sender]] = {}
"""By the identity of the credential, which stays the same object while its entry lives."""
_MAX_SENDERS: Final = 256


def upstream_request(
    request: CanonicalRequest,
    site: SiteAddress,
    credential: UpstreamCredential,
    *,
    body: AsyncIterator[bytes] | None,
    content_length: int | None,
) -> UpstreamRequest:
    """The request as WordPress gets it, in the service user's name; `content_length` in bytes where it is known."""
    sender = _senders.get(id(credential))
    if sender is None or sender.credential is not credential or sender.site is not site:
        sender = _remember(site, credential)
    headers = sender.headers + request.headers
    method, wire_method = request.method, request.wire_method
    if body is not None and content_length is not None:
        headers += ((b"content-length", b"%d" % content_length),)
    return UpstreamRequest(
        wire_method,
        _target(request, sender.front, is_pretty=site.has_pretty_permalinks),
        headers,
        body,
        # RFC 9110 §9.2.2: idempotent by what WordPress runs, not by what is on the wire.
        body is None and wire_method is method and method in _REPEATABLE,
    )


def _remember(site: SiteAddress, credential: UpstreamCredential) -> _Sender:
    own = ((b"host", host_header(site)), (b"authorization", _basic(credential)), *forwarded_proto(site))
    front = urlsplit(site.url).path.rstrip("/") + ("/wp-json" if site.has_pretty_permalinks else "/index.php")
    if len(_senders) >= _MAX_SENDERS:
        _senders.clear()
    sender = _senders[id(credential)] = _Sender(site, credential, front, own)
    return sender


def _target(request: CanonicalRequest, front: str, *, is_pretty: bool) -> str:
    """Path and query. `rest_route` comes first: WordPress prefers it to the path, PHP drops the thousandth parameter.

    With plain permalinks it is `/index.php`, never `/`: nginx answers 405 to a PUT there.
    """
    route = request.route if _is_plain(request.route) else quote(request.route, safe="/")
    path = route if is_pretty else ""
    override = f"&_method={request.method}" if request.wire_method is not request.method else ""
    query = f"&{encode_query(request.query)}" if request.query else ""
    return f"{front}{path}?rest_route={route}{override}{query}"


_is_plain: Final = re.compile(r"[\w/.~-]+", re.ASCII).fullmatch
"""Nothing in most routes needs to be encoded."""


@lru_cache(maxsize=256)
def host_header(site: SiteAddress) -> bytes:
    """The Host that WordPress knows itself by, wherever it answers."""
    return urlsplit(site.url).netloc.encode()


@lru_cache(maxsize=256)
def forwarded_proto(site: SiteAddress) -> tuple[Pair, ...]:
    """For a WordPress that answers over http behind us and is known over https."""
    is_needed = site.url.startswith("https:") and site.upstream_url.startswith("http:")
    return ((b"x-forwarded-proto", b"https"),) if is_needed else ()


def _basic(credential: UpstreamCredential) -> bytes:
    return b"Basic " + base64.b64encode(f"{credential.login}:{credential.password.reveal()}".encode())
