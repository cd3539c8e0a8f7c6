"""gunicorn as the WSGI peers use it: one worker, with threads so that it keeps connections alive."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bench.deployment import CLIENT_ID, CLIENT_SECRET
from bench.processes import pinned
from bench.serving import answers, served
from demo.wordpress.servers import free_port

THREADS: Final = 4
"""Between 1 and 16 they are equally fast; the worker class without any closes each connection, and is slower."""


@contextmanager
def gunicorn(application: Path, factory: str, *arguments: str, folder: Path) -> Iterator[tuple[str, int]]:
    """Serve what a function in the file makes of the client's ID, its secret and `arguments`; gives address and PID."""
    url = f"http://127.0.0.1:{free_port()}"
    call = f"{application.stem}:{factory}{(CLIENT_ID, CLIENT_SECRET, *arguments)!r}"
    command = pinned(
        Path(sys.executable).with_name("gunicorn"),
        *("--chdir", application.parent, "--bind", url.removeprefix("http://")),
        *("--worker-class", "gthread", "--workers", "1", "--threads", str(THREADS)),
        *("--keep-alive", "600", "--no-control-socket", call),
    )
    with served(command, folder / "gunicorn.log", is_ready=lambda: answers(url)) as pid:
        yield url, pid


def versions(*packages: str) -> str:
    """Of the server and of these packages."""
    return ", ".join(f"{name} {version(name)}" for name in (*packages, "gunicorn"))
