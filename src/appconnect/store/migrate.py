"""Bringing a database to the schema of this version (Alembic)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from appconnect.store.sql_store import StoreUnavailableError


def migrate(engine: Engine) -> None:
    """Apply the migrations that are missing; `StoreUnavailableError` where the database is a newer version's."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    with engine.begin() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
        if present is None and inspect(connection).get_table_names():
            raise StoreUnavailableError("The database file belongs to another program. Name another one.")
        if present not in {None, *(script.revision for script in scripts.walk_revisions())}:
            raise StoreUnavailableError("The database was made by a newer version of App Connect. Upgrade App Connect.")
        if present != scripts.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
