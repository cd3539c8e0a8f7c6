"""Administrator tokens: create, list, revoke, and know the one that is shown."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from appconnect.control.context import CONSOLE, Context, InputError, InputProblem, NotFoundError
from appconnect.control.standing import Standing, is_over, standing_of
from appconnect.core.admin_tokens import (
    MAX_LIFETIME_SECONDS,
    MIN_LIFETIME_SECONDS,
    AdminScope,
    AdminToken,
    check_admin_token,
    is_admin_token,
    new_admin_token,
)
from appconnect.core.audit import AuditEventType
from appconnect.core.clients import hash_secret
from appconnect.core.secret import Secret

MAX_NAME_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """A token as it was created; `secret` is what the program shows, known only now."""

    token: AdminToken
    secret: Secret


def create_token(
    context: Context, *, name: str, scopes: Sequence[str], lifetime_seconds: int, maker: AdminToken | None
) -> CreatedToken:
    """Create a token. One that is itself made by a token (`maker`) may do no more than it, and no longer."""
    with context.alone():
        now = context.clock()
        problems: list[InputProblem] = []
        checked_name = _check_name(name, living_tokens(context), problems)
        checked_scopes = _check_scopes(scopes, maker, problems)
        _check_lifetime(now, lifetime_seconds, maker, problems)
        if problems:
            raise InputError(problems)
        secret = new_admin_token(context.entropy(32))
        token = AdminToken(
            id=context.new_uuid(),
            digest=hash_secret(secret.reveal()),
            name=checked_name,
            scopes=checked_scopes,
            created_by=context.actor,
            created_at=now,
            expires_at=now + lifetime_seconds,
        )
        with context.store.transaction() as transaction:
            transaction.add_admin_token(token, now=now)
            details = f"{token.name}; {', '.join(sorted(token.scopes))}; for {lifetime_seconds} seconds"
            transaction.record(context.event(AuditEventType.ADMIN_TOKEN_CREATED, token.id, details))
    return CreatedToken(token, secret)


def living_tokens(context: Context) -> list[AdminToken]:
    """The tokens that count now, the oldest first."""
    now = context.clock()
    return [token for token in context.store.admin_tokens.all() if not token.is_expired(now=now)]


def revoke_token(context: Context, wanted: str) -> list[AdminToken]:
    """Revoke a token by its ID or name, and every token that was made by it; gives them, the wanted one first."""
    with context.alone():
        living = living_tokens(context)
        found = [one for one in living if one.id == wanted] or [one for one in living if _is_same(one.name, wanted)]
        if not found:
            known = ", ".join(one.name for one in living[:10])
            remedy = f"Tokens are: {known}." if known else "There are no administrator tokens."
            raise NotFoundError.of("TOKEN", f"There is no administrator token {wanted!r}.", remedy)
        revoked = revoked_with(found[0], living)
        with context.store.transaction() as transaction:
            for token in revoked:
                transaction.delete_admin_token(token.id)
                transaction.record(context.event(AuditEventType.ADMIN_TOKEN_REVOKED, token.id, token.name))
    return revoked


def known_token(context: Context, presented: str) -> AdminToken | None:
    """The token that is shown, where it counts now.

    Once a minute its use is noted, and WordPress is asked whether the administrator behind it still is one: with them,
    their tokens go.
    """
    if not is_admin_token(presented):
        return None
    now, token = context.clock(), context.store.admin_tokens.find(hash_secret(presented))
    if not check_admin_token(token, presented, now=now):
        return None
    assert token is not None
    if token.is_use_noted(now=now):
        return token
    checked_at, login = token.checked_at or token.created_at, _administrator_behind(token, living_tokens(context))
    context.store.admin_tokens.note_use(token.id, now=now)  # and nobody else asks meanwhile
    if login is not None:
        standing = standing_of(context, login)
        if is_over(standing, checked_at=checked_at, now=now):
            with suppress(InputError):  # where another command is at work, the token is found out again
                revoke_token(context, token.id)
            return None
        if standing is Standing.STANDS:
            context.store.admin_tokens.note_check(token.id, now=now)
    return token


def _administrator_behind(token: AdminToken, living: Sequence[AdminToken]) -> str | None:
    """The login of whoever made a token, or the one that made it; None for the operator at the gateway itself."""
    makers = {one.actor: one for one in living}
    while (maker := makers.get(token.created_by)) is not None:
        token = maker
    kind, _, login = token.created_by.partition(":")
    return login if kind == CONSOLE else None


# -- checking ---------------------------------------------------------------------------------------------------------


def _check_name(name: str, living: Sequence[AdminToken], problems: list[InputProblem]) -> str:
    stripped = name.strip()
    if not stripped or len(stripped) > MAX_NAME_CHARACTERS or not stripped.isprintable():
        remedy = f"Give it 1 to {MAX_NAME_CHARACTERS} printable characters, such as 'Deployment'."
        problems.append(InputProblem("Name", f"{stripped!r} is not a name." if stripped else "is missing.", remedy))
    elif any(_is_same(one.name, stripped) for one in living):
        problems.append(InputProblem("Name", f"There is a token {stripped!r} already.", "Choose another name."))
    return stripped


def _check_scopes(
    texts: Sequence[str], maker: AdminToken | None, problems: list[InputProblem]
) -> frozenset[AdminScope]:
    scopes = set()
    if not texts:
        problems.append(InputProblem("Scopes", "are missing.", f"Choose of: {', '.join(AdminScope)}."))
    for text in texts:
        try:
            scope = AdminScope(text)
        except ValueError:
            problems.append(InputProblem("Scopes", f"{text!r} is not a scope.", f"Choose of: {', '.join(AdminScope)}."))
            continue
        if maker is not None and scope not in maker.scopes:
            remedy = f"It has: {', '.join(sorted(maker.scopes))}."
            problems.append(InputProblem("Scopes", f"{scope} is more than {maker.name!r} may do.", remedy))
        scopes.add(scope)
    return frozenset(scopes)


def _check_lifetime(now: int, seconds: int, maker: AdminToken | None, problems: list[InputProblem]) -> None:
    if not MIN_LIFETIME_SECONDS <= seconds <= MAX_LIFETIME_SECONDS:
        problems.append(InputProblem("Lifetime", "is out of range.", "Choose between 1 hour and 366 days."))
    elif maker is not None and now + seconds > maker.expires_at:
        remedy = f"Choose at most {maker.expires_at - now} seconds."
        problems.append(InputProblem("Lifetime", f"It would outlive {maker.name!r}, which makes it.", remedy))


def _is_same(name: str, other: str) -> bool:
    return name.casefold() == other.casefold()


def revoked_with(token: AdminToken, living: Sequence[AdminToken]) -> list[AdminToken]:
    """A token and those that it made: a stolen one must not live on in them. Names are unique, so the actor tells."""
    made = [one for one in living if one.created_by == token.actor]
    return [token, *(child for one in made for child in revoked_with(one, living))]
