"""Starting a program, waiting until it answers, and stopping it with all that it started."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.measuring import NotMeasured
from demo.wordpress.site import tail

READY_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.01


@contextmanager
def served(
    command: Sequence[str], log: Path, *, is_ready: Callable[[], bool], folder: Path | None = None
) -> Iterator[int]:
    """Run a program in `folder` until the block ends; gives its process ID once it is ready.

    Raises:
        NotMeasured: It ended or did not become ready; the message has its log.

    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for us, and its workers go with it
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotMeasured(f"{' '.join(command)} did not start:\n{tail(log)}")
            time.sleep(_POLL_SECONDS)
        yield process.pid
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_STOP_SECONDS)


def answers(url: str) -> bool:
    """Whether there is an HTTP answer at an address, whatever it says."""
    parts = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)) as connection:
        try:
            connection.request("GET", parts.path or "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        return True


def listens_at(path: Path) -> bool:
    """Whether somebody listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return path.exists() and probe.connect_ex(str(path)) == 0


def said_by(*command: str | Path) -> str:
    """What a command prints on either stream, such as a version."""
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return ran.stdout.strip()
