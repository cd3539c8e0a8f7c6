"""A MariaDB server for one site: its own data folder, a socket and no port, and no patience for a safe disk."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demo.wordpress.debian import program
from demo.wordpress.processes import Servers
from demo.wordpress.watched import run_watched

_OPTIONS = (
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",  # what a power cut destroys is made anew in seconds
    "--innodb-doublewrite=0",
    "--innodb-use-native-aio=0",
    "--aria-log-file-size=8M",
    "--max-connections=32",
)

_FIRST_STATEMENTS = """
CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4;
CREATE DATABASE IF NOT EXISTS kept CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS wordpress@localhost;
GRANT ALL ON wordpress.* TO wordpress@localhost;
GRANT ALL ON kept.* TO wordpress@localhost;
"""
# No password: who may enter the folder of the socket may read wp-config.php too. And no right to the files of the host.


def create_data(data: Path) -> None:
    """Make an empty data folder, in about two seconds.

    Raises:
        PackagesMissing: MariaDB is not installed.
        CommandFailed: its installer failed.

    """
    command = [program("mariadb-install-db"), *_options(data), "--skip-test-db", "--skip-name-resolve"]
    run_watched(command, say=print, progress=lambda seconds: f"  mariadb-install-db: {seconds:.0f} s so far")


@contextmanager
def mariadb(data: Path, socket: Path) -> Iterator[None]:
    """Run a server with the databases `wordpress` and `kept` until the block ends; then `data` is complete on disk.

    Args:
        data: What `create_data` made, or a copy of that.
        socket: At most 107 bytes long; beside it goes the log, `mariadb.log`.

    Raises:
        ServerFailed: It ended or was not ready in time.

    """
    log, statements = socket.with_name("mariadb.log"), socket.with_name("mariadb.sql")
    statements.write_text(_FIRST_STATEMENTS)
    command = [
        program("mariadbd"),
        *_options(data),
        "--skip-networking",
        f"--socket={socket}",
        f"--pid-file={socket.with_suffix('.pid')}",
        f"--init-file={statements}",
    ]
    with ExitStack() as running:
        servers = Servers([log], running)
        servers.start(command, log)
        servers.wait_for(socket.exists)
        yield


def _options(data: Path) -> tuple[str, ...]:
    """`--no-defaults` comes first: nothing of the system's own MariaDB is read, and so nothing of it is touched."""
    as_root = ("--user=root",) if os.geteuid() == 0 else ()
    return ("--no-defaults", *as_root, f"--datadir={data}", f"--tmpdir={data.parent}", *_OPTIONS)
