"""Clients: add, edit, disable, enable, delete, rotate a secret."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from appconnect.control import passwords
from appconnect.control.allowlists import MAX_RULES, advice, parse_rules
from appconnect.control.context import Context, InputError, InputProblem, NotFoundError
from appconnect.control.routes import refresh_route_templates
from appconnect.core.audit import AuditEventType
from appconnect.core.clients import (
    Client,
    ClientSecretHash,
    ClientType,
    GrantType,
    hash_secret,
    new_client_id,
    new_client_secret,
)
from appconnect.core.policy import AccessMode, Policy, ServiceUser
from appconnect.core.rules import RouteRule
from appconnect.core.secret import Secret
from appconnect.ports import ApplicationPassword, PasswordState, Site, SiteProblem, UpstreamError, WordPressUser

MAX_NAME_CHARACTERS = 100
MIN_TOKEN_LIFETIME_SECONDS, MAX_TOKEN_LIFETIME_SECONDS = 60, 86_400
MAX_OVERLAP_SECONDS = 90 * 86_400
NOTICE_SECONDS = 2
"""More than any worker needs to notice a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an administrator fills in; None means "as it is", or the default for a new client."""

    name: str | None = None
    grant_types: Sequence[str] | None = None
    client_type: str | None = None
    access_mode: str | None = None
    user: str | None = None
    allow: Sequence[str] = ()
    disallow: Sequence[str] = ()
    allows_embed: bool | None = None
    token_lifetime_seconds: int | None = None
    application_password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A client as saved, its policy, its secret where one was made, and what to know about it."""

    client: Client
    policy: Policy
    secret: Secret | None
    warnings: tuple[str, ...]


def find_client(context: Context, wanted: str) -> tuple[Client, Policy]:
    """A client by its ID, or by its name where only one has it; `InputError` otherwise."""
    snapshot = context.store.snapshot(now=context.clock())
    clients = list(snapshot.clients.values())
    found = [client for client in clients if client.id == wanted] or [
        client for client in clients if client.name.casefold() == wanted.casefold()
    ]
    if len(found) != 1:
        known = ", ".join(f"{client.id} ({client.name})" for client in clients[:10])
        remedy = f"Clients are: {known}." if known else "There are no clients yet: add the first."
        raise NotFoundError.of("CLIENT", f"There is no client {wanted!r}.", remedy)
    return found[0], snapshot.current_policy(found[0])


def add_client(context: Context, draft: Draft) -> Saved:
    """Register a client; its service user gets an application password of its own in WordPress."""
    client_id = new_client_id(context.entropy(12))
    empty = Client(client_id, "", frozenset(), True, (), "", context.clock())
    nobody = ServiceUser(0, "", frozenset(), frozenset())
    with context.alone():
        to = passwords.connection(context)
        refresh_route_templates(context)
        left = passwords.settle(context, to)
        checked = _check(context, to, draft, empty, Policy(client_id, nobody, AccessMode.RESTRICTED, ()))
        assert checked.user is not None
        secret = new_client_secret(context.entropy(32))
        client = replace(checked.client, secrets=(ClientSecretHash(hash_secret(secret.reveal()), context.clock()),))
        credential = _credential(context, to, checked.user, client, draft)
        with context.store.transaction() as transaction:
            transaction.save_client(client, checked.policy, now=context.clock())
            passwords.use(transaction, credential)
            transaction.record(
                context.event(AuditEventType.CLIENT_CREATED, client.id, _describe(client, checked.policy))
            )
    return Saved(client, checked.policy, secret, (*checked.warnings, *left))


