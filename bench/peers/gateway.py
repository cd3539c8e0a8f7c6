"""App Connect itself: one worker, everything on, its log in a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bench.deployment import COMMAND, Deployment
from bench.measuring import Peer
from bench.processes import pinned
from bench.running import Bench
from bench.serving import answers, served

NAME: Final = "App Connect"


@contextmanager
def gateway(bench: Bench) -> Iterator[Peer]:
    """Serve the bench's gateway before the stand-in."""
    deployment = bench.deployment
    with serving(deployment) as pid:
        yield gateway_peer(deployment, pid, deployment.token)


@contextmanager
def serving(deployment: Deployment, *, is_pinned: bool = True) -> Iterator[int]:
    """`app-connect serve`; gives its process ID once it answers."""
    command: list[str | Path] = [COMMAND, "serve"]
    log = deployment.folder / "serve.log"
    is_ready = lambda: answers(f"{deployment.url}/app-connect/healthz")  # noqa: E731
    started = pinned(*command) if is_pinned else [str(part) for part in command]
    with served(started, log, is_ready=is_ready, folder=deployment.folder) as pid:
        yield pid


def gateway_peer(deployment: Deployment, pid: int, token: str) -> Peer:
    """The served gateway as a peer, with a client's token."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("app-connect", "uvicorn", "uvloop", "httptools"))
    return Peer(NAME, deployment.url, (pid,), (f"Authorization: Bearer {token}",), packages)
