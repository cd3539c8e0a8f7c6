"""Every answer that the gateway gives itself: WordPress's error format, the guide's names, one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, assert_never

from appconnect.asgi import NO_STORE, Answer, json_answer
from appconnect.core.decision import Deny, Reason
from appconnect.core.request import Pair, Refused
from appconnect.core.rules import RouteRule
from appconnect.core.snapshot import Snapshot
from appconnect.gateway.receive import Presented
from appconnect.ports import UpstreamFailure

_PREFIX: Final = "app_connect_"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalAnswer(Answer):
    """An answer in the place of WordPress's; `code` is the reason under which it is recorded.

    `rule` would have allowed the request, `part` is the request of a batch that was refused, counted from 1.
    """

    code: str
    rule: RouteRule | None = None
    part: int | None = None


def refusal(status: int, code: str, message: str, *headers: Pair, **data: str | int) -> RefusalAnswer:
    """An error as WordPress words it (`rest_convert_error_to_response`)."""
    return RefusalAnswer(*_answer(status, code, message, headers, data), code=code.removeprefix(_PREFIX))


def _answer(
    status: int, code: str, message: str, headers: Sequence[Pair], data: Mapping[str, str | int]
) -> tuple[int, tuple[Pair, ...], bytes]:
    content = {"code": code, "message": message, "data": {"status": status, **data}}
    answer = json_answer(status, content, NO_STORE, *headers)
    return answer.status, answer.headers, answer.body


def refused(error: Refused) -> RefusalAnswer:
    """A request that has no single meaning."""
    return refusal(error.status, error.code, error.message, *_EXPLAINED_BY.get(error.code, ()))


def token_required(snapshot: Snapshot, shown: Presented) -> RefusalAnswer:
    """No token of ours. RFC 6750 §3.1: a request without authentication information gets no error code."""
    where = f"{snapshot.public_url}/wp-json/app-connect/v1/token"
    message = f"An access token is needed. Get one from {where} and send it as Authorization: Bearer."
    if shown.has_token_elsewhere:
        message = f"A token in the query or a form is not accepted: both end up in logs. {message}"
    if shown.has_client_credentials:
        message = f"The client ID and secret are for the token endpoint only. {message}"
    return refusal(401, "app_connect_token_required", message, _challenge(snapshot.public_url))


def invalid_token(snapshot: Snapshot) -> RefusalAnswer:
    """One answer for a token that is expired, revoked, malformed or not ours: a caller needs a new one anyway."""
    message = "The access token is invalid, expired or revoked. Request a new one and try again."
    challenge = _challenge(snapshot.public_url, error="invalid_token", error_description=message)
    return refusal(401, "app_connect_invalid_token", message, challenge)


def forbidden(deny: Deny, snapshot: Snapshot) -> RefusalAnswer:
    """RFC 6750 §3.1 `insufficient_scope`: the route is not on the allowlist, or needs more than a rule."""
    where = f"request {deny.part} of the batch: " if deny.part else ""
    challenge = _challenge(snapshot.public_url, error="insufficient_scope")
    data: dict[str, str | int] = {"rule": str(deny.would_allow)} if deny.would_allow else {}
    data |= {"part": deny.part} if deny.part else {}
    message = f"Forbidden Request: {where}{_why(deny)}"
    answer = _answer(403, "app_connect_forbidden_request", message, (challenge,), data)
    return RefusalAnswer(*answer, code=str(deny.reason), rule=deny.would_allow, part=deny.part)


def _why(deny: Deny) -> str:
    rule = str(deny.would_allow) if deny.would_allow else ""
    match deny.reason:
        case Reason.NO_RULE:
            needed = f"It needs the rule: {rule}" if rule else "No rule can name it."
            return f"the route is not in this client's allowlist. {needed}"
        case Reason.POWER_ROUTE:
            return (
                "the route gives out credentials or power over the site, "
                f"so it needs a rule that names it, whatever the access mode: {rule or 'none can'}"
            )
        case Reason.EMBED_OFF:
            return (
                "_embed makes WordPress read other routes. Leave it out, or have an administrator "
                "allow embedding for this client."
            )
        case Reason.OTHER_OBJECT:
            return (
                "a parameter of the query or the body names another object than the path, and WordPress would act on "
                "that one. This client's rule is for the one in the path."
            )
        case Reason.UNREADABLE_BODY:
            return (
                "what is permitted here depends on the body, and this content type cannot be read for certain. "
                "Send it as application/json or application/x-www-form-urlencoded, without Content-Encoding."
            )
        case _:
            assert_never(deny.reason)


def api_disabled() -> RefusalAnswer:
    """The site's API switch is off."""
    return refusal(
        503, "app_connect_api_disabled", "The API is switched off. An administrator can enable it in Settings."
    )