def edit_client(context: Context, wanted: str, draft: Draft) -> Saved:
    """Change a client. Narrowing counts at once for tokens already issued; widening only for new ones."""
    with context.alone():
        to = passwords.connection(context)
        refresh_route_templates(context)
        left = passwords.settle(context, to)
        client, policy = find_client(context, wanted)
        checked = _check(context, to, draft, client, policy)
        old = passwords.credential_of(context, client.id)
        needs_password = draft.application_password is not None or (
            checked.user is not None and checked.user.id != policy.service_user.id
        )
        new = None
        if needs_password:
            user = checked.user or passwords.same_user(to, policy.service_user.id, policy.service_user.login)
            new = _credential(context, to, user, checked.client, draft)
        with context.store.transaction() as transaction:
            if new is not None:
                if old is not None:
                    passwords.retire(transaction, old)
                passwords.use(transaction, new)
            transaction.save_client(checked.client, checked.policy, now=context.clock())
            details = _describe(checked.client, checked.policy)
            transaction.record(context.event(AuditEventType.CLIENT_CHANGED, client.id, details))
        if new is not None:
            left += passwords.settle(context, to)
    return Saved(checked.client, checked.policy, None, (*checked.warnings, *left))


def set_enabled(context: Context, wanted: str, *, is_enabled: bool) -> Client:
    """Disable a client, which stops its tokens within a second, or enable it again."""
    event = AuditEventType.CLIENT_ENABLED if is_enabled else AuditEventType.CLIENT_DISABLED
    with context.alone():
        client, policy = find_client(context, wanted)
        changed = replace(client, is_enabled=is_enabled)
        with context.store.transaction() as transaction:
            transaction.save_client(changed, policy, now=context.clock())
            transaction.record(context.event(event, client.id, client.name))
    return changed


def delete_client(context: Context, wanted: str) -> tuple[Client, list[str]]:
    """Delete a client for good, and its application password in WordPress; the client goes even if that has to wait."""
    with context.alone():
        client, _ = find_client(context, wanted)
        to, password = passwords.connection(context), passwords.credential_of(context, client.id)
        with context.store.transaction() as transaction:
            transaction.delete_client(client.id)
            if password is not None:
                passwords.retire(transaction, password)
            transaction.record(context.event(AuditEventType.CLIENT_DELETED, client.id, client.name))
        left = passwords.settle(context, to)
    return client, left


def rotate_secret(context: Context, wanted: str, *, overlap_seconds: int) -> tuple[Client, Secret]:
    """Make a new secret; the one in use stays valid for the overlap, and one that was leaving ends at once.

    Without an overlap the old secret is not trusted any more, and so its tokens are revoked too.
    """
    if not 0 <= overlap_seconds <= MAX_OVERLAP_SECONDS:
        raise InputError.of("--overlap", "The overlap is out of range.", "Choose between 0 seconds and 90 days.")
    secret = new_client_secret(context.entropy(32))
    with context.alone():
        now = context.clock()
        client, policy = find_client(context, wanted)
        staying = [
            replace(old, expires_at=now + overlap_seconds)
            for old in client.secrets
            if old.expires_at is None and overlap_seconds > 0
        ]
        changed = replace(
            client,
            secrets=(*staying, ClientSecretHash(hash_secret(secret.reveal()), now)),
            # Until its next tick a worker takes the old secret: what it issues meanwhile is void too.
            tokens_revoked_at=now + NOTICE_SECONDS if overlap_seconds == 0 else client.tokens_revoked_at,
        )
        with context.store.transaction() as transaction:
            transaction.save_client(changed, policy, now=now)
            details = f"{client.name}; the old secret ends in {overlap_seconds} seconds"
            transaction.record(context.event(AuditEventType.SECRET_ROTATED, client.id, details))
    return changed, secret


def revoke_tokens(context: Context, wanted: str) -> Client:
    """Void every token that was issued to a client until now, on every worker within a second."""
    with context.alone():
        client, policy = find_client(context, wanted)
        changed = replace(client, tokens_revoked_at=context.clock())
        with context.store.transaction() as transaction:
            transaction.save_client(changed, policy, now=context.clock())
            transaction.record(context.event(AuditEventType.TOKENS_REVOKED, client.id, client.name))
    return changed


