"""`app-connect clients`: the guide's Clients page."""

from pathlib import Path
from typing import Annotated

import typer

from appconnect.cli import output
from appconnect.cli.performing import listed, perform
from appconnect.cli.reading import read_rules, read_seconds, read_secret
from appconnect.control.durations import duration
from appconnect.control.operations import clients as operations
from appconnect.control.operations.client_values import (
    AddedClient,
    ClientContent,
    ClientEdit,
    ClientNamed,
    ClientsWanted,
    ClientSwitched,
    NewClient,
    SecretRotation,
)
from appconnect.control.operations.operation import to_json
from appconnect.core.clients import GrantType
from appconnect.core.secret import Secret

app = typer.Typer(no_args_is_help=True, help="Clients: the backend services that may call the site's REST API.")

ClientArgument = Annotated[str, typer.Argument(metavar="CLIENT", help="The client's ID or name.")]
Name = Annotated[str | None, typer.Option(help="Name: for people, such as 'Backend Service'.")]
GrantTypes = Annotated[
    list[str] | None, typer.Option("--grant-types", help="Grant Types: client-credentials. May be repeated.")
]
Type = Annotated[
    str | None, typer.Option("--type", help="Client Type: confidential, which Client Credentials require.")
]
Mode = Annotated[str | None, typer.Option("--access-mode", help="Access Mode: restricted (the default) or full.")]
User = Annotated[
    str | None, typer.Option(help="Client Credentials User: the WordPress user to act as, by login, e-mail or ID.")
]
Allow = Annotated[
    list[str] | None,
    typer.Option(help="REST Route Allowlist: add a rule such as 'GET /wp-json/wp/v2/posts'. May be repeated."),
]
AllowFile = Annotated[Path | None, typer.Option(help="Add the rules in a file, one a line; # begins a comment.")]
Embed = Annotated[
    bool | None, typer.Option("--embed/--no-embed", help="Whether _embed may be used, which reads other routes too.")
]
Lifetime = Annotated[
    int | None, typer.Option("--token-lifetime", help="Token lifetime in seconds, 60 to 86400; 0: the site's.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--application-password-file",
        help="A file with the user's application password, where we may not make one. - is standard input.",
    ),
]


@app.command("add")
def add(
    *,
    name: Name = None,
    grant_types: GrantTypes = None,
    type_: Type = None,
    access_mode: Mode = None,
    user: User = None,
    allow: Allow = None,
    allow_file: AllowFile = None,
    embed: Embed = None,
    token_lifetime: Lifetime = None,
    application_password_file: PasswordFile = None,
    as_json: output.JsonOption = False,
) -> None:
    """Add New Client. Its ID and secret are shown once, after saving."""
    wanted = NewClient(
        name=name or "",
        grant_types=_texts(grant_types),
        client_type=type_,
        access_mode=access_mode,
        client_credentials_user=user,
        rest_route_allowlist=read_rules(allow, allow_file),
        embed=embed,
        token_lifetime_seconds=token_lifetime,
        application_password=read_secret(application_password_file, "--application-password-file"),
    )
    added = perform(operations.ADD, wanted)
    output.warn(added.warnings)
    if as_json:
        output.show_json(to_json(added))
        return
    _show(added)
    _show_secret(added.client_id, added.client_secret)
    _show_token_command(added)


@app.command("list")
def list_(
    *,
    search: Annotated[str, typer.Option(help="Only those with this in their name, ID or user.")] = "",
    as_json: output.JsonOption = False,
) -> None:
    """List the clients."""
    found = listed(operations.LIST, ClientsWanted(text=search))
    if as_json:
        output.show_json(to_json(found))
    elif not found and search:
        output.say(f"No client has {search!r} in its name, ID or user.")
    elif not found:
        output.say("No clients yet. A client is a backend service with an ID and a secret of its own.")
        output.say(
            "Add the first: app-connect clients add --name 'Backend Service' --user LOGIN --allow 'GET /wp-json/…'"
        )
    else:
        rows = (
            (
                client.client_id,
                client.name,
                _state(client.enabled),
                client.client_credentials_user,
                client.access_mode,
                str(len(client.rest_route_allowlist)),
            )
            for client in found
        )
        output.show_table(("Client ID", "Name", "State", "User", "Access Mode", "Rules"), rows)


@app.command("show")
def show(client: ClientArgument, *, as_json: output.JsonOption = False) -> None:
    """Show one client."""
    found = perform(operations.SHOW, ClientNamed(client=client))
    if as_json:
        output.show_json(to_json(found))
    else:
        _show(found)


@app.command("edit")
def edit(
    client: ClientArgument,
    *,
    name: Name = None,
    grant_types: GrantTypes = None,
    type_: Type = None,
    access_mode: Mode = None,
    user: User = None,
    allow: Allow = None,
    allow_file: AllowFile = None,
    disallow: Annotated[
        list[str] | None, typer.Option(help="Remove a rule from the allowlist. May be repeated.")
    ] = None,
    embed: Embed = None,
    token_lifetime: Lifetime = None,
    application_password_file: PasswordFile = None,
    as_json: output.JsonOption = False,
) -> None:
    """Change a client. What narrows it counts within a second; what widens it needs a new token."""
    wanted = ClientEdit(
        client=client,
        name=name,
        grant_types=_texts(grant_types),
        client_type=type_,
        access_mode=access_mode,
        client_credentials_user=user,
        rest_route_allowlist=read_rules(allow, allow_file),
        disallow=tuple(disallow or ()),
        embed=embed,
        token_lifetime_seconds=token_lifetime,
        application_password=read_secret(application_password_file, "--application-password-file"),
    )
    edited = perform(operations.EDIT, wanted)
    output.warn(edited.warnings)
    if as_json:
        output.show_json(to_json(edited))
    else:
        _show(edited)


