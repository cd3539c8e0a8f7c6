"""Operations on administrator tokens."""

from dataclasses import dataclass
from typing import Any, Final

from appconnect.control import admin_tokens as control
from appconnect.control.operations.operation import (
    AnyOperation,
    Caller,
    Input,
    Operation,
    Output,
    Page,
    PageWanted,
    SecretText,
    page,
)
from appconnect.core.admin_tokens import AdminScope, AdminToken


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenContent(Output):
    """An administrator token, without the token itself."""

    token_id: str
    """Its ID, which is no secret."""
    name: str
    """What it is for."""
    scopes: tuple[str, ...]
    """What it may do."""
    created_by: str
    """Who made it."""
    created_at: int
    """When it was made, in seconds since the epoch."""
    expires_at: int
    """When it ends, in seconds since the epoch."""
    used_at: int | None
    """When it was last used, to a minute; null for never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedToken(TokenContent):
    """An administrator token that was made."""

    admin_token: SecretText
    """The token, shown only now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken(Input):
    """An administrator token to make."""

    name: str = ""
    """What it is for, such as "Deployment". Required."""
    scopes: tuple[str, ...] = ()
    """What it may do: at least one scope, and with a token none that the token has not."""
    lifetime_seconds: int = 90 * 86_400
    """How long it counts: 1 hour to 366 days, and with a token no longer than it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenNamed(Input):
    """Which administrator token."""

    token: str
    """Its ID or name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedTokens(Output):
    """Administrator tokens that no longer count."""

    revoked: tuple[str, ...]
    """Their names: the one that was meant, then those that were made by it."""


def _fields(token: AdminToken) -> dict[str, Any]:
    return {
        "token_id": token.id,
        "name": token.name,
        "scopes": tuple(sorted(token.scopes)),
        "created_by": token.created_by,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "used_at": token.used_at,
    }


def _list(caller: Caller, wanted: PageWanted) -> Page[TokenContent]:
    found = [TokenContent(**_fields(token)) for token in control.living_tokens(caller.context)]
    return page(found, wanted, lambda one: one.token_id)


def _create(caller: Caller, given: NewToken) -> CreatedToken:
    created = control.create_token(
        caller.context,
        name=given.name,
        scopes=given.scopes,
        lifetime_seconds=given.lifetime_seconds,
        maker=caller.token,
    )
    return CreatedToken(**_fields(created.token), admin_token=created.secret)


def _revoke(caller: Caller, given: TokenNamed) -> RevokedTokens:
    return RevokedTokens(revoked=tuple(one.name for one in control.revoke_token(caller.context, given.token)))


LIST: Final = Operation(
    name="admin-tokens.list",
    method="GET",
    path="/admin-tokens",
    scope=AdminScope.TOKENS_READ,
    summary="List the administrator tokens.",
    takes=PageWanted,
    gives=Page[TokenContent],
    run=_list,
)
CREATE: Final = Operation(
    name="admin-tokens.create",
    method="POST",
    path="/admin-tokens",
    scope=AdminScope.TOKENS_WRITE,
    summary="Create an administrator token. It is in this answer and never again.",
    takes=NewToken,
    gives=CreatedToken,
    run=_create,
    status=201,
)
REVOKE: Final = Operation(
    name="admin-tokens.revoke",
    method="DELETE",
    path="/admin-tokens/{token}",
    scope=AdminScope.TOKENS_WRITE,
    summary="Revoke an administrator token, and every token that was made by it.",
    takes=TokenNamed,
    gives=RevokedTokens,
    run=_revoke,
)

ADMIN_TOKENS: Final[tuple[AnyOperation, ...]] = (LIST, CREATE, REVOKE)