# -- checking a draft -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Checked:
    client: Client
    policy: Policy
    user: WordPressUser | None
    warnings: tuple[str, ...]


def _check(context: Context, to: passwords.Connection, draft: Draft, client: Client, policy: Policy) -> _Checked:
    """Apply a draft to a client; every mistake in it is reported, and none of it is done."""
    problems: list[InputProblem] = []
    name = _check_name(context, draft, client, problems)
    grant_types = _check_grant_types(draft, client, problems)
    _check_type(draft, problems)
    access_mode = _check_access_mode(draft, policy, problems)
    rules = _check_rules(draft, policy, problems)
    lifetime = _check_lifetime(draft, client, problems)
    user = _check_user(to, draft, policy, problems)
    if problems:
        raise InputError(problems)
    service_user = user.as_service_user if user else policy.service_user
    embed = policy.allows_embed if draft.allows_embed is None else draft.allows_embed
    changed_policy = Policy(client.id, service_user, access_mode, rules, embed)
    changed = replace(
        client,
        name=name,
        grant_types=grant_types,
        token_lifetime_seconds=lifetime,
        policy_hash=changed_policy.hash,
    )
    warnings = [*_user_advice(user, to), *advice(rules, access_mode)]
    return _Checked(changed, changed_policy, user, tuple(warnings))


def _check_name(context: Context, draft: Draft, client: Client, problems: list[InputProblem]) -> str:
    if draft.name is None and client.name:
        return client.name
    name = (draft.name or "").strip()
    others = context.store.snapshot(now=context.clock()).clients.values()
    if not name or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        remedy = f"Give it 1 to {MAX_NAME_CHARACTERS} printable characters, such as Backend Service."
        problems.append(InputProblem("Name", f"{name!r} is not a name." if name else "is missing.", remedy))
    elif any(other.id != client.id and other.name.casefold() == name.casefold() for other in others):
        problems.append(InputProblem("Name", f"There is a client {name!r} already.", "Choose another name."))
    return name


def _check_grant_types(draft: Draft, client: Client, problems: list[InputProblem]) -> frozenset[GrantType]:
    if draft.grant_types is None:
        return client.grant_types or frozenset(GrantType)
    found = set()
    for text in draft.grant_types:
        try:
            found.add(GrantType.parse(text))
        except ValueError:
            remedy = f"Choose: {', '.join(GrantType)}."
            problems.append(InputProblem("Grant Types", f"{text!r} is not a grant type.", remedy))
    return frozenset(found)


def _check_type(draft: Draft, problems: list[InputProblem]) -> None:
    if draft.client_type is not None and draft.client_type.lower() != ClientType.CONFIDENTIAL:
        remedy = "Write confidential: only a client that can keep a secret may use Client Credentials (RFC 6749 §4.4)."
        problems.append(InputProblem("Client Type", f"{draft.client_type!r} is not possible.", remedy))


def _check_access_mode(draft: Draft, policy: Policy, problems: list[InputProblem]) -> AccessMode:
    if draft.access_mode is None:
        return policy.access_mode
    try:
        return AccessMode(draft.access_mode.lower())
    except ValueError:
        remedy = "Choose restricted (only the allowlist) or full (every route that the user may use)."
        problems.append(InputProblem("Access Mode", f"{draft.access_mode!r} is not an access mode.", remedy))
        return policy.access_mode


def _check_rules(draft: Draft, policy: Policy, problems: list[InputProblem]) -> tuple[RouteRule, ...]:
    added, wrong = parse_rules(draft.allow, "REST Route Allowlist")
    removed, wrong_too = parse_rules(draft.disallow, "--disallow")
    problems += [*wrong, *wrong_too]
    for rule in removed:
        if rule not in policy.rules:
            has = ", ".join(map(str, policy.rules)) or "no rules"
            problems.append(InputProblem("--disallow", f"{rule} is not in the allowlist.", f"It has {has}."))
    leaving = set(removed)
    rules = tuple(dict.fromkeys(rule for rule in (*policy.rules, *added) if rule not in leaving))
    if len(rules) > MAX_RULES:
        remedy = "Let wildcards stand for many routes, or make several clients."
        text = f"{len(rules)} rules are more than the {MAX_RULES} of a client."
        problems.append(InputProblem("REST Route Allowlist", text, remedy))
    return rules


