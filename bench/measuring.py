"""Driving a peer with `wrk` and measuring what it costs; peers take turns, round by round."""

import http.client
import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bench.processes import LOAD_CORE, PEER_CORE, core_times, cpu_seconds, pinned, resident_bytes

_LOOK_SECONDS: Final = 0.1
_TIMEOUT_SECONDS: Final = 60
_SATURATED: Final = 0.95

_DONE: Final = """
function done(summary, latency, requests)
  local out = io.open(%(out)s, "w")
  out:write(string.format(
    '{"requests": %%d, "microseconds": %%d, "bytes": %%d, "p50": %%f, "p99": %%f, "max": %%f, "failed": %%d, '
      .. '"status_errors": %%d, "unexpected": %%d, "last_unexpected": %%d}',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.max,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.errors.status, thread:get("unexpected") or 0, thread:get("last_unexpected") or 0))
  out:close()
end
function setup(one) thread = one end
"""
_COUNT_STATUSES: Final = """
unexpected, last_unexpected = 0, 0
function response(status)
  if status ~= %(expected)d then unexpected, last_unexpected = unexpected + 1, status end
end
"""


class NotMeasured(RuntimeError):
    """Something was not as a measurement needs it; nothing that was measured beside it counts."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that is measured: `pids` stand for all that they started; `headers` are sent with each request."""

    name: str
    url: str
    pids: tuple[int, ...]
    headers: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """One run of load on one peer.

    Latencies are wrk's: it adds, for each answer later than twice the mean interval of a connection, those that a
    steady client would have been waiting for meanwhile (the correction for coordinated omission).
    """

    requests: int
    seconds: float
    p50_seconds: float
    p99_seconds: float
    received_bytes: int
    cpu_seconds: float
    rss_before_bytes: int
    rss_bytes: int
    peer_core_busy: float
    load_core_busy: float

    @property
    def requests_per_second(self) -> float:
        """Throughput."""
        return self.requests / self.seconds

    @property
    def cpu_per_request(self) -> float:
        """CPU seconds of all the peer's processes for one request."""
        return self.cpu_seconds / self.requests

    @property
    def per_core(self) -> float:
        """Requests for each second of CPU that the peer used: what one core would carry."""
        return self.requests / self.cpu_seconds

    @property
    def saturated(self) -> str:
        """Which core had nothing left."""
        cores = (("the peer's core", self.peer_core_busy), ("the load's core", self.load_core_busy))
        return " and ".join(name for name, busy in cores if busy > _SATURATED) or "no core"


def load(  # noqa: PLR0913 - what is asked for, and how hard
    peer: Peer,
    path: str,
    *,
    connections: int,
    seconds: float,
    method: str = "GET",
    body: bytes | str | None = None,
    content_type: str | None = None,
    expected: int = 200,
) -> Load:
    """Send requests on `connections` keep-alive connections for so many seconds, each after the answer to the last.

    Raises:
        NotMeasured: An answer was not `expected`, or a connection failed.

    """
    content = body.encode() if isinstance(body, str) else body
    headers = [*peer.headers, *([f"Content-Type: {content_type}"] if content_type else [])]
    require(peer, path, expected, method=method, content=content, headers=headers)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        out, script = Path(folder) / "out.json", Path(folder) / "load.lua"
        script.write_text(_script(Path(folder), out, method, content, expected))
        options = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", f"--timeout={_TIMEOUT_SECONDS}s"]
        command = pinned(
            "wrk",
            *options,
            *(part for header in headers for part in ("-H", header)),
            *("-s", script, peer.url + path),
            core=LOAD_CORE,
        )
        return _run(peer, path, command, out, expected)


