"""The control plane, opened: settings → store and context. It alone holds a clock, and the chance that commands need.

A command needs this and no more of what serves requests.
"""

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appconnect.control.context import Context
from appconnect.settings import Settings
from appconnect.store.engine import open_engine
from appconnect.store.sql_store import SqlStore
from appconnect.store.vault import Vault

if TYPE_CHECKING:
    from appconnect.core.snapshot import SiteAddress
    from appconnect.site.wordpress import WordPressSite

PATIENCE_SECONDS: Final = 30.0


def clock() -> int:
    """Seconds since the epoch."""
    return int(time.time())


def open_store(settings: Settings) -> SqlStore:
    """The store of these settings; its schema is taken as it is (see `store.migrate`)."""
    path = settings.database_path
    return SqlStore(
        open_engine(path),
        Vault(settings.encryption_key_bytes),
        public_url=settings.public_url,
        lock_file=path.with_name(path.name + ".lock"),
    )


def control_context(
    settings: Settings, store: SqlStore, *, actor: str, read_timeout_seconds: float = PATIENCE_SECONDS
) -> Context:
    """What the control plane's actions are given; `read_timeout_seconds` is how long WordPress may be silent."""
    from appconnect.site.index import discover  # noqa: PLC0415 - a worker needs it only when it checks a credential

    return Context(
        store=store,
        discover_site=partial(discover, ca_file=settings.upstream_ca_file),
        site_at=partial(_site_at, ca_file=settings.upstream_ca_file, read_timeout_seconds=read_timeout_seconds),
        clock=clock,
        entropy=os.urandom,
        actor=actor,
    )


def _site_at(address: "SiteAddress", *, ca_file: Path | None, read_timeout_seconds: float) -> "WordPressSite":
    from appconnect.site.wordpress import WordPressSite  # noqa: PLC0415

    return WordPressSite(address, ca_file, read_timeout_seconds=read_timeout_seconds)
