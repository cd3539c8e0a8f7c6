"""Authenticating a client (RFC 6749 §2.3.1): `client_secret_basic` or `client_secret_post`, never both."""

import base64
import binascii
import re
from collections.abc import Mapping
from urllib.parse import unquote

from appconnect.core.clients import Client, ClientSecretHash, find_secret
from appconnect.core.headers import Request
from appconnect.core.snapshot import Snapshot
from appconnect.oauth.errors import ErrorCode, OAuthError

_WRONG = "Invalid Client: the client ID or the client secret is wrong."
_BASIC = re.compile(rb"basic +([A-Za-z0-9+/]+={0,2}) *", re.IGNORECASE)


def presented_credentials(request: Request, parameters: Mapping[str, str]) -> tuple[str, str]:
    """The client ID and secret that a request carries; `OAuthError` where there are none, or two kinds."""
    headers = [value for name, value in request.headers if name == b"authorization"]
    if len(headers) > 1:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "The Authorization header was sent more than once.")
    if headers and "client_secret" in parameters:
        raise OAuthError(
            ErrorCode.INVALID_REQUEST,
            "Authenticate in one way: HTTP Basic, or client_id and client_secret in the body.",
        )
    if headers:
        client_id, secret = _from_basic(headers[0])
        if parameters.get("client_id", client_id) != client_id:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "client_id differs from the one in the Authorization header.")
        return client_id, secret
    if "client_id" in parameters and "client_secret" in parameters:
        return parameters["client_id"], parameters["client_secret"]
    raise OAuthError(
        ErrorCode.INVALID_CLIENT,
        "Invalid Client: no client ID and client secret were sent. Use HTTP Basic, or client_id and client_secret.",
    )


def authenticate_client(
    credentials: tuple[str, str], snapshot: Snapshot, *, now: int
) -> tuple[Client, ClientSecretHash]:
    """The client with these credentials, and which of its secrets it used.

    An unknown ID and a wrong secret get the same words in the same time.
    """
    client = snapshot.clients.get(credentials[0])
    secret = find_secret(client, credentials[1], now=now)
    if client is None or secret is None:
        raise OAuthError(
            ErrorCode.INVALID_CLIENT, _WRONG, detail="unknown client ID" if client is None else "wrong secret"
        )
    return client, secret


def _from_basic(header: bytes) -> tuple[str, str]:
    """RFC 7617, with ID and secret percent-encoded first as RFC 6749 §2.3.1 asks; ours need no encoding."""
    found = _BASIC.fullmatch(header)
    try:
        text = base64.b64decode(found[1], validate=True).decode() if found else ""
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise OAuthError(
            ErrorCode.INVALID_CLIENT,
            "Invalid Client: the Authorization header is not HTTP Basic with an ID and a secret.",
        )
    return unquote(client_id), unquote(secret)
