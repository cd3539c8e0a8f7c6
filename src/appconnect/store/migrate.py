"""Bringing a database to the schema of this version (Alembic)."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from appconnect.store.engine import StoreUnavailableError, database_file, explained

MIGRATIONS: Final = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Make the database where there is none, or apply the migrations that it lacks.

    `StoreUnavailableError` where it belongs to another program or to a newer version.
    """
    try:
        database_file(engine).touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailableError(f"The database cannot be used: {error}.") from error
    known = sorted(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    with explained(), engine.begin() as connection:
        present = _version(connection)
        if present is not None and present not in known:
            raise StoreUnavailableError("The database was made by a newer version of App Connect. Upgrade App Connect.")
        if present != known[-1]:
            _upgrade(connection)
    _use_write_ahead_log(engine)


def _version(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if tables:
        raise StoreUnavailableError("The database file belongs to another program. Name another one.")
    return None


def _use_write_ahead_log(engine: Engine) -> None:
    """Readers and a writer do not wait for each other; SQLite remembers it in the file."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - half a second that only a command that migrates should take
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
