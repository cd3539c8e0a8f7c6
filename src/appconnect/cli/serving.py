"""`app-connect serve`: one port for gateway, token endpoint and health."""

import os
import pickle
import sys
from dataclasses import replace
from typing import Annotated, NoReturn

import typer

from appconnect.cli import opening, output
from appconnect.control.sessions import first_link
from appconnect.settings import Settings
from appconnect.site.tls import tls_context


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on. Default: the setting `host`.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port to listen on. Default: the setting `port`.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="How many worker processes. Default: the setting `workers`.")
    ] = None,
    *,
    as_json: output.JsonOption = False,
) -> None:
    """Serve the gateway, the token endpoint and health checks until stopped."""
    context = opening.open_context(settles=False)
    context.store.snapshot(now=context.clock())  # a wrong encryption key is said here, and not by each worker
    settings = opening.settings()
    tls_context(settings.upstream_ca_file)
    chosen = replace(
        settings,
        host=host or settings.host,
        port=port or settings.port,
        workers=workers or settings.workers,
    )
    _become_the_server(chosen, first_link(context), as_json=as_json)


def _become_the_server(settings: Settings, console_link: str, *, as_json: bool) -> NoReturn:
    """The settings go through a pipe: the encryption key stands in no argument or environment."""
    reader, writer = os.pipe()
    os.write(writer, pickle.dumps((settings, console_link, as_json)))
    os.close(writer)
    os.set_inheritable(reader, True)
    os.execv(sys.executable, [sys.executable, "-P", "-m", "appconnect.server", str(reader)])  # noqa: S606 - ourselves


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)
