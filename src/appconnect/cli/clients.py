"""`app-connect clients`: the guide's Clients page."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from appconnect.cli import opening, output
from appconnect.control import clients as control
from appconnect.control.context import Context, InputError
from appconnect.core.clients import Client
from appconnect.core.policy import Policy
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
    draft = control.Draft(
        name=name or "",
        grant_types=grant_types,
        client_type=type_,
        access_mode=access_mode,
        user=user,
        allow=_rules(allow, allow_file),
        allows_embed=embed,
        token_lifetime_seconds=token_lifetime,
        application_password=read_secret(application_password_file, "--application-password-file"),
    )
    saved = control.add_client(opening.open_context(), draft)
    assert saved.secret is not None
    output.warn(saved.warnings)
    if as_json:
        secret = saved.secret.reveal()
        output.show_json({**_content(saved.client, saved.policy), "client_secret": secret, "warnings": saved.warnings})
        return
    _show(saved.client, saved.policy)
    _show_secret(saved.client, saved.secret)
    _show_token_command(saved.client, saved.secret)


@app.command("list")
def list_(*, as_json: output.JsonOption = False) -> None:
    """List all clients."""
    context = opening.open_context()
    snapshot = context.store.snapshot(now=context.clock())
    listed = [(client, snapshot.current_policy(client)) for client in snapshot.clients.values()]
    if as_json:
        output.show_json([_content(client, policy) for client, policy in listed])
    elif not listed:
        output.say("No clients yet. A client is a backend service with an ID and a secret of its own.")
        output.say(
            "Add the first: app-connect clients add --name 'Backend Service' --user LOGIN --allow 'GET /wp-json/…'"
        )
    else:
        rows = (
            (
                client.id,
                client.name,
                "enabled" if client.is_enabled else "disabled",
                policy.service_user.login,
                policy.access_mode.value,
                str(len(policy.rules)),
            )
            for client, policy in listed
        )
        output.show_table(("Client ID", "Name", "State", "User", "Access Mode", "Rules"), rows)


@app.command("show")
def show(client: ClientArgument, *, as_json: output.JsonOption = False) -> None:
    """Show one client."""
    found, policy = control.find_client(opening.open_context(), client)
    if as_json:
        output.show_json(_content(found, policy))
    else:
        _show(found, policy)


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
    draft = control.Draft(
        name=name,
        grant_types=grant_types,
        client_type=type_,
        access_mode=access_mode,
        user=user,
        allow=_rules(allow, allow_file),
        disallow=disallow or (),
        allows_embed=embed,
        token_lifetime_seconds=token_lifetime,
        application_password=read_secret(application_password_file, "--application-password-file"),
    )
    if draft == control.Draft():
        raise InputError.of("clients edit", "Nothing to change was given.", "See `app-connect clients edit --help`.")
    saved = control.edit_client(opening.open_context(), client, draft)
    output.warn(saved.warnings)
    if as_json:
        output.show_json({**_content(saved.client, saved.policy), "warnings": saved.warnings})
    else:
        _show(saved.client, saved.policy)


@app.command("disable")
def disable(client: ClientArgument, *, as_json: output.JsonOption = False) -> None:
    """Disable a client: it gets no tokens, and those it has stop working within a second."""
    _set_enabled(client, is_enabled=False, as_json=as_json)


@app.command("enable")
def enable(client: ClientArgument, *, as_json: output.JsonOption = False) -> None:
    """Enable a client again."""
    _set_enabled(client, is_enabled=True, as_json=as_json)


@app.command("delete")
def delete(
    client: ClientArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: output.JsonOption = False,
) -> None:
    """Delete a client for good, with its application password in WordPress."""
    context = opening.open_context()
    found, policy = control.find_client(context, client)
    if not yes:
        question = f"Delete {found.name} ({found.id}), which acts as {policy.service_user.login}? It cannot be undone."
        typer.confirm(question, abort=True, err=True)
    deleted, warnings = control.delete_client(context, found.id)
    output.warn(warnings)
    if as_json:
        output.show_json({"client_id": deleted.id, "deleted": True, "warnings": warnings})
    else:
        output.say(f"Deleted {deleted.name} ({deleted.id}). Its tokens stop working within a second.")


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
    seconds = _seconds(overlap)
    found, secret = control.rotate_secret(opening.open_context(), client, overlap_seconds=seconds)
    if as_json:
        content = {"client_id": found.id, "client_secret": secret.reveal(), "old_secret_expires_in": seconds}
        output.show_json(content)
        return
    _show_secret(found, secret)
    if seconds:
        output.say(f"The old secret stays valid for {output.duration(seconds)}.")
    else:
        output.say("The old secret and every token that was issued with it are no longer valid.")


@app.command("revoke-tokens")
def revoke_tokens(client: ClientArgument, *, as_json: output.JsonOption = False) -> None:
    """Void every token that was issued to a client until now, within a second. It can get new ones."""
    revoked = control.revoke_tokens(opening.open_context(), client)
    if as_json:
        output.show_json({"client_id": revoked.id, "tokens_revoked_at": revoked.tokens_revoked_at})
    else:
        output.say(f"Every token of {revoked.name} ({revoked.id}) is void.")


# -- reading and showing ----------------------------------------------------------------------------------------------


def read_secret(file: Path | None, option: str) -> Secret | None:
    """A secret from a file, or from standard input for `-`; without the newline at its end."""
    if file is None:
        return None
    try:
        text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.of(
            option, f"{file} cannot be read: {error}.", "Name a text file with the password."
        ) from error
    if not text.strip():
        raise InputError.of(option, f"{file} is empty.", "Name a text file with the password.")
    return Secret(text.strip())


def _rules(allow: list[str] | None, file: Path | None) -> tuple[str, ...]:
    texts = list(allow or ())
    if file is not None:
        try:
            lines = file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError.of("--allow-file", f"{file} cannot be read: {error}.", "Name a text file.") from error
        stripped = (line.partition("#")[0].strip() for line in lines)
        texts += [line for line in stripped if line]
    return tuple(texts)


_DURATION = re.compile(r"(\d{1,9})([smhd]?)")
_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def _seconds(text: str) -> int:
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        raise InputError.of("--overlap", f"{text!r} is not a duration.", "Write 0, or a number with s, m, h or d: 24h.")
    return int(found[1]) * _UNIT_SECONDS[found[2]]


def _set_enabled(wanted: str, *, is_enabled: bool, as_json: bool) -> None:
    context: Context = opening.open_context()
    client = control.set_enabled(context, wanted, is_enabled=is_enabled)
    if as_json:
        output.show_json({"client_id": client.id, "enabled": client.is_enabled})
    else:
        output.say(f"{client.name} ({client.id}) is {'enabled' if client.is_enabled else 'disabled'}.")


def _content(client: Client, policy: Policy) -> dict[str, Any]:
    return {
        "client_id": client.id,
        "name": client.name,
        "enabled": client.is_enabled,
        "grant_types": sorted(client.grant_types),
        "client_type": client.client_type.value,
        "access_mode": policy.access_mode.value,
        "client_credentials_user": policy.service_user.login,
        "rest_route_allowlist": [str(rule) for rule in policy.rules],
        "embed": policy.allows_embed,
        "token_lifetime_seconds": client.token_lifetime_seconds,
        "created_at": client.created_at,
        "secrets": [{"created_at": one.created_at, "expires_at": one.expires_at} for one in client.secrets],
    }


def _show(client: Client, policy: Policy) -> None:
    user, lifetime = policy.service_user, client.token_lifetime_seconds
    rules = [str(rule) for rule in policy.rules] or ["(none: every request is denied)"]
    output.show_pairs(
        (
            ("Name", client.name),
            ("Client ID", client.id),
            ("State", "enabled" if client.is_enabled else "disabled"),
            ("Grant Types", ", ".join(one.label for one in sorted(client.grant_types)) or "none"),
            ("Client Type", client.client_type.value.capitalize()),
            ("Access Mode", policy.access_mode.value),
            ("Client Credentials User", f"{user.login} ({', '.join(sorted(user.roles)) or 'no role'}, ID {user.id})"),
            *(("REST Route Allowlist" if at == 0 else "", rule) for at, rule in enumerate(rules)),
            ("Embed", "allowed" if policy.allows_embed else "not allowed"),
            ("Token Lifetime", output.duration(lifetime) if lifetime else "the site's"),
            *((("Secret", _describe_secret(one.created_at, one.expires_at))) for one in client.secrets),
        )
    )


def _describe_secret(created_at: int, expires_at: int | None) -> str:
    ending = f", valid until {output.when(expires_at)}" if expires_at is not None else ""
    return f"made {output.when(created_at)}{ending}"


def _show_secret(client: Client, secret: Secret) -> None:
    output.say()
    output.show_pairs((("Client ID", client.id), ("Client Secret", secret.reveal())))
    output.say("The secret is shown only now. Store it where your backend service reads its secrets.", style="bold")


def _show_token_command(client: Client, secret: Secret) -> None:
    output.say()
    output.say("Request an access token:")
    output.say(f'  curl -X POST "{opening.settings().public_url}/wp-json/app-connect/v1/token" \\')
    output.say('    -H "Content-Type: application/x-www-form-urlencoded" \\')
    output.say(f'    -u "{client.id}:{secret.reveal()}" \\')
    output.say('    --data-urlencode "grant_type=client_credentials"')
