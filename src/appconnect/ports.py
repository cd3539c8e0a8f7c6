"""How the product meets the world: protocols in the core's words, which adapters fulfil and `app.py` hands out."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from appconnect.core import activity
from appconnect.core.admin_tokens import AdminToken
from appconnect.core.audit import AuditEvent, AuditEventType
from appconnect.core.clients import Client
from appconnect.core.keys import SigningKey
from appconnect.core.policy import Policy, ServiceUser
from appconnect.core.request import Pair
from appconnect.core.rules import Method
from appconnect.core.secret import Secret
from appconnect.core.sessions import Session
from appconnect.core.snapshot import SiteAddress, SiteSwitches, Snapshot, UpstreamCredential

Clock = Callable[[], int]
"""Seconds since the epoch."""

Entropy = Callable[[int], bytes]
"""So many random bytes, fit for secrets."""


# -- store ------------------------------------------------------------------------------------------------------------


class PasswordState(StrEnum):
    """Where an application password is in its life. Only `IN_USE` is a credential; the others are unfinished work."""

    INTENDED = "intended"
    ASKING = "asking"  # for a moment, to ask WordPress what it permits a user
    IN_USE = "in_use"
    TO_REMOVE = "to_remove"


@dataclass(frozen=True, slots=True)
class ApplicationPassword:
    """An application password in WordPress that we made or were given, found again there by its `app_id`.

    `client_id` is None for the administrator's, with which the control plane acts. `uuid` and `password` are None
    until WordPress has answered. One that was pasted in (`is_ours` false) is never removed by us.
    """

    app_id: str
    user_id: int
    login: str
    client_id: str | None
    state: PasswordState
    uuid: str | None = None
    password: Secret | None = None
    is_ours: bool = True
    intended_at: int = 0

    @property
    def credential(self) -> UpstreamCredential:
        """The password as it is shown to WordPress."""
        assert self.password is not None
        return UpstreamCredential(self.login, self.password)


@dataclass(frozen=True, slots=True)
class Approval:
    """What core's authorize-application page sent back for a one-time state; `credential` is None for a no."""

    is_answered: bool
    credential: UpstreamCredential | None = None


class Transaction(Protocol):
    """Changes that take effect together or not at all, and that every worker sees within a second."""

    def save_site(self, site: SiteAddress | None) -> None: ...
    def save_route_templates(self, templates: Sequence[str]) -> None: ...
    def save_switches(self, switches: SiteSwitches) -> None: ...
    def save_signing_key(self, key: SigningKey) -> None: ...
    def save_client(self, client: Client, policy: Policy, *, now: int) -> None: ...
    def delete_client(self, client_id: str) -> None: ...
    def save_application_password(self, password: ApplicationPassword) -> None: ...
    def forget_application_password(self, app_id: str) -> None: ...
    def await_approval(self, state_digest: str, *, expires_at: int, now: int) -> None: ...
    def answer_approval(self, state_digest: str, credential: UpstreamCredential | None, *, now: int) -> bool: ...
    def forget_approval(self, state_digest: str) -> None: ...
    def revoke_token(self, token_id: str, *, expires_at: int, now: int) -> None: ...
    def add_admin_token(self, token: AdminToken, *, now: int) -> None: ...
    def delete_admin_token(self, token_id: str) -> None: ...
    def record(self, event: AuditEvent) -> None: ...


class Sessions(Protocol):
    """The console's sessions and its one-time link, each known by the SHA-256 of what the browser has."""

    def keep_link(self, digest: bytes, *, expires_at: int) -> None: ...
    def has_link(self, digest: bytes, *, now: int) -> bool: ...
    def use_link(self, digest: bytes, *, now: int) -> bool: ...
    def begin(self, session: Session, digest: bytes, *, now: int) -> None: ...
    def find(self, digest: bytes) -> Session | None: ...
    def all(self) -> Sequence[Session]: ...
    def note(self, session: Session) -> None: ...
    def end(self, session_id: str) -> bool: ...
    def end_all(self, *, but: str | None) -> None: ...
    def make_setup(self, session_id: str, *, expires_at: int) -> None: ...
    def leave_notice(self, session_id: str, path: str, text: Secret) -> None: ...
    def take_notice(self, session_id: str, path: str) -> Secret | None: ...
    def seal(self, text: Secret, purpose: str) -> bytes: ...
    def unseal(self, sealed: bytes, purpose: str) -> Secret | None: ...


