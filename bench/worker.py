"""How much memory does a worker take, and how soon does it serve?"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.setting import COMMAND, Connection, Setting, wait_until_ready
from demo.wordpress.servers import free_port

STARTS = 5
_PEER = "import asyncio, ssl, http.server"


def run(setting: Setting) -> None:
    """Resident memory after 200 requests; time from `app-connect serve` to its first answer."""
    connection = Connection(setting.through_gateway)
    for _ in range(200):
        connection.seconds("GET", "/wp-json/wp/v2/posts")
    print(f"  memory               {_resident_megabytes(setting.gateway_pid):8.1f} MB resident, after 200 requests")
    whole, command = [], []
    for _ in range(STARTS):
        whole.append(_seconds_until_ready(setting))
        began = time.perf_counter()
        subprocess.run([COMMAND, "settings", "show"], cwd=setting.gateway_folder, capture_output=True, check=True)
        command.append(time.perf_counter() - began)
    worker = [max(0.0, start - other) for start, other in zip(whole, command, strict=True)]
    print(f"  start                {statistics.median(whole):8.2f} s from the command to ready, median of {STARTS}")
    print(f"  of which a worker    {statistics.median(worker):8.2f} s (the rest is any command's own start)")
    print(
        f"  Python's own start   {statistics.median(_seconds_of_python() for _ in range(STARTS)):8.2f} s with asyncio"
    )


def _seconds_until_ready(setting: Setting) -> float:
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [COMMAND, "serve", "--port", str(port)],
        cwd=setting.gateway_folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(timeout=30)


def _seconds_of_python() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", _PEER], check=True)
    return time.perf_counter() - began


def _resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
