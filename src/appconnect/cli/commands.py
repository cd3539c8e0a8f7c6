"""The command line as a whole: its groups, its one global option, and how errors end it."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from appconnect.cli import activity, admin_tokens, clients, explain, keys, output, serving, sessions, site, switches
from appconnect.cli.opening import chosen_gateway, named_settings_file, wait_until_changes_count
from appconnect.control.context import InputError
from appconnect.ports import UpstreamError
from appconnect.settings import SettingsError, remote_gateway
from appconnect.store.engine import StoreUnavailableError
from appconnect.store.vault import WrongKeyError

app = typer.Typer(
    name="app-connect",
    help="Connect backend services to a WordPress site: OAuth 2.0 client credentials, a route allowlist, no plugin.",
    no_args_is_help=True,
    result_callback=lambda *_, **__: wait_until_changes_count(),
    pretty_exceptions_enable=False,  # they print local variables, secrets among them
    context_settings={"help_option_names": ["-h", "--help"]},
)
site.register(app)
serving.register(app)
app.add_typer(switches.app, name="settings")
app.add_typer(clients.app, name="clients")
explain.register(app)
app.add_typer(activity.app, name="activity")
app.add_typer(keys.app, name="keys")
app.add_typer(sessions.app, name="sessions")
app.add_typer(admin_tokens.app, name="admin-tokens")


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"app-connect {version('app-connect')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def options(
    settings: Annotated[
        Path | None,
        typer.Option(help="The settings file. Default: $APP_CONNECT_SETTINGS, or app-connect.toml in this folder."),
    ] = None,
    gateway: Annotated[
        str | None,
        typer.Option(help="A gateway elsewhere, by its address: https://… Default: $APP_CONNECT_GATEWAY, or none."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="A file with an administrator token for it. "
            "Default: $APP_CONNECT_TOKEN_FILE, or the token itself in $APP_CONNECT_TOKEN."
        ),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="A PEM file with the certificate authority of its certificate, if private.")
    ] = None,
    show_version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Global options."""
    named_settings_file[:] = [settings] if settings is not None else []
    elsewhere = remote_gateway(gateway, token_file, ca_file)
    chosen_gateway[:] = [elsewhere] if elsewhere is not None else []


_UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # Typer's own copy of it has no public name


def _run_for_scripts() -> None:
    """As `app()`, but wrong usage too ends with one JSON value on standard error."""
    try:
        status = app(standalone_mode=False)
    except _UsageError as error:
        message = str(getattr(error, "format_message", error.__str__)())  # which names the option or argument
        output.show_error(InputError.of("command line", message, "See --help."))
        sys.exit(2)
    except typer.Abort:
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def run() -> None:
    """Run a command. Exit status: 0 done, 1 not done, 2 wrong settings or usage, 130 interrupted."""
    try:
        _run_for_scripts() if "--json" in sys.argv else app()
    except SettingsError as error:
        output.show_error(error)
        sys.exit(2)
    except (InputError, UpstreamError, StoreUnavailableError, WrongKeyError, OSError) as error:
        output.show_error(error)
        sys.exit(1)
