"""The form that a client posts to an endpoint (RFC 6749 §3.2, appendix B)."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from appconnect.core.request import Request
from appconnect.oauth.errors import ErrorCode, OAuthError

MAX_FORM_BYTES = 16 * 1024
MAX_PARAMETERS = 32
RESOURCE = "resource"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")  # RFC 6749 §5.2 allows no quotes in error_description
_FORM = b"application/x-www-form-urlencoded"


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
        name = twice[0] if _PLAIN_NAME.fullmatch(twice[0]) else "with a name of special characters"
        raise OAuthError(ErrorCode.INVALID_REQUEST, f"The parameter {name} was sent more than once.")
    resources = " ".join(value for name, value in pairs if name == RESOURCE)
    return {name: resources if name == RESOURCE else value for name, value in pairs if value}
