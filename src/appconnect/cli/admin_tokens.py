"""`app-connect admin-tokens`: what programs show to the admin API."""

from typing import Annotated

import typer

from appconnect.cli import output
from appconnect.cli.performing import listed, perform
from appconnect.cli.reading import read_seconds
from appconnect.control.operations import admin_tokens as operations
from appconnect.control.operations.admin_tokens import CreatedToken, NewToken, TokenNamed
from appconnect.control.operations.operation import PageWanted, to_json
from appconnect.core.admin_tokens import AdminScope

app = typer.Typer(
    no_args_is_help=True, help="Administrator tokens: for programs that use the admin API, and for commands from afar."
)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is for, such as 'Deployment'.")],
    *,
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"What it may do. May be repeated. Scopes are: {', '.join(AdminScope)}."),
    ] = None,
    lifetime: Annotated[
        str, typer.Option(help="How long it counts: a number with s, m, h or d, from 1 hour to 366 days.")
    ] = "90d",
    as_json: output.JsonOption = False,
) -> None:
    """Create an administrator token, shown once."""
    seconds = read_seconds(lifetime, "--lifetime")
    created = perform(operations.CREATE, NewToken(name=name, scopes=tuple(scope or ()), lifetime_seconds=seconds))
    if as_json:
        output.show_json(to_json(created))
    else:
        _show(created)


@app.command("list")
def list_(*, as_json: output.JsonOption = False) -> None:
    """List the administrator tokens that count, without the tokens themselves."""
    found = listed(operations.LIST, PageWanted())
    if as_json:
        output.show_json(to_json(found))
    elif not found:
        output.say("No administrator tokens. A program needs one for the admin API, and so does a command from afar.")
        output.say("Create the first: app-connect admin-tokens create Deployment --scope clients:read")
    else:
        rows = (
            (one.name, " ".join(one.scopes), one.created_by, output.when(one.expires_at), output.when(one.used_at))
            for one in found
        )
        output.show_table(("Name", "Scopes", "Made by", "Ends", "Last used"), rows)


@app.command("revoke")
def revoke(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="The token's name or ID.")],
    *,
    as_json: output.JsonOption = False,
) -> None:
    """Revoke an administrator token, and every token that was made by it."""
    revoked = perform(operations.REVOKE, TokenNamed(token=token))
    if as_json:
        output.show_json(to_json(revoked))
    else:
        output.say(f"Revoked: {', '.join(revoked.revoked)}.")


def _show(created: CreatedToken) -> None:
    output.show_pairs(
        (
            ("Name", created.name),
            ("Scopes", " ".join(created.scopes)),
            ("Ends", output.when(created.expires_at)),
            ("Token", created.admin_token.reveal()),
        )
    )
    output.say("The token is shown only now. Store it where only your program reads it.", style="bold")
