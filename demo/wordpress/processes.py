"""The processes of one running site: started, waited for, and stopped with all that they started."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demo.wordpress.site import tail

READY_SECONDS = 30.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02


class ServerFailed(RuntimeError):
    """A server ended or did not answer in time; the message has its log."""


class PortTaken(RuntimeError):
    """Somebody else listens on the port that was to be ours."""


class Servers:
    """The processes of one running site and their logs."""

    def __init__(self, logs: Sequence[Path], running: ExitStack) -> None:
        self._logs = logs
        self._running = running
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, command: Sequence[str], log: Path, *, stop: signal.Signals = signal.SIGTERM) -> None:
        """Start a process that gets the signal `stop`, after those started later, when the stack is left."""
        self._children.append(self._running.enter_context(_child(command, log, stop)))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return when `condition` is true.

        Raises:
            ServerFailed: A process ended, or 30 s went by.
            PortTaken: A process ended because of the port.

        """
        deadline = time.monotonic() + READY_SECONDS
        while not condition():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._children[-1].wait(timeout=_POLL_SECONDS)
            if any(child.poll() is not None for child in self._children):
                raise PortTaken if "ddress already in use" in self._log() else ServerFailed(self._log())
            if time.monotonic() > deadline:
                raise ServerFailed(f"No answer in time.\n{self._log()}")

    def _log(self) -> str:
        return "\n".join(tail(log) for log in self._logs)


@contextmanager
def _child(command: Sequence[str], log: Path, stop: signal.Signals) -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a group of its own: a Ctrl-C meant for us does not reach it, and its workers go with it."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        for signal_number in (stop, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal_number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_STOP_SECONDS)
