"""The form that a client posts to an endpoint (RFC 6749 §3.2, appendix B)."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from appconnect.core.headers import Request
from appconnect.core.query import split_pairs
from appconnect.oauth.errors import ErrorCode, OAuthError

MAX_FORM_BYTES = 16 * 1024
MAX_PARAMETERS = 32
RESOURCE = "resource"
_KNOWN = frozenset(("grant_type", "scope", "client_id", "client_secret", "token", "token_type_hint"))
"""Parameters that an error may name. Any other name may be a secret in the wrong place, and errors end up in logs."""
_NEVER_IN_QUERY = frozenset((b"client_id", b"client_secret", b"token"))
_FORM = b"application/x-www-form-urlencoded"


def check_query(request: Request) -> None:
    """RFC 6749 §2.3.1: credentials must not stand in the address, which ends up in logs; a right one would go on so."""
    for name, _ in split_pairs(request.raw_query, most=len(request.raw_query)):
        if name in _NEVER_IN_QUERY:
            raise OAuthError(
                ErrorCode.INVALID_REQUEST,
                f"{name.decode()} must not stand in the address, where logs keep it. Send it in the body.",
            )


def check_content_type(request: Request) -> None:
    """RFC 6749 §3.2 knows forms only."""
    content_types = [value for name, value in request.headers if name == b"content-type"]
    if len(content_types) != 1 or content_types[0].split(b";")[0].strip().lower() != _FORM:
        raise OAuthError(
            ErrorCode.INVALID_REQUEST,
            "Send the parameters in the body with Content-Type: application/x-www-form-urlencoded.",
        )


def parse_form(body: bytes) -> Mapping[str, str]:
    """The parameters; one sent without a value counts as not sent, one sent twice is refused (RFC 6749 §3.2).

    Only `resource` may be repeated (RFC 8707 §2): its values are joined by spaces, which no URI contains.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS, separator="&"
        )
    except ValueError as error:
        raise OAuthError(
            ErrorCode.INVALID_REQUEST, "The body is not a form: percent-encode the parameters as UTF-8."
        ) from error
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1} - {RESOURCE})
    if twice:
        which = next((f"The parameter {name}" for name in twice if name in _KNOWN), "A parameter")
        raise OAuthError(ErrorCode.INVALID_REQUEST, f"{which} was sent more than once.")
    resources = " ".join(value for name, value in pairs if name == RESOURCE)
    return {name: resources if name == RESOURCE else value for name, value in pairs if value}