class AdminTokens(Protocol):
    """Administrator tokens, each known by the SHA-256 of what the program has."""

    def find(self, digest: bytes) -> AdminToken | None: ...
    def all(self) -> Sequence[AdminToken]: ...
    def note_check(self, token_id: str, *, now: int) -> None: ...
    def note_use(self, token_id: str, *, now: int) -> None: ...


class Activities(Protocol):
    """What clients did, written beside their requests. It moves no revision: the data plane reads none of it."""

    def write(self, recorded: activity.Activity, *, now: int) -> None:
        """Add what was recorded to what is there, all of it or nothing, and drop what is too old."""
        ...

    def refusals(
        self, wanted: activity.RefusalFilter, *, older_than: int | None, limit: int
    ) -> activity.Page[activity.Refusal]: ...
    def events(
        self, wanted: activity.EventFilter, *, older_than: int | None, limit: int
    ) -> activity.Page[AuditEvent]: ...
    def events_on(self, subject: str, types: Sequence[AuditEventType]) -> Sequence[AuditEvent]: ...
    def usage(self, client_id: str | None, *, since: int, step_seconds: int) -> Sequence[activity.UsedIn]: ...
    def rule_uses(self, client_id: str, *, since: int) -> Mapping[str, activity.RuleUse]: ...
    def last_uses(self) -> Mapping[str, int]: ...
    def secret_uses(self) -> Mapping[activity.SecretKey, int]: ...
    def credential_checks(self) -> Mapping[str, activity.CredentialCheck]: ...
    def lost(self, *, since: int) -> int: ...


class Store(Protocol):
    """What is kept between starts."""

    @property
    def activities(self) -> Activities: ...

    @property
    def admin_tokens(self) -> AdminTokens: ...

    @property
    def sessions(self) -> Sessions: ...

    def revision(self) -> int:
        """The number that grows with each transaction."""
        ...

    def snapshot(self, *, now: int) -> Snapshot:
        """All that the data plane needs, as of one revision."""
        ...

    def application_passwords_of(self, client_id: str) -> Sequence[ApplicationPassword]:
        """A client's own, unfinished ones too, the oldest first."""
        ...

    def application_passwords(self) -> Sequence[ApplicationPassword]:
        """All of them, unfinished ones too."""
        ...

    def approval(self, state_digest: str) -> Approval | None:
        """What has come back for a state; None for one that nobody waits for."""
        ...

    def audit_events(self, *, limit: int) -> Sequence[AuditEvent]:
        """The newest first."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begin a change; committed when the block ends, undone when it raises."""
        ...

    def exclusively(self, *, wait_seconds: float = 60.0) -> AbstractContextManager[bool]:
        """Hold off every other change that involves WordPress, in any process; released if this process dies.

        Gives False where another holds it for longer than `wait_seconds`.
        """
        ...


# -- site -------------------------------------------------------------------------------------------------------------


class SiteProblem(StrEnum):
    """What can be wrong between us and a WordPress site, as far as the remedy differs."""

    UNREACHABLE = "unreachable"
    WRONG_CERTIFICATE = "wrong_certificate"
    NOT_WORDPRESS = "not_wordpress"
    REST_BLOCKED = "rest_blocked"
    MOVED = "moved"
    NO_HTTPS = "no_https"
    APPLICATION_PASSWORDS_OFF = "application_passwords_off"
    AUTHORIZATION_DROPPED = "authorization_dropped"
    WRONG_CREDENTIAL = "wrong_credential"
    NOT_AN_ADMINISTRATOR = "not_an_administrator"
    NO_SUCH_USER = "no_such_user"
    USER_EXISTS = "user_exists"
    REFUSED = "refused"
    UNEXPECTED_ANSWER = "unexpected_answer"


class UpstreamError(Exception):
    """WordPress could not be asked, or did not answer as WordPress does: the problem, its facts, and the remedy."""

    def __init__(self, problem: SiteProblem, facts: str, remedy: str) -> None:
        super().__init__(f"{facts} {remedy}")
        self.problem, self.facts, self.remedy = problem, facts, remedy


@dataclass(frozen=True, slots=True)
class WordPressUser:
    """A user as `GET users/ID?context=edit` shows it to an administrator."""

    id: int
    login: str
    email: str
    name: str
    roles: frozenset[str]
    capabilities: frozenset[str]
    signs_of_a_person: tuple[str, ...] = ()

    @property
    def as_service_user(self) -> ServiceUser:
        """The part that a policy is made of."""
        return ServiceUser(self.id, self.login, self.roles, self.capabilities)


