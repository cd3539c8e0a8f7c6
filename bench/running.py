"""What a question is asked with: how long to measure, the peers, and the stand-in for WordPress that they share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench.deployment import Deployment, deploy
from bench.measuring import Load, Peer, interleaved, load
from bench.peers.upstream import Upstream, upstream
from demo.wordpress.watched import Say


@dataclass
class Bench:
    """One run of the bench; what is started once for all questions ends with `running`."""

    folder: Path
    running: ExitStack
    rounds: int
    seconds: float
    say: Say
    versions: dict[str, str] = field(default_factory=dict)

    @cached_property
    def upstream(self) -> Upstream:
        """The nginx that stands for a very fast WordPress."""
        return self.running.enter_context(upstream(self.new_folder("upstream")))

    @cached_property
    def deployment(self) -> Deployment:
        """A gateway's folder, connected to the stand-in, with one client; every peer decides by its rules."""
        return deploy(self.new_folder("gateway"), self.upstream.url)

    def new_folder(self, name: str) -> Path:
        """An empty folder."""
        number = len(list(self.folder.glob(f"{name}*")))
        folder = self.folder / f"{name}-{number}"
        folder.mkdir()
        return folder

    @contextmanager
    def peers(self, *starts: "Callable[[Bench], AbstractContextManager[Peer]]") -> Iterator[list[Peer]]:
        """Start peers, and stop them when the block ends."""
        with ExitStack() as running:
            started = [running.enter_context(start(self)) for start in starts]
            self.versions |= {peer.name: peer.version for peer in started if peer.version}
            yield started

    def compare(
        self,
        peers: Sequence[Peer],
        path: str,
        *,
        connections: int,
        method: str = "GET",
        body: bytes | None = None,
        content_type: str | None = None,
        expected: int = 200,
    ) -> dict[str, list[Load]]:
        """Load the peers in turn, for all rounds."""

        def run(peer: Peer, seconds: float) -> Load:
            return load(
                peer,
                path,
                connections=connections,
                seconds=seconds,
                method=method,
                body=body,
                content_type=content_type,
                expected=expected,
            )

        return interleaved(
            peers, lambda peer: run(peer, self.seconds), self.rounds, warm_up=lambda peer: run(peer, 1), say=self.say
        )
