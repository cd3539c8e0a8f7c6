"""The database behind the store: opening it, and its errors in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

BUSY_TIMEOUT_MS = 10_000


class StoreUnavailableError(Exception):
    """The database cannot be opened, is busy, or is not ours."""


def open_engine(database: Path) -> Engine:
    """An engine for an SQLite file that exists: durable commits, real transactions for reads too.

    A connection for each use: a file that was put in the old one's place is seen, as by any other program.
    """
    url = URL.create("sqlite", database=f"file:{quote(str(database))}", query={"mode": "rw", "uri": "true"})
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
        poolclass=NullPool,
        hide_parameters=True,  # an error that is logged must not have what was to be stored
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def database_file(engine: Engine) -> Path:
    """The file behind an engine."""
    return Path(unquote((engine.url.database or "").removeprefix("file:")))


def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # else the driver begins transactions of its own, and none for reads
    cursor = connection.cursor()
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


@contextmanager
def explained() -> Iterator[None]:
    """Turn the database's errors into `StoreUnavailableError`."""
    try:
        yield
    except OperationalError as error:
        raise StoreUnavailableError(f"The database cannot be used: {error.orig}.") from error
    except DatabaseError as error:
        raise StoreUnavailableError(f"The database file is damaged or is none of ours: {error.orig}.") from error