@dataclass(frozen=True, slots=True)
class SiteDescription:
    """What a site says of itself in its index (`GET /wp-json/`)."""

    address: SiteAddress
    name: str
    authorize_url: str | None
    route_templates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteRoute:
    """A route of the site's index: its template (`/wp/v2/posts/(?P<id>…)`) and its methods."""

    template: str
    namespace: str
    methods: frozenset[Method]


@dataclass(frozen=True, slots=True)
class OwnPassword:
    """The application password that a credential is, as WordPress knows it."""

    uuid: str
    app_id: str


class Site(Protocol):
    """One WordPress over its REST API. Every method raises `UpstreamError`."""

    def describe(self) -> SiteDescription: ...
    def current_user(self, credential: UpstreamCredential) -> WordPressUser: ...
    def current_password(self, credential: UpstreamCredential) -> OwnPassword: ...
    def find_user(self, administrator: UpstreamCredential, wanted: str) -> WordPressUser: ...
    def search_users(self, administrator: UpstreamCredential, text: str, *, limit: int) -> Sequence[WordPressUser]: ...
    def create_user(
        self, administrator: UpstreamCredential, *, login: str, email: str, password: Secret, role: str
    ) -> WordPressUser: ...
    def set_role(self, administrator: UpstreamCredential, user_id: int, role: str) -> WordPressUser: ...
    def delete_user(self, administrator: UpstreamCredential, user_id: int) -> None: ...
    def routes(self) -> Sequence[SiteRoute]: ...
    def permitted_methods(self, credential: UpstreamCredential, route: str) -> frozenset[str] | None: ...
    def example_id(self, credential: UpstreamCredential, collection: str) -> str | None: ...
    def create_application_password(
        self, administrator: UpstreamCredential, user_id: int, *, name: str, app_id: str
    ) -> tuple[str, Secret]: ...
    def find_application_password(
        self, administrator: UpstreamCredential, user_id: int, *, app_id: str
    ) -> str | None: ...
    def delete_application_password(self, administrator: UpstreamCredential, user_id: int, uuid: str) -> None: ...


SiteAt = Callable[[SiteAddress], Site]

DiscoverSite = Callable[[str, str | None], SiteDescription]
"""Find the REST API of a site from the address that a person gave, and where it answers if that is elsewhere."""


Health = activity.Health
"""What a check of an upstream credential found."""

CheckCredential = Callable[[str], Awaitable[Health]]
"""Check the upstream credential of a client, replacing it once where WordPress no longer accepts it."""


# -- upstream ---------------------------------------------------------------------------------------------------------


class UpstreamRequest(NamedTuple):
    """A request as it goes to WordPress: `target` is origin-form, byte for byte; `body` is None where there is none.

    Headers that will come again are a tuple: an adapter may keep what it made of them. A `content-length`
    among them is the body's to the byte; without one it goes in chunks. A body that breaks off takes the request with
    it: `send` raises `UpstreamUnavailable`.
    """

    method: str
    target: str
    headers: Sequence[Pair]
    body: AsyncIterator[bytes] | None
    may_repeat: bool
    """Whether it may be sent once more when a pooled connection turns out to be dead (RFC 9110 §9.2.2)."""


class UpstreamAnswer(Protocol):
    """WordPress's answer, its body perhaps still on the way; the names of its headers are in small letters.

    `whole_body` is for an answer that is all there: None where it is not, and then `chunks` has it. `close` cuts the
    connection of one whose end has not come; it may always be called.
    """

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Sequence[Pair]: ...
    def whole_body(self) -> bytes | None: ...
    def chunks(self) -> AsyncIterator[bytes]: ...
    async def close(self) -> None: ...


class UpstreamFailure(StrEnum):
    """How WordPress failed to answer."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    BROKEN = "broken"


class UpstreamUnavailable(Exception):
    """No answer from WordPress; `detail` is for the log."""

    def __init__(self, failure: UpstreamFailure, detail: str) -> None:
        super().__init__(detail)
        self.failure, self.detail = failure, detail


class Upstream(Protocol):
    """The data plane's way to WordPress: pooled, streaming both ways, nothing followed, nothing decoded."""

    async def send(self, site: SiteAddress, request: UpstreamRequest) -> UpstreamAnswer: ...
    async def close(self) -> None: ...