def interleaved(
    peers: Sequence[Peer],
    measure: Callable[[Peer], Load],
    rounds: int,
    *,
    warm_up: Callable[[Peer], object] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, list[Load]]:
    """Measure each peer once a round, in an order that turns with each round, after a `warm_up` of each.

    Gives each peer's runs by its name, one for each round: what stands at the same place was measured side by side.
    """
    for peer in peers:
        (warm_up or measure)(peer)
    found: dict[str, list[Load]] = {peer.name: [] for peer in peers}
    for number in range(rounds):
        turn = number % len(peers)
        for peer in (*peers[turn:], *peers[:turn]):
            say(f"round {number + 1} of {rounds}: {peer.name}")
            found[peer.name].append(measure(peer))
    return found


def require(
    peer: Peer,
    path: str,
    expected: int,
    *,
    method: str = "GET",
    content: bytes | None = None,
    headers: Sequence[str] | None = None,
) -> None:
    """Ask once; `headers` are the peer's own where none are given.

    Raises:
        NotMeasured: The answer is another one.

    """
    shown = peer.headers if headers is None else headers
    parts = urlsplit(peer.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request(method, path, content, dict(header.split(": ", 1) for header in shown))
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise NotMeasured(f"{peer.name}: {method} {path} got no answer: {error}") from error
    finally:
        connection.close()
    if answer.status != expected:
        raise NotMeasured(f"{peer.name}: {method} {path} got {answer.status} and not {expected}: {text[:500]!r}")


def _script(folder: Path, out: Path, method: str, content: bytes | None, expected: int) -> str:
    lines = [f"wrk.method = {_lua(method)}"]
    if content is not None:
        (folder / "body").write_bytes(content)
        lines.append(f'wrk.body = io.open({_lua(str(folder / "body"))}, "rb"):read("*a")')
    lines.append(_DONE % {"out": _lua(str(out))})
    if not 200 <= expected < 400:  # to look at each answer costs wrk time, and wrk counts the others itself
        lines.append(_COUNT_STATUSES % {"expected": expected})
    return "\n".join(lines)


def _lua(text: str) -> str:
    return json.dumps(text)  # without control characters and beyond ASCII, a literal of Lua, too


def _run(peer: Peer, path: str, command: Sequence[str], out: Path, expected: int) -> Load:
    memory = before = resident_bytes(peer.pids)
    cpu, busy = cpu_seconds(peer.pids), [core_times(core) for core in (PEER_CORE, LOAD_CORE)]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT) as process:
            while True:
                try:
                    process.wait(timeout=_LOOK_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    memory = max(memory, resident_bytes(peer.pids))
        if process.returncode != 0 or not out.exists():
            said.seek(0)
            raise NotMeasured(f"wrk on {peer.name}{path}: {said.read().decode(errors='replace')}")
    cpu = cpu_seconds(peer.pids) - cpu
    part = [_busy(core, then) for core, then in zip((PEER_CORE, LOAD_CORE), busy, strict=True)]
    told = json.loads(out.read_text())
    _check(peer, path, told, expected)
    return Load(
        requests=told["requests"],
        seconds=told["microseconds"] / 1e6,
        p50_seconds=told["p50"] / 1e6,
        p99_seconds=told["p99"] / 1e6,
        received_bytes=told["bytes"],
        cpu_seconds=cpu,
        rss_before_bytes=before,
        rss_bytes=max(memory, resident_bytes(peer.pids)),
        peer_core_busy=part[0],
        load_core_busy=part[1],
    )


def _busy(core: int, then: tuple[float, float]) -> float:
    busy, passed = core_times(core)
    return (busy - then[0]) / max(passed - then[1], 1e-9)


def _check(peer: Peer, path: str, told: dict[str, Any], expected: int) -> None:
    unexpected = told["status_errors"] if 200 <= expected < 400 else told["unexpected"]
    if told["failed"] or unexpected or not told["requests"]:
        raise NotMeasured(
            f"{peer.name}{path}: of {told['requests']} requests, {unexpected} were not answered {expected} "
            f"(the last of them {told['last_unexpected'] or 'not looked at'}), {told['failed']} connections failed."
        )
