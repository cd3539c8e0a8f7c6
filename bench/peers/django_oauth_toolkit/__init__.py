"""django-oauth-toolkit: clients and opaque tokens in SQLite, its only way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.measuring import Peer
from bench.peers.gunicorn import gunicorn, versions
from bench.running import Bench

PATH: Final = "/token/"
_APPLICATION: Final = Path(__file__).with_name("application.py")


@contextmanager
def django_oauth_toolkit(bench: Bench) -> Iterator[Peer]:
    """Serve it with one client."""
    folder = bench.new_folder("django")
    with gunicorn(_APPLICATION, "with_one_client", str(folder / "database"), folder=folder) as (url, pid):
        yield Peer("django-oauth-toolkit", url, (pid,), (), versions("django-oauth-toolkit", "django"))
