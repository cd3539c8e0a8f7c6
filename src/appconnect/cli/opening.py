"""Opening what a command needs: settings, database, the control plane's context."""

import getpass
import time
from pathlib import Path

from appconnect.cli import output
from appconnect.control import passwords
from appconnect.control.context import Context, InputError
from appconnect.control_plane import control_context, open_store
from appconnect.ports import Store, UpstreamError
from appconnect.settings import RemoteGateway, Settings, load
from appconnect.store import feed
from appconnect.store.engine import StoreUnavailableError, open_engine
from appconnect.store.migrate import migrate

named_settings_file: list[Path] = []
"""The file given by `--settings`, which stands before every command's name."""


chosen_gateway: list[RemoteGateway] = []
"""The gateway elsewhere that the command is for; empty: the one whose settings are here."""


_opened: list[tuple[Store, int]] = []
"""The store that this command opened, and its revision then."""


def must_be_here() -> None:
    """`InputError` where a command that works only here is to work elsewhere."""
    if chosen_gateway:
        raise InputError.of("--gateway", "This command works only at the gateway itself.", "Run it there, without it.")


def settings() -> Settings:
    """The settings in effect."""
    must_be_here()
    return load(named_settings_file[0] if named_settings_file else None)


def open_context(*, settles: bool = True) -> Context:
    """The control plane over an initialized database, after finishing or undoing what an earlier command left."""
    chosen = settings()
    if not chosen.database_path.exists():
        raise StoreUnavailableError(f"There is no database at {chosen.database_path}. Run `app-connect init`.")
    migrate(open_engine(chosen.database_path))
    store = open_store(chosen)
    _opened.append((store, store.revision()))
    context = control_context(chosen, store, actor=f"cli:{getpass.getuser()}")
    if settles and passwords.unfinished(context):
        _settle(context)
    return context


def wait_until_changes_count() -> None:
    """Return when the workers have had time to see what this command changed: what follows it may rely on it."""
    if any(store.revision() != revision for store, revision in _opened):
        time.sleep(2 * feed.INTERVAL_SECONDS)


def _settle(context: Context) -> None:
    with context.store.exclusively(wait_seconds=0) as is_alone:
        if not is_alone:
            return  # the command that holds it is at work on just that
        try:
            output.warn(passwords.settle(context, passwords.connection(context)))
        except (InputError, UpstreamError) as error:
            output.warn([str(error)])
