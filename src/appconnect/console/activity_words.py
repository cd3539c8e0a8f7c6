"""Activity in words: why a request was refused, what was done, and by whom."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from appconnect.core.activity import Refusal
from appconnect.core.audit import AuditEventType

_TOKEN_ENDPOINTS: Final = "/wp-json/app-connect/v1/"  # noqa: S105 - a path


@dataclass(frozen=True, slots=True)
class Why:
    """A refusal's reason in a few words, and what helps."""

    reason: str
    remedy: str


_CLIENT_CODE: Final = "The client's code has to send it in another way; the answer that it got says how."
_LATER: Final = "Look at WordPress's server. The client may try again."
REASONS: Final = {
    # The allowlist (`core.decision.Reason`)
    "no_rule": Why("Not on the allowlist", "Add the rule, if the client needs it."),
    "power_route": Why(
        "Gives out credentials or power over the site", "It needs a rule that names it, whatever the access mode."
    ),
    "embed_off": Why("_embed is off for the client", "Leave _embed out, or allow it in the client."),
    "other_object": Why("A parameter names another object than the path", "Name the same object in both places."),
    "unreadable_body": Why("The body cannot be read for certain", "Send it as JSON or as a form, not compressed."),
    "body_too_large": Why("The body is too long to be decided by", "Send a smaller one, or add a rule by the path."),
    # Tokens and clients (`gateway.refusals`, RFC 6749)
    "token_required": Why("No access token", "Get one from the token endpoint and send it as a Bearer token."),
    "invalid_token": Why("The access token is invalid, expired or revoked", "Request a new one."),
    "invalid_client": Why("Wrong Client ID or Client Secret", "Check both, or rotate the secret."),
    "unauthorized_client": Why("The client may not use this grant type", "Enable it for the site and for the client."),
    "unsupported_grant_type": Why("Unknown grant type", "Send grant_type=client_credentials."),
    "invalid_scope": Why("A scope that does not exist", "Leave scope out: the allowlist says what is allowed."),
    "invalid_target": Why("Another resource than this site's API", "Leave resource out, or name this site's."),
    "temporarily_unavailable": Why(
        "The token endpoint does not answer now",
        "The API is disabled, there were too many wrong secrets, or the database is away.",
    ),
    "too_many_requests": Why("Too many requests at a time", "Wait for answers before sending more."),
    "api_disabled": Why("The API is disabled", "Enable it in Settings, API."),
    "not_connected": Why("No site is connected", "Connect it in Settings, Site."),
    # WordPress
    "upstream_credential": Why("WordPress did not accept the upstream credential", "Check it in Settings, Site."),
    "upstream_unchecked": Why("Whether the upstream credential works could not be told", _LATER),
    "upstream_unreachable": Why("WordPress could not be reached", _LATER),
    "upstream_timeout": Why("WordPress did not answer in time", "It may still have carried out the request."),
    "upstream_broken": Why(
        "WordPress closed the connection without an answer", "It may still have carried out the request."
    ),
    "upstream_page": Why(
        "The web server or a firewall answered in the place of WordPress",
        "It, or a security plugin, must let the gateway reach the site's REST API.",
    ),
    # Requests of no single meaning (`core.request.Refused`)
    "invalid_request": Why("A malformed request, or a second credential", _CLIENT_CODE),
    "method_not_allowed": Why("A method that WordPress's API does not know", _CLIENT_CODE),
    "malformed_path": Why("A path that could be read in two ways", _CLIENT_CODE),
    "not_a_rest_route": Why("Not the REST API", "Access tokens open paths that start with /wp-json/ only."),
    "malformed_body": Why("A body that is not valid JSON", _CLIENT_CODE),
    "malformed_batch": Why("A malformed batch", _CLIENT_CODE),
    "too_many_parameters": Why("Too many parameters", _CLIENT_CODE),
    "ambiguous_parameter": Why("A parameter that could be read in two ways", _CLIENT_CODE),
    "unsupported_parameter": Why("A parameter that would change what the request is", _CLIENT_CODE),
    "ambiguous_header": Why("A header that could be read in two ways", _CLIENT_CODE),
    "duplicate_header": Why("A header that was sent twice", _CLIENT_CODE),
    "ambiguous_length": Why("A body of uncertain length", _CLIENT_CODE),
    "ambiguous_method": Why("Two methods that disagree", _CLIENT_CODE),
    "ambiguous_route": Why("Two routes that disagree", _CLIENT_CODE),
    "content_type": Why("A content type that is too long", _CLIENT_CODE),
    "target": Why("An address in the place of a path", _CLIENT_CODE),
    "host": Why("Not exactly one Host header", _CLIENT_CODE),
}
"""By the code under which a refusal is recorded."""


def why(code: str) -> Why:
    """A code in words; one that is not known here stands for itself."""
    return REASONS.get(code, Why(code, ""))


EVENTS: Final = {
    AuditEventType.INITIALIZED: "Gateway initialized",
    AuditEventType.SITE_CONNECTED: "Site connected",
    AuditEventType.SITE_DISCONNECTED: "Site disconnected",
    AuditEventType.SETTINGS_CHANGED: "Settings changed",
    AuditEventType.CLIENT_CREATED: "Client added",
    AuditEventType.CLIENT_CHANGED: "Client edited",
    AuditEventType.CLIENT_DISABLED: "Client disabled",
    AuditEventType.CLIENT_ENABLED: "Client enabled",
    AuditEventType.CLIENT_DELETED: "Client deleted",
    AuditEventType.SECRET_ROTATED: "Client secret rotated",
    AuditEventType.TOKENS_REVOKED: "Access tokens of a client revoked",
    AuditEventType.UPSTREAM_CREDENTIAL_REPLACED: "Upstream credential replaced",
    AuditEventType.SERVICE_USER_CHANGED: "Service user changed in WordPress",
    AuditEventType.SETUP_BEGUN: "One-time link used",
    AuditEventType.SIGN_IN_REFUSED: "Sign-in refused: no administrator",
    AuditEventType.SIGNED_IN: "Signed in to the console",
    AuditEventType.SESSION_ENDED: "Console session ended",
    AuditEventType.KEY_ROTATED: "Signing key rotated",
    AuditEventType.KEY_RETIRED: "Signing key retired",
    AuditEventType.SERVICE_USER_CREATED: "Service user created",
    AuditEventType.TOKEN_REVOKED: "Access token revoked",
    AuditEventType.ADMIN_TOKEN_CREATED: "Administrator token created",
    AuditEventType.ADMIN_TOKEN_REVOKED: "Administrator token revoked",
}
_PLACES: Final = {"console": "console", "cli": "command line", "api": "administrator token"}


def actor_in_words(actor: str) -> str:
    """Who did something: `console:admin` is `admin (console)`; the gateway itself and clients have no prefix."""
    place, colon, name = actor.partition(":")
    return f"{name} ({_PLACES[place]})" if colon and place in _PLACES else actor


def try_path(client_id: str, refusal: Refusal) -> str | None:
    """Where in the console to try a refused request again; the token endpoint has nothing to try."""
    if refusal.path.startswith(_TOKEN_ENDPOINTS):
        return None
    path = f"{refusal.path}?{refusal.query}" if refusal.query else refusal.path
    return f"/clients/{quote(client_id)}/try?{urlencode({'method': refusal.method, 'path': path})}"
