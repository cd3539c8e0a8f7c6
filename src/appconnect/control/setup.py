"""Setting up: keys, and the connection to a WordPress site."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from joserfc.jwk import OKPKey

from appconnect.control import passwords
from appconnect.control.context import Context, InputError
from appconnect.core.audit import AuditEventType
from appconnect.core.keys import SigningKey
from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, UpstreamCredential
from appconnect.ports import (
    ApplicationPassword,
    Approval,
    PasswordState,
    SiteDescription,
    SiteProblem,
    UpstreamError,
    WordPressUser,
)

APP_NAME = "App Connect"
NEEDED_CAPABILITIES = ("manage_options", "list_users", "edit_users")
"""To see users with their roles, and to make application passwords for them."""


def initialize(context: Context) -> bool:
    """Make the signing key of a new database; False where there is one already."""
    with context.alone():
        if context.store.snapshot(now=context.clock()).key_ring.keys:
            return False
        key = SigningKey(OKPKey.generate_key("Ed25519", private=True), context.clock())
        with context.store.transaction() as transaction:
            transaction.save_signing_key(key)
            transaction.record(context.event(AuditEventType.INITIALIZED, key.kid))
    return True


def check_connection(context: Context) -> tuple[SiteAddress, WordPressUser]:
    """Ask WordPress whether it still takes our administrator for one; raises what is wrong where it does not."""
    to = passwords.connection(context)
    user = to.site.current_user(to.administrator.credential)
    require_administrator(user)
    return to.address, user


@dataclass(frozen=True, slots=True)
class Connected:
    """What was connected, as which administrator."""

    description: SiteDescription
    administrator: WordPressUser
    warnings: tuple[str, ...]


def look_at_site(context: Context, url: str, upstream_url: str | None) -> SiteDescription:
    """Find the site and all that would keep us from working with it, before anybody is sent anywhere."""
    for field, address in (("SITE_URL", url), ("--upstream", upstream_url)):
        if address is not None:
            _check_address(field, address)
    description = context.discover_site(url, upstream_url)
    _check_no_other_site(context, description)
    return description


def _check_no_other_site(context: Context, description: SiteDescription) -> None:
    """Passwords that we made on a site can be removed only while it is the connected one."""
    current = context.store.snapshot(now=context.clock()).site
    if current is not None and current.url != description.address.url:
        raise InputError.of(
            "SITE_URL",
            f"This gateway is connected to {current.url}.",
            "Disconnect it first (`app-connect disconnect`), or set up another gateway for the other site.",
        )


def authorize_url(description: SiteDescription, *, app_id: str, success_url: str | None, name: str = APP_NAME) -> str:
    """Core's own page where a user approves of us (`wp-admin/authorize-application.php`).

    `app_id` is what the password is found by afterwards; without a `success_url` the page shows it.
    """
    if description.authorize_url is None:
        raise InputError.of("SITE_URL", "The site does not say where applications are approved.", "Use --username.")
    # WordPress wants another name for each of a user's passwords, and the one in use stays until this one works.
    query = {"app_name": f"{name} ({app_id[:8]})", "app_id": app_id}
    if success_url is not None:
        query["success_url"] = success_url
    joint = "&" if urlsplit(description.authorize_url).query else "?"
    return f"{description.authorize_url}{joint}{urlencode(query)}"


def connect(
    context: Context,
    description: SiteDescription,
    login: str,
    password: Secret,
    *,
    was_made_for_us: bool,
    may_replace: bool = True,
) -> Connected:
    """Check that a password is an administrator's, and keep it; what it replaces is removed from WordPress.

    Where somebody may connect a site and not `may_replace` one, `InputError` says that one is connected already.
    """
    site = context.site_at(description.address)
    credential = UpstreamCredential(login.strip(), Secret("".join(password.reveal().split())))
    user = site.current_user(credential)
    uuid = site.current_password(credential).uuid
    administrator = ApplicationPassword(
        app_id=context.new_uuid(),
        user_id=user.id,
        login=user.login,
        client_id=None,
        state=PasswordState.IN_USE,
        uuid=uuid,
        password=credential.password,
        is_ours=was_made_for_us,
    )
    try:
        require_administrator(user)
        warnings = _keep_connection(context, description, administrator, may_replace=may_replace)
    except (UpstreamError, InputError):
        if was_made_for_us:
            with suppress(UpstreamError):  # what the approval made goes with it; the error is what counts
                site.delete_application_password(credential, user.id, uuid)
        raise
    return Connected(description, user, tuple(warnings))


def require_administrator(user: WordPressUser) -> None:
    """Raise `UpstreamError` for a user who may not make application passwords for others."""
    missing = [name for name in NEEDED_CAPABILITIES if name not in user.capabilities]
    if missing:
        raise UpstreamError(
            SiteProblem.NOT_AN_ADMINISTRATOR,
            f"{user.login} is no administrator ({', '.join(sorted(user.roles)) or 'no role'}): "
            f"the capability {missing[0]} is missing.",
            "Connect as an administrator of the site.",
        )


def _keep_connection(
    context: Context, description: SiteDescription, administrator: ApplicationPassword, *, may_replace: bool
) -> list[str]:
    with context.alone():
        _check_no_other_site(context, description)
        if not may_replace and context.store.snapshot(now=context.clock()).site is not None:
            raise InputError.of("SITE_URL", "A site is connected already.", "Sign in as one of its administrators.")
        with context.store.transaction() as transaction:
            for old in context.store.application_passwords():
                if old.client_id is None and old.uuid != administrator.uuid:
                    passwords.retire(transaction, old)
                elif old.client_id is None:
                    transaction.forget_application_password(old.app_id)
            transaction.save_site(description.address)
            transaction.save_route_templates(description.route_templates)
            transaction.save_application_password(administrator)
            transaction.record(
                context.event(
                    AuditEventType.SITE_CONNECTED, description.address.url, _describe(description, administrator)
                )
            )
        return passwords.settle(context, passwords.connection(context))


def _describe(description: SiteDescription, administrator: ApplicationPassword) -> str:
    address = description.address
    answers = f", which answers at {address.upstream_url}" if address.upstream_url != address.url else ""
    return f"as {administrator.login}{answers}"


def disconnect(context: Context, *, keeps_session: str | None = None) -> list[str]:
    """Remove our administrator's password from WordPress and forget the site; only without clients.

    Sessions of the site's administrators end, but for the one that is to connect another.
    """
    with context.alone():
        clients = context.store.snapshot(now=context.clock()).clients
        if clients:
            raise InputError.of(
                "site",
                f"{len(clients)} {'client acts' if len(clients) == 1 else 'clients act'} on it still.",
                "Delete them first.",
            )
        to = passwords.connection(context)
        passwords.stop_asking(context)
        warnings = passwords.settle(context, to)
        if passwords.unfinished(context):
            problem = "Application passwords of ours may still be on it."
            raise InputError.of("site", " ".join([problem, *warnings]), "Try again in five minutes.")
        if to.administrator.is_ours and to.administrator.uuid is not None:
            try:
                to.site.delete_application_password(
                    to.administrator.credential, to.administrator.user_id, to.administrator.uuid
                )
            except UpstreamError as error:
                warnings.append(
                    f"Remove the application password App Connect of {to.administrator.login} yourself: {error}"
                )
        with context.store.transaction() as transaction:
            for password in context.store.application_passwords():
                transaction.forget_application_password(password.app_id)
            transaction.save_site(None)
            transaction.record(context.event(AuditEventType.SITE_DISCONNECTED, to.address.url))
        context.store.sessions.end_all(but=keeps_session)
    return warnings


# -- the way back from the authorize-application page -----------------------------------------------------------------

APPROVAL_PATH = "/app-connect/approved/"
APPROVAL_WAIT_SECONDS = 600


def await_approval(context: Context) -> str:
    """Expect an answer at `APPROVAL_PATH` and the returned one-time state, of which only a digest is kept."""
    state, now = context.entropy(32).hex(), context.clock()
    with context.store.transaction() as transaction:
        transaction.await_approval(_digest(state), expires_at=now + APPROVAL_WAIT_SECONDS, now=now)
    return state


def answer_approval(context: Context, state: str, credential: UpstreamCredential | None) -> bool:
    """Keep what the administrator's browser brought back; False for a state that nobody waits for.

    Anybody may ask, so only an expected state begins a transaction: each makes every worker load a new snapshot.
    """
    if context.store.approval(_digest(state)) is None:
        return False
    with context.store.transaction() as transaction:
        return transaction.answer_approval(_digest(state), credential, now=context.clock())


def take_approval(context: Context, state: str) -> Approval | None:
    """The answer for a state, read once; None while there is none."""
    approval = context.store.approval(_digest(state))
    if approval is None or not approval.is_answered:
        return None
    with context.store.transaction() as transaction:
        transaction.forget_approval(_digest(state))
    return approval


def stop_waiting(context: Context, state: str) -> None:
    """Expect no answer any more: one that comes later is not kept, and its page says so."""
    with context.store.transaction() as transaction:
        transaction.forget_approval(_digest(state))


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _check_address(field: str, address: str) -> None:
    try:
        parts = urlsplit(address)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_right = False
    if not is_right:
        guess = address.rpartition("//")[2].strip("/") or "your-site.com"
        raise InputError.of(field, f"{address!r} is not an address.", f"Write it with its scheme: https://{guess}")
    if parts.username is not None or parts.query or parts.fragment:
        raise InputError.of(
            field, "The address has more than host and path.", f"Write {parts.scheme}://{parts.hostname}."
        )
