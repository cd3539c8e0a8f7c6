"""From the canonical request to what goes to WordPress: made anew, with the route pinned first."""

import base64
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote, urlsplit

from appconnect.core.canonical import CanonicalRequest
from appconnect.core.query import encode_query
from appconnect.core.request import Pair
from appconnect.core.rules import Method
from appconnect.core.snapshot import SiteAddress, UpstreamCredential
from appconnect.ports import UpstreamRequest

_REPEATABLE: Final = frozenset((Method.GET, Method.HEAD, Method.OPTIONS, Method.PUT, Method.DELETE))


def upstream_request(
    request: CanonicalRequest,
    site: SiteAddress,
    credential: UpstreamCredential,
    *,
    body: AsyncIterator[bytes] | None,
    content_length: int | None,
) -> UpstreamRequest:
    """The request as WordPress gets it, in the service user's name; `content_length` in bytes where it is known."""
    headers = [(b"host", host_header(site)), *request.headers, (b"authorization", _basic(credential))]
    headers += forwarded_proto(site)
    if body is not None and content_length is not None:
        headers.append((b"content-length", str(content_length).encode()))
    return UpstreamRequest(
        method=request.wire_method,
        target=target(request, site),
        headers=headers,
        body=body,
        # RFC 9110 §9.2.2: idempotent by what WordPress runs, not by what is on the wire.
        may_repeat=body is None and request.method in _REPEATABLE and request.wire_method is request.method,
    )


def target(request: CanonicalRequest, site: SiteAddress) -> str:
    """Path and query. `rest_route` comes first: WordPress prefers it to the path, PHP drops the thousandth parameter.

    With plain permalinks it is `/index.php`, never `/`: nginx answers 405 to a PUT there.
    """
    base, route = urlsplit(site.url).path.rstrip("/"), quote(request.route, safe="/")
    path = f"{base}/wp-json{route}" if site.has_pretty_permalinks else f"{base}/index.php"
    query = [f"rest_route={route}"]
    if request.wire_method is not request.method:
        query.append(f"_method={request.method}")
    query += [encode_query(request.query)] if request.query else []
    return f"{path}?{'&'.join(query)}"


def host_header(site: SiteAddress) -> bytes:
    """The Host that WordPress knows itself by, wherever it answers."""
    return urlsplit(site.url).netloc.encode()


def forwarded_proto(site: SiteAddress) -> tuple[Pair, ...]:
    """For a WordPress that answers over http behind us and is known over https."""
    is_needed = site.url.startswith("https:") and site.upstream_url.startswith("http:")
    return ((b"x-forwarded-proto", b"https"),) if is_needed else ()


def _basic(credential: UpstreamCredential) -> bytes:
    return b"Basic " + base64.b64encode(f"{credential.login}:{credential.password.reveal()}".encode())
