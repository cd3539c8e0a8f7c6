"""Checking upstream credentials against WordPress, and replacing one that is lost."""

from contextlib import suppress
from dataclasses import replace

from appconnect.control import passwords
from appconnect.control.context import Context, InputError
from appconnect.core.audit import AuditEventType
from appconnect.core.policy import Policy, ServiceUser
from appconnect.ports import ApplicationPassword, Health, SiteProblem, UpstreamError

_NOT_ACCEPTED = frozenset((SiteProblem.WRONG_CREDENTIAL, SiteProblem.AUTHORIZATION_DROPPED))
_NONE_ACCEPTED = frozenset((SiteProblem.NO_HTTPS, SiteProblem.APPLICATION_PASSWORDS_OFF))


def check_credential(context: Context, client_id: str) -> Health:
    """Ask WordPress who a client's credential is; replace it once if it is nobody's, and note a changed user."""
    snapshot = context.store.snapshot(now=context.clock())
    client, site = snapshot.clients.get(client_id), snapshot.site
    password = passwords.credential_of(context, client_id)
    if client is None or site is None or password is None:
        return Health.LOST
    try:
        user = context.site_at(site).current_user(password.credential)
    except UpstreamError as error:
        if error.problem in _NOT_ACCEPTED:
            return _replace(context, client_id, password)
        return Health.LOST if error.problem in _NONE_ACCEPTED else Health.UNKNOWN
    if user.id != password.user_id:
        return _replace(context, client_id, password)
    if snapshot.current_policy(client).service_user != user.as_service_user:
        with suppress(InputError), context.alone():  # another command is at work: the next check notes it
            _note_user(context, client_id, user.as_service_user)
    return Health.HEALTHY


def _replace(context: Context, client_id: str, lost: ApplicationPassword) -> Health:
    try:
        with context.alone():
            current = passwords.credential_of(context, client_id)
            if current is not None and current.app_id != lost.app_id:
                return Health.REPLACED  # another worker did it meanwhile
            if not lost.is_ours or current is None:
                return Health.LOST
            _make_new(context, client_id, lost)
    except InputError:
        return Health.UNKNOWN  # another command is at work, or the site was disconnected meanwhile
    except UpstreamError as error:
        return Health.UNKNOWN if error.problem is SiteProblem.UNREACHABLE else Health.LOST
    return Health.REPLACED


def _make_new(context: Context, client_id: str, lost: ApplicationPassword) -> None:
    to = passwords.connection(context)
    client = context.store.snapshot(now=context.clock()).clients[client_id]
    user = passwords.same_user(to, lost.user_id, lost.login)
    new = passwords.make_password(context, to, user, client_id, client.name)
    with context.store.transaction() as transaction:
        passwords.retire(transaction, lost)
        passwords.use(transaction, new)
        transaction.record(context.event(AuditEventType.UPSTREAM_CREDENTIAL_REPLACED, client_id, client.name))
    _note_user(context, client_id, user.as_service_user)
    passwords.settle(context, to)


def _note_user(context: Context, client_id: str, user: ServiceUser) -> None:
    """A changed user is a changed policy: what grew needs a new token, what shrank is WordPress's to refuse."""
    snapshot = context.store.snapshot(now=context.clock())
    client = snapshot.clients.get(client_id)
    if client is None or snapshot.current_policy(client).service_user == user:
        return
    policy = snapshot.current_policy(client)
    changed = Policy(client.id, user, policy.access_mode, policy.rules, policy.allows_embed)
    with context.store.transaction() as transaction:
        transaction.save_client(replace(client, policy_hash=changed.hash), changed, now=context.clock())
        details = f"{user.login}: {', '.join(sorted(user.roles)) or 'no role'}, {len(user.capabilities)} capabilities"
        transaction.record(context.event(AuditEventType.SERVICE_USER_CHANGED, client.id, details))
