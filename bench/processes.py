"""What processes cost: CPU time and memory, each with all that it started, as `/proc` tells it."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PEER_CORE: Final = 0
"""Where the program under test runs, alone."""
LOAD_CORE: Final = 1
"""Where the load comes from and where the stand-in for WordPress answers."""

_LOOK_SECONDS: Final = 0.05
_TICK_SECONDS: Final = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


def pinned(*command: str | Path, core: int = PEER_CORE) -> list[str]:
    """The command, kept to one core with all that it starts."""
    return ["taskset", "--cpu-list", str(core), *map(str, command)]


@contextmanager
def on_cores(*cores: int) -> Iterator[None]:
    """Keep to these cores whatever is started inside the block; all of them where none is named."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores or range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def own_children() -> frozenset[int]:
    """The processes that we have started ourselves."""
    return frozenset(_children(os.getpid()))


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of the processes and of all that they started, living or waited for; exact to 10 ms each."""
    return sum(_cpu_seconds(pid) for pid in _family(pids))


def resident_bytes(pids: Iterable[int]) -> int:
    """Resident memory of the processes and of all that they started; what they share counts for each."""
    return sum(_resident_bytes(pid) for pid in _family(pids))


def peak_bytes(pids: Sequence[int], work: Callable[[], object]) -> int:
    """The most memory that the processes had while `work` was done, and at its end."""
    ended, found = threading.Event(), [resident_bytes(pids)]

    def look() -> None:
        while not ended.wait(_LOOK_SECONDS):
            found.append(resident_bytes(pids))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        work()
    finally:
        ended.set()
        looking.join()
    return max(*found, resident_bytes(pids))


def core_times(core: int) -> tuple[float, float]:
    """Seconds that a core was busy, and all that passed, since the machine's start."""
    line = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith(f"cpu{core} "))
    ticks = [int(part) for part in line.split()[1:9]]  # user nice system idle iowait irq softirq steal
    return (sum(ticks) - ticks[3] - ticks[4]) * _TICK_SECONDS, sum(ticks) * _TICK_SECONDS


def _family(pids: Iterable[int]) -> Iterator[int]:
    for pid in pids:
        yield pid
        yield from _family(_children(pid))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def _cpu_seconds(pid: int) -> float:
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) * _TICK_SECONDS  # utime stime cutime cstime, see proc_pid_stat(5)
    return 0.0


def _resident_bytes(pid: int) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    return 0
