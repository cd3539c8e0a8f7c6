"""Requests without our token, where the gateway stands before the whole site: passed to WordPress untouched."""

from appconnect.core.headers import Request
from appconnect.core.request import Pair, Refused
from appconnect.core.snapshot import SiteAddress
from appconnect.gateway.answer import end_to_end
from appconnect.gateway.forward import forwarded_proto, host_header
from appconnect.gateway.incoming import Incoming
from appconnect.ports import UpstreamRequest


def untouched_request(request: Request, site: SiteAddress, incoming: Incoming) -> UpstreamRequest:
    """The same target, headers and body, framed anew; only Host becomes the one that WordPress knows itself by."""
    if not request.raw_path.startswith(b"/"):
        raise Refused(400, "target", "Send a path. Anything else could be read as another server's address.")
    framing = [name for name, _ in request.headers if name in (b"content-length", b"transfer-encoding")]
    if len(framing) > 1:
        raise Refused(400, "ambiguous_length", "Send either one Content-Length or Transfer-Encoding.")
    has_body = bool(framing) and incoming.content_length != 0
    query = b"?" + request.raw_query if request.raw_query else b""
    return UpstreamRequest(
        method=request.method,
        target=(request.raw_path + query).decode("latin-1"),
        headers=[(b"host", host_header(site)), *_headers(request, site), *forwarded_proto(site)],
        body=incoming.chunks() if has_body else None,
        may_repeat=False,
    )


def _headers(request: Request, site: SiteAddress) -> list[Pair]:
    """The client's own, save what we say ourselves and what is no UTF-8, which would otherwise end the request."""
    dropped = {b"host", b"expect", *(name for name, _ in forwarded_proto(site))}
    return [pair for pair in end_to_end(request.headers) if pair[0] not in dropped and _is_utf8(pair[1])]


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