def not_connected() -> RefusalAnswer:
    """No WordPress site is connected yet."""
    return refusal(
        503, "app_connect_not_connected", "No WordPress site is connected. Run `app-connect connect SITE_URL`."
    )


def credential_lost() -> RefusalAnswer:
    """WordPress no longer accepts the application password that we act with."""
    message = (
        "WordPress does not accept the credential of this client's service user, and replacing it failed. "
        "An administrator can check it with `app-connect status`."
    )
    return refusal(502, "app_connect_upstream_credential", message)


def credential_replaced() -> RefusalAnswer:
    """The credential was lost and is replaced; a request that may have had an effect is not sent twice."""
    message = "The credential of this client's service user was lost and has been replaced. Send the request again."
    return refusal(502, "app_connect_upstream_credential", message, (b"retry-after", b"1"))


def credential_unchecked() -> RefusalAnswer:
    """WordPress's answer looked as if to a visitor, and whether our credential still works could not be found out."""
    message = "Whether WordPress accepts the credential of this client's service user cannot be told now. Try again."
    return refusal(502, "app_connect_upstream_unchecked", message, _RETRY)


def body_too_large(max_bytes: int) -> RefusalAnswer:
    """A body that a decision depends on is longer than what is held in memory for one."""
    message = f"What is permitted here depends on the body, and one of more than {max_bytes} bytes is not read for it."
    return refusal(413, "app_connect_body_too_large", message)


def too_many_requests(seconds: float) -> RefusalAnswer:
    """More of one client's requests at a time than the site should bear."""
    message = "This client has too many requests in flight. Wait for answers before sending more."
    return refusal(
        429, "app_connect_too_many_requests", message, (b"retry-after", str(max(1, round(seconds))).encode())
    )


def upstream_unavailable(failure: UpstreamFailure) -> RefusalAnswer:
    """WordPress did not answer."""
    match failure:
        case UpstreamFailure.UNREACHABLE:
            return refusal(
                502, "app_connect_upstream_unreachable", "WordPress cannot be reached. Try again later.", _RETRY
            )
        case UpstreamFailure.TIMEOUT:
            message = "WordPress did not answer in time. It may still have carried out the request."
            return refusal(504, "app_connect_upstream_timeout", message)
        case UpstreamFailure.BROKEN:
            message = "WordPress closed the connection without an answer. It may still have carried out the request."
            return refusal(502, "app_connect_upstream_broken", message)


_EXPLAINED_BY: dict[str, tuple[Pair, ...]] = {
    "app_connect_method_not_allowed": ((b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),),
    "app_connect_invalid_request": ((b"www-authenticate", b'Bearer realm="App Connect", error="invalid_request"'),),
}
_RETRY: Pair = (b"retry-after", b"5")


@lru_cache(maxsize=64)
def _challenge(public_url: str, error: str = "", error_description: str = "") -> Pair:
    metadata = f"{public_url}/.well-known/oauth-protected-resource/wp-json"
    shown = {"realm": "App Connect", "error": error, "error_description": error_description}
    said = {name: value for name, value in shown.items() if value} | {"resource_metadata": metadata}
    text = ", ".join(f'{name}="{value}"' for name, value in said.items())
    return (b"www-authenticate", f"Bearer {text}".encode())
