"""`app-connect settings`: the guide's Settings page."""

from typing import Annotated

import typer

from appconnect.cli import output
from appconnect.cli.performing import perform
from appconnect.control.durations import duration
from appconnect.control.operations import settings as operations
from appconnect.control.operations.operation import Nothing, to_json
from appconnect.control.operations.settings import GrantTypeSwitch, SettingsContent, Switch, TokenLifetime
from appconnect.core.clients import GrantType

app = typer.Typer(no_args_is_help=True, help="Settings: the API switch, Grant Types, the token lifetime.")
api = typer.Typer(no_args_is_help=True, help="The API switch: off, every token and every call is refused.")
grant_types = typer.Typer(no_args_is_help=True, help="Grant Types that clients may use.")
app.add_typer(api, name="api")
app.add_typer(grant_types, name="grant-types")

GrantTypeArgument = Annotated[str, typer.Argument(metavar="GRANT_TYPE", help="client-credentials")]


@app.command()
def show(*, as_json: output.JsonOption = False) -> None:
    """Show the site's settings."""
    _show(perform(operations.SHOW, Nothing()), as_json=as_json)


@app.command(name="token-lifetime")
def token_lifetime(
    seconds: Annotated[int, typer.Argument(help="60 to 86400 seconds; clients may have their own.")],
    *,
    as_json: output.JsonOption = False,
) -> None:
    """Change how long new access tokens live."""
    _show(perform(operations.SET_TOKEN_LIFETIME, TokenLifetime(token_lifetime_seconds=seconds)), as_json=as_json)


@api.command("enable")
def api_enable(*, as_json: output.JsonOption = False) -> None:
    """Switch the API on."""
    _show(perform(operations.SET_API, Switch(enabled=True)), as_json=as_json)


@api.command("disable")
def api_disable(*, as_json: output.JsonOption = False) -> None:
    """Switch the API off: every client stops within a second."""
    _show(perform(operations.SET_API, Switch(enabled=False)), as_json=as_json)


@grant_types.command("enable")
def grant_type_enable(grant_type: GrantTypeArgument, *, as_json: output.JsonOption = False) -> None:
    """Enable a grant type, so that clients that have it can get tokens."""
    chosen = GrantTypeSwitch(grant_type=grant_type, enabled=True)
    _show(perform(operations.SET_GRANT_TYPE, chosen), as_json=as_json)


@grant_types.command("disable")
def grant_type_disable(grant_type: GrantTypeArgument, *, as_json: output.JsonOption = False) -> None:
    """Disable a grant type: tokens issued by it stop working within a second."""
    chosen = GrantTypeSwitch(grant_type=grant_type, enabled=False)
    _show(perform(operations.SET_GRANT_TYPE, chosen), as_json=as_json)


def labels(grant_types: tuple[str, ...]) -> str:
    """The guide's labels of grant types."""
    return ", ".join(GrantType(one).label for one in grant_types) or "none enabled"


def _show(settings: SettingsContent, *, as_json: bool) -> None:
    if as_json:
        output.show_json(to_json(settings))
        return
    output.show_pairs(
        (
            ("API", "enabled" if settings.api_enabled else "disabled"),
            ("Grant Types", labels(settings.grant_types)),
            ("Token Lifetime", duration(settings.token_lifetime_seconds)),
        )
    )