def _check_lifetime(draft: Draft, client: Client, problems: list[InputProblem]) -> int | None:
    seconds = draft.token_lifetime_seconds
    if seconds is None:
        return client.token_lifetime_seconds
    if problem := lifetime_problem(seconds, allows_default=True):
        problems.append(problem)
    return seconds or None


def lifetime_problem(seconds: int, *, allows_default: bool = False) -> InputProblem | None:
    """What is wrong with a token lifetime in seconds; 0 stands for the site's where that is allowed."""
    if (seconds == 0 and allows_default) or MIN_TOKEN_LIFETIME_SECONDS <= seconds <= MAX_TOKEN_LIFETIME_SECONDS:
        return None
    default = ", or 0 for the site's own" if allows_default else ""
    remedy = f"Choose {MIN_TOKEN_LIFETIME_SECONDS} to {MAX_TOKEN_LIFETIME_SECONDS:,} seconds{default}."
    return InputProblem("Token Lifetime", f"{seconds} is out of range.", remedy)


def _check_user(
    to: passwords.Connection, draft: Draft, policy: Policy, problems: list[InputProblem]
) -> WordPressUser | None:
    field = "Client Credentials User"
    if draft.user is None:
        if policy.service_user.id == 0:
            problems.append(InputProblem(field, "is missing.", "Name a WordPress user by login, e-mail address or ID."))
        return None
    try:
        return to.site.find_user(to.administrator.credential, draft.user)
    except UpstreamError as error:
        if error.problem is not SiteProblem.NO_SUCH_USER and not problems:
            raise
        problems.append(InputProblem(field, error.facts, error.remedy))
        return None


def _user_advice(user: WordPressUser | None, to: passwords.Connection) -> list[str]:
    if user is None:
        return []
    said = []
    if user.as_service_user.is_administrator:
        said.append(f"{user.login} is an administrator. A user with the smallest role that does the job is safer.")
    signs = list(user.signs_of_a_person)
    if user.id == to.administrator.user_id:
        signs.append("it is the account that App Connect was connected with")
    if signs:
        said.append(f"{user.login} seems to be a person's account: {'; '.join(signs)}. A user of its own is safer.")
    return said


def _credential(
    context: Context, to: passwords.Connection, user: WordPressUser, client: Client, draft: Draft
) -> ApplicationPassword:
    """The password that the client will use: made in WordPress, or the one that was pasted in."""
    if draft.application_password is None:
        return passwords.make_password(context, to, user, client.id, client.name)
    pasted = ApplicationPassword(
        app_id=context.new_uuid(),
        user_id=user.id,
        login=user.login,
        client_id=client.id,
        state=PasswordState.IN_USE,
        password=Secret("".join(draft.application_password.reveal().split())),
        is_ours=False,
    )
    _check_pasted(to.site, pasted)
    return pasted


def _check_pasted(site: Site, password: ApplicationPassword) -> None:
    field = "Application Password"
    try:
        user = site.current_user(password.credential)
    except UpstreamError as error:
        raise InputError.of(field, error.facts, error.remedy) from error
    if user.id != password.user_id:
        raise InputError.of(field, f"It is {user.login}'s, not {password.login}'s.", "Paste one of that user.")


def _describe(client: Client, policy: Policy) -> str:
    rules = ", ".join(map(str, policy.rules)) or "no rules"
    return f"{client.name}; as {policy.service_user.login}; {policy.access_mode}; {rules}"
