"""Authlib's authorization server on Flask: as fast as it can be, and as its documentation has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.measuring import Peer
from bench.peers.gunicorn import gunicorn, versions
from bench.running import Bench

PATH: Final = "/token"
_APPLICATION: Final = Path(__file__).with_name("application.py")


@contextmanager
def authlib_flask(bench: Bench) -> Iterator[Peer]:
    """With its client in memory, and tokens stored nowhere."""
    with gunicorn(_APPLICATION, "in_memory", folder=bench.new_folder("authlib")) as (url, pid):
        yield Peer("Authlib on Flask", url, (pid,), (), versions("authlib", "flask"))


@contextmanager
def authlib_flask_stored(bench: Bench) -> Iterator[Peer]:
    """With clients and tokens in SQLite by Authlib's own SQLAlchemy mixins."""
    folder = bench.new_folder("authlib")
    with gunicorn(_APPLICATION, "in_database", str(folder / "database"), folder=folder) as (url, pid):
        yield Peer("Authlib on Flask, SQLAlchemy", url, (pid,), (), versions("authlib", "flask", "sqlalchemy"))
