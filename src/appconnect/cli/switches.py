"""`app-connect settings`: the guide's Settings page."""

from typing import Annotated

import typer

from appconnect.cli import opening, output
from appconnect.control import switches as control
from appconnect.control.context import InputError
from appconnect.core.clients import GrantType
from appconnect.core.snapshot import SiteSwitches

app = typer.Typer(no_args_is_help=True, help="Settings: the API switch, Grant Types, the token lifetime.")
api = typer.Typer(no_args_is_help=True, help="The API switch: off, every token and every call is refused.")
grant_types = typer.Typer(no_args_is_help=True, help="Grant Types that clients may use.")
app.add_typer(api, name="api")
app.add_typer(grant_types, name="grant-types")

GrantTypeArgument = Annotated[str, typer.Argument(metavar="GRANT_TYPE", help="client-credentials")]


@app.command()
def show(*, as_json: output.JsonOption = False) -> None:
    """Show the site's settings."""
    _show(control.current_switches(opening.open_context()), as_json=as_json)


@app.command(name="token-lifetime")
def token_lifetime(
    seconds: Annotated[int, typer.Argument(help="60 to 86400 seconds; clients may have their own.")],
    *,
    as_json: output.JsonOption = False,
) -> None:
    """Change how long new access tokens live."""
    _show(control.set_token_lifetime(opening.open_context(), seconds), as_json=as_json)


@api.command("enable")
def api_enable(*, as_json: output.JsonOption = False) -> None:
    """Switch the API on."""
    _show(control.set_api(opening.open_context(), is_enabled=True), as_json=as_json)


@api.command("disable")
def api_disable(*, as_json: output.JsonOption = False) -> None:
    """Switch the API off: every client stops within a second."""
    _show(control.set_api(opening.open_context(), is_enabled=False), as_json=as_json)


@grant_types.command("enable")
def grant_type_enable(grant_type: GrantTypeArgument, *, as_json: output.JsonOption = False) -> None:
    """Enable a grant type, so that clients that have it can get tokens."""
    chosen = _grant_type(grant_type)
    _show(control.set_grant_type(opening.open_context(), chosen, is_enabled=True), as_json=as_json)


@grant_types.command("disable")
def grant_type_disable(grant_type: GrantTypeArgument, *, as_json: output.JsonOption = False) -> None:
    """Disable a grant type: tokens issued by it stop working within a second."""
    chosen = _grant_type(grant_type)
    _show(control.set_grant_type(opening.open_context(), chosen, is_enabled=False), as_json=as_json)


def _grant_type(text: str) -> GrantType:
    try:
        return GrantType.parse(text)
    except ValueError as error:
        raise InputError.of(
            "GRANT_TYPE", f"{text!r} is not a grant type.", f"Choose: {', '.join(GrantType)}."
        ) from error


def _show(switches: SiteSwitches, *, as_json: bool) -> None:
    if as_json:
        output.show_json(
            {
                "api_enabled": switches.is_api_enabled,
                "grant_types": sorted(switches.grant_types),
                "token_lifetime_seconds": switches.token_lifetime_seconds,
            }
        )
        return
    enabled = ", ".join(grant_type.label for grant_type in sorted(switches.grant_types)) or "none enabled"
    output.show_pairs(
        (
            ("API", "enabled" if switches.is_api_enabled else "disabled"),
            ("Grant Types", enabled),
            ("Token Lifetime", output.duration(switches.token_lifetime_seconds)),
        )
    )
