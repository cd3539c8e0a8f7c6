"""Operations on clients."""

from typing import Final

from appconnect.control import clients as control
from appconnect.control.context import InputError
from appconnect.control.operations.client_values import (
    AddedClient,
    ClientContent,
    ClientDeleted,
    ClientEdit,
    ClientNamed,
    ClientsWanted,
    ClientSwitched,
    EditedClient,
    NewClient,
    SecretRotated,
    SecretRotation,
    TokensRevoked,
    content_of,
)
from appconnect.control.operations.operation import AnyOperation, Caller, Operation, Page, page
from appconnect.core.admin_tokens import AdminScope

TOKEN_PATH: Final = "/wp-json/app-connect/v1/token"  # noqa: S105 - a path


def _list(caller: Caller, wanted: ClientsWanted) -> Page[ClientContent]:
    snapshot = caller.context.store.snapshot(now=caller.context.clock())
    found = [
        ClientContent(**content_of(client, snapshot.current_policy(client))) for client in snapshot.clients.values()
    ]
    text = wanted.text.casefold()
    chosen = [one for one in found if any(text in word.casefold() for word in _words(one))]
    return page(chosen, wanted, lambda one: one.client_id)


def _words(client: ClientContent) -> tuple[str, str, str]:
    return client.name, client.client_id, client.client_credentials_user


def _show(caller: Caller, given: ClientNamed) -> ClientContent:
    return ClientContent(**content_of(*control.find_client(caller.context, given.client)))


def _add(caller: Caller, given: NewClient) -> AddedClient:
    saved = control.add_client(
        caller.context,
        control.Draft(
            name=given.name,
            grant_types=given.grant_types,
            client_type=given.client_type,
            access_mode=given.access_mode,
            user=given.client_credentials_user,
            allow=given.rest_route_allowlist,
            allows_embed=given.embed,
            token_lifetime_seconds=given.token_lifetime_seconds,
            application_password=given.application_password,
        ),
    )
    assert saved.secret is not None
    return AddedClient(
        **content_of(saved.client, saved.policy),
        client_secret=saved.secret,
        token_endpoint=caller.context.store.snapshot(now=caller.context.clock()).issuer + TOKEN_PATH,
        warnings=saved.warnings,
    )


def _edit(caller: Caller, given: ClientEdit) -> EditedClient:
    draft = control.Draft(
        name=given.name,
        grant_types=given.grant_types,
        client_type=given.client_type,
        access_mode=given.access_mode,
        user=given.client_credentials_user,
        allow=given.rest_route_allowlist,
        disallow=given.disallow,
        allows_embed=given.embed,
        token_lifetime_seconds=given.token_lifetime_seconds,
        application_password=given.application_password,
    )
    if draft == control.Draft():
        raise InputError.of("clients edit", "Nothing to change was given.", "See `app-connect clients edit --help`.")
    saved = control.edit_client(caller.context, given.client, draft)
    return EditedClient(**content_of(saved.client, saved.policy), warnings=saved.warnings)


def _set_enabled(caller: Caller, given: ClientNamed, *, is_enabled: bool) -> ClientSwitched:
    client = control.set_enabled(caller.context, given.client, is_enabled=is_enabled)
    return ClientSwitched(client_id=client.id, name=client.name, enabled=client.is_enabled)


def _delete(caller: Caller, given: ClientNamed) -> ClientDeleted:
    client, warnings = control.delete_client(caller.context, given.client)
    return ClientDeleted(client_id=client.id, name=client.name, deleted=True, warnings=tuple(warnings))


def _rotate(caller: Caller, given: SecretRotation) -> SecretRotated:
    client, secret = control.rotate_secret(caller.context, given.client, overlap_seconds=given.overlap_seconds)
    return SecretRotated(client_id=client.id, client_secret=secret, old_secret_expires_in=given.overlap_seconds)


def _revoke_tokens(caller: Caller, given: ClientNamed) -> TokensRevoked:
    client = control.revoke_tokens(caller.context, given.client)
    assert client.tokens_revoked_at is not None
    return TokensRevoked(client_id=client.id, name=client.name, tokens_revoked_at=client.tokens_revoked_at)


# -- the table --------------------------------------------------------------------------------------------------------

LIST: Final = Operation(
    name="clients.list",
    method="GET",
    path="/clients",
    scope=AdminScope.CLIENTS_READ,
    summary="List the clients.",
    takes=ClientsWanted,
    gives=Page[ClientContent],
    run=_list,
)
SHOW: Final = Operation(
    name="clients.show",
    method="GET",
    path="/clients/{client}",
    scope=AdminScope.CLIENTS_READ,
    summary="Show one client.",
    takes=ClientNamed,
    gives=ClientContent,
    run=_show,
)
ADD: Final = Operation(
    name="clients.add",
    method="POST",
    path="/clients",
    scope=AdminScope.CLIENTS_WRITE,
    summary="Add a client. Its secret is in this answer and never again.",
    takes=NewClient,
    gives=AddedClient,
    run=_add,
    status=201,
)
EDIT: Final = Operation(
    name="clients.edit",
    method="PATCH",
    path="/clients/{client}",
    scope=AdminScope.CLIENTS_WRITE,
    summary="Change a client. What narrows it counts within a second; what widens it needs a new token.",
    takes=ClientEdit,
    gives=EditedClient,
    run=_edit,
)
DISABLE: Final = Operation(
    name="clients.disable",
    method="POST",
    path="/clients/{client}/disable",
    scope=AdminScope.CLIENTS_WRITE,
    summary="Disable a client: it gets no tokens, and those it has stop working within a second.",
    takes=ClientNamed,
    gives=ClientSwitched,
    run=lambda caller, given: _set_enabled(caller, given, is_enabled=False),
)
ENABLE: Final = Operation(
    name="clients.enable",
    method="POST",
    path="/clients/{client}/enable",
    scope=AdminScope.CLIENTS_WRITE,
    summary="Enable a client again.",
    takes=ClientNamed,
    gives=ClientSwitched,
    run=lambda caller, given: _set_enabled(caller, given, is_enabled=True),
)
DELETE: Final = Operation(
    name="clients.delete",
    method="DELETE",
    path="/clients/{client}",
    scope=AdminScope.CLIENTS_WRITE,
    summary="Delete a client for good, with its application password in WordPress.",
    takes=ClientNamed,
    gives=ClientDeleted,
    run=_delete,
)
ROTATE_SECRET: Final = Operation(
    name="clients.rotate-secret",
    method="POST",
    path="/clients/{client}/rotate-secret",
    scope=AdminScope.CLIENTS_WRITE,
    summary="Make a new secret, shown once; the old one stays valid for the overlap.",
    takes=SecretRotation,
    gives=SecretRotated,
    run=_rotate,
)
REVOKE_TOKENS: Final = Operation(
    name="clients.revoke-tokens",
    method="POST",
    path="/clients/{client}/revoke-tokens",
    scope=AdminScope.CLIENTS_WRITE,
    summary="Void every access token that was issued to a client until now. It can get new ones.",
    takes=ClientNamed,
    gives=TokensRevoked,
    run=_revoke_tokens,
)

CLIENTS: Final[tuple[AnyOperation, ...]] = (
    LIST,
    SHOW,
    ADD,
    EDIT,
    DISABLE,
    ENABLE,
    DELETE,
    ROTATE_SECRET,
    REVOKE_TOKENS,
)
