"""What would become of a request: the gateway's own decision, told to an administrator, and WordPress's half of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, assert_never
from urllib.parse import quote, urlsplit

from appconnect.control.clients import find_client
from appconnect.control.context import Context
from appconnect.control.passwords import credential_of
from appconnect.control.review import Permission
from appconnect.core.access import is_grant_enabled
from appconnect.core.batch import Batch, read_body
from appconnect.core.canonical import CanonicalRequest, canonicalize
from appconnect.core.clients import Client, GrantType
from appconnect.core.decision import Allow, Decision, Deny, Reason, Undecided, decide
from appconnect.core.headers import Fields, Request
from appconnect.core.policy import Policy
from appconnect.core.query import encode_query
from appconnect.core.request import Refused
from appconnect.core.rules import Method, RouteRule
from appconnect.core.snapshot import Snapshot
from appconnect.ports import Site, UpstreamError

MAX_BODY_BYTES = 100_000
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as somebody types it: a path with its query, or a whole address."""

    method: str
    path: str
    body: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class WordPressSays:
    """WordPress's half: what its permission checks say to the service user, in a sentence."""

    permission: Permission
    sentence: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Both locks for one request of one client; it was not sent.

    `code` is None where the allowlist lets it pass, else the reason of the decision or the code of the refusal;
    `canonical` is the one meaning of the request, where it has one; `would_allow` the rule that is missing, where one
    rule alone would do; `obstacles` what stops the client before any request of its.
    """

    client: Client
    asked: Asked
    is_allowed: bool
    code: str | None
    sentence: str
    canonical: str | None
    parts: tuple[str, ...]
    rule: str | None
    would_allow: str | None
    wordpress: WordPressSays | None
    obstacles: tuple[str, ...]
    has_route: bool = True
    """Whether the site is known to have such a route; a rule for one that it has not helps nobody."""

    @property
    def would_pass(self) -> bool | None:
        """Whether the request would succeed as far as can be told: None where WordPress does not say."""
        if self.obstacles or not self.is_allowed:
            return False
        if self.wordpress is None or self.wordpress.permission is Permission.UNKNOWN:
            return None
        return self.wordpress.permission is Permission.PERMITTED


def explain(context: Context, wanted: str, asked: Asked, *, asks_wordpress: bool = True) -> Explanation:
    """Decide on a request as the gateway would, for a token that the client got now; nothing is sent or changed."""
    client, policy = find_client(context, wanted)
    snapshot = context.store.snapshot(now=context.clock())
    obstacles = tuple(_obstacles(client, snapshot))
    try:
        request, content = _canonical(asked)
        decided = _decide(request, content, policy, snapshot)
    except Refused as error:
        return Explanation(client, asked, False, error.code, error.message, None, (), None, None, None, obstacles)
    says = None
    if asks_wordpress and snapshot.site is not None:
        says = _ask_wordpress(context, client, context.site_at(snapshot.site), decided.parts or (decided.request,))
    decision = decided.decision
    rule = decision.rule if isinstance(decision, Allow) else None
    would_allow = decision.would_allow if isinstance(decision, Deny) else None
    return Explanation(
        client=client,
        asked=asked,
        is_allowed=isinstance(decision, Allow),
        code=decision.reason.value if isinstance(decision, Deny) else None,
        sentence=_sentence(decision, policy),
        canonical=_shown(decided.request),
        parts=tuple(map(_shown, decided.parts)),
        rule=str(rule) if rule else None,
        would_allow=str(would_allow) if would_allow else None,
        wordpress=says,
        obstacles=obstacles,
        has_route=_has_route(decided.request, snapshot),
    )


# -- the allowlist's half ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Decided:
    request: CanonicalRequest
    parts: tuple[CanonicalRequest, ...]
    decision: Decision


def _canonical(asked: Asked) -> tuple[CanonicalRequest, bytes]:
    content = asked.body.encode(errors="surrogatepass")
    if len(content) > MAX_BODY_BYTES:
        raise Refused(413, "body_too_large", f"The body to try has more than {MAX_BODY_BYTES} bytes. Shorten it.")
    headers = [(b"host", b"gateway")]
    if content:
        content_type = asked.content_type or ("application/json" if content[:1] in b"{[" else "")
        headers.append((b"content-length", str(len(content)).encode()))
        headers += [(b"content-type", content_type.encode("latin-1", "replace"))] if content_type else []
    path, query = _target(asked.path)
    return canonicalize(Request(asked.method.strip().upper(), path, query, Fields(headers))), content


def _target(typed: str) -> tuple[bytes, bytes]:
    """Path and query as they would be on the wire; text beyond ASCII is encoded as clients do."""
    text = typed.strip()
    if not text.isascii() and _SURROGATE.search(text):
        raise Refused(400, "malformed_path", "The path is not UTF-8.")
    if text.startswith(("http://", "https://")):
        try:
            parts = urlsplit(text)
        except ValueError:
            raise Refused(400, "malformed_path", "The address cannot be read. Write the path alone.") from None
        text = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    path, _, query = quote(text, safe="/%?&=+:;,@!$'()*~[]{}\\|^`<>\"").partition("?")
    return path.encode(), query.encode()


def _decide(request: CanonicalRequest, content: bytes, policy: Policy, snapshot: Snapshot) -> _Decided:
    batch: Batch | None = None
    decision = decide(request, policy, policy, snapshot.templates)
    if isinstance(decision, Undecided):
        request, batch, _ = read_body(request, content)
        decision = decide(request, policy, policy, snapshot.templates, batch)
    if isinstance(decision, Undecided):
        decision = Deny(Reason.UNREADABLE_BODY)
    return _Decided(request, tuple(part.request for part in batch.parts) if batch else (), decision)


def _sentence(decision: Decision, policy: Policy) -> str:
    match decision:
        case Allow(rule):
            return f"The rule {rule} allows it." if rule else "Full access allows it."
        case Deny():
            where = f"Request {decision.part} of the batch: " if decision.part else ""
            return where + _why(decision, policy)
        case _:
            assert_never(decision)


def _why(deny: Deny, policy: Policy) -> str:
    match deny.reason:
        case Reason.NO_RULE:
            return "No rule of the allowlist allows it." if policy.rules else "The allowlist is empty."
        case Reason.POWER_ROUTE:
            return "This route gives out credentials or power over the site, so only a rule that names it opens it."
        case Reason.EMBED_OFF:
            return "It asks for _embed, which reads other routes too, and Embed is not allowed for this client."
        case Reason.OTHER_OBJECT:
            return "A parameter names another object than the path, and the client's rule is for the one in the path."
        case Reason.UNREADABLE_BODY:
            return (
                "What it may do depends on its body, and a body of this content type cannot be read for certain. "
                "The client should send JSON or a plain form."
            )
        case _:
            assert_never(deny.reason)


def _shown(request: CanonicalRequest) -> str:
    query = f"?{encode_query(request.query)}" if request.query else ""
    return f"{request.method} {request.path}{query}"


def _has_route(request: CanonicalRequest, snapshot: Snapshot) -> bool:
    known = snapshot.templates
    return not known.texts or bool(known.opened_by(RouteRule(request.method, request.route_segments)))


# -- the other half ---------------------------------------------------------------------------------------------------


def _obstacles(client: Client, snapshot: Snapshot) -> Iterator[str]:
    """What keeps the client from any access token."""
    if snapshot.site is None:
        yield "No WordPress site is connected."
    if not snapshot.switches.is_api_enabled:
        yield "The API is switched off in Settings."
    if not client.is_enabled:
        yield "The client is disabled."
    elif not is_grant_enabled(client, GrantType.CLIENT_CREDENTIALS, snapshot):
        label = GrantType.CLIENT_CREDENTIALS.label
        is_global = GrantType.CLIENT_CREDENTIALS not in snapshot.switches.grant_types
        yield f"{label} is not enabled in Settings → Grant Types." if is_global else f"The client has not {label}."


def _ask_wordpress(
    context: Context, client: Client, site: Site, requests: tuple[CanonicalRequest, ...]
) -> WordPressSays:
    password = credential_of(context, client.id)
    if password is None:
        return WordPressSays(Permission.UNKNOWN, "The client has no credential in WordPress. Choose its user again.")
    says = WordPressSays(Permission.UNKNOWN, "")
    for request in requests:
        try:
            methods = site.permitted_methods(password.credential, request.route)
        except UpstreamError as error:
            return WordPressSays(Permission.UNKNOWN, f"WordPress could not be asked: {error}")
        says = _say(password.login, request, methods)
        if says.permission is not Permission.PERMITTED:
            return says
    return says


def _say(login: str, request: CanonicalRequest, methods: frozenset[str] | None) -> WordPressSays:
    if methods is None:
        return WordPressSays(Permission.UNKNOWN, "WordPress has no such route, or something before it answered.")
    wanted = Method.GET if request.method is Method.HEAD else request.method
    if request.method is Method.OPTIONS or wanted in methods:
        return WordPressSays(Permission.PERMITTED, f"WordPress permits {login} to {request.method} {request.path}.")
    others = f" It permits {', '.join(sorted(methods))}." if methods else " It permits nothing there."
    return WordPressSays(
        Permission.REFUSED, f"WordPress does not permit {login} to {request.method} {request.path}.{others}"
    )
