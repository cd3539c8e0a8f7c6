"""Opening what a command needs: settings, database, the control plane's context."""

import getpass
from pathlib import Path

from appconnect.app import control_context, open_store
from appconnect.cli import output
from appconnect.control import passwords
from appconnect.control.context import Context, InputError
from appconnect.ports import UpstreamError
from appconnect.settings import Settings, load
from appconnect.store.migrate import migrate
from appconnect.store.sql_store import StoreUnavailableError, open_engine

named_settings_file: list[Path] = []
"""The file given by `--settings`, which stands before every command's name."""


def settings() -> Settings:
    """The settings in effect."""
    return load(named_settings_file[0] if named_settings_file else None)


def open_context(*, settles: bool = True) -> Context:
    """The control plane over an initialized database, after finishing or undoing what an earlier command left."""
    chosen = settings()
    if not chosen.database_path.exists():
        raise StoreUnavailableError(f"There is no database at {chosen.database_path}. Run `app-connect init`.")
    migrate(open_engine(chosen.database_path))
    context = control_context(chosen, open_store(chosen), actor=f"cli:{getpass.getuser()}")
    if settles and passwords.unfinished(context):
        _settle(context)
    return context


def _settle(context: Context) -> None:
    with context.store.exclusively(wait_seconds=0) as is_alone:
        if not is_alone:
            return  # the command that holds it is at work on just that
        try:
            output.warn(passwords.settle(context, passwords.connection(context)))
        except (InputError, UpstreamError) as error:
            output.warn([str(error)])
