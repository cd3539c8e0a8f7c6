"""Commands that take a while: run them quietly, tell how far they are, and show their output only when they fail."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

Say = Callable[[str], None]
"""Where lines of progress for a person go; `print` will do."""

TICK_SECONDS = 2.0
SHOWN_ON_FAILURE_BYTES = 4000


class CommandFailed(RuntimeError):
    """A command ended with an error; the message has the command and the end of its output."""


def run_watched(
    command: Sequence[str], *, say: Say, progress: Callable[[float], str], folder: Path | None = None
) -> None:
    """Run `command` in `folder`; every two seconds say `progress(elapsed_seconds)`.

    Raises:
        CommandFailed: it ended with a status other than 0.

    """
    with tempfile.TemporaryFile() as output:
        with subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        ) as process:
            try:
                status = _wait(process, say, progress)
            except BaseException:
                process.terminate()
                raise
        if status != 0:
            output.seek(max(0, output.tell() - SHOWN_ON_FAILURE_BYTES))
            raise CommandFailed(f"{' '.join(command)} ended with {status}:\n{output.read().decode(errors='replace')}")


def _wait(process: subprocess.Popen[bytes], say: Say, progress: Callable[[float], str]) -> int:
    started = time.monotonic()
    while True:
        try:
            return process.wait(timeout=TICK_SECONDS)
        except subprocess.TimeoutExpired:
            say(progress(time.monotonic() - started))