@app.command("disable")
def disable(client: ClientArgument, *, as_json: output.JsonOption = False) -> None:
    """Disable a client: it gets no tokens, and those it has stop working within a second."""
    _show_state(perform(operations.DISABLE, ClientNamed(client=client)), as_json=as_json)


@app.command("enable")
def enable(client: ClientArgument, *, as_json: output.JsonOption = False) -> None:
    """Enable a client again."""
    _show_state(perform(operations.ENABLE, ClientNamed(client=client)), as_json=as_json)


@app.command("delete")
def delete(
    client: ClientArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: output.JsonOption = False,
) -> None:
    """Delete a client for good, with its application password in WordPress."""
    found = perform(operations.SHOW, ClientNamed(client=client))
    if not yes:
        who = f"{found.name} ({found.client_id}), which acts as {found.client_credentials_user}"
        typer.confirm(f"Delete {who}? It cannot be undone.", abort=True, err=True)
    deleted = perform(operations.DELETE, ClientNamed(client=found.client_id))
    output.warn(deleted.warnings)
    if as_json:
        output.show_json(to_json(deleted))
    else:
        output.say(f"Deleted {deleted.name} ({deleted.client_id}). Its tokens stop working within a second.")


@app.command("rotate-secret")
def rotate_secret(
    client: ClientArgument,
    *,
    overlap: Annotated[
        str, typer.Option(help="How long the old secret stays valid: 0, or a number with s, m, h or d, such as 24h.")
    ] = "24h",
    as_json: output.JsonOption = False,
) -> None:
    """Make a new secret, shown once; the old one stays valid for the overlap. With 0, its tokens end too."""
    seconds = read_seconds(overlap, "--overlap")
    rotated = perform(operations.ROTATE_SECRET, SecretRotation(client=client, overlap_seconds=seconds))
    if as_json:
        output.show_json(to_json(rotated))
        return
    _show_secret(rotated.client_id, rotated.client_secret)
    if seconds:
        output.say(f"The old secret stays valid for {duration(seconds)}.")
    else:
        output.say("The old secret and every token that was issued with it are no longer valid.")


@app.command("revoke-tokens")
def revoke_tokens(client: ClientArgument, *, as_json: output.JsonOption = False) -> None:
    """Void every token that was issued to a client until now, within a second. It can get new ones."""
    revoked = perform(operations.REVOKE_TOKENS, ClientNamed(client=client))
    if as_json:
        output.show_json(to_json(revoked))
    else:
        output.say(f"Every token of {revoked.name} ({revoked.client_id}) is void.")


# -- showing ----------------------------------------------------------------------------------------------------------


def _texts(given: list[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)


def _state(is_enabled: bool) -> str:
    return "enabled" if is_enabled else "disabled"


def _show_state(client: ClientSwitched, *, as_json: bool) -> None:
    if as_json:
        output.show_json(to_json(client))
    else:
        output.say(f"{client.name} ({client.client_id}) is {_state(client.enabled)}.")


def _show(client: ClientContent) -> None:
    lifetime = client.token_lifetime_seconds
    roles = ", ".join(client.client_credentials_user_roles) or "no role"
    rules = client.rest_route_allowlist or ("(none: every request is denied)",)
    output.show_pairs(
        (
            ("Name", client.name),
            ("Client ID", client.client_id),
            ("State", _state(client.enabled)),
            ("Grant Types", ", ".join(GrantType(one).label for one in client.grant_types) or "none"),
            ("Client Type", client.client_type.capitalize()),
            ("Access Mode", client.access_mode),
            (
                "Client Credentials User",
                f"{client.client_credentials_user} ({roles}, ID {client.client_credentials_user_id})",
            ),
            *(("REST Route Allowlist" if at == 0 else "", rule) for at, rule in enumerate(rules)),
            ("Embed", "allowed" if client.embed else "not allowed"),
            ("Token Lifetime", duration(lifetime) if lifetime else "the site's"),
            *((("Secret", _describe_secret(one.created_at, one.expires_at))) for one in client.secrets),
        )
    )


def _describe_secret(created_at: int, expires_at: int | None) -> str:
    ending = f", valid until {output.when(expires_at)}" if expires_at is not None else ""
    return f"made {output.when(created_at)}{ending}"


def _show_secret(client_id: str, secret: Secret) -> None:
    output.say()
    output.show_pairs((("Client ID", client_id), ("Client Secret", secret.reveal())))
    output.say("The secret is shown only now. Store it where your backend service reads its secrets.", style="bold")


def _show_token_command(client: AddedClient) -> None:
    output.say()
    output.say("Request an access token:")
    output.say(f'  curl -X POST "{client.token_endpoint}" \\')
    output.say('    -H "Content-Type: application/x-www-form-urlencoded" \\')
    output.say(f'    -u "{client.client_id}:{client.client_secret.reveal()}" \\')
    output.say('    --data-urlencode "grant_type=client_credentials"')
