"""HTTP/1.1 on the wire (RFC 9112), stricter and with more limits than the server that it is built on."""

from appconnect.http1.limits import Limits, refusals
from appconnect.http1.protocol import Http1Protocol

__all__ = ["Http1Protocol", "Limits", "refusals"]
